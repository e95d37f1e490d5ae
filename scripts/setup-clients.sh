#!/bin/sh
# Installs what tests/it/stream_clients.rs and phone.rs drive: npm `centrifuge` and `playwright-core`, PyPI
# `centrifuge-python`, as pinned in tests/clients, into .cache/clients of this checkout. Does nothing when they are there already.
set -eu
cd "$(dirname "$0")/.."

cache=.cache/clients
mkdir -p "$cache/js" "$cache/python"

if ! cmp -s tests/clients/js/package-lock.json "$cache/js/installed"; then
    command -v npm >/dev/null || { echo "npm is needed: apt-get install nodejs npm (Node 20 or newer)" >&2; exit 1; }
    cp tests/clients/js/package.json tests/clients/js/package-lock.json "$cache/js/"
    (cd "$cache/js" && npm ci --no-audit --no-fund --silent)
    cp tests/clients/js/package-lock.json "$cache/js/installed"
fi

if ! cmp -s tests/clients/python/requirements.txt "$cache/python/installed"; then
    command -v python3 >/dev/null || { echo "python3 is needed: apt-get install python3 python3-venv" >&2; exit 1; }
    python3 -m venv "$cache/python/venv" || { echo "venv is needed: apt-get install python3-venv" >&2; exit 1; }
    "$cache/python/venv/bin/pip" install --quiet --disable-pip-version-check -r tests/clients/python/requirements.txt
    cp tests/clients/python/requirements.txt "$cache/python/installed"
fi
