#!/usr/bin/env bash
# A scenario against a fresh engine, with a verdict and a report in target/load/. Arguments go to `loadtest run`:
# `make load` plays a minute of steady; `make load ARGS="restart --seconds 30"` another one.
# The dev profile shares its artefacts with `make test`; figures worth quoting want PROFILE=release.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

profile=${PROFILE:-dev}
say "building (the first time takes a few minutes)"
build_binaries "$profile"
bin=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
reports=${CARGO_TARGET_DIR:-target}/load

[ $# -gt 0 ] || set -- steady
case $1 in -*) set -- steady "$@" ;; esac
name=$(basename "$1" .toml)
# Dashboards are sockets: as many as this machine allows.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
status=0
"$bin/loadtest" run --engine "$bin/deskwire" --json "$reports/$name.json" --html "$reports/$name.html" "$@" || status=$?
[ ! -f "$reports/$name.html" ] || say "report: $reports/$name.html"
exit "$status"
