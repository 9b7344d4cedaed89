/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* chat.c - see chat.h.
 *
 *   a line ── a session? ─no→ split, find the verb, read its words ─all there→ the request
 *                 │                                      └─some missing→ a session, a question
 *                 └yes→ next, back, cancel, help, or the answer to the question ─→ the next one;
 *                       what is no answer and a whole command is that, and ends the session
 */
#include <string.h>
#include <json-glib/json-glib.h>
#include "b2bua/admin/chat.h"
#include "b2bua/admin/chat_words.h"
#include "b2bua/admin/typed.h"

#define MAX_TEXT_BYTES 4096
#define MAX_ROWS_BYTES 6000

struct Chat {
	Gateway *gateway;
	Store *store;
	GHashTable *sessions; /* device → Session */
	GQueue oldest;	      /* Session *, the one first that has been silent for longest */
};

/* One question at a time: a word of the verb, or which key, or a key's value. */
typedef struct {
	char *device, *account;
	Form *form;
	GArray *asked; /* guint: places in form_words() that were asked; the last one is now */
	gboolean at_keys;
	Field *key; /* whose value is asked */
	gint64 moved_us;
	GList *link; /* in `oldest` */
} Session;

static void
session_free(gpointer data)
{
	Session *session = data;

	g_free(session->device);
	g_free(session->account);
	form_free(session->form);
	g_array_unref(session->asked);
	g_free(session);
}

Chat *
chat_new(Gateway *gateway, Store *store)
{
	Chat *chat = g_new0(Chat, 1);

	chat->gateway = gateway;
	chat->store = store;
	chat->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, session_free);
	return chat;
}

void
chat_free(Chat *chat)
{
	if (!chat)
		return;
	g_queue_clear(&chat->oldest);
	g_hash_table_unref(chat->sessions);
	g_free(chat);
}

guint
chat_n_sessions(const Chat *chat)
{
	return g_hash_table_size(chat->sessions);
}

void
chat_reply_clear(ChatReply *reply)
{
	g_clear_pointer(&reply->text, g_free);
	g_clear_pointer(&reply->words, g_strfreev);
}

static void
drop(Chat *chat, Session *session)
{
	g_queue_delete_link(&chat->oldest, session->link);
	g_hash_table_remove(chat->sessions, session->device);
}

static void
drop_old(Chat *chat, gint64 now_us)
{
	Session *session;

	while ((session = g_queue_peek_head(&chat->oldest)) &&
	       now_us - session->moved_us > (gint64)CHAT_SESSION_S * G_USEC_PER_SEC)
		drop(chat, session);
}

/* Room for one more of this account. */
static void
make_room(Chat *chat, const char *account)
{
	Session *first = NULL;
	guint n = 0;

	for (GList *link = chat->oldest.head; link; link = link->next) {
		Session *session = link->data;

		if (strcmp(session->account, account) != 0)
			continue;
		first = first ? first : session;
		n++;
	}
	if (n >= CHAT_ACCOUNT_MAX)
		drop(chat, first);
	else if (g_hash_table_size(chat->sessions) >= CHAT_MAX)
		drop(chat, g_queue_peek_head(&chat->oldest));
}

static Session *
session_new(Chat *chat, const ChatPerson *person, Form *form, gint64 now_us)
{
	Session *session = g_new0(Session, 1);

	make_room(chat, person->account);
	session->device = g_strdup(person->device);
	session->account = g_strdup(person->account);
	session->form = form;
	session->asked = g_array_new(FALSE, FALSE, sizeof(guint));
	session->moved_us = now_us;
	g_queue_push_tail(&chat->oldest, session);
	session->link = chat->oldest.tail;
	g_hash_table_insert(chat->sessions, session->device, session);
	return session;
}

static void
touch(Chat *chat, Session *session, gint64 now_us)
{
	session->moved_us = now_us;
	g_queue_unlink(&chat->oldest, session->link);
	g_queue_push_tail_link(&chat->oldest, session->link);
}

/* Of the device; else the latest of the account, which all its devices have seen: who is asked on
 * one may answer on another, and a client that connects anew is another. */
static Session *
find_session(const Chat *chat, const char *account, const char *device, gint64 now_us)
{
	Session *session = g_hash_table_lookup(chat->sessions, device);

	for (GList *link = chat->oldest.tail; link && !session; link = link->prev) {
		Session *one = link->data;

		if (now_us - one->moved_us > (gint64)CHAT_ELSEWHERE_S * G_USEC_PER_SEC)
			break;
		if (strcmp(one->account, account) == 0)
			session = one;
	}
	return session;
}

static void
move_to(Chat *chat, Session *session, const char *device)
{
	g_hash_table_steal(chat->sessions, session->device);
	g_free(session->device);
	session->device = g_strdup(device);
	g_hash_table_insert(chat->sessions, session->device, session);
}

gint64
chat_asked_us(Chat *chat, const char *account, const char *device, gint64 now_us)
{
	const Session *session;

	drop_old(chat, now_us);
	session = find_session(chat, account, device, now_us);
	return session ? session->moved_us : 0;
}

/* --- questions --- */

static Field *
asked_word(const Session *session)
{
	const GPtrArray *words = form_words(session->form);

	return session->asked->len
		       ? words->pdata[g_array_index(session->asked, guint, session->asked->len - 1)]
		       : NULL;
}

/* The field that the question is about; NULL: which key. */
static Field *
asked_field(const Session *session)
{
	return session->at_keys ? session->key : asked_word(session);
}

static char *
ask_key(const Session *session)
{
	const GPtrArray *keys = form_keys(session->form);
	GString *text = g_string_new("What is to be changed? Write a key, KEY=VALUE, or next when "
				     "that is all.");

	for (guint i = 0; i < keys->len; i++) {
		const Field *field = keys->pdata[i];
		const char *value = field->secret  ? (field->value ? "…" : "")
				    : field->value ? field->value
						   : field->now;

		g_string_append_printf(text, "\n%u %s%s%s%s", i + 1, field->word->name,
				       value && *value ? " = " : "", value ? value : "",
				       field->value ? " (new)" : "");
	}
	return g_string_free(text, FALSE);
}

static gboolean
is_switch(const Field *field)
{
	return field->word->type == WORD_YES || field->word->type == WORD_FLAG;
}

static void
append_choices(GString *text, const Field *field)
{
	for (guint i = 0; field->choices[i]; i++)
		g_string_append_printf(text, "\n%u %s%s", i + 1, field->choices[i],
				       g_strcmp0(field->choices[i], field->now) == 0 ? " (now)"
										     : "");
}

static char *
question(const Session *session)
{
	const Field *field = asked_field(session);
	g_autofree char *name = NULL;
	GString *text;

	if (!field)
		return ask_key(session);
	name = g_ascii_strdown(field->word->name, -1);
	text = g_string_new(NULL);
	g_string_append_printf(text, "%s: %s.", name, field->word->help);
	if (is_switch(field))
		g_string_append(text, " Yes or no?");
	else if (field->word->values && !field->choices)
		g_string_append_printf(text, " Write %s.", field->word->values);
	if (field->now && *field->now && !field->choices)
		g_string_append_printf(text, " Now: %s.", field->now);
	if (!field->required)
		g_string_append(text, " next leaves it as it is.");
	if (field->choices)
		append_choices(text, field);
	return g_string_free(text, FALSE);
}

/* The next question, from place `from` on; FALSE: there is none. */
static gboolean
go_on(Session *session, guint from)
{
	const GPtrArray *words = form_words(session->form);

	for (guint i = from; i < words->len; i++) {
		const Field *field = words->pdata[i];

		if (field->value || word_is_option(field->word))
			continue;
		g_array_append_val(session->asked, i);
		return TRUE;
	}
	session->at_keys = form_has_keys(session->form);
	session->key = NULL;
	return session->at_keys;
}

static guint
after(const Session *session)
{
	return session->asked->len
		       ? g_array_index(session->asked, guint, session->asked->len - 1) + 1
		       : 0;
}

static void
run(Chat *chat, Session *session, ChatReply *reply)
{
	reply->words = form_request(session->form);
	reply->kind = form_actor(session->form)->kind;
	drop(chat, session);
}

static void
step(Chat *chat, Session *session, ChatReply *reply)
{
	if (session->at_keys || !go_on(session, after(session)))
		run(chat, session, reply);
	else
		reply->text = question(session);
}

static void
next(Chat *chat, Session *session, ChatReply *reply)
{
	const Field *field = asked_field(session);
	g_autofree char *name = field ? g_ascii_strdown(field->word->name, -1) : NULL;

	if (session->at_keys && field) {
		session->key = NULL;
		reply->text = question(session);
	} else if (session->at_keys && !form_is_complete(session->form))
		reply->text =
			g_strdup("next: nothing has been changed yet; write a key, or cancel");
	else if (!session->at_keys && field->required)
		reply->text =
			g_strdup_printf("next: %s cannot be left out; write it, or cancel", name);
	else
		step(chat, session, reply);
}

static void
back(Session *session, ChatReply *reply)
{
	if (session->at_keys && session->key)
		session->key = NULL;
	else if (session->at_keys && session->asked->len > 0)
		session->at_keys = FALSE;
	else if (!session->at_keys && session->asked->len > 1)
		g_array_set_size(session->asked, session->asked->len - 1);
	else {
		reply->text = g_strdup("back: this is the first question; write cancel to stop");
		return;
	}
	if (!session->at_keys)
		form_clear(session->form, asked_word(session));
	reply->text = question(session);
}

static gboolean
give(Session *session, Field *field, const char *text, GError **error)
{
	g_autofree char *meant = NULL;

	if (!field->choices || !*field->choices)
		return form_set(session->form, field, text, error);
	meant = typed_value(field->word, text);
	return form_set(session->form, field, chat_choice(field->choices, meant), error);
}

static Field *
key_of(const Session *session, const char *text)
{
	const GPtrArray *keys = form_keys(session->form);
	g_autofree char *bare = typed_bare(text);
	gint64 number;

	if (g_ascii_string_to_signed(bare, 10, 1, keys->len, &number, NULL))
		return keys->pdata[number - 1];
	return form_key(session->form, bare);
}

/* A key, or a key and its value. */
static gboolean
take_key(Session *session, const char *text, GError **error)
{
	const char *equals = strchr(text, '=');
	g_autofree char *raw = equals ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text);
	const char *name = g_strstrip(raw);
	Field *field = key_of(session, name);

	if (!field) {
		g_set_error(error, VERB_ERROR, VERB_WRONG,
			    "%s: no key, or not one alone; write one of the list, or its number",
			    name);
		return FALSE;
	}
	if (!equals) {
		session->key = field;
		return TRUE;
	}
	return give(session, field, equals + 1, error);
}

/* FALSE: it is no answer to what is asked; the reply says why. */
static gboolean
take(Chat *chat, Session *session, const char *text, ChatReply *reply)
{
	g_autoptr(GError) error = NULL;
	Field *field = asked_field(session);
	gboolean good =
		field ? give(session, field, text, &error) : take_key(session, text, &error);

	if (!good)
		reply->text = g_strdup_printf("%s (cancel ends the questions)", error->message);
	else if (session->at_keys) {
		if (field)
			session->key = NULL;
		reply->text = question(session);
	} else
		step(chat, session, reply);
	return good;
}

/* On another device than was asked. */
static gboolean
begins_anew(const ChatPerson *person, const char *text)
{
	g_auto(GStrv) words = chat_split(text);

	return !*words || chat_is_help(words[0]) || chat_is_command(person, text);
}

static gboolean
answer(Chat *chat, const ChatPerson *person, Session *session, const char *text, ChatReply *reply)
{
	gboolean here = strcmp(session->device, person->device) == 0;
	g_autofree char *elsewhere = here ? NULL : g_strdup(session->device);
	const Field *field = asked_field(session);

	/* nearly every word may be the name of a caller: a command is meant as one */
	if (here && field && field->word->type == WORD_CALLERS && chat_is_command(person, text)) {
		drop(chat, session);
		return FALSE;
	}
	if (elsewhere)
		move_to(chat, session, person->device);
	if (take(chat, session, text, reply) || (here && !chat_is_command(person, text)))
		return TRUE;
	if (elsewhere)
		move_to(chat, session, elsewhere);
	else
		drop(chat, session);
	chat_reply_clear(reply);
	return FALSE;
}

/* FALSE: it is a command, and the question is forgotten; or what was asked on another device waits
 * for its answer. */
static gboolean
go_on_with(Chat *chat, const ChatPerson *person, Session *session, const char *text,
	   ChatReply *reply)
{
	gboolean here = strcmp(session->device, person->device) == 0;

	if (!here && begins_anew(person, text))
		return FALSE;
	switch (chat_means(text)) {
	case CHAT_CANCEL:
		drop(chat, session);
		reply->text = g_strdup("Cancelled; nothing was changed");
		break;
	case CHAT_NEXT:
		next(chat, session, reply);
		break;
	case CHAT_BACK:
		back(session, reply);
		break;
	case CHAT_HELP:
		reply->text = question(session);
		break;
	case CHAT_ANSWER:
		return answer(chat, person, session, text, reply);
	}
	return TRUE;
}

/* --- a new line --- */

gboolean
chat_kind(const ChatPerson *person, const Verb *verb, char **words, VerbWho *kind)
{
	/* an operator who names nobody means the own account */
	if (person->is_user && verb->who & VERB_SELF &&
	    !(person->is_operator && chat_names_another(verb, words))) {
		*kind = VERB_SELF;
		return TRUE;
	}
	*kind = VERB_OPERATOR;
	return person->is_operator && verb->who & VERB_OPERATOR &&
	       !(verb->flags & (VERB_CLIENT | VERB_RAW));
}

static void
begin(Chat *chat, const ChatPerson *person, const Verb *verb, char **words, gint64 now_us,
      ChatReply *reply)
{
	g_autoptr(GError) error = NULL;
	Actor actor = { .who = person->device };
	g_autofree char *name = verb_name(verb);
	Form *form;

	if (!chat_kind(person, verb, words, &actor.kind)) {
		reply->text = g_strdup_printf("%s: that is for the operator of the gateway; write "
					      "help to see what you can do",
					      name);
		return;
	}
	actor.account = actor.kind == VERB_SELF ? person->account : NULL;
	chat_expand(verb, actor.kind, words);
	form = form_new(chat->gateway, chat->store, &actor, verb, words, &error);
	if (!form)
		reply->text = g_strdup(error->message);
	else if (form_is_complete(form)) {
		reply->words = form_request(form);
		reply->kind = actor.kind;
		form_free(form);
	} else {
		Session *session = session_new(chat, person, form, now_us);

		step(chat, session, reply);
	}
}

void
chat_says(Chat *chat, const ChatPerson *person, const char *text, gint64 now_us, ChatReply *reply)
{
	g_autofree char *line = g_strstrip(g_utf8_make_valid(text, strnlen(text, MAX_TEXT_BYTES)));
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) words = NULL;
	Session *session;
	const Verb *verb;
	guint n_named;

	*reply = (ChatReply){ 0 };
	drop_old(chat, now_us);
	session = find_session(chat, person->account, person->device, now_us);
	if (session && !form_may_go_on(session->form, person->is_operator)) {
		drop(chat, session);
		session = NULL;
	}
	if (session) {
		touch(chat, session, now_us);
		if (go_on_with(chat, person, session, line, reply))
			return;
	}
	words = chat_split(line);
	chat_name(person, words);
	if (!*words || chat_is_help(words[0])) {
		reply->text = chat_help(person, *words ? words + 1 : words);
		return;
	}
	verb = chat_find(person, words, &n_named, &error);
	if (!verb) {
		reply->text = g_strdup(error->message);
		return;
	}
	chat_join(verb, words + n_named);
	begin(chat, person, verb, words + n_named, now_us, reply);
}

/* --- what came of it --- */

static char *
cell_text(JsonNode *cell)
{
	if (!JSON_NODE_HOLDS_VALUE(cell))
		return g_strdup("");
	return json_node_get_value_type(cell) == G_TYPE_STRING ? json_node_dup_string(cell)
							       : json_to_string(cell, FALSE);
}

/* One of two cells is "key: value"; of more, those that are not empty. */
static void
append_row(GString *text, JsonArray *row, gint own)
{
	gboolean is_pair = json_array_get_length(row) == 2;
	const char *between = "";

	for (guint i = 0; i < json_array_get_length(row); i++) {
		g_autofree char *cell = cell_text(json_array_get_element(row, i));

		if ((gint)i == own || (!*cell && !is_pair))
			continue;
		g_string_append_printf(text, "%s%s", between, cell);
		between = is_pair ? ": " : ", ";
	}
}

static void
append_columns(GString *text, JsonArray *columns, gint own)
{
	const char *between = "";

	if (json_array_get_length(columns) == 2)
		return;
	for (guint i = 0; i < json_array_get_length(columns); i++) {
		if ((gint)i == own)
			continue;
		g_string_append_printf(text, "%s%s", between,
				       json_array_get_string_element(columns, i));
		between = ", ";
	}
}

/* The column that says whose it is tells a user nothing. */
static gint
own_column(JsonArray *columns, VerbWho kind)
{
	for (guint i = 0; kind == VERB_SELF && i < json_array_get_length(columns); i++)
		if (strcmp(json_array_get_string_element(columns, i), "user") == 0)
			return (gint)i;
	return -1;
}

static void
append_rows(GString *text, JsonArray *columns, JsonArray *rows, VerbWho kind, gboolean cut)
{
	gint own = own_column(columns, kind);

	if (json_array_get_length(rows) == 0) {
		g_string_append(text, "There are none");
		return;
	}
	append_columns(text, columns, own);
	for (guint i = 0; i < json_array_get_length(rows); i++) {
		if (text->len > MAX_ROWS_BYTES) {
			cut = TRUE;
			break;
		}
		g_string_append(text, text->len ? "\n" : "");
		append_row(text, json_array_get_array_element(rows, i), own);
	}
	if (cut)
		g_string_append(text, "\n… and more: ask for less, or see tandemctl");
}

char *
chat_answer(const Answer *answer, VerbWho kind, JsonArray *rows, gboolean cut)
{
	JsonObject *reply = answer_reply(answer);
	GString *text = g_string_new(NULL);

	if (answer_error(answer)) {
		g_autofree char *valid = g_utf8_make_valid(answer_error(answer)->message, -1);

		g_string_append(text, valid);
		return g_string_free(text, FALSE);
	}
	if (json_object_has_member(reply, "text"))
		g_string_append(text, json_object_get_string_member(reply, "text"));
	if (json_object_has_member(reply, "columns"))
		append_rows(text, json_object_get_array_member(reply, "columns"), rows, kind, cut);
	if (text->len == 0)
		g_string_append(text, "Done");
	return g_string_free(text, FALSE);
}
