#!/usr/bin/env bash
# Runs the benchmarks of what is on the way of every message and compares them with
# the baseline, or with -store makes them the baseline. COUNT, BENCHTIME and BENCH say
# how often, how long and which.
#
# Times on two machines say nothing about the code: on another machine than the
# baseline's only what is allocated is compared. For times, store a baseline before a
# change, on the machine on which you compare, and let it do nothing else meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
baseline=bench/baseline.txt

case "${1:-}" in
"" | -store) ;;
*)
	echo "usage: $0 [-store]" >&2
	exit 2
	;;
esac
if [ "${1:-}" != -store ] && [ ! -f "$baseline" ]; then
	echo "there is no $baseline: store one with $0 -store, before the change" >&2
	exit 1
fi

commit=$(git describe --always --dirty) # before the baseline itself changes
now=$(mktemp)
trap 'rm -f "$now" "$now.base"' EXIT
go test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-6}" -benchtime "${BENCHTIME:-100ms}" \
	./frame ./conn/machine ./conn ./hub ./server | tee "$now"

if [ "${1:-}" = -store ]; then
	{
		echo "# $(date +%F), $(go env GOVERSION), commit $commit"
		cat "$now"
	} >"$baseline"
	echo "stored in $baseline"
	exit
fi
machine() { grep -m 1 '^cpu:' "$1" || echo "cpu: unknown"; }
echo
head -1 "$baseline"
filter='*'
if [ "$(machine "$baseline")" != "$(machine "$now")" ]; then
	filter='.unit:(B/op OR allocs/op)'
	echo "# that was another machine ($(machine "$baseline"), here $(machine "$now")), so times are left out:"
	echo "# store a baseline of this one with $0 -store, before the change"
	# The rest of the names, and how many processors they end in, must not differ.
	alike='/^cpu:/d; s/^\(Benchmark[^[:space:]]*\)-[0-9]*/\1/'
	sed "$alike" "$baseline" >"$now.base"
	sed -i "$alike" "$now"
	baseline=$now.base
fi
go run "$benchstat" -filter "$filter" baseline="$baseline" now="$now"
