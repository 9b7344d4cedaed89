#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The daemon as a program: options, start, ready, signals, and what it refuses.
set -eu

tandemd=${top_builddir:?make check sets it}/tandemd
tandemctl=${top_builddir}/tandemctl
folder=$(mktemp -d)
daemon=
# shellcheck disable=SC2317 # called by the trap
clean_up() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true
	rm -rf "$folder"
}
trap clean_up EXIT
number=0

result() { # result NAME STATUS
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' "$folder/out" "$folder/log" 2>/dev/null || true
	fi
}

# expect NAME STATUS PATTERN COMMAND...: its exit status, and what it prints
expect() {
	name=$1 status=$2 pattern=$3
	shift 3
	got=0
	"$@" >"$folder/out" 2>&1 </dev/null || got=$?
	good=1
	if [ "$got" -eq "$status" ] && { [ -z "$pattern" ] || grep -q -- "$pattern" "$folder/out"; }; then
		good=0
	fi
	result "$name" "$good"
}

# wait_for COMMAND...: until it succeeds, 30 s at most
wait_for() {
	tries=300
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

is_gone() { ! kill -0 "$daemon"; }

# libtool's wrapper is not the process: exec hands over to it
start() {
	: >"$folder/log"
	"$tandemd" --config "$folder/tandem.conf" >"$folder/log" 2>&1 &
	daemon=$!
	wait_for grep -q ready "$folder/log"
}

mkdir "$folder/plugins"
for plugin in echo sip; do
	ln -s "$top_builddir/plugins/$plugin/.libs/$plugin.so" "$folder/plugins/$plugin.so"
done
cat >"$folder/tandem.conf" <<END
[gateway]
database=$folder/tandem.db
control_socket=$folder/control
plugins=echo
plugin_dir=$folder/plugins
END
sed 's/plugins=echo/plugins=nothing/' "$folder/tandem.conf" >"$folder/noplugin.conf"
sed 's/plugins=echo/pluginz=echo/' "$folder/tandem.conf" >"$folder/wrong.conf"
sed 's/plugins=echo/plugins=sip/' "$folder/tandem.conf" >"$folder/undecided.conf"
(cat "$folder/undecided.conf" && echo "emergency=refuse") >"$folder/decided.conf"
sed 's/tandem\.db/other.db/' "$folder/tandem.conf" >"$folder/socket.conf"
# sofia-sip ahead of libnice, as in a program linked in the wrong order
sofia=$(ldconfig -p | sed -n 's/.*libsofia-sip-ua\.so\.0 .*=> //p' | head -1)
sofia_first() { ASAN_OPTIONS="verify_asan_link_order=0" LD_PRELOAD=$sofia "$@"; }

expect "says its version" 0 '^tandemd [0-9]' "$tandemd" --version
expect "says its codecs" 0 '^codecs: opus G722 .*PCMU PCMA' "$tandemd" --version
expect "prints a configuration" 0 '^\[gateway\]' "$tandemd" --print-config
expect "checks a right configuration" 0 '' "$tandemd" --config "$folder/tandem.conf" --check-config
expect "checks a wrong configuration" 2 'pluginz' "$tandemd" --config "$folder/wrong.conf" --check-config
expect "wants to know what becomes of emergency calls" 2 'emergency=refuse' \
	"$tandemd" --config "$folder/undecided.conf"
expect "has been told what becomes of them" 0 '' "$tandemd" --config "$folder/decided.conf" --check-config
expect "refuses an unknown option" 2 'nonsense' "$tandemd" --nonsense
expect "refuses a word" 2 'not an option' "$tandemd" nonsense
expect "refuses a plugin that is not there" 1 'plugin nothing' "$tandemd" --config "$folder/noplugin.conf"
expect "refuses to run with sofia-sip before libnice" 1 'libnice must come before' \
	sofia_first "$tandemd" --config "$folder/tandem.conf"

expect "answers tandemctl without a daemon" 0 '' "$tandemctl" --config "$folder/tandem.conf" user add anna@example.org

good=1
start && good=0
result "starts and says so" $good
expect "answers on its socket" 0 'running' "$tandemctl" --config "$folder/tandem.conf" status
expect "knows what was provisioned before" 0 'anna@example.org' "$tandemctl" --config "$folder/tandem.conf" user list
expect "refuses a second one on its database" 1 'another tandemd has this database' \
	"$tandemd" --config "$folder/tandem.conf"
expect "refuses a second one on its socket" 1 'another tandemd answers there' \
	"$tandemd" --config "$folder/socket.conf"
(cat "$folder/tandem.conf" && printf 'drain_seconds=7\n[records]\nkeep_days=7\n') >"$folder/new.conf"
mv "$folder/new.conf" "$folder/tandem.conf"
kill -HUP "$daemon"
good=1
wait_for grep -q 'reload: .*: taken over: \[gateway\] drain_seconds; waiting for a restart: \[records\] keep_days$' \
	"$folder/log" && good=0
result "reloads on SIGHUP" $good
kill -TERM "$daemon"
good=1
wait_for is_gone && grep -q stopped "$folder/log" && good=0
result "stops on SIGTERM" $good
got=0
wait "$daemon" || got=$?
result "and exits with 0" $got
daemon=
echo "1..$number"
