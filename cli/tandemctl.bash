# bash completion for tandemctl                             -*- shell-script -*-
# SPDX-License-Identifier: AGPL-3.0-or-later
# Asks tandemctl itself: what it says is what there is.

_tandemctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} i help
	local -a words=() options=()
	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--config | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--config | --socket)
			options+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			((i++))
			;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--config --socket --json --help --version" -- "$cur")
		return
	fi
	# "trunk set NAME KEY=VALUE…  change it", a line each
	help=$("$program" help 2>/dev/null | tail -n +2)
	case "${#words[@]} ${words[*]}" in
	"0 ") help=$'help\n'$(cut -d' ' -f1 <<<"$help") ;;
	"1 help") help=$(cut -d' ' -f1 <<<"$help") ;;
	"1 ladder" | "1 hangup" | "2 call show")
		help=$("$program" "${options[@]}" calls 2>/dev/null | tail -n +2 | cut -d' ' -f1)
		;;
	"1 "*) help=$(sed -n "s/^${words[0]} \([a-z]\+\).*/\1/p" <<<"$help") ;;
	"2 number add") help= ;;
	"3 number add"* | "2 number list")
		help=$("$program" "${options[@]}" user list 2>/dev/null | tail -n +2 | cut -d' ' -f1)
		;;
	"2 "*" show" | "2 "*" set" | "2 "*" del")
		help=$("$program" "${options[@]}" "${words[0]}" list 2>/dev/null | tail -n +2 | cut -d' ' -f1)
		;;
	*" trunk set "* | *" trunk add "* | *" user set "* | *" softphone set "* | *" number set "* | *" route add "*)
		[[ ${words[0]} == trunk && ${words[1]} == add && ${#words[@]} -lt 4 ]] && return
		[[ ${words[0]} == route && ${#words[@]} -lt 4 ]] && return
		help=$("$program" help "${words[0]}" "${words[1]}" 2>/dev/null | tail -n +2 | cut -d' ' -f1)
		mapfile -t COMPREPLY < <(compgen -S = -W "$help" -- "$cur")
		compopt -o nospace 2>/dev/null
		return
		;;
	*) return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$help" -- "$cur" | sort -u)
}
complete -F _tandemctl tandemctl
