#!/usr/bin/env bash
# Tests frame on processors that this machine is not: arm64 has vector code of its
# own, s390x has its bytes the other way round. It installs the emulator if it is
# not there (Debian, as root).
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v qemu-aarch64-static >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	apt-get -qq install --no-install-recommends -y qemu-user-static >/dev/null
fi
for target in arm64:aarch64 s390x:s390x; do
	GOARCH=${target%:*} CGO_ENABLED=0 go test -exec "qemu-${target#*:}-static" ./frame
done
