/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* usage.c - every command of the table of verbs, by its noun. */
#include <string.h>
#include "b2bua/admin/verbs.h"
#include "cli/session.h"
#include "cli/usage.h"

#define COLUMN 38 /* where the help begins */

static void
print_line(const char *usage, const char *help)
{
	glong width = g_utf8_strlen(usage, -1);

	if (width + 2 < COLUMN)
		g_print("  %s%*s%s\n", usage, (int)(COLUMN - 2 - width), "", help);
	else
		g_print("  %s\n%*s%s\n", usage, COLUMN, "", help);
}

static void
print_verb(const Verb *verb)
{
	g_autofree char *usage = verb_usage(verb, VERB_OPERATOR);

	print_line(usage, verb->help);
}

/* "calls" and "hangup ID" are about calls, as "call show ID" is. */
static const Noun *
heading_of(const Verb *verb)
{
	const Noun *noun = noun_of(verb);

	for (guint i = 0; !noun && noun_at(i); i++)
		if (strcmp(noun_at(i)->list, verb->noun) == 0 ||
		    noun_at(i)->id == verb->words[0].type)
			noun = noun_at(i);
	return noun;
}

static void
print_verbs(const Noun *heading)
{
	const Verb *verb;

	g_print("\n%s:\n", heading ? heading->help : "the gateway");
	for (guint i = 0; (verb = verb_at(i)); i++)
		if (heading_of(verb) == heading)
			print_verb(verb);
}

void
usage_print(void)
{
	const Noun *noun;

	g_print("Usage: tandemctl [OPTION]… COMMAND [WORD]…\n");
	for (guint i = 0; (noun = noun_at(i)); i++)
		print_verbs(noun);
	print_verbs(NULL);
	g_print("\nWhat the commands of users, numbers, softphones, trunks and routes change holds "
		"at\n"
		"once, with tandemd running or not.  password=- asks for a password at the "
		"terminal,\n"
		"or reads it from standard input.  KEY=VALUE may be written KEY VALUE.\n\n"
		"  --config FILE   configuration of tandemd [TANDEM_CONFIG, " DEFAULT_CONFIG "]\n"
		"  --socket PATH   control socket [TANDEM_SOCKET, else from the configuration]\n"
		"  --json          the answer as one JSON object\n"
		"  --json-lines    a list as one JSON object a line\n"
		"  --csv           a list as comma-separated values (RFC 4180)\n"
		"  --help          this text, or after a command the words of the command\n"
		"  --version       the version\n\n"
		"Exit status: 0 done, 1 failed, 2 wrong input and nothing changed.\n");
}
