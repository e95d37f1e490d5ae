#!/usr/bin/env bash
# Every test of the workspace, with what they need set up. Arguments go to cargo test.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/setup-tests.sh
# The page goes into the binary.
scripts/setup-web.sh
# Tests of the whole start these binaries themselves.
cargo build --workspace --bins --locked
if [ $# = 0 ]; then
    # Three more CQL servers and all else would starve each other.
    cargo test --workspace --locked -- --skip cluster::servers
    set -- --test it -- cluster::servers
fi
cargo test --workspace --locked "$@"
# Its report goes to a log that is shown when something failed.
log=${CARGO_TARGET_DIR:-target}/schemathesis.log
say "schemathesis"
EXAMPLES=${EXAMPLES:-10} scripts/schemathesis.sh >"$log" 2>&1 || { cat "$log"; fail "schemathesis found something"; }
tail -1 "$log"
# Thousands of lives of the engine in virtual time, from seeds.
CARGO_ARGS=--workspace SEEDS=2000 scripts/simulate.sh
CARGO_ARGS=--workspace SEEDS=500 NODES=1 scripts/simulate.sh
scripts/test-web.sh
