#!/usr/bin/env bash
# Every test of the workspace, with what they need set up. Arguments go to cargo test.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/setup-tests.sh
# The page goes into the binary.
scripts/setup-web.sh
# Tests of the whole start these binaries themselves.
cargo build --workspace --bins --locked
cargo test --workspace --locked "$@"
# Thousands of lives of the engine in virtual time, from seeds.
CARGO_ARGS=--workspace SEEDS=2000 scripts/simulate.sh
scripts/test-web.sh
