#!/usr/bin/env bash
# A stranger's fuzzer against REST, with every check (tests/schemathesis.toml): PyPI schemathesis reads /v1/openapi.json and sends what it allows and what it does not.
# Starts the engine with the demo tenant on a data directory of its own. Arguments go to schemathesis.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need python3 python3 python3-venv
venv=.cache/schemathesis
[ -x "$venv/bin/schemathesis" ] || {
    say "installing schemathesis"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4,<5'
}
build_binaries dev
bin=${CARGO_TARGET_DIR:-target}/debug/deskwire

data=$(mktemp -d)
address=127.0.0.1:18080
export DESKWIRE__DATA__DIRECTORY=$data DESKWIRE__SERVER__LISTEN=$address DESKWIRE__TELEMETRY__FILTER=warn
export DESKWIRE__API__REQUESTS_PER_S=100000 DESKWIRE__API__REQUESTS_BURST=100000
"$bin" --config config/dev.toml serve &
engine=$!
trap 'kill -TERM $engine 2>/dev/null; wait $engine 2>/dev/null || true; rm -rf "$data"' EXIT
ready() {
    exec 3<>"/dev/tcp/${address%:*}/${address##*:}" && printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3 && grep -q '200 OK' <&3
}
for _ in $(seq 300); do
    (ready) 2>/dev/null && break
    kill -0 "$engine" 2>/dev/null || fail "the engine ended; see above"
    sleep 0.1
done

token=$("$bin" --config config/dev.toml token --tenant demo --operator schemathesis --role admin)
"$venv/bin/schemathesis" --config-file tests/schemathesis.toml run "http://$address/v1/openapi.json" \
    --header "Authorization: Bearer $token" --checks all --phases examples,coverage,fuzzing \
    --max-examples "${EXAMPLES:-50}" --request-timeout 20 "$@"
