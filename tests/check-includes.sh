#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Who may include whom.  The folders are the layers; what a folder may include of
# ours, and which library stays inside which folder, is said in the table below.
# Speaks TAP: one test per rule, then one that shows that the rules bite.
set -eu

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
cd "${1:-${top_srcdir:-$(dirname "$0")/..}}"
# layer FOLDER ALLOWED: the headers of ours that files right in FOLDER include are of
# FOLDER itself or match ALLOWED
layer() {
	[ ! -d "$1" ] || printf 'layer\t%s\t%s\n' "$1" "$2"
}

# keep LIBRARY HEADERS WHERE: the headers of LIBRARY appear only in files WHERE
keep() {
	printf 'keep\t%s\t%s\t%s\n' "$1" "$2" "$3"
}

# hygiene: no folder includes a .c file, or climbs out of itself with ../
climbing() {
	echo climbing
}

# nameless FOLDER EXCEPT: the text of no file there is the name of a plugin of ours; what
# a plugin can do is asked instead (WayKind of leg.h)
nameless() {
	printf 'nameless\t%s\t%s\n' "$1" "$2"
}

# judge: reads the rules, then each file once (a process for each rule and file costs more
# than all the rest), and reports rule by rule
judge() {
	folders=
	for folder in b2bua media db plugins cli; do
		[ ! -d $folder ] || folders="$folders $folder"
	done
	# shellcheck disable=SC2046,SC2086 # our file names have no blanks
	awk -F '\t' '
		!reading { rules[++n_rules] = $0; next }
		/^[ \t]*#[ \t]*include[ \t]*"[^"]*\/[^"]*"/ { # a header of ours, from another folder
			split($0, part, "\"")
			file[++n] = FILENAME; header[n] = part[2]
		}
		/^[ \t]*#[ \t]*include[ \t]*<[^>]+>/ { # of a library
			split($0, part, /[<>]/)
			file[++n] = FILENAME; header[n] = "<" part[2] ">"
		}
		/"(sip|xmpp|echo)"/ { named_in[++n_named] = FILENAME; named[n_named] = FNR ":" $0 }

		function plain(pattern) { gsub(/\\/, "", pattern); return pattern }
		function report(rule) {
			print (offenders == "" ? "ok " : "not ok ") ++number " - " rule
			printf "%s", offenders
		}
		function offends(text) { offenders = offenders "# " text "\n" }

		function layer(folder, allowed,    i, right) {
			right = "^" folder "/[^/]*$"
			for (i = 1; i <= n; i++)
				# main.c is the composition root and knows everybody
				if (file[i] ~ right && file[i] != "b2bua/main.c" && header[i] !~ /^</ &&
				    header[i] !~ ("^(" folder "/[^/]*" (allowed == "" ? "" : "|" allowed) ")$"))
					offends(file[i] " " header[i])
			report(folder "/ includes of ours only itself" (allowed == "" ? "" : " and " plain(allowed)))
		}
		function keep(library, headers, where,    i) {
			for (i = 1; i <= n; i++)
				if (header[i] ~ ("^<(" headers ")") && file[i] !~ ("^(" where ")"))
					offends(file[i] " " header[i])
			report(library " stays inside " plain(where))
		}
		function climbing(    i) {
			for (i = 1; i <= n; i++)
				if (header[i] ~ /\.\.|\.c>?$/)
					offends(file[i] " " header[i])
			report("nobody includes a .c file or a path with ..")
		}
		function nameless(folder, except,    i) {
			for (i = 1; i <= n_named; i++)
				if (index(named_in[i], folder "/") == 1 && named_in[i] !~ ("^(" except ")"))
					offends(named_in[i] ":" named[i])
			report(folder "/ knows no plugin by its name but in " plain(except))
		}

		END {
			for (row = 1; row <= n_rules; row++) {
				split(rules[row], word, "\t")
				offenders = ""
				if (word[1] == "layer") layer(word[2], word[3])
				else if (word[1] == "keep") keep(word[2], word[3], word[4])
				else if (word[1] == "climbing") climbing()
				else nameless(word[2], word[3])
			}
		}' - reading=1 $(find $folders -name '*.[ch]' | sort)
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
	folders='db media media/audio media/relay b2bua b2bua/route b2bua/why b2bua/call b2bua/text b2bua/report b2bua/doctor b2bua/admin b2bua/http
		cli plugins/echo plugins/xmpp plugins/sip/stack plugins/sip/shield plugins/sip/peers plugins/sip/dialog plugins/sip/text plugins/sip'
	# shellcheck disable=SC2086 # a word each
	(cd "$tree" && mkdir -p $folders)
	for folder in $folders; do
		printf '#include "%s"\n' other/x.h ../x.h db/x.c >"$tree/$folder/x.c"
	done
	printf '#include <%s>\n' nice/agent.h opusfile.h opusenc.h speex/speex_resampler.h srtp2/srtp.h openssl/ssl.h sqlite3.h sofia-sip/nua.h \
		strophe.h libxml/tree.h libsoup/soup.h >"$tree/b2bua/y.c"
	echo 'gateway_plugin(gateway, "sip");' >"$tree/b2bua/route/z.c"
	"$self" "$tree" | grep -v '^not ok\|^#' || true
}

results=$(rules | judge)
echo "$results"
[ $# -eq 0 ] || exit 0
number=$(($(echo "$results" | grep -c '^ok \|^not ok ') + 1))
offenders=$(rules_bite)
echo "${offenders:+not }ok $number - each rule fails on a tree that breaks it"
[ -z "$offenders" ] || echo "$offenders" | sed 's/^/# /'
echo "1..$number"
