#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# npm-install.sh - the exact modules of package-lock.json into tests/e2e/node_modules, unless they are there.
set -eu
cd "$(dirname "$0")"

# the copy is made last: an installation that was cut off is begun again
if [ -f node_modules/.tandem-lock ] && cmp -s package-lock.json node_modules/.tandem-lock; then
	exit 0
fi
npm ci --loglevel=error --no-audit --no-fund
cp package-lock.json node_modules/.tandem-lock
