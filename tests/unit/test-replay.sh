#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The corpus holds, and what does not hold is said with exit status 1: a wrong
# value, an unknown key at both levels, a missing file, a stanza left out of the
# manifest.  Speaks TAP.
# shellcheck disable=SC2317 # "$@" reaches the functions below
set -eu

corpus=${top_srcdir:?}/tests/data/stanzas
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
number=0

tell() { # tell WHAT COMMAND...
	what=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/out" 2>&1; then echo "ok $number - $what"; else
		echo "not ok $number - $what"
		sed 's/^/# /' "$work/out"
		status=1
	fi
}

replay() { "$top_srcdir/tests/replay" "$1"; }

# broken FROM TO PATTERN: after the change the replay fails and says PATTERN
broken() {
	cp -f "$corpus"/*.xml "$work/copy/"
	rm -f "$work/copy/manifest.json"
	sed "s/$1/$2/" "$corpus/manifest.json" >"$work/copy/manifest.json"
	! cmp -s "$corpus/manifest.json" "$work/copy/manifest.json" || return 1
	result=0
	replay "$work/copy" >"$work/said" 2>&1 || result=$?
	cat "$work/said"
	[ "$result" -eq 1 ] && grep -q "$3" "$work/said"
}

every_file() {
	for file in "$corpus"/*.xml; do
		grep -qF "\"file\": \"${file##*/}\"" "$corpus/manifest.json" || {
			echo "${file##*/} is not in the manifest"
			return 1
		}
	done
}

every_expectation() {
	replay "$corpus" && replay "$corpus" | tail -n 1 | grep -qE '^[1-9][0-9]* stanzas, [1-9][0-9]+ expectations, 0 failed$'
}

mkdir "$work/copy"
tell "every expectation of the corpus holds" every_expectation
tell "every stanza is in the manifest" every_file
tell "a wrong value is told" broken '"ufrag": "n8Lw"' '"ufrag": "nope"' \
	'contents\[0\].ufrag: expected "nope", got "n8Lw"'
tell "an unknown key is told" broken '"stanza": "presence"' '"flavour": "presence"' 'flavour: .*unknown'
tell "an unknown key of a content is told" broken '"rtcp_mux"' '"rtcp_max"' 'rtcp_max: .*unknown'
tell "a missing file is told" broken '"file": "gateway-01' '"file": "gateway-99' 'gateway-99'
tell "what the manifest does not speak of is told" broken '"jmi": "finish",' '' 'jmi: expected none, got finish'
echo "1..$number"
exit "$status"
