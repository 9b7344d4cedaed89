#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Who may include whom.  The folders are the layers; what a folder may include of
# ours, and which library stays inside which folder, is said in the table below.
# Speaks TAP: one test per rule, then one that shows that the rules bite.
set -eu

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
cd "${1:-${top_srcdir:-$(dirname "$0")/..}}"
number=0

report() { # report RULE OFFENDERS
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# includes FILE...: a line "file header" for each of our own headers included
# from another folder, and "file <header>" for each of a library
includes() {
	for file; do
		sed -nE "s|^[[:space:]]*#[[:space:]]*include[[:space:]]*\"([^\"]*/[^\"]*)\".*|$file \1|p
			s|^[[:space:]]*#[[:space:]]*include[[:space:]]*(<[^>]+>).*|$file \1|p" "$file"
	done
}

# layer FOLDER ALLOWED: the headers of ours that files right in FOLDER include are of
# FOLDER itself or match ALLOWED
layer() {
	[ -d "$1" ] || return 0
	# main.c is the composition root and knows everybody
	files=$(find "$1" -maxdepth 1 -name '*.[ch]' ! -path b2bua/main.c | sort)
	# shellcheck disable=SC2086 # our file names have no blanks
	offenders=$(includes $files | grep -v ' <' | grep -vE " ($1/[^/]*${2:+|$2})\$" || true)
	report "$1/ includes of ours only itself${2:+ and $(echo "$2" | sed 's/[\]//g')}" "$offenders"
}

# keep LIBRARY HEADERS WHERE: the headers of LIBRARY appear only in files WHERE
keep() {
	files=$(find b2bua media db plugins cli -name '*.[ch]' 2>/dev/null | sort)
	# shellcheck disable=SC2086
	offenders=$(includes $files | grep -E " <($2)" | grep -vE "^($3)" || true)
	report "$1 stays inside $(echo "$3" | sed 's/[\]//g')" "$offenders"
}

# hygiene: no folder includes a .c file, or climbs out of itself with ../
climbing() {
	files=$(find b2bua media db plugins cli -name '*.[ch]' 2>/dev/null | sort)
	# shellcheck disable=SC2086
	report "nobody includes a .c file or a path with .." \
		"$(includes $files | grep -E '\.\.|\.c>?$' || true)"
}

# nameless FOLDER EXCEPT: the text of no file there is the name of a plugin of ours; what
# a plugin can do is asked instead (WayKind of leg.h)
nameless() {
	files=$(find "$1" -name '*.[ch]' 2>/dev/null | grep -vE "^($2)" | sort)
	# shellcheck disable=SC2086
	offenders=$(grep -nE '"(sip|xmpp|echo)"' /dev/null $files || true)
	report "$1/ knows no plugin by its name but in $(echo "$2" | sed 's/[\]//g')" "$offenders"
}

rules() {
	core='b2bua/[^/]*\.h|media/(audio|codec|desc|media|quality|side)\.h|db/(news|store|store_texts|trunk_key)\.h'
	layer db ''
	layer media 'media/relay/relay\.h|media/audio/recorder\.h'
	layer media/audio 'media/[^/]*\.h'
	# no port, no ICE, nothing of media.h but its types
	layer media/relay 'media/(audio|binding|bytes|catchup|codec|demux|desc|dtmf|fmtp|g711|media_types|quality|rtcp|rtp|sdes|sources|srtp|transcode|udp|worker)\.h'
	layer b2bua 'media/(certificate|codec|desc|media|quality|side)\.h|db/(store|trunk_key)\.h'
	layer b2bua/route "$core"
	# pure: no call, no store, nothing of the media but its types
	layer b2bua/why 'b2bua/(leg|reason)\.h|media/media_types\.h'
	layer b2bua/call "$core|b2bua/(route|why|text)/[^/]*\.h"
	layer b2bua/text "$core|b2bua/(route|why)/[^/]*\.h"
	layer b2bua/report "$core|b2bua/(route|why|call)/[^/]*\.h"
	# it has servers to look at, and waits for them on threads of its own
	layer b2bua/doctor "$core|media/(certificate|probe|turn|udp)\.h|b2bua/(route|call)/[^/]*\.h"
	layer b2bua/admin "$core|b2bua/(route|why|call|text|report|doctor)/[^/]*\.h"
	layer b2bua/http "$core|b2bua/(route|why|call|text|report)/[^/]*\.h"
	layer cli 'b2bua/(config_key|admin/(verbs|help))\.h'
	plugin='b2bua/([^/]*|route/(route|way_out|dial_uri))\.h|media/(desc|turn)\.h|db/(news|store|trunk_key)\.h'
	# what is installed for somebody else's plugin does for the example of one
	layer plugins/echo 'b2bua/(address|counters|leg|number|reason)\.h|media/(desc|side)\.h'
	layer plugins/xmpp "$plugin"
	sip='plugins/sip'
	layer $sip/stack "$plugin"
	layer $sip/shield "$plugin|$sip/sip_root\.h|$sip/stack/[^/]*\.h"
	layer $sip/peers "$plugin|$sip/sip_root\.h|$sip/(stack|shield)/[^/]*\.h"
	layer $sip/dialog "$plugin|$sip/sip_root\.h|$sip/(stack|shield|peers)/[^/]*\.h"
	layer $sip/text "$plugin|$sip/sip_root\.h|$sip/(stack|shield|peers|dialog)/[^/]*\.h"
	layer $sip "$plugin|$sip/(stack|shield|peers|dialog|text)/[^/]*\.h"
	keep libnice 'nice/|stun/|agent\.h' 'media/'
	keep libopusfile 'opusfile\.h' 'media/audio/'
	keep libopusenc 'opusenc\.h' 'media/audio/'
	keep libspeexdsp 'speex/' 'media/(audio/|coder\.c)'
	keep libsrtp 'srtp2?/' 'media/'
	# sofia-sip frees no SSL of its own
	keep OpenSSL 'openssl/(ssl|bio|dtls|x509|srtp)' '(media/|plugins/sip/stack/sip_tls(_peer)?\.[ch])'
	keep SQLite 'sqlite3\.h' 'db/'
	keep sofia-sip 'sofia-sip/' 'plugins/sip/'
	keep libsoup 'libsoup/' 'b2bua/http/'
	keep libstrophe 'strophe\.h' 'plugins/xmpp/xmpp_stream\.c'
	keep libxml2 'libxml/' 'plugins/xmpp/'
	climbing
	# the doctor asks the DNS for services of these names
	nameless b2bua 'b2bua/((config|config_check|config_key|setting)\.[ch]|doctor/doctor_(network|trunk)\.c)'
}

# A tree that breaks every rule: each must say "not ok".
rules_bite() {
	tree=$(mktemp -d)
	trap 'rm -rf "$tree"' EXIT
	for folder in db media media/audio media/relay b2bua b2bua/route b2bua/why b2bua/call b2bua/text b2bua/report b2bua/doctor b2bua/admin b2bua/http cli plugins/echo plugins/xmpp \
		plugins/sip/stack plugins/sip/shield plugins/sip/peers plugins/sip/dialog plugins/sip/text plugins/sip; do
		mkdir -p "$tree/$folder"
		printf '#include "%s"\n' other/x.h ../x.h db/x.c >"$tree/$folder/x.c"
	done
	printf '#include <%s>\n' nice/agent.h opusfile.h opusenc.h speex/speex_resampler.h srtp2/srtp.h openssl/ssl.h sqlite3.h sofia-sip/nua.h \
		strophe.h libxml/tree.h libsoup/soup.h >"$tree/b2bua/y.c"
	echo 'gateway_plugin(gateway, "sip");' >"$tree/b2bua/route/z.c"
	"$self" "$tree" | grep '^ok' || true
}

rules
[ $# -eq 0 ] || exit 0
report "each rule fails on a tree that breaks it" "$(rules_bite)"
echo "1..$number"
