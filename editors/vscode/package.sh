#!/bin/sh
# Make the .vsix: check, bundle, and put in the server's wheel and the licence. `npm run package -- --out FILE`; PYTHON
# (else python3) builds the wheel.
set -eu
cd "$(dirname "$0")"
PATH=$PWD/node_modules/.bin:$PATH
tsc -p .
npm run --silent build
rm -rf server *.vsix # the wheel holds no older one
"${PYTHON:-python3}" -m pip wheel --quiet --no-deps --wheel-dir server ../..
cp ../../LICENSE LICENSE
vsce package --no-dependencies --allow-missing-repository --no-rewrite-relative-links "$@"
