#!/usr/bin/env bash
# What tests need beside Rust: Node and Python with the strangers' clients, pinned in tests/clients, kept in .cache/;
# and a browser.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need node nodejs npm
need npm npm
# tests/it/phone.rs drives the telephone's page in it.
command -v chromium-browser >/dev/null || need chromium chromium fonts-dejavu-core
need python3 python3 python3-venv
python3 -c 'import ensurepip, venv' 2>/dev/null || {
    [ "$(id -u)" = 0 ] || fail "python's venv is needed: sudo apt-get install python3-venv"
    say "installing python3-venv"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}
[ ! -x scripts/setup-clients.sh ] || scripts/setup-clients.sh
