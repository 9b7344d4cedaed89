# bash completion for tandemctl                             -*- shell-script -*-
# SPDX-License-Identifier: AGPL-3.0-or-later
# Asks tandemctl itself, whose table of verbs says what there is.

_tandemctl() {
	local line=${COMP_LINE:0:COMP_POINT} cur=${COMP_WORDS[COMP_CWORD]} before
	local -a words
	# bash parts words at "=", "@" and ":" as well, tandemctl does not
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	[[ $cur == [=:@] ]] && cur=
	before=${words[${#words[@]} - 1]}
	before=${before%"$cur"}
	COMPREPLY=()
	if ! mapfile -t COMPREPLY < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null || echo /); then
		return
	fi
	if [[ ${COMPREPLY[*]} == / ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	COMPREPLY=("${COMPREPLY[@]#"$before"}")
	[[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _tandemctl tandemctl
