#!/usr/bin/env bash
# First figures on this machine, generator beside the server: signed webhook to durable 200, and fan-out to dashboards.
# SECONDS_EACH=10 CONNECTIONS=256 DASHBOARDS=500. PROFILE_WITH=perf also writes where the server's time goes.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cargo build --release --locked --bin deskwire
cargo build --release --locked -p loadtest --bin loadtest
bin=${CARGO_TARGET_DIR:-target}/release
seconds=${SECONDS_EACH:-10}
port=${PORT:-8081}
data=$(mktemp -d "${TMPDIR:-/tmp}/deskwire-bench.XXXXXX")

export DESKWIRE__SERVER__LISTEN=127.0.0.1:$port DESKWIRE__SERVER__PUBLIC_URL=http://localhost:$port
export DESKWIRE__DATA__DIRECTORY=$data/data DESKWIRE__DEMO__ENABLED=true DESKWIRE__TELEMETRY__FILTER=warn
# One line carries the whole load: its limit is not what is measured.
export DESKWIRE__WEBHOOK__LINE_PER_S=1000000 DESKWIRE__WEBHOOK__LINE_BURST=1000000
# All dashboards are one operator's.
export DESKWIRE__STREAM__OPERATOR_CONNECTIONS_MAX=10000

engine=
profiler=
stop() {
    [ -z "$profiler" ] || kill -INT "$profiler" 2>/dev/null || true
    [ -z "$engine" ] || kill -TERM "$engine" 2>/dev/null || true
    wait 2>/dev/null || true
    profiler= engine=
    rm -rf "$data/data"
}
end() {
    stop
    rm -rf "$data"
}
trap end EXIT
trap 'exit 130' INT TERM
carrier=$data/data/demo-carrier.toml

# Each figure is of an engine that has done nothing before.
start() {
    "$bin/deskwire" serve &
    engine=$!
    for _ in $(seq 300); do
        [ -f "$carrier" ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        kill -0 "$engine" 2>/dev/null || fail "the engine ended; see above"
        sleep 0.1
    done
    common=(--address "127.0.0.1:$port" --public-url "$DESKWIRE__SERVER__PUBLIC_URL" --account-sid "$(value sid)"
        --auth-token "$(value token)" --connections "${CONNECTIONS:-256}" --seconds "$seconds" --pid "$engine")
    if [ "${PROFILE_WITH:-}" = perf ]; then
        need perf linux-perf
        perf record -q -F 499 -p "$engine" -o "$data/perf.data" &
        profiler=$!
    fi
}
profile() {
    [ -n "$profiler" ] || return 0
    kill -INT "$profiler" && wait "$profiler" || true
    profiler=
    for by in comm sym; do
        perf report -i "$data/perf.data" --stdio --no-children --sort "$by" --percent-limit 1 2>/dev/null |
            grep -v '^#' | grep . | head -40
    done
}
value() { awk -F'"' -v key="$1" '$0 ~ "^"key" = " {print $2; exit}' "$carrier"; }

start
say "webhook ingest: signed webhook to durable 200"
"$bin/loadtest" bench-webhook "${common[@]}"
profile
stop

start
say "fan-out: ${DASHBOARDS:-500} dashboards on one inbox"
token=$("$bin/deskwire" token --tenant demo --operator bench --role admin)
"$bin/loadtest" bench-fanout "${common[@]}" --token "$token" --dashboards "${DASHBOARDS:-500}"
profile
