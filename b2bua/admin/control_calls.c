/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_calls.c - records of calls: found, listed, summed up, shown. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/call/call.h"
#include "b2bua/call/call_feed.h"
#include "b2bua/trace.h"
#include "b2bua/words.h"

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

/* By the clock of the call, while it is live. */
static gint64
now_of(const Request *request, const CallRecord *record)
{
	const Call *live = record->ended_us ? NULL : live_call(request, record);

	return live ? call_now_us(live) : g_get_real_time();
}

/* A user does not read what the operator reads: hosts, trunks, what a far end has said. */
static char *
own_words_of(const CallRecord *record)
{
	return g_strdup(record->reason ? reason_sentence(reason_from_name(record->reason)) : NULL);
}

/* What ails one that is live and what its people should know, or how one ended. */
static char *
words_of(const Request *request, const CallRecord *record)
{
	const Call *live = live_call(request, record);
	const char *clear = live ? call_in_the_clear(live) : NULL;
	g_autofree char *trouble = NULL;

	if (request->actor->kind != VERB_OPERATOR)
		return own_words_of(record);
	trouble = live ? call_trouble(live) : NULL;
	if (trouble && clear)
		return g_strdup_printf("%s; %s", trouble, clear);
	if (trouble || clear)
		return g_strdup(trouble ? trouble : clear);
	return text_of(record);
}

/* Empty when no route has a price for it. */
static void
add_cost(const Request *request, JsonArray *row, const CallRecord *record)
{
	g_autofree char *cost =
		record->price ? word_of_money(call_record_cost(record, now_of(request, record)))
			      : NULL;

	row_add(row, cost);
	row_add(row, record->currency);
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
	row_add_int(row, call_record_seconds(record, now_of(request, record)));
	row_add(row, record->reason);
	row_add(row, text);
	if (!request_word(request, "--all"))
		return;
	row_add(row, record->user);
	row_add(row, call_record_direction(record));
	row_add(row, record->trunk);
	row_add_time(row, record->answered_us / G_USEC_PER_SEC);
	row_add_time(row, record->ended_us / G_USEC_PER_SEC);
	row_add(row, record->ended_by);
	row_add_int(row, MAX(record->count, 1));
	add_cost(request, row, record);
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
	if (records && records->len == n)
		request_cut(request);
	return records && !request_word(request, "--last") && !request_word(request, "--before") &&
	       add_live_calls(request, error);
}

/* --- some of them --- */

void
call_filter_free(gpointer data)
{
	CallFilter *filter = data;

	g_strfreev(filter->numbers);
	g_free(filter);
}

/* A user is called by numbers as well.  What a number did is told to the operator alone, since
 * it may have been another user's then. */
static gboolean
filter_user(const Request *request, CallFilter *filter, const char *user, GError **error)
{
	g_autoptr(GStrvBuilder) numbers = g_strv_builder_new();
	g_autoptr(GPtrArray) own = store_number_list(request->store, user, error);

	for (guint i = 0; own && i < own->len && request->actor->kind == VERB_OPERATOR; i++)
		g_strv_builder_add(numbers, ((const Number *)own->pdata[i])->number);
	filter->user = user;
	filter->numbers = g_strv_builder_end(numbers);
	return own != NULL;
}

static gboolean
filter_people(const Request *request, CallFilter *filter, GError **error)
{
	const char *user = request_word(request, "--user");
	const char *number = request_word(request, "--number");

	if (user && number)
		return wrong(error, "--user and --number: write one of them");
	if (number)
		filter->numbers = g_strdupv((char *[]){ (char *)number, NULL });
	return !user || filter_user(request, filter, user, error);
}

CallFilter *
call_filter_of_user(const Request *request, const char *user, GError **error)
{
	CallFilter *filter = g_new0(CallFilter, 1);

	if (filter_user(request, filter, user, error))
		return filter;
	call_filter_free(filter);
	return NULL;
}

/* NULL: a word is wrong. */
static CallFilter *
read_filter(const Request *request, GError **error)
{
	CallFilter *filter = g_new0(CallFilter, 1);
	const char *state = request_word(request, "--state");

	filter->trunk = request_word(request, "--trunk");
	filter->reason = request_word(request, "--reason");
	filter->direction = request_word(request, "--direction");
	filter->failed = request_word(request, "--failed") != NULL;
	filter->state = !state ? CALLS_ANY : strcmp(state, "live") == 0 ? CALLS_LIVE : CALLS_ENDED;
	if (filter->reason && reason_from_name(filter->reason) == REASON_NONE)
		wrong(error, "--reason %s: no reason; see the column 'reason' of 'calls'",
		      filter->reason);
	else if (filter_people(request, filter, error) &&
		 request_time(request, "--since", &filter->since_us, error) &&
		 request_time(request, "--until", &filter->until_us, error))
		return filter;
	call_filter_free(filter);
	return NULL;
}

/* One step of the search; the next is another turn of the loop. */
static gboolean
more_found(Request *request, GError **error)
{
	g_autoptr(GPtrArray) records =
		store_call_search(request->store, request->gathered, &request->after_id, error);

	for (guint i = 0; records && i < records->len && request->left > 0; i++, request->left--)
		add_call_row(request, records->pdata[i]);
	if (records && request->left == 0)
		request_cut(request);
	return records && request->left > 0 && request->after_id > 0;
}

static gboolean
has_filter(const Request *request)
{
	static const char *const words[] = { "--user",	 "--number",	"--trunk",
					     "--reason", "--direction", "--state",
					     "--since",	 "--until",	"--failed" };

	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (request_word(request, words[i]))
			return TRUE;
	return FALSE;
}

/* --- what changes --- */

typedef struct {
	CallFilter *filter;
	GArray *calls; /* gint64 */
	guint next;
} Changes;

static void
changes_free(gpointer data)
{
	Changes *changes = data;

	if (changes->filter)
		call_filter_free(changes->filter);
	g_array_unref(changes->calls);
	g_free(changes);
}

/* A record that is gone meanwhile is not shown. */
static gboolean
more_changed(Request *request, GError **error)
{
	Changes *changes = request->gathered;

	for (guint i = 0; i < REQUEST_PORTION && changes->next < changes->calls->len; i++) {
		gint64 id = g_array_index(changes->calls, gint64, changes->next++);
		g_autoptr(CallRecord) record = store_call_get(request->store, id, NULL);

		if (record && call_record_fits(record, changes->filter))
			add_call_row(request, record);
	}
	return changes->next < changes->calls->len;
}

static gboolean
follow(Request *request, GError **error)
{
	const CallFeed *feed = request->gateway ? gateway_parts(request->gateway)->feed : NULL;
	g_autofree char *now = feed ? call_feed_mark(feed) : NULL;
	const char *since = request_word(request, "--changed");
	guint64 missed = 0;
	Changes *changes;
	GArray *calls;

	if (!feed) {
		g_set_error(error, CONTROL_ERROR, 0,
			    "tandemd is not running: there is nothing to follow; start it first");
		return FALSE;
	}
	if (request_word(request, "--last") || request_word(request, "--before"))
		return wrong(error, "--last and --before: take them away; calls are followed from "
				    "now on");
	calls = call_feed_since(feed, since ? since : now, &missed);
	if (!calls)
		return wrong(error, "--changed %s: not a mark of an earlier answer", since);
	changes = g_new0(Changes, 1);
	changes->calls = calls;
	request->gathered = changes;
	request->free_gathered = changes_free;
	request->more = more_changed;
	changes->filter = read_filter(request, error);
	json_object_set_string_member(request->reply, "mark", now);
	json_object_set_int_member(request->reply, "missed", (gint64)missed);
	return changes->filter != NULL;
}

static gboolean
list_calls(Request *request, GError **error)
{
	const char *before = request_word(request, "--before");

	request->after_id = before ? g_ascii_strtoll(before, NULL, 10) : G_MAXINT64;
	request->left = request_most(request, request_word(request, "--since") ||
						      request_word(request, "--until"));
	request->more = more_calls;
	if (has_filter(request)) {
		request->gathered = read_filter(request, error);
		request->free_gathered = call_filter_free;
		request->more = more_found;
		if (!request->gathered)
			return FALSE;
	}
	return TRUE;
}

gboolean
do_calls(Request *request, GError **error)
{
	gboolean follows = request_word(request, "--follow") || request_word(request, "--changed");

	if (!(follows ? follow(request, error) : list_calls(request, error)))
		return FALSE;
	if (request_word(request, "--all"))
		reply_table(request, "id", "state", "from", "to", "since", "seconds", "reason",
			    "text", "user", "direction", "trunk", "answered", "ended", "ended-by",
			    "times", "cost", "currency", NULL);
	else
		reply_table(request, "id", "state", "from", "to", "since", "seconds", "reason",
			    "text", NULL);
	return TRUE;
}

/* --- what is summed up --- */

static void
add_usage_row(Request *request, const Usage *usage)
{
	JsonArray *row = reply_row(request);
	g_autofree char *cost = usage->cost ? word_of_money(usage->cost) : NULL;

	row_add(row, usage->account);
	row_add(row, usage->month);
	row_add_int(row, (gint64)usage->out_calls);
	row_add_int(row, (gint64)usage->out_answered);
	row_add_int(row, (gint64)(usage->out_seconds + 59) / 60);
	row_add_int(row, (gint64)usage->in_calls);
	row_add_int(row, (gint64)usage->in_answered);
	row_add_int(row, (gint64)(usage->in_seconds + 59) / 60);
	row_add(row, cost);
}

/* `after` is the account and the month, by a tab. */
static gboolean
more_usage(Request *request, GError **error)
{
	g_auto(GStrv) after = g_strsplit(request->after ? request->after : "\t", "\t", 2);
	g_autoptr(GPtrArray) all = store_usage_page(request->store, request_word(request, "JID"),
						    request_word(request, "--month"), after[0],
						    after[1], REQUEST_PORTION, error);
	g_autofree char *last = NULL;

	for (guint i = 0; all && i < all->len; i++) {
		const Usage *usage = all->pdata[i];

		add_usage_row(request, usage);
		g_free(last);
		last = g_strconcat(usage->account, "\t", usage->month, NULL);
	}
	return all && all->len > 0 && request_page(request, all->len, last);
}

gboolean
do_usage(Request *request, GError **error)
{
	const char *month = request_word(request, "--month");

	if (month && !g_regex_match_simple("^[0-9]{4}-[01][0-9]$", month, 0, 0))
		return wrong(error, "--month %s: not a month; write such as 2026-11", month);
	reply_table(request, "user", "month", "calls-out", "answered-out", "minutes-out",
		    "calls-in", "answered-in", "minutes-in", "cost", NULL);
	request->more = more_usage;
	return TRUE;
}

/* --- one of them --- */

static CallRecord *
find_record(Request *request, GError **error)
{
	return store_call_get(request->store,
			      g_ascii_strtoll(request_word(request, "ID"), NULL, 10), error);
}

static void
reply_cost(Request *request, const CallRecord *record)
{
	g_autofree char *price = NULL, *cost = NULL, *text = NULL;

	if (!record->price)
		return;
	price = word_of_money(record->price);
	cost = word_of_money(call_record_cost(record, now_of(request, record)));
	text = g_strdup_printf("%s %s, at %s a minute", cost, record->currency, price);
	reply_pair(request, "cost", text);
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
	reply_pair_time(request, "started", record->started_us / G_USEC_PER_SEC);
	reply_pair_time(request, "answered", record->answered_us / G_USEC_PER_SEC);
	reply_pair_time(request, "ended", record->ended_us / G_USEC_PER_SEC);
	reply_pair(request, "reason", record->reason);
	reply_pair(request, "text", text);
	reply_pair(request, "ended-by", record->ended_by);
	reply_cost(request, record);
	if (live_call(request, record))
		now = call_stats(live_call(request, record));
	reply_stats(request, now ? now : record->stats ? record->stats : "");
	return TRUE;
}

/* Whose call it is, and when the ladder's 0 was. */
static char *
head_of(const Request *request, const CallRecord *record)
{
	g_autofree char *began = word_of_time(record->started_us / G_USEC_PER_SEC);
	g_autofree char *text = words_of(request, record);
	GString *head = g_string_new(NULL);

	g_string_printf(head, "call %" G_GINT64_FORMAT ": %s to %s", record->id, record->caller,
			record->callee);
	if (record->trunk)
		g_string_append_printf(head, " by trunk %s", record->trunk);
	g_string_append_printf(head, "\nbegan at %s, ", began);
	if (record->ended_us)
		g_string_append_printf(head, "ended by the %s after %.3f s",
				       record->ended_by ? record->ended_by : "gateway",
				       (double)(record->ended_us - record->started_us) /
					       G_USEC_PER_SEC);
	else
		g_string_append_printf(head, "is %s", record->state);
	if (text && *text)
		g_string_append_printf(head, ": %s", text);
	g_string_append(head, "\n\n");
	return g_string_free(head, FALSE);
}

static TraceView
view_of(const Request *request)
{
	const char *side = request_word(request, "--side");
	TraceView view = request_word(request, "--no-keys") ? TRACE_NO_KEYS : TRACE_ALL;

	if (g_strcmp0(side, "caller") == 0)
		view |= TRACE_NO_CALLEE;
	if (g_strcmp0(side, "callee") == 0)
		view |= TRACE_NO_CALLER;
	return view;
}

gboolean
do_ladder(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_autofree char *now = NULL, *head = NULL, *drawn = NULL, *text = NULL;

	if (!record)
		return FALSE;
	if (live_call(request, record))
		now = call_ladder(live_call(request, record));
	head = head_of(request, record);
	drawn = trace_draw(now ? now : record->ladder, (guint)request_whole(request, "COLUMNS"),
			   view_of(request));
	text = g_strconcat(head, drawn, NULL);
	reply_text(request, text);
	return TRUE;
}
