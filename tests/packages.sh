#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# packages.sh LIST... - install the Debian packages named in the lists, those that are missing.
set -eu

missing=
# shellcheck disable=SC2013 # a list of words
for package in $(sed 's/#.*//' "$@"); do
	# some builds of nodejs bring npm along, and conflict with the package
	[ "$package" != npm ] || ! command -v npm >/dev/null || continue
	dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "please run: sudo apt-get install$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# The XMPP servers are for the tests, which run their own: no service is started
# (policy-rc.d as Debian has it; one that is there stays).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
fi
echo "installing$missing"
# the index may be missing (a fresh image) or old: only then is it fetched
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 || {
	apt-get update -qq
	apt-get install -qq -y --no-install-recommends $missing >/dev/null
}
