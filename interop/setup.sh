#!/bin/sh
# Installs what the tests of this directory need: Debian, as root. Run again, it
# does nothing.
set -eu
cd "$(dirname "$0")"

want=
add() { want="$want $*"; }
command -v chromium >/dev/null || add chromium
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || add nginx
command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || add haproxy
/usr/bin/python3 -c 'import websockets' 2>/dev/null || add python3-websockets
/usr/bin/python3 -c 'import hypercorn' 2>/dev/null || add python3-hypercorn
command -v node >/dev/null || add nodejs
command -v npm >/dev/null || add npm
command -v prometheus >/dev/null || add prometheus
if [ -n "$want" ]; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	# A package starts the service it brings. The tests start their own.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		trap 'rm -f "$policy"' EXIT
	fi
	# shellcheck disable=SC2086 # a list of names
	apt-get -qq install --no-install-recommends -y $want >/dev/null
fi

# Into node_modules, here, which git ignores.
[ -d node_modules/ws ] ||
	npm install --prefix . --no-save --no-package-lock --no-audit --no-fund --loglevel=error ws@8 >/dev/null
