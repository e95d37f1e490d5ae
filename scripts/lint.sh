#!/usr/bin/env bash
# Format, clippy, documentation and, where cargo-deny is installed, licences and sources. Changes nothing.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cargo fmt --version >/dev/null 2>&1 || fail "rustfmt is needed: rustup component add rustfmt"
cargo clippy --version >/dev/null 2>&1 || fail "clippy is needed: rustup component add clippy"

say "format"
cargo fmt --all --check
say "clippy"
cargo clippy --workspace --all-targets --locked -- -D warnings
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
for script in scripts/*.sh .ci/run; do bash -n "$script"; done
if cargo deny --version >/dev/null 2>&1; then
    say "licences, bans, sources"
    cargo deny --log-level error check bans licenses sources
else
    say "licences, bans, sources: not checked, cargo-deny is not installed (cargo install --locked cargo-deny)"
fi
say "lint passed"
