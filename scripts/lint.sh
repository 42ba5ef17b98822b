#!/usr/bin/env bash
# What the compiler does not check.
set -euo pipefail
cd "$(dirname "$0")/.."
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
failed=0
complain() { echo "$1" >&2; failed=1; }

unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || complain "gofmt would change: $unformatted"
go vet ./...
go vet -tags interop ./interop/...
GOARCH=arm64 go vet ./frame
go vet -tags purego ./frame
go run "$staticcheck" -tags interop ./...
for module in */go.mod; do # those of their own
	(cd "${module%/*}" && go vet -tags interop ./... && go run "$staticcheck" -tags interop ./...)
done

# Tests wait for what happens, not for time to pass.
sleeps=$(grep -rn 'time\.Sleep(' --include='*_test.go' . || true)
[ -z "$sleeps" ] || complain "time.Sleep in tests: $sleeps"

# A file holds one thing. Longer ones say why in their first lines: "long: ...".
while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 400 ] || grep -q '^// long: ' < <(head -20 "$file") || complain "$file has $lines lines: split it, or say why"
done < <(git ls-files --cached --others --exclude-standard '*.go')
exit "$failed"
