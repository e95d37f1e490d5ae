#!/usr/bin/env bash
# The page's tests: types against the engine's document, style, units and properties, and stories in a real browser
# against the real binaries. Screenshots go to target/screens.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need chromium chromium
scripts/setup-web.sh
place=$(scripts/setup-web.sh --node)
[ -z "$place" ] || PATH=$place:$PATH
build_binaries dev
export DESKWIRE_BIN=${CARGO_TARGET_DIR:-$PWD/target}/debug
cd web
say "the page: types and style"
npm run --silent check
say "the page: units and properties"
npm run --silent test
say "the page: stories"
npm run --silent stories
