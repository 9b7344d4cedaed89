/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* form.c - see form.h. */
#include <string.h>
#include "b2bua/admin/form.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/own.h"
#include "b2bua/admin/typed.h"
#include "b2bua/admin/word_type.h"
#include "b2bua/setting.h"

struct Form {
	Gateway *gateway;
	Store *store;
	Actor actor; /* its own */
	const Verb *verb;
	GPtrArray *words; /* Field *, of those that the actor writes */
	GPtrArray *keys;  /* Field *, or NULL; made when they are asked for */
};

static void
field_free(gpointer data)
{
	Field *field = data;

	g_free(field->value);
	g_free(field->now);
	g_strfreev(field->choices);
	g_free(field);
}

/* --- what holds now --- */

/* Of short verbs, the setting that a word of theirs changes. */
static const struct {
	const char *noun, *word;
	Setting setting;
} CHANGED[] = {
	{ "ring", "ORDER", SETTING_RING },
	{ "dnd", "STATE", SETTING_DO_NOT_DISTURB },
	{ "hide-number", "STATE", SETTING_HIDE_NUMBER },
	{ "unblock", "CALLER", SETTING_BLOCKED },
	{ "block", "CALLER", SETTING_BLOCKED },
};

static Field *
find_word(const Form *form, WordType type)
{
	for (guint i = 0; i < form->words->len; i++) {
		Field *field = form->words->pdata[i];

		if (field->word->type == type)
			return field;
	}
	return NULL;
}

/* Whose it is: the JID that was written, or the own one. */
static const char *
account_of(const Form *form)
{
	const Field *field = find_word(form, WORD_USER);

	return field ? field->value : form->actor.account;
}

static char *
forward_now(const Form *form, const char *account)
{
	const Field *when = find_word(form, WORD_CHOICE);
	g_autofree char *name =
		when && when->value ? g_strconcat("forward-", when->value, NULL) : NULL;
	Setting setting;

	return name && setting_find(name, &setting) ? setting_text(form->store, account, setting)
						    : NULL;
}

static char *
word_now(const Form *form, const Word *word)
{
	const char *account = account_of(form);

	if (!account)
		return NULL;
	if (strcmp(form->verb->noun, "forward") == 0 && word->type == WORD_DESTINATION)
		return forward_now(form, account);
	for (guint i = 0; i < G_N_ELEMENTS(CHANGED); i++)
		if (strcmp(CHANGED[i].noun, form->verb->noun) == 0 &&
		    strcmp(CHANGED[i].word, word->name) == 0)
			return setting_text(form->store, account, CHANGED[i].setting);
	return NULL;
}

static void
look_at_keys(Form *form)
{
	const Noun *noun = noun_of(form->verb);
	const Field *subject = noun ? find_word(form, noun->id) : NULL;
	const char *id = subject ? subject->value : form->actor.account;
	gboolean is_known = id && noun && g_strcmp0(form->verb->verb, "add") != 0;
	g_autoptr(GArray) facts = is_known ? audit_view(form->store, noun->name, id) : NULL;

	for (guint i = 0; i < form->keys->len; i++) {
		Field *field = form->keys->pdata[i];
		const char *name = field->word->name;
		Setting setting;

		g_clear_pointer(&field->now, g_free);
		if (!is_known || field->secret)
			continue;
		field->now = noun->id == WORD_USER && setting_find(name, &setting)
				     ? setting_text(form->store, id, setting)
				     : audit_fact(facts, name);
	}
}

/* --- fields --- */

static char **
choices_of(const Form *form, const Word *word)
{
	if (word->type == WORD_CHOICE)
		return g_strsplit(word->values, "|", -1);
	if (word->type == WORD_SOFTPHONE && form->actor.account)
		return own_softphones(form->store, form->actor.account);
	return NULL;
}

static Field *
field_new(const Form *form, const Word *word)
{
	Field *field = g_new0(Field, 1);

	field->word = word;
	/* a user who names no call means the newest of the own ones */
	field->required =
		!(word->flags & WORD_OPTIONAL) && !(form->actor.account && word_is_account(word));
	field->secret = word->type == WORD_SECRET;
	field->choices = choices_of(form, word);
	return field;
}

static const Word *
keys_word(const Verb *verb)
{
	for (const Word *word = verb->words; word->name; word++)
		if (word->type == WORD_KEYS)
			return word;
	return NULL;
}

static void
add_keys(Form *form)
{
	const Word *word = keys_word(form->verb);

	if (!word)
		return;
	form->keys = g_ptr_array_new_with_free_func(field_free);
	for (const Word *key = keys_of(word->keys); key->name; key++) {
		Field *field;

		if (!key_is_for(key, form->actor.kind))
			continue;
		field = field_new(form, key);
		field->is_key = TRUE;
		field->required = FALSE;
		g_ptr_array_add(form->keys, field);
	}
}

static void
look(Form *form)
{
	for (guint i = 0; i < form->words->len; i++) {
		Field *field = form->words->pdata[i];

		g_free(field->now);
		field->now = word_now(form, field->word);
	}
}

/* What was typed; the account's own softphone where there is one only. */
static void
take_values(Form *form, const Request *request)
{
	for (guint i = 0, n = 0; form->verb->words[i].name && n < form->words->len; i++) {
		Field *field = form->words->pdata[n];

		if (field->word != &form->verb->words[i])
			continue;
		field->value = g_strdup(request->values[i]);
		if (!field->value && field->word->type == WORD_SOFTPHONE && field->choices &&
		    g_strv_length(field->choices) == 1)
			field->value = g_strdup(field->choices[0]);
		n++;
	}
	for (guint i = 0; request->pairs && i < request->pairs->len; i++) {
		const Pair *pair = request->pairs->pdata[i];
		Field *field = form_key(form, pair->key->name);

		if (field) {
			g_free(field->value);
			field->value = g_strdup(pair->value);
		}
	}
}

static gboolean
read_words(Form *form, char **words, GError **error)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GError) problem = NULL;
	g_auto(GStrv) all = NULL;
	Request request = { .gateway = form->gateway, .store = form->store, .actor = &form->actor };
	gboolean good;

	g_strv_builder_add(builder, form->verb->noun);
	if (form->verb->verb)
		g_strv_builder_add(builder, form->verb->verb);
	g_strv_builder_addv(builder, (const char **)words);
	all = g_strv_builder_end(builder);
	good = request_read(&request, all, g_strv_length(all), &problem) ||
	       g_error_matches(problem, VERB_ERROR, VERB_MISSING);
	if (good)
		take_values(form, &request);
	else
		g_propagate_error(error, g_steal_pointer(&problem));
	request_clear(&request);
	return good;
}

Form *
form_new(Gateway *gateway, Store *store, const Actor *actor, const Verb *verb, char **words,
	 GError **error)
{
	Form *form = g_new0(Form, 1);

	form->gateway = gateway;
	form->store = store;
	form->actor = actor_copy(actor);
	form->verb = verb;
	form->words = g_ptr_array_new_with_free_func(field_free);
	for (const Word *word = verb->words; word->name; word++)
		if (word->type != WORD_KEYS && word_is_for(word, actor->kind))
			g_ptr_array_add(form->words, field_new(form, word));
	add_keys(form);
	if (read_words(form, words, error)) {
		look(form);
		return form;
	}
	form_free(form);
	return NULL;
}

void
form_free(Form *form)
{
	if (!form)
		return;
	g_ptr_array_unref(form->words);
	g_clear_pointer(&form->keys, g_ptr_array_unref);
	actor_clear(&form->actor);
	g_free(form);
}

const Verb *
form_verb(const Form *form)
{
	return form->verb;
}

const Actor *
form_actor(const Form *form)
{
	return &form->actor;
}

gboolean
form_may_go_on(const Form *form, gboolean is_operator)
{
	return is_operator || form->actor.kind != VERB_OPERATOR;
}

const GPtrArray *
form_words(const Form *form)
{
	return form->words;
}

gboolean
form_has_keys(const Form *form)
{
	return form->keys != NULL;
}

const GPtrArray *
form_keys(Form *form)
{
	if (form->keys)
		look_at_keys(form);
	return form->keys;
}

Field *
form_key(Form *form, const char *name)
{
	g_autofree char *hyphened = g_strdelimit(g_ascii_strdown(name, -1), "_", '-');
	Field *begun = NULL;
	guint n = 0;

	for (guint i = 0; form->keys && i < form->keys->len; i++) {
		Field *field = form->keys->pdata[i];

		if (strcmp(field->word->name, hyphened) == 0)
			return field;
		if (*hyphened && g_str_has_prefix(field->word->name, hyphened)) {
			begun = field;
			n++;
		}
	}
	return n == 1 ? begun : NULL;
}

/* --- what is written --- */

/* The country that has been written, or where the account is at home. */
static char *
home(Form *form)
{
	const Request request = { .gateway = form->gateway, .store = form->store };
	const Field *country = form_key(form, setting_name(SETTING_COUNTRY));

	return country && country->value ? g_strdup(country->value)
					 : request_home(&request, account_of(form));
}

gboolean
form_set(Form *form, Field *field, const char *text, GError **error)
{
	g_autofree char *country = field->word->type == WORD_DESTINATION ? home(form) : NULL;
	g_autofree char *meant = typed_value(field->word, text);
	char *value = word_check(field->word, meant, country, error);

	if (!value)
		return FALSE;
	g_free(field->value);
	field->value = value;
	if (field->word->type == WORD_FLAG && strcmp(value, "no") == 0)
		g_clear_pointer(&field->value, g_free);
	if (!field->is_key)
		look(form);
	return TRUE;
}

void
form_clear(Form *form, Field *field)
{
	g_clear_pointer(&field->value, g_free);
	if (!field->is_key)
		look(form);
}

static gboolean
has_changes(const Form *form)
{
	for (guint i = 0; form->keys && i < form->keys->len; i++)
		if (((const Field *)form->keys->pdata[i])->value)
			return TRUE;
	return FALSE;
}

gboolean
form_is_complete(const Form *form)
{
	const Word *keys = keys_word(form->verb);

	for (guint i = 0; i < form->words->len; i++) {
		const Field *field = form->words->pdata[i];

		if (field->required && !field->value)
			return FALSE;
	}
	return !keys || keys->flags & WORD_OPTIONAL || has_changes(form);
}

static void
add_word(GStrvBuilder *words, const Field *field)
{
	if (!field->value)
		return;
	if (field->is_key) {
		g_autofree char *pair = g_strdup_printf("%s=%s", field->word->name, field->value);

		g_strv_builder_add(words, pair);
	} else if (field->word->type == WORD_FLAG)
		g_strv_builder_add(words, field->word->name);
	else if (word_is_option(field->word)) {
		g_autofree char *option = g_strdup_printf("%s=%s", field->word->name, field->value);

		g_strv_builder_add(words, option);
	} else
		g_strv_builder_add(words, field->value);
}

char **
form_request(const Form *form)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();

	g_strv_builder_add(words, form->verb->noun);
	if (form->verb->verb)
		g_strv_builder_add(words, form->verb->verb);
	for (guint i = 0; i < form->words->len; i++)
		add_word(words, form->words->pdata[i]);
	for (guint i = 0; form->keys && i < form->keys->len; i++)
		add_word(words, form->keys->pdata[i]);
	return g_strv_builder_end(words);
}
