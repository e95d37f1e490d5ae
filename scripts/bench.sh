#!/usr/bin/env bash
# First figures on this machine, generator beside the server: signed webhook to durable 200, and fan-out to sessions.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cargo build --release --locked --bin deskwire
cargo build --release --locked -p loadtest --bin loadtest
exec target/release/loadtest bench --server target/release/deskwire "$@"
