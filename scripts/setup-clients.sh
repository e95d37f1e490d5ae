#!/bin/sh
# Installs what tests drive, as pinned here and in tests/clients, into .cache/clients of this checkout: npm `centrifuge` and
# `playwright-core`, PyPI `centrifuge-python` (stream_clients.rs, phone.rs); npm `@stoplight/prism-cli` with Twilio's own OpenAPI
# document, which npm `@twilio/cli-core` carries (webhook/openapi.rs). Does nothing when they are there already.
set -eu
cd "$(dirname "$0")/.."

cache=.cache/clients
mkdir -p "$cache/js" "$cache/python" "$cache/prism"

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

if ! cmp -s tests/clients/prism/package-lock.json "$cache/prism/installed"; then
    cp tests/clients/prism/package.json tests/clients/prism/package-lock.json "$cache/prism/"
    (cd "$cache/prism" && npm ci --no-audit --no-fund --silent --ignore-scripts)
    cp tests/clients/prism/package-lock.json "$cache/prism/installed"
fi

# Only the document, without what the package depends on.
document=twilio_api_v2010.json
sum=14f1e6e605c0530336a004e6422dc01983c5cf852b8391b9fef0e4a54bb95aa36ec2e790692f771f05e3757d4e33e9a2baad0b32299d7db5c34cb129e0db237e
if [ ! -f "$cache/prism/$document" ]; then
    (
        cd "$cache/prism"
        npm pack --silent --ignore-scripts @twilio/cli-core@9.0.0 >/dev/null
        echo "$sum  twilio-cli-core-9.0.0.tgz" | sha512sum --check --quiet
        tar xzf twilio-cli-core-9.0.0.tgz --strip-components=4 "package/src/services/twilio-api/$document"
        rm twilio-cli-core-9.0.0.tgz
    )
fi
