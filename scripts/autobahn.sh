#!/usr/bin/env bash
# Autobahn's fuzzing client (RFC 6455, 517 cases) against the WebSocket of our stream, as an echo server. Fails if a case
# that applies does. Its report: target/autobahn/index.html. Compression (12, 13) is never agreed on, so it does not apply.
# The suite is Python 2.7, which no distribution has any more: `pyenv install 2.7.18`, then PYTHON27=path/to/python2.7.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python=${PYTHON27:-$(command -v python2.7 || ls "$HOME"/.pyenv/versions/2.7.*/bin/python2.7 2>/dev/null | head -1 || true)}
[ -n "$python" ] || fail "Python 2.7 is needed for Autobahn's suite: pyenv install 2.7.18, then PYTHON27=~/.pyenv/versions/2.7.18/bin/python2.7"
need python3 python3
venv=.cache/autobahn
[ -x "$venv/bin/wstest" ] || {
    say "installing Autobahn's suite (PyPI autobahntestsuite, needs a C compiler and libffi's and OpenSSL's headers)"
    mkdir -p .cache
    "$python" -m pip install --quiet --disable-pip-version-check --target .cache/virtualenv27 'virtualenv==20.15.1'
    PYTHONPATH=.cache/virtualenv27 "$python" -m virtualenv --quiet "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'autobahntestsuite==25.10.1'
}
cargo build --locked -p fuzz --features autobahn --bin echo
target=${CARGO_TARGET_DIR:-$PWD/target}
address=${ADDRESS:-127.0.0.1:19002}
"$target/debug/echo" "$address" >/dev/null &
echo=$!
trap 'kill "$echo" 2>/dev/null || true; wait "$echo" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null && break
    sleep 0.1
done

report=$target/autobahn
rm -rf "$report"
mkdir -p "$report"
cat >"$report/spec.json" <<SPEC
{"options": {"failByDrop": false}, "outdir": "$report",
 "servers": [{"agent": "deskwire", "url": "ws://$address", "options": {"version": 18}}],
 "cases": ${CASES:-[\"*\"]}, "exclude-cases": [], "exclude-agent-cases": {}}
SPEC
say "Autobahn's cases (some minutes)"
"$venv/bin/wstest" -m fuzzingclient -s "$report/spec.json" >"$report/log" 2>&1 || fail "wstest ended badly: $report/log"
python3 - "$report/index.json" <<'SUM'
import collections, json, sys
cases = json.load(open(sys.argv[1]))["deskwire"]
# Compression was not agreed on: nothing was tested.
good = {"OK", "NON-STRICT", "INFORMATIONAL"}
bad = {name: case for name, case in cases.items()
       if case["behavior"] not in good | {"UNIMPLEMENTED"} or case["behaviorClose"] not in good}
unimplemented = [name for name, case in cases.items() if case["behavior"] == "UNIMPLEMENTED"]
print(dict(collections.Counter(case["behavior"] for case in cases.values())), "of", len(cases), "cases")
print("closing:", dict(collections.Counter(case["behaviorClose"] for case in cases.values())))
strays = [name for name in unimplemented if not name.startswith(("12.", "13."))]
for name, case in sorted(bad.items()):
    print("failed:", name, case["behavior"], case["behaviorClose"])
sys.exit(1 if bad or strays or len(cases) < 1 else 0)
SUM
