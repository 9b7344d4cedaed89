/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* complete.c - candidates for the last word of a command line, from the table of verbs. */
#include <string.h>
#include <json-glib/json-glib.h>
#include "b2bua/admin/verbs.h"
#include "b2bua/config_key.h"
#include "cli/complete.h"

typedef struct {
	Options options;  /* with --config and --socket of the line that is being written */
	GPtrArray *words; /* char *, before the last one, borrowed */
	const char *last; /* which is begun */
} Line;

static void
offer(const Line *line, const char *before, const char *candidate, const char *after)
{
	g_autofree char *text = g_strconcat(before, candidate, after, NULL);

	if (g_str_has_prefix(text, line->last))
		g_print("%s\n", text);
}

static void
offer_each(const Line *line, const char *before, const char *values)
{
	g_auto(GStrv) choices = g_strsplit(values, "|", -1);

	for (char **choice = choices; *choice; choice++)
		offer(line, before, *choice, "");
}

/* The first cells of the list of these. */
static void
offer_known(const Line *line, const char *before, const char *list)
{
	g_auto(GStrv) words = g_strsplit(list, " ", -1);
	g_autofree char *request = request_text(words);
	g_autofree char *reply = session_ask_once(&line->options, FALSE, request, NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;
	JsonArray *rows;

	if (!reply || !json_parser_load_from_data(parser, reply, -1, NULL))
		return;
	object = json_node_get_object(json_parser_get_root(parser));
	rows = json_object_has_member(object, "rows") ? json_object_get_array_member(object, "rows")
						      : NULL;
	for (guint i = 0; rows && i < json_array_get_length(rows); i++) {
		JsonArray *row = json_array_get_array_element(rows, i);
		JsonNode *cell = json_array_get_element(row, 0);
		g_autofree char *text = json_node_get_value_type(cell) == G_TYPE_INT64
						? json_to_string(cell, FALSE)
						: json_node_dup_string(cell);

		offer(line, before, text, "");
	}
}

static void
offer_sections(const Line *line)
{
	for (guint i = 0; i < config_n_keys; i++)
		if (i == 0 || strcmp(config_keys[i].group, config_keys[i - 1].group) != 0)
			offer(line, "", config_keys[i].group, "");
}

static Status
offer_value(const Line *line, const char *before, const Word *word)
{
	const Noun *noun;

	if (word->type == WORD_PATH || word->type == WORD_PEM)
		return FAILED;
	if (word->type == WORD_CHOICE || word->type == WORD_YES)
		offer_each(line, before, word->values);
	if (word->type == WORD_SECTION)
		offer_sections(line);
	for (guint i = 0; (noun = noun_at(i)); i++)
		if (noun->id == word->type)
			offer_known(line, before, noun->list);
	return DONE;
}

static Status
offer_key(const Line *line, KeySet set)
{
	const char *equals = strchr(line->last, '=');
	g_autofree char *name = g_strndup(line->last, strcspn(line->last, "="));
	const Word *key = equals ? key_find(set, name) : NULL;
	g_autofree char *before = g_strconcat(name, "=", NULL);

	if (key)
		return offer_value(line, before, key);
	for (key = keys_of(set); !equals && key->name; key++)
		offer(line, "", key->name, "=");
	return DONE;
}

static void
offer_nouns(const Line *line)
{
	const Verb *verb;
	const char *before = "";

	for (guint i = 0; (verb = verb_at(i)); i++) {
		if (strcmp(before, verb->noun) != 0)
			offer(line, "", verb->noun, "");
		before = verb->noun;
	}
}

static void
offer_verbs(const Line *line, const char *noun)
{
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++)
		if (verb->verb && strcmp(verb->noun, noun) == 0)
			offer(line, "", verb->verb, "");
}

/* What is to be made has a name that nobody else has. */
static gboolean
is_new(const Verb *verb, const Word *word)
{
	const Noun *noun = noun_of(verb);

	return noun && noun->id == word->type && g_strcmp0(verb->verb, "add") == 0;
}

/* The place of the verb's word that is being written. */
static const Word *
word_at(const Verb *verb, guint n_before)
{
	for (const Word *word = verb->words; word->name; word++) {
		if (word_is_option(word))
			continue;
		if (word->type == WORD_KEYS || n_before-- == 0)
			return word;
	}
	return NULL;
}

static Status
offer_word(const Line *line, const Verb *verb, guint n_named)
{
	const Word *word = word_at(verb, line->words->len - n_named);

	if (!word || is_new(verb, word))
		return DONE;
	if (word->type == WORD_NOUN)
		offer_nouns(line);
	else if (word->type == WORD_VERB)
		offer_verbs(line, line->words->pdata[n_named]);
	else if (word->type == WORD_KEYS)
		return offer_key(line, word->keys);
	else
		return offer_value(line, "", word);
	return DONE;
}

static void
offer_options(const Line *line, const Verb *verb)
{
	if (line->words->len == 0)
		offer_each(line, "",
			   "--config|--socket|--json|--json-lines|--csv|--help|--version");
	for (const Word *word = verb ? verb->words : NULL; word && word->name; word++)
		if (word_is_option(word))
			offer(line, "", word->name, "");
	if (verb)
		offer_each(line, "", "--json|--json-lines|--csv|--help");
}

static Status
offer_all(const Line *line)
{
	char **words = (char **)line->words->pdata;
	guint n = line->words->len, n_named = 0;
	const Verb *verb = n ? verb_find(words, n, &n_named, NULL) : NULL;

	if (line->last[0] == '-') {
		offer_options(line, verb);
		return DONE;
	}
	if (n == 0)
		offer_nouns(line);
	else if (n == 1)
		offer_verbs(line, words[0]);
	return verb ? offer_word(line, verb, n_named) : DONE;
}

/* FALSE: the last word is the file of an option. */
static gboolean
read_line(Line *line, char **words)
{
	for (; *words; words++) {
		char **value = g_str_equal(*words, "--config")	 ? &line->options.config
			       : g_str_equal(*words, "--socket") ? &line->options.socket
								 : NULL;

		if (!words[1])
			line->last = *words;
		else if (value && !words[2])
			return FALSE;
		else if (value)
			*value = *++words;
		else if (!g_str_has_prefix(*words, "--"))
			g_ptr_array_add(line->words, *words);
	}
	return TRUE;
}

Status
complete(const Options *options)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	Line line = { .options = *options, .words = words, .last = "" };
	Status status = read_line(&line, options->words + 1) ? DONE : FAILED;

	g_ptr_array_add(words, NULL); /* as a list of words ends */
	words->len--;
	return status == DONE ? offer_all(&line) : status;
}
