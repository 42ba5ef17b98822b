#!/usr/bin/env bash
# Runs the benchmarks of what is on the way of every message and compares them with
# the baseline, or with -store makes them the baseline. COUNT, BENCHTIME and BENCH say
# how often, how long and which.
#
# Figures of two machines say nothing about the code: before a change, store a baseline
# on the machine on which you compare, and let neither do anything else meanwhile.
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

now=$(mktemp)
trap 'rm -f "$now"' EXIT
go test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-6}" -benchtime "${BENCHTIME:-100ms}" \
	./frame ./conn/machine ./conn ./hub ./server | tee "$now"

if [ "${1:-}" = -store ]; then
	{
		echo "# $(date +%F), $(go env GOVERSION), commit $(git describe --always --dirty)"
		cat "$now"
	} >"$baseline"
	echo "stored in $baseline"
	exit
fi
machine() { grep -m 1 '^cpu:' "$1" || echo "cpu: unknown"; }
if [ "$(machine "$baseline")" != "$(machine "$now")" ]; then
	echo "the baseline is of another machine ($(machine "$baseline"), here $(machine "$now")): store one of this with $0 -store, before the change" >&2
	exit 1
fi
echo
head -1 "$baseline"
go run "$benchstat" baseline="$baseline" now="$now"
