/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* help.c - rows of help from the table of verbs. */
#include <string.h>
#include "b2bua/admin/help.h"
#include "b2bua/config_key.h"

static JsonArray *
begin(JsonObject *reply, const char *const *columns)
{
	JsonArray *names = json_array_new(), *rows = json_array_new();

	for (; *columns; columns++)
		json_array_add_string_element(names, *columns);
	json_object_set_array_member(reply, "columns", names);
	json_object_set_array_member(reply, "rows", rows);
	return rows;
}

static void
add_row(JsonArray *rows, const char *const *cells, guint n)
{
	JsonArray *row = json_array_new();

	for (guint i = 0; i < n; i++)
		json_array_add_string_element(row, cells[i] ? cells[i] : "");
	json_array_add_array_element(rows, row);
}

static void
add_commands(JsonObject *reply, guint who, const char *noun)
{
	JsonArray *rows = begin(reply, (const char *const[]){ "command", "does", NULL });
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		g_autofree char *usage = verb_usage(verb, who);

		if (verb->who & who && (!noun || strcmp(noun, verb->noun) == 0))
			add_row(rows, (const char *const[]){ usage, verb->help }, 2);
	}
}

static void
add_word(JsonArray *rows, const Word *word)
{
	add_row(rows, (const char *const[]){ word->name, word->values, word->fallback, word->help },
		4);
}

/* "0…65535" */
static char *
config_values(const ConfigKey *key)
{
	switch (key->type) {
	case TYPE_NUMBER:
	case TYPE_PORT:
		return g_strdup_printf("%u…%u", key->min, key->max);
	case TYPE_BOOLEAN:
		return g_strdup("yes|no");
	default:
		return NULL;
	}
}

/* The keys of tandem.conf, where the verb is about them. */
static void
add_config_keys(JsonArray *rows)
{
	for (guint i = 0; i < config_n_keys; i++) {
		const ConfigKey *key = &config_keys[i];
		g_autofree char *name = g_strdup_printf("[%s] %s", key->group, key->key);
		g_autofree char *values = config_values(key);

		add_row(rows, (const char *const[]){ name, values, key->fallback, key->help }, 4);
	}
}

/* Its words, then the keys that stand for one of them. */
static void
add_words(JsonObject *reply, guint who, const Verb *verb)
{
	JsonArray *rows =
		begin(reply, (const char *const[]){ "key", "values", "default", "does", NULL });
	g_autofree char *usage = verb_usage(verb, who);
	g_autofree char *text = g_strdup_printf("%s: %s", usage, verb->help);

	json_object_set_string_member(reply, "text", text);

	for (const Word *word = verb->words; word->name; word++)
		if (word->type != WORD_KEYS && word_is_for(word, who))
			add_word(rows, word);
	for (const Word *word = verb->words; word->name; word++)
		for (const Word *key = word->type == WORD_KEYS ? keys_of(word->keys) : NULL;
		     key && key->name; key++)
			if (key_is_for(key, who))
				add_word(rows, key);
	if (verb->words[0].type == WORD_SECTION)
		add_config_keys(rows);
}

gboolean
help_fill(JsonObject *reply, guint who, char **words, guint n_words, GError **error)
{
	guint n_named;
	const Verb *verb;

	if (n_words == 0) {
		add_commands(reply, who, NULL);
		return TRUE;
	}
	if (n_words == 1 && verb_is_noun(words[0])) {
		add_commands(reply, who, words[0]);
		return TRUE;
	}
	verb = verb_find(words, n_words, &n_named, error);
	if (!verb)
		return FALSE;
	add_words(reply, who, verb);
	return TRUE;
}
