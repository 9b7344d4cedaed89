/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_why.c - why a call failed, or was bad: in words. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/why/cause.h"

#define SEARCHED 2000 /* of the newest records */
#define PAGE	 200
#define MESSAGE	 "message to "

static gboolean
is_of(const CallRecord *record, const char *jid)
{
	const gsize length = strlen(jid);

	return g_strcmp0(record->user, jid) == 0 ||
	       (record->caller && strncmp(record->caller, jid, length) == 0 &&
		(record->caller[length] == '/' || !record->caller[length]));
}

/* What ends well says no more than its reason. */
static gboolean
is_bad(const CallRecord *record)
{
	const Reason reason = reason_from_name(record->reason);

	switch (reason) {
	case REASON_NONE:
	case REASON_CANCELLED:
	case REASON_ANSWERED_ELSEWHERE:
	case REASON_TRANSFERRED:
		return FALSE;
	case REASON_HANGUP:
		return g_strcmp0(record->text, reason_sentence(reason)) != 0;
	default:
		return TRUE;
	}
}

static char *
trouble_of(const Request *request, const CallRecord *record)
{
	const Call *live = request->gateway ? calls_find(request->gateway, record->id) : NULL;

	return live ? call_trouble(live) : NULL;
}

/* The newest of the user that is bad, or has failed; by its id. */
static gint64
find_bad(Request *request, const char *jid, GError **error)
{
	gint64 before = G_MAXINT64;

	for (guint searched = 0; searched < SEARCHED; searched += PAGE) {
		g_autoptr(GPtrArray) records = store_call_page(request->store, before, PAGE, error);

		if (!records)
			return 0;
		for (guint i = 0; i < records->len; i++) {
			const CallRecord *record = records->pdata[i];
			g_autofree char *trouble = NULL;

			before = record->id;
			if (!is_of(record, jid))
				continue;
			trouble = trouble_of(request, record);
			if (trouble || is_bad(record))
				return record->id;
		}
		if (records->len < PAGE)
			break;
	}
	g_set_error(error, CONTROL_ERROR, 1,
		    "%s: no call of the newest %u failed or was bad; see 'calls'", jid, SEARCHED);
	return 0;
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
	g_auto(GStrv) lines = g_strsplit(ladder, "\n", -1);

	for (char **line = lines; *line; line++) {
		const char *text = strrchr(*line, '\t');

		if (text && g_str_has_prefix(text + 1, MESSAGE))
			reply_pair(request, "told", text + 1 + strlen(MESSAGE));
	}
}

static void
reply_when(Request *request, gint64 us)
{
	JsonArray *row = reply_row(request);

	row_add(row, "began");
	row_add_time(row, us / G_USEC_PER_SEC);
}

gboolean
do_why(Request *request, GError **error)
{
	const char *word = request_word(request, "JID|ID");
	gint64 id = strchr(word, '@') ? find_bad(request, word, error)
				      : g_ascii_strtoll(word, NULL, 10);
	g_autoptr(CallRecord) record = id ? store_call_get(request->store, id, error) : NULL;
	g_autofree char *trouble = NULL, *number = NULL, *ladder = NULL;
	const Call *live;

	if (!record)
		return FALSE;
	number = g_strdup_printf("%" G_GINT64_FORMAT, record->id);
	live = request->gateway ? calls_find(request->gateway, record->id) : NULL;
	ladder = live ? call_ladder(live) : g_strdup(record->ladder ? record->ladder : "");
	trouble = trouble_of(request, record);
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "call", number);
	reply_pair(request, "from", record->caller);
	reply_pair(request, "to", record->callee);
	reply_pair(request, "trunk", record->trunk);
	reply_when(request, record->started_us);
	reply_pair(request, "ended-by", record->ended_by);
	reply_text_and_remedy(request, trouble	      ? trouble
				       : record->text ? record->text
						      : "nothing is wrong with it so far");
	reply_messages(request, ladder);
	return TRUE;
}
