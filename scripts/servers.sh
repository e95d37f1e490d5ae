#!/usr/bin/env bash
# A CQL server and a Redis on this machine, at the ports that config/default.toml has, for trying several nodes where no container
# engine is: Apache Cassandra as tests have it, and redis-server. Everything is in target/servers and stays there; Ctrl-C ends both.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need redis-server redis-server
env -u DESKWIRE_TEST_CQL scripts/setup-cql.sh
place=${CARGO_TARGET_DIR:-$PWD/target}/servers
mkdir -p "$place/redis"
# Nobody logs in, and nobody else reaches it.
sed -e 's/PasswordAuthenticator/AllowAllAuthenticator/' -e '/^client_encryption_options:/,/keystore:/d' \
    -e 's/@token@/0/' -e 's/@seed@/127.0.0.1:7000/' -e 's/@address@/127.0.0.1/' -e 's/@storage_port@/7000/' \
    -e 's/@native_port@/9042/' tests/cassandra/cassandra.yaml >"$place/cassandra.yaml"
for port in 9042 6379; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "somebody listens on 127.0.0.1:$port already"; fi
done

children=()
end() {
    trap - EXIT
    trap '' INT TERM
    for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
    wait
}
trap end EXIT
trap 'exit 130' INT TERM
jars=$PWD/.cache/cassandra/lib
set -m # a group of its own each: Ctrl-C ends them through this script
java "@tests/cassandra/jvm.options" "-javaagent:$jars/jamm-0.4.0.jar" "-Dcassandra.config=file://$place/cassandra.yaml" \
    "-Dcassandra.storagedir=$place/cassandra" "-Dlogback.configurationFile=$PWD/tests/cassandra/logback.xml" \
    -cp "$jars/*" org.apache.cassandra.service.CassandraDaemon >"$place/cassandra.log" 2>&1 &
children+=("$!")
redis-server --port 6379 --bind 127.0.0.1 --dir "$place/redis" --appendonly yes --maxmemory-policy noeviction >"$place/redis.log" &
children+=("$!")
set +m
for _ in $(seq 600); do
    (exec 3<>/dev/tcp/127.0.0.1/9042) 2>/dev/null && (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null && break
    for child in "${children[@]}"; do kill -0 "$child" 2>/dev/null || fail "a server ended: see $place/*.log"; done
    sleep 0.2
done
say "CQL (Apache Cassandra) at 127.0.0.1:9042, Redis at 127.0.0.1:6379, for trying: one copy of everything. Ctrl-C ends both."
wait -n "${children[@]}" || true
fail "a server ended: see $place/*.log"
