/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tandemctl.c - the admin's words to the gateway, its answer as a table.
 *
 * The words go as one JSON array to the control socket of the running daemon, or to
 * `tandemd --control` when none runs, and one JSON object comes back.  The table of verbs is
 * linked: help and completion ask nobody.  Exit status: 0 done, 1 failed, 2 wrong input and
 * nothing changed.
 */
#include <config.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include "b2bua/admin/help.h"
#include "cli/complete.h"
#include "cli/follow.h"
#include "cli/import.h"
#include "cli/secret.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/usage.h"

/* --- the command line --- */

static gboolean
take_value(char ***at, const char *name, char **value)
{
	gsize length = strlen(name);

	if (strncmp(**at, name, length) != 0)
		return FALSE;
	if ((**at)[length] == '=') {
		*value = **at + length + 1;
		return TRUE;
	}
	if ((**at)[length] != '\0')
		return FALSE;
	*value = *(*at + 1) ? *++*at : NULL;
	return TRUE;
}

/* Options may stand anywhere; after "--" all are words. */
static gboolean
parse_options(char **arguments, Options *options)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	char *missing = (char *)"";

	options->config = (char *)g_getenv("TANDEM_CONFIG");
	options->socket = (char *)g_getenv("TANDEM_SOCKET");
	for (char **at = arguments; *at; at++) {
		char **value = NULL;

		if (g_str_equal(*at, "--")) {
			g_strv_builder_addv(words, (const char **)at + 1);
			break;
		}
		if (g_str_equal(*at, "--json"))
			options->json = TRUE;
		else if (g_str_equal(*at, "--csv"))
			show_as = SHOW_CSV;
		else if (g_str_equal(*at, "--json-lines"))
			show_as = SHOW_JSON_LINES;
		else if (g_str_equal(*at, "--help") || g_str_equal(*at, "-h"))
			options->help = TRUE;
		else if (g_str_equal(*at, "--version"))
			options->version = TRUE;
		else if (take_value(&at, "--config", &missing))
			value = &options->config;
		else if (take_value(&at, "--socket", &missing))
			value = &options->socket;
		else
			g_strv_builder_add(words, *at);
		if (value && !(*value = missing))
			return FALSE;
	}
	options->words = g_strv_builder_end(words);
	return TRUE;
}

/* --- commands --- */

static Status
print_words_of_help(const Options *options, char **words)
{
	g_autoptr(JsonObject) reply = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	json_object_set_boolean_member(reply, "ok", TRUE);
	if (!help_fill(reply, VERB_OPERATOR, words, g_strv_length(words), &error))
		return complain(WRONG, "%s", error->message);
	json_node_set_object(root, reply);
	text = json_to_string(root, FALSE);
	return show_reply(text, options->json);
}

/* What only the client knows: the width of a ladder. */
static char *
build_request(const Options *options)
{
	g_autofree char *columns = g_strdup_printf("%u", CLAMP(terminal_columns(), 40, 1000));
	const guint n = g_strv_length(options->words);
	g_autofree char **drawn = g_new0(char *, n + 2);

	if (!g_str_equal(options->words[0], "ladder") || n < 2 || terminal_columns() <= 0 ||
	    (n > 2 && g_ascii_isdigit(options->words[2][0])))
		return request_text(options->words);
	memcpy(drawn, options->words, n * sizeof *drawn);
	drawn[n] = columns;
	return request_text(drawn);
}

static Status
ask(const Options *options)
{
	g_autoptr(GError) error = NULL;
	gboolean backup = g_str_equal(options->words[0], "backup");
	g_autofree char *request = build_request(options);
	g_autofree char *reply = session_ask_once(options, backup, request, &error);

	return reply ? show_reply(reply, options->json) : complain(FAILED, "%s", error->message);
}

static Status
take_secrets(const Verb *verb, char **words, GError **error)
{
	g_autofree char *shown = NULL;

	if (!secret_take(verb, words, &shown, error))
		return WRONG;
	if (shown)
		fprintf(stderr,
			"tandemctl: warning: ps and the shell's history show %s; write %s=- and "
			"tandemctl asks for the value\n",
			shown, shown);
	return DONE;
}

static Status
serve(const Options *options)
{
	g_autoptr(GError) error = NULL;
	guint n_named;
	const Verb *verb;

	for (char **word = options->words; *word; word++)
		if (!g_utf8_validate(*word, -1, NULL))
			return complain(WRONG,
					"a word is not UTF-8; check the terminal's encoding");
	if (options->help)
		return print_words_of_help(options, options->words);
	verb = verb_find(options->words, g_strv_length(options->words), &n_named, &error);
	if (!verb)
		return complain(WRONG, "%s", error->message);
	if (g_str_equal(verb->noun, "help"))
		return print_words_of_help(options, options->words + 1);
	if (take_secrets(verb, options->words + n_named, &error) != DONE)
		return complain(WRONG, "%s", error->message);
	if (g_str_equal(verb->noun, "import"))
		return import_file(options);
	if (g_str_equal(verb->noun, "calls") &&
	    g_strv_contains((const char *const *)options->words, "--follow"))
		return follow_calls(options);
	return ask(options);
}

static Status
close_output(Status status)
{
	gboolean failed = ferror(stdout) != 0;

	if ((fclose(stdout) != 0 || failed) && errno != EPIPE) {
		fprintf(stderr, "tandemctl: the answer could not be written: %s\n",
			g_strerror(errno));
		return status == DONE ? FAILED : status;
	}
	return status;
}

int
main(int argc, char **argv)
{
	Options options = { 0 };
	Status status = DONE;

	setlocale(LC_ALL, "");
	show_in_json = g_strv_contains((const char *const *)argv, "--json");
	if (!parse_options(argv + 1, &options))
		return complain(WRONG, "--config and --socket need a path; write --config=FILE");
	if (options.version)
		g_print("tandemctl " PACKAGE_VERSION "\n");
	else if (options.help && !*options.words)
		usage_print();
	else if (!*options.words)
		status = complain(WRONG, "a command is missing; see tandemctl --help");
	else if (**options.words == '-')
		status =
			complain(WRONG, "%s: unknown option; see tandemctl --help", *options.words);
	else if (g_str_equal(*options.words, "complete"))
		status = complete(&options);
	else
		status = serve(&options);
	g_strfreev(options.words);
	return close_output(status);
}
