#!/usr/bin/env bash
# The whole engine over simulated ports, seed after seed, until one breaks a promise or you stop it. SEED=n plays one again
# with its trace; SEEDS=n plays so many, from FROM on. NODES=1: three nodes at once instead of one after the other.
# CARGO_ARGS="--workspace" finds the artefacts of scripts/test.sh.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

words=(simulation::tests::every_seed${NODES:+_of_several_nodes}_keeps_the_promises)
if [ -n "${SEED:-}" ]; then
    words+=("seed=$SEED")
else
    words+=("from=${FROM:-1}" "seeds=${SEEDS:-1000000000000}")
fi
cargo test ${CARGO_ARGS:--p actors} --lib --locked -- --nocapture "${words[@]}"
