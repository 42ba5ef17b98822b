#!/usr/bin/env bash
# Statement coverage of each package by its own tests, and the floors below which
# it must not fall.
set -uo pipefail
cd "$(dirname "$0")/.."
floor() {
	case "$1" in
	frame | handshake | subprotocol | permessage-deflate | conn/machine) echo 100.0 ;;
	*) echo 90.0 ;;
	esac
}
failed=0
# measure DIRECTORY ARGUMENTS... tests packages of the module there.
measure() {
	local dir=$1 line package have want
	shift
	while read -r line; do
		package=$(grep -o 'swan-ws/websocket[^[:space:]]*' <<<"$line" | cut -d/ -f3-)
		have=$(grep -o 'coverage: [0-9.]*%' <<<"$line" | tr -dc 0-9.)
		if [[ $line != ok* || -z $have ]]; then
			echo "$line" >&2
			failed=1
			continue
		fi
		want=$(floor "$package")
		printf '%-24s %5s %%  (at least %s)\n' "${package:-.}" "$have" "$want"
		awk -v have="$have" -v want="$want" 'BEGIN { exit !(have >= want) }' || failed=1
	done < <(cd "$dir" && go test -cover "$@" 2>&1)
}
measure . ./frame ./handshake ./subprotocol ./permessage-deflate ./conn/machine ./conn ./conn/conntest \
	./server ./client ./hub ./expvars ./internal/instant ./internal/loop ./internal/quick ./cmd/ws .
# The conformance suite covers itself with fewer of its cases.
measure . -short ./autobahn ./autobahn/internal/wire ./autobahn/report
measure auth ./jwt ./oauth ./ldap
measure prometheus .
[ "$failed" = 0 ] || { echo "coverage below the floor, or not measured" >&2; exit 1; }
