#!/usr/bin/env bash
# Runs the original Autobahn test suite against this module's server and client,
# and compares its reports with autobahn/expected.json. It takes about an hour.
#
# It takes the wstest on the PATH, or else a Docker image (on Linux, for it needs
# the host's network), which must be pinned by its digest:
#
#   docker pull crossbario/autobahn-testsuite
#   docker inspect --format '{{index .RepoDigests 0}}' crossbario/autobahn-testsuite
#   AUTOBAHN_IMAGE=crossbario/autobahn-testsuite@sha256:... scripts/autobahn.sh
#
# Variables: AUTOBAHN_IMAGE; AUTOBAHN_OUT, where reports go (a new directory);
# AUTOBAHN_PORT, a free port and the one after it (9001).
set -euo pipefail
cd "$(dirname "$0")/.."

port=${AUTOBAHN_PORT:-9001}
out=${AUTOBAHN_OUT:-$(mktemp -d)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
agent=SwanWebSocket
server=ws://127.0.0.1:$port fuzzer=ws://127.0.0.1:$((port + 1))

fail() {
	echo "autobahn.sh: $1" >&2
	exit 1
}

if command -v wstest >/dev/null; then
	suite() { (cd "$out" && exec wstest "$@"); }
else
	case "${AUTOBAHN_IMAGE:-}" in
	*@sha256:*) ;;
	'') fail "there is no wstest on the PATH: install it, or set AUTOBAHN_IMAGE to a Docker image with its digest (see the top of $0)" ;;
	*) fail "AUTOBAHN_IMAGE=$AUTOBAHN_IMAGE has no digest: write NAME@sha256:..., so that every run is of the same suite" ;;
	esac
	docker info >/dev/null 2>&1 || fail "docker does not run here: start it, or install wstest"
	name=autobahn-$$
	suite() {
		docker run --rm --name "$name" --network host --user "$(id -u):$(id -g)" \
			-v "$out:/out" -w /out "$AUTOBAHN_IMAGE" wstest "$@"
	}
fi

# What runs in the background ends with this script, and its children with it.
pids=()
background() {
	local log=$1
	shift
	set -m
	("$@") >"$log" 2>&1 &
	pids+=($!)
	set +m
}
clean() {
	for pid in "${pids[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
	[ -z "${name:-}" ] || docker kill "$name" >/dev/null 2>&1 || true
}
trap clean EXIT

# listening waits until there is somebody at a port.
listening() {
	for _ in $(seq 600); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		kill -0 "${pids[-1]}" 2>/dev/null || break
		sleep 0.1
	done
	cat "$2" >&2
	fail "nobody listens on port $1"
}

go build -o "$out/ws" ./cmd/ws

cat >"$out/client.json" <<JSON
{"outdir": "servers", "servers": [{"agent": "$agent", "url": "$server"}],
 "cases": ["*"], "exclude-cases": [], "exclude-agent-cases": {}}
JSON
cat >"$out/server.json" <<JSON
{"outdir": "clients", "url": "$fuzzer", "webport": 0,
 "cases": ["*"], "exclude-cases": [], "exclude-agent-cases": {}}
JSON

echo "reports go to $out"
echo "== our server, tested by the suite as a client"
background "$out/testeeserver.log" "$out/ws" autobahn testeeserver -addr "127.0.0.1:$port"
listening "$port" "$out/testeeserver.log"
suite -m fuzzingclient -s client.json

echo "== our client, tested by the suite as a server"
background "$out/fuzzingserver.log" suite -m fuzzingserver -s server.json
listening "$((port + 1))" "$out/fuzzingserver.log"
"$out/ws" autobahn testeeclient -url "$fuzzer" -agent "$agent"

echo "== compared with autobahn/expected.json"
go run ./autobahn/internal/compare autobahn/expected.json \
	server "$out/servers/index.json" client "$out/clients/index.json"
