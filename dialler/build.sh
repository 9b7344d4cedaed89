#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# build.sh FOLDER - the dialler as files that any web server can serve.
set -eu
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# the copy is made last: an installation that was cut off is begun again; others
# may want it at the same time
(
	flock 9
	if ! cmp -s package-lock.json node_modules/.tandem-lock; then
		npm ci --loglevel=error --no-audit --no-fund
		cp package-lock.json node_modules/.tandem-lock
	fi
) 9>.lock
node_modules/.bin/esbuild main.js --bundle --minify --target=es2022 --format=esm --define:global=globalThis \
	--define:process.env.NODE_ENV=\"production\" --log-level=warning --outfile="$out/dialler.js"
cp index.html style.css "$out/"
