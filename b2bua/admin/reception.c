/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* reception.c - see reception.h. */
#include <string.h>
#include <json-glib/json-glib.h>
#include "b2bua/admin/chat.h"
#include "b2bua/admin/errand.h"
#include "b2bua/admin/page.h"
#include "b2bua/admin/reception.h"

#define MAX_ERRANDS	    200
#define MAX_ACCOUNT_ERRANDS 4
#define MAX_CHAT_ROWS	    60
#define MAX_FORM_ROWS	    200

typedef struct {
	Desk desk; /* first */
	Gateway *gateway;
	Chat *chat;
	Pages *pages;
	GPtrArray *jobs; /* Job *, owned */
} Reception;

/* A request that is under way, and who waits for it: of a chat or of a form. */
typedef struct {
	Reception *reception;
	Errand *errand; /* NULL: it is done */
	char *account, *device;
	VerbWho kind;
	DeskSaid said;
	DeskShows shows;
	gpointer user;
	PageReply page; /* of a form: what it is a result of */
} Job;

static void
job_free(gpointer data)
{
	Job *job = data;

	errand_free(job->errand);
	page_reply_clear(&job->page);
	g_free(job->account);
	g_free(job->device);
	g_free(job);
}

static Reception *
reception_of(Gateway *gateway)
{
	return (Reception *)gateway_parts(gateway)->desk;
}

static ChatPerson
person_of(const Reception *reception, const DeskPerson *person)
{
	guint failures = store_failures(gateway_store(reception->gateway));
	gboolean is_user = desk_is_user(reception->gateway, person->account);

	/* nobody is told that there is no such verb: each says what it cannot read */
	return (ChatPerson){ .account = person->account,
			     .device = person->device,
			     .is_user =
				     is_user || gateway_unread_since(reception->gateway, failures),
			     .is_operator = desk_is_operator(reception->gateway, person->account) };
}

static gboolean
has_room(const Reception *reception, const char *account)
{
	guint n = 0;

	for (guint i = 0; i < reception->jobs->len; i++)
		n += strcmp(((const Job *)reception->jobs->pdata[i])->account, account) == 0;
	return n < MAX_ACCOUNT_ERRANDS && reception->jobs->len < MAX_ERRANDS;
}

static Job *
job_new(Reception *reception, const DeskPerson *person, VerbWho kind, gpointer user)
{
	Job *job = g_new0(Job, 1);

	job->reception = reception;
	job->account = g_strdup(person->account);
	job->device = g_strdup(person->device);
	job->kind = kind;
	job->user = user;
	g_ptr_array_add(reception->jobs, job);
	return job;
}

static void
send_out(Job *job, char **words, guint max_rows, ErrandDone done)
{
	const gboolean is_self = job->kind == VERB_SELF;
	const Actor actor = { job->kind, is_self ? job->account : NULL, job->device,
			      is_self ? job->device : NULL };

	job->errand = errand_new(job->reception->gateway, &actor, words, max_rows, done, job);
}

/* It frees itself after this. */
static void
job_done(Job *job)
{
	job->errand = NULL;
	g_ptr_array_remove_fast(job->reception->jobs, job);
}

/* --- chat --- */

/* A row says so. */
static gboolean
has_password(JsonArray *rows)
{
	for (guint i = 0; i < json_array_get_length(rows); i++) {
		JsonArray *row = json_array_get_array_element(rows, i);
		JsonNode *cell = json_array_get_length(row) ? json_array_get_element(row, 0) : NULL;

		if (cell && json_node_get_value_type(cell) == G_TYPE_STRING &&
		    g_strcmp0(json_node_get_string(cell), "password") == 0)
			return TRUE;
	}
	return FALSE;
}

static void
on_chat_done(gpointer user, const Answer *answer, JsonArray *rows, gboolean cut)
{
	Job *job = user;
	g_autofree char *text = chat_answer(answer, job->kind, rows, cut);

	job->said(job->user, job->device, text, has_password(rows));
	job_done(job);
}

static gboolean
says(Gateway *gateway, const DeskPerson *who, const char *text, DeskSaid said, gpointer user)
{
	Reception *reception = reception_of(gateway);
	ChatPerson person = person_of(reception, who);
	ChatReply reply;

	if (!has_room(reception, who->account))
		return FALSE;
	chat_says(reception->chat, &person, text, g_get_monotonic_time(), &reply);
	if (reply.words) {
		Job *job = job_new(reception, who, reply.kind, user);

		job->said = said;
		send_out(job, reply.words, MAX_CHAT_ROWS, on_chat_done);
	} else
		said(user, who->device, reply.text, FALSE);
	chat_reply_clear(&reply);
	return TRUE;
}

static gint64
asked_us(Gateway *gateway, const DeskPerson *who)
{
	return chat_asked_us(reception_of(gateway)->chat, who->account, who->device,
			     g_get_monotonic_time());
}

/* --- forms --- */

static void
commands(Gateway *gateway, const DeskPerson *who, const char *node, DeskCommandFunc func,
	 gpointer user)
{
	ChatPerson person = person_of(reception_of(gateway), who);
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		g_autofree char *name = page_node(verb), *title = page_title(verb);

		if (page_may(&person, verb) && (!node || strcmp(node, name) == 0))
			func(user, &(DeskCommand){ name, title });
	}
}

static char **
cells_of(JsonArray *row)
{
	g_autoptr(GStrvBuilder) cells = g_strv_builder_new();

	for (guint i = 0; i < json_array_get_length(row); i++) {
		JsonNode *cell = json_array_get_element(row, i);
		g_autofree char *text = json_node_get_value_type(cell) == G_TYPE_STRING
						? json_node_dup_string(cell)
						: json_to_string(cell, FALSE);

		g_strv_builder_add(cells, text);
	}
	return g_strv_builder_end(cells);
}

/* Of an error the words; of what has a text the text; else that it is done. */
static const char *
note_of(const Answer *answer, gboolean has_rows)
{
	JsonObject *reply = answer_reply(answer);

	if (answer_error(answer))
		return answer_error(answer)->message;
	if (json_object_has_member(reply, "text"))
		return json_object_get_string_member(reply, "text");
	return has_rows ? NULL : "Done";
}

static void
on_form_done(gpointer user, const Answer *answer, JsonArray *rows, gboolean cut)
{
	Job *job = user;
	DeskPage *page = &job->page.page;
	JsonObject *reply = answer_reply(answer);
	gboolean is_table = !answer_error(answer) && json_object_has_member(reply, "columns");
	g_auto(GStrv) columns =
		is_table ? cells_of(json_object_get_array_member(reply, "columns")) : NULL;
	g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	g_autofree char *note = NULL;

	for (guint i = 0; is_table && i < json_array_get_length(rows); i++)
		g_ptr_array_add(table, cells_of(json_array_get_array_element(rows, i)));
	note = note_of(answer, is_table) ? g_utf8_make_valid(note_of(answer, is_table), -1)
	       : cut			 ? g_strdup("There is more than is shown; ask for less")
					 : NULL;
	page->stage = DESK_DONE;
	page->note = note;
	page->is_error = answer_error(answer) != NULL;
	page->columns = columns;
	page->rows = is_table ? table : NULL;
	job->shows(job->user, page);
	job_done(job);
}

static void
command(Gateway *gateway, const DeskPerson *who, const DeskInput *input, DeskShows shows,
	gpointer user)
{
	Reception *reception = reception_of(gateway);
	ChatPerson person = person_of(reception, who);
	PageReply reply;

	if (!has_room(reception, who->account)) {
		shows(user, &(DeskPage){ .stage = DESK_NO_SESSION, .node = input->node });
		return;
	}
	pages_input(reception->pages, &person, input, g_get_monotonic_time(), &reply);
	if (reply.words) {
		Job *job = job_new(reception, who, reply.kind, user);

		job->shows = shows;
		job->page = reply;
		send_out(job, job->page.words, MAX_FORM_ROWS, on_form_done);
		return;
	}
	shows(user, &reply.page);
	page_reply_clear(&reply);
}

static void
forget(Gateway *gateway, gpointer user)
{
	Reception *reception = reception_of(gateway);

	for (guint i = reception->jobs->len; i-- > 0;)
		if (((const Job *)reception->jobs->pdata[i])->user == user)
			g_ptr_array_remove_index_fast(reception->jobs, i);
}

/* --- open and closed --- */

void
reception_open(Gateway *gateway)
{
	static const DeskVerbs verbs = {
		.says = says,
		.commands = commands,
		.command = command,
		.forget = forget,
		.asked_us = asked_us,
	};
	Reception *reception = g_new0(Reception, 1);

	reception->desk.verbs = &verbs;
	reception->gateway = gateway;
	reception->chat = chat_new(gateway, gateway_store(gateway));
	reception->pages = pages_new(gateway, gateway_store(gateway));
	reception->jobs = g_ptr_array_new_with_free_func(job_free);
	gateway_parts(gateway)->desk = &reception->desk;
}

void
reception_close(Gateway *gateway)
{
	Reception *reception = reception_of(gateway);

	if (!reception)
		return;
	gateway_parts(gateway)->desk = NULL;
	g_ptr_array_unref(reception->jobs);
	chat_free(reception->chat);
	pages_free(reception->pages);
	g_free(reception);
}
