#!/usr/bin/env bash
# Emacs 30 for the tests, below the editors' folder of the user's cache. It takes no root and changes nothing of the
# system. May be run again at any time.
#
#   emacs.sh [PYTHON]    PYTHON is not needed; the scripts here are all called alike
#
# An Emacs 30 or newer on PATH is taken as it is. Else it is Debian's package `emacs-nox`, from the suites of this system
# or, where they have an older one, from bookworm-backports: unpacked, with what it needs that is not installed. Eglot
# and jsonrpc come inside it, so no archive of Emacs packages is asked; lsp-mode, which is Lisp alone, is Debian's, too, of
# its unstable suite. What cannot be had is said in one line and ends this with 3: the tests of it are skipped.
set -euo pipefail

ROOT=${AIGC_LSP_EDITORS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/aigc-lsp-editors}/emacs

LSP_MODE="elpa-lsp-mode elpa-dash elpa-f elpa-ht elpa-lv elpa-markdown-mode elpa-s elpa-spinner"
what=Emacs

missing() {
    echo "emacs.sh: $what: $1; it is not tested." >&2
    exit 3
}

new_enough() {
    "$1" --batch --eval '(kill-emacs (if (< emacs-major-version 30) 1 0))' >/dev/null 2>&1
}

of_the_system() {
    local found
    found=$(command -v emacs) && new_enough "$found" && ln -sfn "$found" "$ROOT/bin/emacs" &&
        ln -sfn "$(command -v emacsclient)" "$ROOT/bin/emacsclient"
}

# An apt in $apt that changes nothing of the system's, for the suites given.
apt_of_our_own() {
    local mirror suite
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || missing "there is none, and this is no Debian"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep -m1 '/debian/$') ||
        missing "apt knows no Debian mirror"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    for suite in "$@"; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    done | sort -u >"$apt/sources.list"
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Debug::NoLocking "true";
CONF
    export APT_CONFIG=$apt/apt.conf
}

of_debian() {
    local apt=$ROOT/apt suite=bookworm-backports
    [ "$(. /etc/os-release && echo "${VERSION_ID:-99}")" = 12 ] || suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
    apt_of_our_own "${suite%-backports}" "$suite"
    { apt-get update -qq && apt-get install -y -qq --download-only -t "$suite" emacs-nox emacs-bin-common emacs-common; } \
        >"$ROOT/apt.log" 2>&1 || missing "Debian's Emacs cannot be fetched ($ROOT/apt.log)"
    for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$ROOT"; done
    rm -rf "$apt"
    unset APT_CONFIG
}

lsp_mode() {
    local apt=$ROOT/apt
    apt_of_our_own sid
    { apt-get update -qq && (cd "$apt" && apt-get download -qq $LSP_MODE); } >"$ROOT/apt.log" 2>&1 ||
        missing "Debian's lsp-mode cannot be fetched ($ROOT/apt.log)"
    for package in "$apt"/*.deb; do dpkg -x "$package" "$ROOT/lsp-mode.new"; done
    rm -rf "$apt"
    mv "$ROOT/lsp-mode.new/usr/share/emacs/site-lisp/elpa-src" "$ROOT/lsp-mode"
    rm -rf "$ROOT/lsp-mode.new"
}

# It looks for its own files below /usr, where they are not.
wrap() {
    local version libexec lisp folders libraries
    version=$(basename "$(dirname "$(find "$ROOT/usr/share/emacs" -maxdepth 2 -name lisp -path '*/3*')")")
    lisp=$ROOT/usr/share/emacs/$version/lisp
    libexec=$(dirname "$(find "$ROOT/usr/libexec/emacs/$version" -name '*.pdmp')")
    libraries=$(dirname "$(find "$ROOT/usr/lib" -name 'libgccjit.so*' -o -name 'libtree-sitter.so*' | head -1)")
    folders=$(find "$lisp" -type d -not -path '*/obsolete*' | tr '\n' ':')
    cat >"$ROOT/bin/emacs" <<SH
#!/bin/sh
export EMACSLOADPATH='$folders' EMACSDATA='$ROOT/usr/share/emacs/$version/etc' EMACSDOC='$ROOT/usr/share/emacs/$version/etc'
export EMACSPATH='$libexec' LD_LIBRARY_PATH='$libraries'
exec '$ROOT/usr/bin/emacs-nox' --dump-file='$(find "$libexec" -name '*.pdmp')' "\$@"
SH
    chmod +x "$ROOT/bin/emacs"
    ln -sfn "$ROOT/usr/bin/emacsclient.emacs" "$ROOT/bin/emacsclient"
}

if ! new_enough "$ROOT/bin/emacs"; then
    rm -rf "$ROOT"
    mkdir -p "$ROOT/bin"
    of_the_system || { of_debian && wrap; }
    new_enough "$ROOT/bin/emacs" || missing "Debian's Emacs does not run here"
fi
what=lsp-mode
[ -d "$ROOT/lsp-mode" ] || lsp_mode
echo "emacs.sh: $("$ROOT/bin/emacs" --version 2>/dev/null | head -1) in $ROOT"
