/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_store.c - numbers and call records: what needs the store alone.
 *
 * A command checks every word before it changes anything.
 */
#include <string.h>
#include "b2bua/address.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"
#include "b2bua/call/call.h"
#include "b2bua/trace.h"

/* --- numbers --- */

gboolean
do_number_add(Request *request, GError **error)
{
	return store_number_add(request->store, request_word(request, "NUMBER"),
				request_word(request, "JID"), error);
}

static void
add_number_row(Request *request, const Number *number)
{
	JsonArray *row = reply_row(request);

	row_add(row, number->number);
	row_add(row, number->user);
	row_add(row, number->caller_id ? "yes" : "no");
	row_add_time(row, number->created);
}

static gboolean
more_numbers(Request *request, GError **error)
{
	g_autoptr(GPtrArray) numbers =
		store_number_page(request->store, request->after, REQUEST_PORTION, error);

	for (guint i = 0; numbers && i < numbers->len; i++)
		add_number_row(request, numbers->pdata[i]);
	return numbers && numbers->len > 0 &&
	       request_page(request, numbers->len,
			    ((Number *)numbers->pdata[numbers->len - 1])->number);
}

gboolean
do_number_list(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");
	g_autoptr(GPtrArray) numbers = NULL;

	reply_table(request, "number", "user", "caller-id", "created", NULL);
	if (!jid) {
		request->more = more_numbers;
		return TRUE;
	}
	if (!(numbers = store_number_list(request->store, jid, error)))
		return FALSE;
	for (guint i = 0; i < numbers->len; i++)
		add_number_row(request, numbers->pdata[i]);
	return TRUE;
}

gboolean
do_number_show(Request *request, GError **error)
{
	g_autoptr(Number) number =
		store_number_get(request->store, request_word(request, "NUMBER"), error);

	if (!number)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "number", number->number);
	reply_pair(request, "user", number->user);
	reply_pair(request, "caller-id", number->caller_id ? "yes" : "no");
	return TRUE;
}

/* --- the keys of keys.h; the caller holds the transaction --- */

static gboolean
number_user(Request *request, gpointer number, const Pair *pair, GError **error)
{
	return store_number_set_user(request->store, number, pair->value, error);
}

static gboolean
number_caller_id(Request *request, gpointer number, const Pair *pair, GError **error)
{
	if (strcmp(pair->value, "yes") == 0)
		return store_number_set_caller_id(request->store, number, error);
	return wrong(error,
		     "caller-id=%s: a user always shows one number; write caller-id=yes for the "
		     "number to be shown instead",
		     pair->value);
}

#define ROW(id, name, type, values, fallback, flags, help) { name, number_##id },
static const KeyFunction FUNCTIONS[] = { NUMBER_KEYS(ROW){ NULL, NULL } };
#undef ROW

gboolean
do_number_set(Request *request, GError **error)
{
	if (!store_begin(request->store, error))
		return FALSE;
	if (request_set_keys(request, FUNCTIONS, (char *)request_word(request, "NUMBER"), error))
		return store_commit(request->store, error);
	store_rollback(request->store);
	return FALSE;
}

gboolean
do_number_del(Request *request, GError **error)
{
	const char *number = request_word(request, "NUMBER");

	if (!store_number_del(request->store, number, error))
		return FALSE;
	reply_live_calls(request, CALLS_WITH_NUMBER, number,
			 request_word(request, "--hangup") != NULL);
	return TRUE;
}

/* --- calls --- */

static gint64
duration(const CallRecord *record)
{
	if (!record->answered_us)
		return 0;
	return ((record->ended_us ? record->ended_us : g_get_real_time()) - record->answered_us) /
	       G_USEC_PER_SEC;
}

/* Of a refusal that happened more than once in its minute. */
static char *
text_of(const CallRecord *record)
{
	return record->count > 1 ? g_strdup_printf("%s (%u times)", record->text, record->count)
				 : g_strdup(record->text);
}

/* It is live, and the one who asks has it. */
static const Call *
live_call(const Request *request, const CallRecord *record)
{
	return request->gateway ? calls_find(request->gateway, record->id) : NULL;
}

/* What ails one that is live and what its people should know, or how one ended. */
static char *
words_of(const Request *request, const CallRecord *record)
{
	const Call *live = live_call(request, record);
	const char *clear = live ? call_in_the_clear(live) : NULL;
	g_autofree char *trouble = live ? call_trouble(live) : NULL;

	if (trouble && clear)
		return g_strdup_printf("%s; %s", trouble, clear);
	if (trouble || clear)
		return g_strdup(trouble ? trouble : clear);
	return text_of(record);
}

static void
add_call_row(Request *request, const CallRecord *record)
{
	JsonArray *row = reply_row(request);
	g_autofree char *text = words_of(request, record);

	row_add_int(row, record->id);
	row_add(row, record->state);
	row_add(row, record->caller);
	row_add(row, record->callee);
	row_add_time(row, record->started_us / G_USEC_PER_SEC);
	row_add_int(row, duration(record));
	row_add(row, record->reason);
	row_add(row, text);
}

/* However many have ended since they began. */
static gboolean
add_live_calls(Request *request, GError **error)
{
	g_autoptr(GPtrArray) live = store_call_list_open(request->store, request->after_id, error);

	for (guint i = 0; live && i < live->len; i++)
		add_call_row(request, live->pdata[i]);
	return FALSE; /* that was all */
}

static gboolean
more_calls(Request *request, GError **error)
{
	guint n = MIN(request->left, REQUEST_PORTION);
	g_autoptr(GPtrArray) records = store_call_page(request->store, request->after_id, n, error);

	for (guint i = 0; records && i < records->len; i++) {
		add_call_row(request, records->pdata[i]);
		request->after_id = ((CallRecord *)records->pdata[i])->id;
	}
	request->left -= n;
	if (records && records->len == n && request->left > 0)
		return TRUE;
	return records && !request_word(request, "--last") && add_live_calls(request, error);
}

gboolean
do_calls(Request *request, GError **error)
{
	reply_table(request, "id", "state", "from", "to", "since", "seconds", "reason", "text",
		    NULL);
	request->after_id = G_MAXINT64;
	request->left = (guint)request_whole(request, "--last");
	request->more = more_calls;
	return TRUE;
}

static CallRecord *
find_record(Request *request, GError **error)
{
	return store_call_get(request->store,
			      g_ascii_strtoll(request_word(request, "ID"), NULL, 10), error);
}

static void
reply_time_pair(Request *request, const char *key, gint64 us)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add_time(row, us / G_USEC_PER_SEC);
}

#define AUDIO "audio="

/* The lines of call_stats(): numbers of a side, or what is done with its audio. */
static void
reply_stats(Request *request, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, AUDIO))
			reply_pair(request, "audio", *line + strlen(AUDIO));
		else if (**line)
			reply_pair(request, "media", *line);
	}
}

gboolean
do_call_show(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_autofree char *text = record ? words_of(request, record) : NULL;
	g_autofree char *now = NULL;

	if (!record)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "id", request_word(request, "ID"));
	reply_pair(request, "state", record->state);
	reply_pair(request, "from", record->caller);
	reply_pair(request, "to", record->callee);
	reply_pair(request, "user", record->user);
	reply_pair(request, "trunk", record->trunk);
	reply_pair(request, "caller-plugin", record->caller_plugin);
	reply_pair(request, "callee-plugin", record->callee_plugin);
	reply_time_pair(request, "started", record->started_us);
	reply_time_pair(request, "answered", record->answered_us);
	reply_time_pair(request, "ended", record->ended_us);
	reply_pair(request, "reason", record->reason);
	reply_pair(request, "text", text);
	reply_pair(request, "ended-by", record->ended_by);
	if (live_call(request, record))
		now = call_stats(live_call(request, record));
	reply_stats(request, now ? now : record->stats ? record->stats : "");
	return TRUE;
}

gboolean
do_ladder(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_autofree char *now = NULL, *drawn = NULL;

	if (!record)
		return FALSE;
	if (request->gateway && calls_find(request->gateway, record->id))
		now = call_ladder(calls_find(request->gateway, record->id));
	drawn = trace_draw(now		    ? now
			   : record->ladder ? record->ladder
					    : "",
			   (guint)request_whole(request, "COLUMNS"));
	reply_text(request, drawn);
	return TRUE;
}
