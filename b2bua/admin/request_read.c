/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* request_read.c - words as they were typed, to the places that the verb's row has for them. */
#include <string.h>
#include "b2bua/admin/request.h"
#include "b2bua/admin/word_type.h"
#include "b2bua/setting.h"
#include "b2bua/words.h"

typedef struct {
	Request *request;
	char **words;
	guint n, at;
	guint next; /* of the verb's words, the first that may take one without "--" */
} Reader;

static void
pair_free(gpointer data)
{
	Pair *pair = data;

	g_free(pair->value);
	g_free(pair);
}

/* Whose the words are that come: the country that stands before them, or the account's. */
static char *
home(const Reader *reader)
{
	const Request *request = reader->request;
	const char *account = request->actor->account;

	for (guint i = request->pairs->len; i > 0; i--) {
		const Pair *pair = request->pairs->pdata[i - 1];

		if (strcmp(pair->key->name, setting_name(SETTING_COUNTRY)) == 0)
			return g_strdup(pair->value);
	}
	for (guint i = 0; !account && request->verb->words[i].name; i++)
		if (request->verb->words[i].type == WORD_USER)
			account = request->values[i];
	return request_home(request, account);
}

static char *
check_word(const Reader *reader, const Word *word, const char *text, GError **error)
{
	g_autofree char *country = word->type == WORD_DESTINATION ? home(reader) : NULL;

	return word_check(word, text, country, error);
}

static gboolean
take(Reader *reader, guint place, const char *text, GError **error)
{
	char **value = &reader->request->values[place];

	g_free(*value);
	*value = check_word(reader, &reader->request->verb->words[place], text, error);
	return *value != NULL;
}

/* --- "--hangup", "--last 5", "--last=5" --- */

static gboolean
unknown_option(const Reader *reader, const char *text, GError **error)
{
	g_autofree char *usage = verb_usage(reader->request->verb, reader->request->actor->kind);

	return wrong(error, "%s: unknown option; write: %s", text, usage);
}

static gboolean
read_option(Reader *reader, GError **error)
{
	const char *text = reader->words[reader->at++];
	gsize length = strcspn(text, "=");
	const Word *words = reader->request->verb->words;
	guint i = 0;

	while (words[i].name &&
	       (strncmp(words[i].name, text, length) != 0 || words[i].name[length]))
		i++;
	if (!words[i].name || (words[i].type == WORD_FLAG && text[length]) ||
	    !word_is_for(&words[i], reader->request->actor->kind))
		return unknown_option(reader, text, error);
	if (words[i].type == WORD_FLAG)
		return take(reader, i, "yes", error);
	if (text[length])
		return take(reader, i, text + length + 1, error);
	if (reader->at == reader->n)
		return wrong(error, "%s: has no value; write %s N", text, text);
	return take(reader, i, reader->words[reader->at++], error);
}

/* --- KEY=VALUE, or KEY VALUE --- */

static const char *
nearest_key(KeySet set, const char *name)
{
	const Word *best = NULL;

	for (const Word *key = keys_of(set); key->name; key++)
		if (words_are_near(name, key->name) &&
		    (!best || words_distance(name, key->name) < words_distance(name, best->name)))
			best = key;
	return best ? best->name : NULL;
}

static gboolean
unknown_key(const Request *request, KeySet set, const char *name, GError **error)
{
	const char *near = nearest_key(set, name);
	g_autofree char *command = verb_name(request->verb);
	g_autoptr(GString) all = g_string_new(NULL);

	for (const Word *key = keys_of(set); key->name; key++)
		if (key_is_for(key, request->actor->kind))
			g_string_append_printf(all, " %s", key->name);
	if (near)
		return wrong(error, "%s: unknown key; did you mean %s? there are:%s; see 'help %s'",
			     name, near, all->str, command);
	return wrong(error, "%s: unknown key; there are:%s; see 'help %s'", name, all->str,
		     command);
}

static gboolean
add_pair(Reader *reader, const Word *key, const char *text, GError **error)
{
	char *value = check_word(reader, key, text, error);
	Pair *pair;

	if (!value)
		return FALSE;
	pair = g_new0(Pair, 1);
	pair->key = key;
	pair->value = value;
	g_ptr_array_add(reader->request->pairs, pair);
	return TRUE;
}

static gboolean
read_pair(Reader *reader, KeySet set, GError **error)
{
	const char *text = reader->words[reader->at++];
	const char *equals = strchr(text, '=');
	g_autofree char *name = equals ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text);
	const Word *key = key_find(set, name);

	if (!equals && reader->at == reader->n)
		return wrong(error, "%s: has no value; write %s=VALUE", name, name);
	if (!key)
		return unknown_key(reader->request, set, name, error);
	if (!key_is_for(key, reader->request->actor->kind))
		return wrong(error, "%s: the operator of the gateway sets this", name);
	return add_pair(reader, key, equals ? equals + 1 : reader->words[reader->at++], error);
}

/* --- all of them --- */

static gboolean
read_word(Reader *reader, GError **error)
{
	const char *text = reader->words[reader->at];
	const Word *words = reader->request->verb->words;
	g_autofree char *usage = NULL;

	if (g_str_has_prefix(text, "--"))
		return read_option(reader, error);
	while (words[reader->next].name &&
	       (word_is_option(&words[reader->next]) ||
		!word_is_for(&words[reader->next], reader->request->actor->kind)))
		reader->next++;
	if (!words[reader->next].name) {
		usage = verb_usage(reader->request->verb, reader->request->actor->kind);
		return wrong(error, "%s: one word too many; write: %s", text, usage);
	}
	if (words[reader->next].type == WORD_KEYS)
		return read_pair(reader, words[reader->next].keys, error);
	reader->at++;
	return take(reader, reader->next++, text, error);
}

/* The user part of the JID where a softphone is not given a name. */
static gboolean
fill(Reader *reader, guint place, GError **error)
{
	const Word *word = &reader->request->verb->words[place];
	const char *jid = reader->request->values[0];
	g_autofree char *local = NULL;

	if (word->type != WORD_SOFTPHONE || !(word->flags & WORD_OPTIONAL))
		return TRUE;
	local = g_strndup(jid, strcspn(jid, "@"));
	return take(reader, place, local, error);
}

static gboolean
is_there(const Request *request, guint place)
{
	return request->verb->words[place].type == WORD_KEYS ? request->pairs->len > 0
							     : request->values[place] != NULL;
}

static gboolean
check_all(Reader *reader, GError **error)
{
	const Verb *verb = reader->request->verb;
	g_autofree char *usage = verb_usage(verb, reader->request->actor->kind);

	for (guint i = 0; verb->words[i].name; i++) {
		if (is_there(reader->request, i))
			continue;
		if (!(verb->words[i].flags & WORD_OPTIONAL)) {
			g_set_error(error, VERB_ERROR, VERB_MISSING, "%s is missing; write: %s",
				    verb->words[i].name, usage);
			return FALSE;
		}
		if (!fill(reader, i, error))
			return FALSE;
	}
	return TRUE;
}

/* A user means the own account wherever a verb asks for one. */
static gboolean
take_own_account(Reader *reader, GError **error)
{
	const Actor *actor = reader->request->actor;
	const Word *words = reader->request->verb->words;

	for (guint i = 0; actor->account && words[i].name; i++)
		if (word_is_account(&words[i]) && !take(reader, i, actor->account, error))
			return FALSE;
	return TRUE;
}

/* What is typed is words that the front has made something else of. */
static gboolean
read_raw(Reader *reader, GError **error)
{
	Request *request = reader->request;
	g_autofree char *usage = verb_usage(request->verb, request->actor->kind);

	request->raw = reader->words + reader->at;
	request->n_raw = reader->n - reader->at;
	return request->n_raw > 0 ||
	       wrong(error, "%s is missing; write: %s", request->verb->words[0].name, usage);
}

Actor
actor_copy(const Actor *actor)
{
	return (Actor){ actor->kind, g_strdup(actor->account), g_strdup(actor->who),
			g_strdup(actor->device) };
}

void
actor_clear(Actor *actor)
{
	g_free((char *)actor->account);
	g_free((char *)actor->who);
	g_free((char *)actor->device);
	*actor = (Actor){ 0 };
}

gboolean
verb_may(const Verb *verb, const Actor *actor)
{
	return (verb->who & actor->kind) != 0;
}

gboolean
request_read(Request *request, char **words, guint n_words, GError **error)
{
	Reader reader = { .request = request, .words = words, .n = n_words };

	request->verb = verb_find(words, n_words, &reader.at, error);
	if (!request->verb)
		return FALSE;
	if (!verb_may(request->verb, request->actor))
		return wrong(error, "%s: that is for the operator of the gateway", words[0]);
	request->values = g_new0(char *, verb_n_words(request->verb) + 1);
	request->pairs = g_ptr_array_new_with_free_func(pair_free);
	if (request->verb->flags & VERB_RAW)
		return read_raw(&reader, error);
	if (!take_own_account(&reader, error))
		return FALSE;
	while (reader.at < reader.n)
		if (!read_word(&reader, error))
			return FALSE;
	return check_all(&reader, error);
}

void
request_clear(Request *request)
{
	for (guint i = 0; request->values && i < verb_n_words(request->verb); i++)
		g_free(request->values[i]);
	g_clear_pointer(&request->values, g_free);
	g_clear_pointer(&request->pairs, g_ptr_array_unref);
}

const char *
request_word(const Request *request, const char *name)
{
	return request->values[verb_word(request->verb, name)];
}

gint64
request_whole(const Request *request, const char *name)
{
	guint place = verb_word(request->verb, name);
	const char *value = request->values[place];

	return g_ascii_strtoll(value ? value : request->verb->words[place].fallback, NULL, 10);
}

#define LAST "--last"
#define MOST 1000000

guint
request_most(const Request *request, gboolean of_a_time)
{
	return of_a_time && !request_word(request, LAST) ? MOST
							 : (guint)request_whole(request, LAST);
}

void
request_cut(Request *request)
{
	if (!request_word(request, LAST))
		json_object_set_boolean_member(request->reply, "more", TRUE);
}

gboolean
request_time(const Request *request, const char *option, gint64 *us, GError **error)
{
	const char *word = request_word(request, option);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	return !word || word_time(word, now, strcmp(option, "--since") == 0, us) ||
	       wrong(error,
		     "%s %s: not a time; write such as 2h, yesterday, 10:00, 2026-11-29 or "
		     "2026-11-29T10:00",
		     option, word);
}

gboolean
request_set_keys(Request *request, const KeyFunction *functions, gpointer what, GError **error)
{
	for (guint i = 0; i < request->pairs->len; i++) {
		const Pair *pair = request->pairs->pdata[i];
		const KeyFunction *function = functions;

		while (strcmp(function->key, pair->key->name) != 0)
			function++;
		if (!function->set(request, what, pair, error))
			return FALSE;
	}
	return TRUE;
}
