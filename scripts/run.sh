#!/usr/bin/env bash
# The demo on this machine: the engine with tenant `demo` and the operators' page, and the simulated carrier with callers.
# Needs Rust; the page is built with Node, which is fetched into the checkout where it is missing.
# Ctrl-C, or the end of either, ends both.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The dev profile optimises our dependencies, shares its artefacts with `make test`, and is fast enough for a demo;
# `PROFILE=release make run` takes minutes more to build.
profile=${PROFILE:-dev}
scripts/setup-web.sh || say "the page could not be built (see above): going on without it; the API and the stream are there"
say "building (the first time takes a few minutes)"
build_binaries "$profile"
bin=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
data=$(awk -F'"' '/^directory = /{print $2; exit}' config/default.toml)
data=${DESKWIRE__DATA__DIRECTORY:-$data}
url=${DESKWIRE__SERVER__PUBLIC_URL:-http://localhost:8080}
address=${DESKWIRE__SERVER__LISTEN:-127.0.0.1:8080}
carrier=${DESKWIRE__DEMO__CARRIER_URL:-http://localhost:8090}

children=()
end() {
    trap - EXIT
    trap '' INT TERM # a second Ctrl-C must not leave anything behind
    for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
}
trap end EXIT
trap 'exit 130' INT TERM

# Each in a group of its own, so that Ctrl-C reaches them through this script, in order, and once.
set -m
"$bin/deskwire" --config config/dev.toml serve &
engine=$!
children+=("$engine")
ready() { (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null && [ -f "$data/demo-carrier.toml" ]; }
for _ in $(seq 300); do
    ready && break
    kill -0 "$engine" 2>/dev/null || fail "the engine ended; see above"
    sleep 0.1
done
ready || fail "the engine is not ready after 30 s"
token=$("$bin/deskwire" --config config/dev.toml token --tenant demo --operator ana)
DEMO_OPERATOR_TOKEN=$token "$bin/loadtest" carrier --listen "127.0.0.1:${carrier##*:}" \
    --config "$data/demo-carrier.toml" --demo --demo-callers 4 &
children+=("$!")
"$bin/deskwire" --config config/dev.toml tail --tenant demo &
children+=("$!")
set +m

say "The desk: $url · telephone $carrier/phone"
say "API $url/v1/openapi.json · metrics $url/metrics · simulated carrier $carrier"
say "A token: $bin/deskwire token --tenant demo --operator ana"
say "Below: the demo tenant's events as they come. Ctrl-C ends everything."
wait -n "${children[@]}" || true
