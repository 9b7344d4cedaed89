#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# What "make install" leaves: programs that find their plugins, one set of default
# paths in unit, daemon and client, headers that suffice for somebody else's
# plugin; and that "make uninstall" takes all of it away.
#
# Installs below a folder of its own; with TANDEM_INSTALLED set (make installcheck)
# it looks at what is installed for real.
# shellcheck disable=SC2154 # "make install-dirs" sets them
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES TESTS DESTDIR
export LC_ALL=C.UTF-8

folder=$(mktemp -d)
root=$folder/root
daemon=
trap 'rm -rf "$folder"' EXIT
number=0

# shellcheck disable=SC2317 # called by the trap
end_daemon() { [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true; }

# try NAME COMMAND...: what it says is shown when it fails, which its first wrong step does
try() {
	name=$1
	shift
	number=$((number + 1))
	set +e
	(
		trap end_daemon EXIT
		set -e
		"$@"
	) >"$folder/out" 2>&1 </dev/null
	got=$?
	set -e
	if [ "$got" -eq 0 ]; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' "$folder/out" "$folder/log" 2>/dev/null || true
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

run_make() { make --no-print-directory --silent -C "${top_builddir:?make check sets it}" "$@"; }

# has FILE WORDS: a line of the file has these words
has() { grep -qF -- "$2" "$1" || { echo "$1 has no: $2"; cat "$1"; return 1; }; }

default_paths() {
	"$tandemd" --print-config >"$folder/config"
	"$tandemctl" --help >"$folder/help"
	has "$folder/config" "#database = $localstatedir/lib/tandem/tandem.db"
	has "$folder/config" "#control_socket = $runstatedir/tandem/control.sock"
	has "$folder/config" "#plugin_dir = $plugindir"
	has "$folder/help" "$sysconfdir/tandem/tandem.conf"
	has "$unit" "ExecStart=$sbindir/tandemd --config $sysconfdir/tandem/tandem.conf"
	has "$unit" "ReadWritePaths=-$localstatedir/lib/tandem -$runstatedir/tandem"
	! "$tandemctl" --config "$folder/none.conf" user list >"$folder/said" 2>&1 || return 1
	has "$folder/said" "$folder/none.conf"
}

verify_unit() {
	sed "s|^ExecStart=.* --config|ExecStart=$tandemd --config|" "$unit" >"$folder/tandemd.service"
	systemd-analyze verify --man=no "$folder/tandemd.service" >"$folder/said" 2>&1
	# a setting it does not know is only a warning
	! grep tandemd.service "$folder/said" || return 1
}

# exposure below 2.0 of 10
judge_unit() { systemd-analyze security --offline=yes --threshold=20 "$folder/tandemd.service"; }

# the process itself, not libtool's wrapper, is what is installed
hardened() {
	readelf -W -d "$tandemd" >"$folder/said"
	has "$folder/said" NOW
	readelf -W -l "$tandemd" >"$folder/said"
	has "$folder/said" GNU_RELRO
	readelf -W --dyn-syms "$root$pkglibdir/libtandem.so" >"$folder/said"
	has "$folder/said" __stack_chk_fail
	grep -qE "__[a-z]+_chk@" "$folder/said" || { echo "nothing is fortified"; return 1; }
}

version() { [ "$("$1" --version | head -n 1)" = "$2 $version" ]; }

# configure PLUGINS FOLDER: all but the programs below our own folder
configure() {
	cat >"$folder/tandem.conf" <<END
[gateway]
database = $folder/tandem.db
control_socket = $folder/control
plugins = $1
plugin_dir = $2
emergency = refuse
[xmpp]
port = 1
secret = secret
[sip]
port = 0
END
}

is_ready() { grep -q ready "$folder/log" || is_gone; }
is_gone() { ! kill -0 "$daemon" 2>/dev/null; }

# wait_for COMMAND: 30 s at most
wait_for() {
	tries=300
	until "$1"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

start() {
	: >"$folder/log"
	"$tandemd" --config "$folder/tandem.conf" >"$folder/log" 2>&1 &
	daemon=$!
	wait_for is_ready
	has "$folder/log" ready
}

stop() {
	kill -TERM "$daemon"
	wait_for is_gone && wait "$daemon" && daemon=
}

runs() {
	configure "xmpp;sip;echo" "$root$plugindir"
	"$tandemd" --config "$folder/tandem.conf" --check-config
	"$tandemctl" --config "$folder/tandem.conf" user add anna@example.org
	start
	"$tandemctl" --config "$folder/tandem.conf" status >"$folder/said"
	has "$folder/said" running
	! grep "not loaded" "$folder/said" || return 1
	"$tandemctl" --config "$folder/tandem.conf" user list >"$folder/said"
	has "$folder/said" anna@example.org
	stop
}

# compile NAME: from the installed headers, with what pkg-config says, in a folder of its own.
# shellcheck disable=SC2046,SC2086 # several words each
compile() {
	flags=$(PKG_CONFIG_PATH=$root$pkgconfigdir pkg-config --define-variable="pkgincludedir=$root$pkgincludedir" \
		--define-variable="pkglibdir=$root$pkglibdir" --cflags --libs tandem)
	(cd "$folder/source" &&
		$CC -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror -shared -fPIC -o "../plugins/$1.so" "$1.c" $flags)
}

compile_plugin() {
	mkdir "$folder/plugins" "$folder/source"
	cp "${top_srcdir:?make check sets it}/tests/install/quiet.c" "$folder/source"
	compile quiet
}

# What the page shows is a plugin as it stands there, and is loaded.
compile_example() {
	sed -n '/^    #include <b2bua\/leg.h>/,/^    cc -shared/{/^    cc/!s/^    //p;/^$/p;}' \
		"$top_srcdir/docs/HACKING.md" >"$folder/source/my.c"
	has "$folder/source/my.c" "const Plugin tandem_plugin = {"
	compile my
	configure "my" "$folder/plugins"
	start
	has "$folder/log" "plugin my started"
	stop
}

# Nothing of the core's own, no struct with a member of one protocol, no table of more
# functions than can be learnt at a glance.
# shellcheck disable=SC2046,SC2086 # several words each
headers_are_small() {
	flags=$(pkg-config --cflags glib-2.0 gmodule-2.0)
	(cd "$root$pkgincludedir" && find . -name '*.h' | sort) >"$folder/headers"
	! grep -E '/(config|gateway|store|trunk_key|media|route)\.h' "$folder/headers" || return 1
	while read -r header; do
		echo "#include <$header>" | $CC -fsyntax-only -x c -I"$root$pkgincludedir" $flags -
		$CC -fpreprocessed -dD -E -P -x c "$root$pkgincludedir/$header"
	done <"$folder/headers" >"$folder/code"
	! grep -nE '(^|[^A-Za-z_])(sip|xmpp|jingle|jmi)' "$folder/code" || return 1
	awk '/^(typedef )?struct/ { n = 0 } /\(\*[a-z_]+\)\(/ { n++ } n > 10 { print; bad = 1 }
		END { exit bad }' "$folder/code"
}

is_hung_up() { grep -q "quiet: hung up" "$folder/log" || is_gone; }

# A call is made to it, by itself: what it is told stands in the log.
runs_plugin() {
	cp "$root$plugindir/echo.so" "$folder/plugins"
	configure "echo;quiet" "$folder/plugins"
	printf '[quiet]\ngreeting = nobody is in\ncaller = quiet@example.org\n' >>"$folder/tandem.conf"
	"$tandemctl" --config "$folder/tandem.conf" user add quiet@example.org
	start
	has "$folder/log" "quiet: says nobody is in"
	wait_for is_hung_up
	has "$folder/log" "quiet: dialled by quiet@example.org, with audio"
	has "$folder/log" "quiet: hears it ring"
	has "$folder/log" "quiet: hung up: no-answer (Nobody answered (nobody is in))"
	"$tandemctl" --config "$folder/tandem.conf" --json status >"$folder/said"
	has "$folder/said" '["quiet greeting","nobody is in"'
	has "$folder/said" '["quiet calls",1,'
	has "$folder/said" '["count quiet dialled",1,'
	stop
}

refuses_plugin() {
	configure "echo;quiet" "$folder/plugins"
	! "$tandemd" --config "$folder/tandem.conf" >"$folder/said" 2>&1 || return 1
	has "$folder/said" "plugin quiet: [quiet] caller: not set"
	configure "echo" "$folder/plugins"
	printf '[quiet]\ngreeting = hello\n' >>"$folder/tandem.conf"
	! "$tandemd" --config "$folder/tandem.conf" >"$folder/said" 2>&1 || return 1
	has "$folder/said" "[quiet]: unknown group"
}

nothing_is_left() {
	run_make uninstall DESTDIR="$root"
	# folders above the prefix may be called anything, tandem as well
	find "$root" ! -type d >"$folder/left"
	find "$root$prefix" "$root$sysconfdir" "$root$localstatedir" -mindepth 1 -name tandem \
		>>"$folder/left" 2>/dev/null || true
	[ ! -s "$folder/left" ] || { cat "$folder/left"; return 1; }
}

eval "$(run_make install-dirs)"
if [ -n "${TANDEM_INSTALLED:-}" ]; then
	root=
else
	try "installs below a DESTDIR" run_make install DESTDIR="$root"
	export LD_LIBRARY_PATH="$root$pkglibdir"
fi
tandemd=$root$sbindir/tandemd tandemctl=$root$bindir/tandemctl
unit=$root$systemdsystemunitdir/tandemd.service
case $HARDEN in
*FORTIFY*) try "the programs are hardened" hardened ;;
*) skip "the programs are hardened" "built with sanitizers or without optimizing" ;;
esac
try "tandemd says its version" version "$tandemd" tandemd
try "tandemctl says its version" version "$tandemctl" tandemctl
try "unit, daemon and client have the same default paths" default_paths
if command -v systemd-analyze >/dev/null; then
	try "systemd takes the unit" verify_unit
	try "the unit is hardened" judge_unit
else
	skip "systemd takes the unit" "no systemd-analyze here"
	skip "the unit is hardened" "no systemd-analyze here"
fi
try "the daemon finds its plugins, the client the daemon" runs
try "the installed headers are small, and of no protocol" headers_are_small
try "a plugin is built from the installed headers alone" compile_plugin
try "so is the example of docs/HACKING.md" compile_example
try "it reads its own section, is called, and its call ends" runs_plugin
try "its mistakes are said" refuses_plugin
[ -n "${TANDEM_INSTALLED:-}" ] || try "uninstalling leaves nothing" nothing_is_left
echo "1..$number"
