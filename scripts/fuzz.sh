#!/usr/bin/env bash
# Everything that the world sends, fuzzed: each target of fuzz/ for a minute, two at a time. Stable toolchain, no tool to install.
#   scripts/fuzz.sh                        every target, SECONDS_EACH=60 each
#   RUNS=10000000 scripts/fuzz.sh          every target, so many inputs each (make prove)
#   scripts/fuzz.sh jwt frames             some targets
# What breaks a target is left in target/fuzz/TARGET/ and fails the script; put it into fuzz/corpus/TARGET/ with its mend.
# What the fuzzer learns is kept in target/fuzz/TARGET/corpus; the tree's corpus is only read.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# libFuzzer is C++.
command -v c++ >/dev/null || need c++ g++

[ $# -gt 0 ] || set -- codec config frames jwt template twiml webhook
target=${CARGO_TARGET_DIR:-$PWD/target}
say "building the fuzz targets (our crates instrumented, the others as they are)"
# With the features of the whole workspace: what make test has built is not built again.
RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/instrument.sh cargo build --locked --workspace --features fuzz/libfuzzer "${@/#/--bin=}"

one() {
    local name=$1 place=$target/fuzz/$1
    mkdir -p "$place/corpus"
    local limit=(-max_total_time="${SECONDS_EACH:-60}")
    [ -z "${RUNS:-}" ] || limit=(-runs="$RUNS")
    local status=0
    "$target/debug/$name" "${limit[@]}" -timeout=20 -rss_limit_mb=2048 -max_len="${MAX_LEN:-4096}" -print_final_stats=1 \
        -artifact_prefix="$place/" "$place/corpus" "fuzz/corpus/$name" >"$place/log" 2>&1 || status=$?
    local inputs rate
    inputs=$(awk '/stat::number_of_executed_units/ {print $2}' "$place/log")
    rate=$(awk '/stat::average_exec_per_sec/ {print $2}' "$place/log")
    if [ "$status" != 0 ]; then
        tail -40 "$place/log" >&2
        printf 'error: fuzz target %s broke; the input is in %s\n' "$name" "$place" >&2
        return 1
    fi
    printf '%-10s %12s inputs, %7s a second, no crash\n' "$name" "${inputs:-?}" "${rate:-?}"
}

failed=0
running=0
for name in "$@"; do
    one "$name" &
    running=$((running + 1))
    if [ "$running" -ge "${TOGETHER:-2}" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
[ "$failed" = 0 ] || fail "a fuzz target broke"
