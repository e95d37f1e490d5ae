#!/usr/bin/env bash
# Every bar of the project on this machine, generator beside the server, and the tables of docs/performance.md and
# README.md. Half an hour, ten minutes of it for memory under load; nothing else should run meanwhile.
#   make bench                        all of it, but for the store of ten million messages
#   make bench ARGS="ingest fan-out"  some
#   make bench ARGS=big               the store of ten million messages (bars 6 and 9): about 25 GB of disk
#   QUICK=1 make bench                a small form of each, some seconds; its figures mean nothing and change no table
#   PROFILE_WITH=perf make bench ARGS=ingest   also where the engine's time goes, in target/bench/ingest-perf.txt
# Each leaves its figures in target/bench/*.json; `make bench ARGS=report` makes the tables of what is there.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all="ingest live append conversations memory fan-out history outbound queue storm redis cql nodes scaling"
[ $# -gt 0 ] || set -- $all
flags=()
out=${CARGO_TARGET_DIR:-target}/bench
profile=release
if [ -n "${QUICK:-}" ]; then
    flags+=(--quick)
    out=$out/quick
fi
if [ "${PROFILE_WITH:-}" = perf ]; then
    need perf linux-perf
    flags+=(--profile)
fi
need taskset util-linux
cargo build --release --locked --bin deskwire
cargo build --release --locked -p loadtest --bin loadtest
bin=${CARGO_TARGET_DIR:-target}/$profile
mkdir -p "$out"
# Dashboards are sockets: as many as this machine allows.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

loadtest() { "$bin/loadtest" bench "$@" --engine "$bin/deskwire" --out "$out" "${flags[@]}"; }
# In the engine's own process: benches/.
inside() { cargo bench --locked --bench "$1" -- --out "$(realpath "$out")" ${QUICK:+--quick}; }

failed=()
for name in "$@"; do
    say "$name"
    case $name in
    append | conversations) inside "$name" ;;
    # On a redis-server, and on the CQL server of the tests: scripts/setup-tests.sh, scripts/setup-cql.sh.
    redis) inside redis ;;
    cql | nodes) scripts/setup-cql.sh && inside "$name" ;;
    # In virtual time.
    scaling) inside scaling ;;
    big) loadtest history --messages 10000000 ;;
    report) continue ;;
    *) loadtest "$name" ;;
    esac || failed+=("$name")
done
if [ -z "${QUICK:-}" ]; then loadtest report; fi
[ ${#failed[@]} = 0 ] || fail "did not come to an end: ${failed[*]}"
