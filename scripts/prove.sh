#!/usr/bin/env bash
# The long forms of what `make test` plays for seconds. Each part is a function `prove_NAME`; arguments choose parts
# (`make prove ARGS="faults"`), without any all are done. A part that fails does not keep the others from being done.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

target=${CARGO_TARGET_DIR:-target}

# kill -9 a hundred times between a carrier's acceptance and our record of it, and fifty times in any moment; many more
# flipped bits.
prove_faults() {
    scripts/setup-tests.sh
    build_binaries dev
    DESKWIRE_PROVE=1 cargo test --locked --workspace --test it -- --nocapture --test-threads 1 faults:: crash::
}

# Three nodes whose links are cut for minutes, each of three CQL servers lost in turn, and twenty thousand seeds of several
# nodes.
prove_cluster() {
    scripts/setup-tests.sh
    build_binaries dev
    DESKWIRE_PROVE=1 cargo test --locked --workspace --test it -- --nocapture --test-threads 1 cluster:: pace::
    CARGO_ARGS=--workspace SEEDS=20000 NODES=1 scripts/simulate.sh
}

# Scenarios of the load harness in their full length, each with its verdict.
prove_scenarios() {
    local scenario failed=0
    for scenario in kills restart resume-storm slow-readers noisy-neighbour one-contact carrier-trouble; do
        PROFILE=release scripts/load.sh "$scenario" || { say "scenario $scenario failed"; failed=1; }
    done
    return "$failed"
}

# Ten million inputs for every fuzz target (hours), Autobahn's whole suite, many more examples of schemathesis.
prove_hostile() {
    RUNS=${RUNS:-10000000} scripts/fuzz.sh
    scripts/autobahn.sh
    EXAMPLES=500 scripts/schemathesis.sh
}

# What only tests may have is not in a release.
prove_release() {
    cargo build --release --locked --bin deskwire
    ! grep -q -a -e deskwire-test-poison -e DESKWIRE_TEST_CURED "$target/release/deskwire" ||
        fail "the release binary knows the poison of the tests"
}

parts=("$@")
if [ "$#" = 0 ]; then
    mapfile -t parts < <(declare -F | sed -n 's/^declare -f prove_//p')
fi
bad=()
for part in "${parts[@]}"; do
    declare -F "prove_$part" >/dev/null || fail "there is no part $part"
    say "prove: $part"
    # In a shell of its own, so that the first command that fails ends the part and only the part.
    bash -c "set -euo pipefail; $(declare -f say fail need build_binaries "prove_$part"); target=$target; prove_$part" || bad+=("$part")
done
[ "${#bad[@]}" = 0 ] || fail "not proved: ${bad[*]}"
say "proved: ${parts[*]}"
