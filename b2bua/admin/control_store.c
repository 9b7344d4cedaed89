/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_store.c - numbers and call records: what needs the store alone.
 *
 * A command checks every word before it changes anything.
 */
#include <string.h>
#include "b2bua/address.h"
#include "b2bua/admin/control_private.h"
#include "b2bua/call/call.h"
#include "b2bua/trace.h"

/* --- numbers --- */

static gboolean
number_add(Request *request, GError **error)
{
	g_autofree char *number = parse_number(request->words[0], error);
	g_autofree char *jid = number ? parse_user(request->words[1], error) : NULL;

	return jid && store_number_add(request->store, number, jid, error) &&
	       request_changed(request, CHANGE_NUMBER, number);
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
		store_number_page(request->store, request->after, CONTROL_PORTION, error);

	for (guint i = 0; numbers && i < numbers->len; i++)
		add_number_row(request, numbers->pdata[i]);
	return numbers && numbers->len > 0 &&
	       request_page(request, numbers->len,
			    ((Number *)numbers->pdata[numbers->len - 1])->number);
}

static gboolean
number_list(Request *request, GError **error)
{
	g_autofree char *jid = NULL;
	g_autoptr(GPtrArray) numbers = NULL;

	if (request->n_words == 1 && !(jid = parse_user(request->words[0], error)))
		return FALSE;
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

static gboolean
number_show(Request *request, GError **error)
{
	g_autofree char *text = parse_number(request->words[0], error);
	g_autoptr(Number) number = text ? store_number_get(request->store, text, error) : NULL;

	if (!number)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "number", number->number);
	reply_pair(request, "user", number->user);
	reply_pair(request, "caller-id", number->caller_id ? "yes" : "no");
	return TRUE;
}

/* One key of a number; the caller holds the transaction. */
static gboolean
set_number_key(Request *request, const char *number, const char *key, const char *value,
	       GError **error)
{
	g_autofree char *jid = NULL;
	gboolean yes;

	if (g_str_equal(key, "user")) {
		jid = parse_user(value, error);
		return jid && store_number_set_user(request->store, number, jid, error);
	}
	if (!g_str_equal(key, "caller-id"))
		return wrong(error, "%s=%s: unknown key; a number has: user=JID caller-id=yes", key,
			     value);
	if (!parse_yes(key, value, &yes, error))
		return FALSE;
	if (!yes)
		return wrong(error,
			     "caller-id=%s: a user always shows one number; write "
			     "caller-id=yes for the one to be shown instead",
			     value);
	return store_number_set_caller_id(request->store, number, error);
}

static gboolean
set_number_keys(Request *request, const char *number, GError **error)
{
	for (guint at = 1; at < request->n_words;) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_number_key(request, number, key, value, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
number_set(Request *request, GError **error)
{
	g_autofree char *number = parse_number(request->words[0], error);

	if (!number || !store_begin(request->store, error))
		return FALSE;
	if (set_number_keys(request, number, error))
		return store_commit(request->store, error) &&
		       request_changed(request, CHANGE_NUMBER, number);
	store_rollback(request->store);
	return FALSE;
}

static void
help_keys(Request *request)
{
	reply_key(request, "user", "JID", NULL, "whose it is from now on");
	reply_key(request, "caller-id", "yes", NULL,
		  "it is the one of his numbers that calls out show");
}

static gboolean
number_del(Request *request, GError **error)
{
	g_autofree char *number = parse_number(request->words[0], error);
	gboolean hangup = take_hangup(request);

	if (request->n_words > 1)
		return wrong(error, "%s: one word too many; write: number del NUMBER [--hangup]",
			     request->words[1]);
	if (!number || !store_number_del(request->store, number, error))
		return FALSE;
	reply_live_calls(request, CALLS_WITH_NUMBER, number, hangup);
	return request_changed(request, CHANGE_NUMBER, number);
}

/* --- calls --- */

#define DEFAULT_CALLS 20
#define MAX_CALLS     10000

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

/* What ails one that is live, or how one ended. */
static char *
words_of(const Request *request, const CallRecord *record)
{
	const Call *live = live_call(request, record);
	char *trouble = live ? call_trouble(live) : NULL;

	return trouble ? trouble : text_of(record);
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
	guint n = MIN(request->left, CONTROL_PORTION);
	g_autoptr(GPtrArray) records = store_call_page(request->store, request->after_id, n, error);

	for (guint i = 0; records && i < records->len; i++) {
		add_call_row(request, records->pdata[i]);
		request->after_id = ((CallRecord *)records->pdata[i])->id;
	}
	request->left -= n;
	if (records && records->len == n && request->left > 0)
		return TRUE;
	return records && request->n_words == 0 && add_live_calls(request, error);
}

static gboolean
calls(Request *request, GError **error)
{
	guint64 last = DEFAULT_CALLS;

	if (request->n_words > 0 && !g_str_equal(request->words[0], "--last"))
		return wrong(error, "%s: unknown option; write calls --last N", request->words[0]);
	if (request->n_words == 1)
		return wrong(error, "--last: has no value; write calls --last N");
	if (request->n_words == 2 &&
	    !g_ascii_string_to_unsigned(request->words[1], 10, 1, MAX_CALLS, &last, NULL))
		return wrong(error, "--last %s: write a whole number from 1 to %d",
			     request->words[1], MAX_CALLS);
	reply_table(request, "id", "state", "from", "to", "since", "seconds", "reason", "text",
		    NULL);
	request->after_id = G_MAXINT64;
	request->left = (guint)last;
	request->more = more_calls;
	return TRUE;
}

static CallRecord *
find_record(Request *request, GError **error)
{
	gint64 id;

	if (g_ascii_string_to_signed(request->words[0], 10, 1, G_MAXINT64, &id, NULL))
		return store_call_get(request->store, id, error);
	wrong(error, "call %s: not a call's id; see 'calls'", request->words[0]);
	return NULL;
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

static gboolean
call_show(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_autofree char *text = record ? words_of(request, record) : NULL;
	g_autofree char *now = NULL;

	if (!record)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "id", request->words[0]);
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

static gboolean
ladder(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_autofree char *now = NULL, *drawn = NULL;
	guint64 columns = 100;

	if (!record)
		return FALSE;
	if (request->n_words == 2 &&
	    !g_ascii_string_to_unsigned(request->words[1], 10, 40, 1000, &columns, NULL))
		return wrong(error, "columns %s: write a whole number from 40 to 1000",
			     request->words[1]);
	if (request->gateway && calls_find(request->gateway, record->id))
		now = call_ladder(calls_find(request->gateway, record->id));
	drawn = trace_draw(now ? now : record->ladder ? record->ladder : "", (guint)columns);
	reply_text(request, drawn);
	return TRUE;
}

const Command control_store_commands[] = {
	{ "number", "add", "NUMBER JID", 2, 2, FALSE, TRUE, number_add,
	  "give a number; the first is the user's caller id", NULL },
	{ "number", "list", "[JID]", 0, 1, FALSE, FALSE, number_list, "all numbers, or a user's",
	  NULL },
	{ "number", "show", "NUMBER", 1, 1, FALSE, FALSE, number_show, "one number", NULL },
	{ "number", "set", "NUMBER [user=JID] [caller-id=yes]", 2, 5, FALSE, TRUE, number_set,
	  "move it, or make it the one shown on calls out", help_keys },
	{ "number", "del", "NUMBER [--hangup]", 1, 2, FALSE, TRUE, number_del, "take a number away",
	  NULL },
	{ "calls", NULL, "[--last N]", 0, 2, FALSE, FALSE, calls,
	  "live and recent calls, newest first", NULL },
	{ "call", "show", "ID", 1, 1, FALSE, FALSE, call_show, "all about one call", NULL },
	{ "ladder", NULL, "ID [COLUMNS]", 1, 2, FALSE, FALSE, ladder,
	  "who said what when in one call", NULL },
};
const guint control_n_store_commands = G_N_ELEMENTS(control_store_commands);
