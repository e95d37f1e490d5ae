#!/usr/bin/env bash
# The CQL server that tests start themselves: Apache Cassandra as pinned in tests/cassandra, from Maven Central into
# .cache/cassandra of this checkout. Does nothing when it is there already, or when DESKWIRE_TEST_CQL names a server.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -z "${DESKWIRE_TEST_CQL:-}" ] || exit 0
cache=.cache/cassandra
need java default-jre-headless
if cmp -s tests/cassandra/jars.sha256 "$cache/installed"; then exit 0; fi
need mvn maven
say "fetching Apache Cassandra for the tests of the CQL store"
rm -rf "$cache"
mkdir -p "$cache/lib"
mvn --quiet --batch-mode --file tests/cassandra/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$PWD/$cache/lib"
(cd "$cache/lib" && sha256sum --check --quiet --strict "$OLDPWD/tests/cassandra/jars.sha256") || fail "what was fetched is not what is pinned"
[ "$(find "$cache/lib" -name '*.jar' | wc -l)" = "$(wc -l < tests/cassandra/jars.sha256)" ] || fail "a jar was fetched that is not pinned"
cp tests/cassandra/jars.sha256 "$cache/installed"
