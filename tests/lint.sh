#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# lint.sh - what the sources look like: layout, licence lines, common mistakes in
# C and shell, syntax of the scripts, spelling.  One line per check, the offenders
# below it; exit status 1 when there are any.
# shellcheck disable=SC2046,SC2317 # our file names have no blanks; try() reaches the functions
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0

# try NAME COMMAND...: the output is shown when it fails
try() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok - $name"
	else
		echo "not ok - $name"
		printf '%s\n' "$output" | head -50 | sed 's/^/  /'
		failed=1
	fi
}

# files PATTERN...: tracked files when this is a checkout, all otherwise
files() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -- "$@"
	else
		for pattern; do
			find . -path ./build -prune -o -name "$pattern" -print
		done
	fi
}

licence_lines() {
	local missing
	missing=$(files '*.c' '*.h' '*.sh' '*.py' '*.mjs' '*.am' '*Makefile.inc' '*.ac' '*.sql' |
		xargs grep -L 'SPDX-License-Identifier: AGPL-3.0-or-later')
	[ -z "$missing" ] || { echo "no SPDX line in:"; echo "$missing"; return 1; }
}

# Scripts have no ending when a person types their name.
shell_scripts() {
	files '*.sh' check quickstart .ci/run tests/replay autogen.sh | sort -u
}

python_syntax() {
	files '*.py' | xargs -r python3 -c 'import ast, sys
for name in sys.argv[1:]: ast.parse(open(name, encoding="utf-8").read(), name)'
}

node_syntax() {
	local file status=0
	for file in $(files '*.mjs'); do
		node --check "$file" || status=1
	done
	return "$status"
}

try "every source says its licence" licence_lines
try "clang-format" clang-format-14 --dry-run -Werror $(files '*.c' '*.h')
try "cppcheck" cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	--suppressions-list=tests/cppcheck.supp -I. -D__GNUC__ -DG_GNUC_PRINTF\(a,b\)= \
	-j "$(nproc)" $(files 'b2bua/*.c' 'media/*.c' 'db/*.c' 'cli/*.c' 'plugins/*.c')
try "shellcheck" shellcheck $(shell_scripts)
try "python" python_syntax
try "node" node_syntax
try "codespell" codespell --quiet-level 3 --ignore-words tests/codespell.ignore \
	$(files '*.c' '*.h' '*.md' '*.sh' '*.py' '*.mjs' '*.am' '*.inc' README)
exit $failed
