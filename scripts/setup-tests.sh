#!/usr/bin/env bash
# What tests need beside Rust: Node and Python with the strangers' clients, pinned in tests/clients, kept in .cache/;
# a browser; a C compiler; and namespaces of one's own.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Faults on purpose: tests/it/faults compiles a library that stands before the engine's fsync and clock …
need cc gcc libc6-dev
# … and fills a small disk, mounted where nobody else sees it.
need unshare util-linux
# tests/it/cluster cuts the network between nodes.
need ip iproute2
# … and types what README types.
need curl curl
unshare -Urnm true 2>/dev/null || fail "tests mount a small disk in a user namespace of their own, which this system forbids. \
Allow it: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0 \
(a key that this kernel does not know says so and does no harm); in a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
# tests/it/pace hands out shared limits with servers of its own.
need redis-server redis-server
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
scripts/setup-cql.sh
