#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given. Go fuzzes one target
# of one package at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
found=0
while read -r package; do
	dir=$(go list -f '{{.Dir}}' "$package")
	for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go 2>/dev/null | sed 's/^func //'); do
		found=$((found + 1))
		echo "== $package $target ($time)"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10s "$package"
	done
done < <(go list ./...)
[ "$found" -gt 0 ] || { echo "no fuzz target found" >&2; exit 1; }
echo "$found fuzz targets passed"
