#!/usr/bin/env bash
# Statement coverage of each package by its own tests, and the floors below which
# it must not fall.
set -euo pipefail
cd "$(dirname "$0")/.."
floor() {
	case "$1" in
	./frame | ./handshake | ./subprotocol | ./permessage-deflate | ./conn/machine) echo 100.0 ;;
	*) echo 90.0 ;;
	esac
}
# The conformance suite covers itself with fewer of its cases.
short() { case "$1" in ./autobahn*) echo true ;; *) echo false ;; esac; }
failed=0
for package in ./frame ./handshake ./subprotocol ./permessage-deflate ./conn/machine ./conn ./conn/conntest ./server ./client ./hub ./expvars ./internal/loop ./cmd/ws ./autobahn ./autobahn/internal/wire ./autobahn/report .; do
	line=$(go test -short="$(short "$package")" -cover "$package") || true
	have=$(grep -o 'coverage: [0-9.]*' <<<"$line" | cut -d' ' -f2) || true
	if [ -z "$have" ]; then
		echo "$line" >&2
		failed=1
		continue
	fi
	want=$(floor "$package")
	printf '%-24s %5s %%  (at least %s)\n' "$package" "$have" "$want"
	awk -v have="$have" -v want="$want" 'BEGIN { exit !(have >= want) }' || failed=1
done
for module in auth/jwt auth/oauth auth/ldap prometheus/.; do
	(cd "${module%%/*}" && go test -cover "./${module#*/}") | tee /dev/stderr |
		awk '/coverage:/ { sub("%", "", $5); ok = $5 >= 90 } END { exit !ok }' || failed=1
done
[ "$failed" = 0 ] || { echo "coverage below the floor" >&2; exit 1; }
