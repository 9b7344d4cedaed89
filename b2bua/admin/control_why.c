/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_why.c - why a call failed, or was bad: in words. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/report/report.h"
#include "b2bua/trace.h"
#include "b2bua/why/cause.h"

static char *
trouble_of(const Request *request, const CallRecord *record)
{
	const Call *live = request->gateway ? calls_find(request->gateway, record->id) : NULL;

	return live ? call_trouble(live) : NULL;
}

/* Its last part is what to do about it, where that is known. */
static void
reply_text_and_remedy(Request *request, const char *text)
{
	const char *remedy = cause_remedy_in(text);
	g_autofree char *why = remedy ? g_strndup(text, (gsize)(remedy - text)) : g_strdup(text);

	if (remedy && g_str_has_suffix(why, ". "))
		why[strlen(why) - 2] = '\0';
	reply_pair(request, "why", why);
	reply_pair(request, "remedy", remedy);
}

/* What persons have read of it stands in the ladder. */
static void
reply_messages(Request *request, const char *ladder)
{
	g_auto(GStrv) messages = trace_messages(ladder);

	for (char **message = messages; *message; message++)
		reply_pair(request, "told", *message);
}

/* The same for the one who asks: the last that was told of the call, or what its end means. */
static void
reply_own(Request *request, const CallRecord *record, const char *ladder)
{
	g_autofree char *to = g_strconcat(request->actor->account, ": ", NULL);
	g_auto(GStrv) messages = trace_messages(ladder);
	const Reason reason = reason_from_name(record->reason);
	const char *told = NULL;

	for (char **message = messages; *message; message++)
		if (g_str_has_prefix(*message, to))
			told = *message + strlen(to);
	reply_pair(request, "why",
		   told			   ? told
		   : reason == REASON_NONE ? "nothing is wrong with it so far"
					   : reason_sentence(reason));
}

static gboolean
reply_call(Request *request, gint64 id, GError **error)
{
	g_autoptr(CallRecord) record = store_call_get(request->store, id, error);
	g_autofree char *trouble = NULL, *number = NULL, *ladder = NULL;
	const Call *live;

	if (!record)
		return FALSE;
	number = g_strdup_printf("%" G_GINT64_FORMAT, record->id);
	live = request->gateway ? calls_find(request->gateway, record->id) : NULL;
	ladder = live ? call_ladder(live) : g_strdup(record->ladder ? record->ladder : "");
	trouble = trouble_of(request, record);
	reply_pair(request, "call", number);
	reply_pair(request, "from", record->caller);
	reply_pair(request, "to", record->callee);
	if (request->actor->kind == VERB_OPERATOR)
		reply_pair(request, "trunk", record->trunk);
	reply_pair_time(request, "began", record->started_us / G_USEC_PER_SEC);
	if (request->actor->kind != VERB_OPERATOR) {
		reply_own(request, record, ladder);
		return TRUE;
	}
	reply_pair(request, "ended-by", record->ended_by);
	reply_text_and_remedy(request, trouble	      ? trouble
				       : record->text ? record->text
						      : "nothing is wrong with it so far");
	reply_messages(request, ladder);
	return TRUE;
}

/* One step of the search for the newest that is bad, or has failed; the next is another turn of
 * the loop. */
static gboolean
look_further(Request *request, GError **error)
{
	g_autoptr(GPtrArray) records =
		store_call_search(request->store, request->gathered, &request->after_id, error);

	for (guint i = 0; records && i < records->len; i++) {
		const CallRecord *record = records->pdata[i];
		g_autofree char *trouble = trouble_of(request, record);

		if (trouble || report_is_bad(record)) {
			reply_call(request, record->id, error);
			return FALSE;
		}
	}
	if (records && request->after_id == 0)
		reply_pair(request, "why",
			   request->actor->kind == VERB_OPERATOR
				   ? "no call of this user failed or was bad; see 'calls'"
				   : "none of your calls failed or was bad; see 'calls'");
	return records && request->after_id > 0;
}

gboolean
do_why(Request *request, GError **error)
{
	const char *word = request_word(request, "JID|ID");

	reply_table(request, "key", "value", NULL);
	if (!strchr(word, '@'))
		return reply_call(request, g_ascii_strtoll(word, NULL, 10), error);
	request->gathered = call_filter_of_user(request, word, error);
	request->free_gathered = call_filter_free;
	request->after_id = G_MAXINT64;
	request->more = look_further;
	return request->gathered != NULL;
}
