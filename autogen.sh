#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes ./configure from configure.ac.  Run once after a clone.
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake libtoolize pkg-config; do
	command -v "$tool" >/dev/null || missing=1
done
if [ -n "$missing" ]; then
	echo "autogen.sh: please run: apt-get install autoconf automake libtool pkg-config" >&2
	exit 1
fi
mkdir -p m4 build-aux
exec autoreconf --install --force --warnings=all,no-portability
