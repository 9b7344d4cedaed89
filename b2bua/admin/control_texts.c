/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_texts.c - text messages: listed, found, shown. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "db/store_texts.h"

static void
add_text_row(Request *request, const TextRecord *record)
{
	JsonArray *row = reply_row(request);

	row_add_int(row, record->id);
	row_add(row, record->state);
	row_add(row, record->direction);
	row_add(row, record->sender);
	row_add(row, record->recipient);
	row_add_time(row, record->taken);
	row_add(row, record->trunk);
	row_add(row, record->reason);
	row_add(row, record->words);
}

static void
text_filter_free(gpointer data)
{
	TextFilter *filter = data;

	g_free((char *)filter->state);
	g_free(filter);
}

static TextFilter *
read_filter(const Request *request, GError **error)
{
	const char *state = request_word(request, "--state");
	TextFilter *filter = g_new0(TextFilter, 1);
	gint64 us = 0;

	filter->user = request_word(request, "--user");
	filter->number = request_word(request, "--number");
	filter->trunk = request_word(request, "--trunk");
	filter->state = state ? g_ascii_strup(state, -1) : NULL;
	if (!request_time(request, "--since", &us, error)) {
		text_filter_free(filter);
		return NULL;
	}
	filter->since = us / G_USEC_PER_SEC;
	return filter;
}

/* One step of the search; the next is another turn of the loop. */
static gboolean
more_texts(Request *request, GError **error)
{
	g_autoptr(GPtrArray) records =
		store_text_search(request->store, request->gathered, &request->after_id, error);

	for (guint i = 0; records && i < records->len && request->left > 0; i++, request->left--)
		add_text_row(request, records->pdata[i]);
	if (records && request->left == 0)
		request_cut(request);
	return records && request->left > 0 && request->after_id > 0;
}

gboolean
do_texts(Request *request, GError **error)
{
	const char *before = request_word(request, "--before");

	request->after_id = before ? g_ascii_strtoll(before, NULL, 10) : G_MAXINT64;
	request->left = request_most(request, request_word(request, "--since") != NULL);
	request->gathered = read_filter(request, error);
	request->free_gathered = text_filter_free;
	if (!request->gathered)
		return FALSE;
	request->more = more_texts;
	reply_table(request, "id", "state", "direction", "from", "to", "since", "trunk", "reason",
		    "text", NULL);
	return TRUE;
}

/* --- one of them --- */

/* "SENT message to softphone desk since 2026-11-29T10:00:00 (busy: not now)" */
static void
reply_delivery(Request *request, const TextDelivery *delivery)
{
	static const char *const names[][2] = { { "account", "the clients of" },
						{ "contact", "softphone" },
						{ "trunk", "trunk" } };
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(delivery->changed);
	g_autofree char *since = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : NULL;
	g_autoptr(GString) text = g_string_new(delivery->state);
	const char *way = delivery->way;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(delivery->way, names[i][0]) == 0)
			way = names[i][1];
	g_string_append_printf(text, " %s to %s %s since %s", delivery->kind, way,
			       *delivery->way_key ? delivery->way_key : delivery->account, since);
	if (delivery->part > 0)
		g_string_append_printf(text, ", part %u", delivery->part + 1);
	if (delivery->reason)
		g_string_append_printf(text, " (%s%s%s)", delivery->reason,
				       delivery->words ? ": " : "",
				       delivery->words ? delivery->words : "");
	reply_pair(request, "delivery", text->str);
}

gboolean
do_text_show(Request *request, GError **error)
{
	gint64 id = g_ascii_strtoll(request_word(request, "ID"), NULL, 10);
	g_autoptr(TextRecord) record = store_text_get(request->store, id);

	if (!record) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
			    "text %" G_GINT64_FORMAT " does not exist: see 'texts'", id);
		return FALSE;
	}
	reply_table(request, "key", "value", NULL);
	reply_pair_int(request, "id", record->id);
	reply_pair(request, "state", record->state);
	reply_pair(request, "direction", record->direction);
	reply_pair(request, "from", record->sender);
	reply_pair(request, "to", record->recipient);
	reply_pair(request, "author", record->author);
	reply_pair(request, "addressee", record->addressee);
	reply_pair(request, "device", record->device);
	reply_pair(request, "trunk", record->trunk);
	reply_pair(request, "origin", record->origin);
	reply_pair_time(request, "written", record->written);
	reply_pair_time(request, "taken", record->taken);
	reply_pair(request, "receipt", record->receipt ? "yes" : "no");
	reply_pair_int(request, "bytes", (gint64)strlen(record->body));
	reply_pair(request, "reason", record->reason);
	reply_pair(request, "text", record->words);
	for (guint i = 0; i < record->deliveries->len; i++)
		reply_delivery(request, record->deliveries->pdata[i]);
	if (request_word(request, "--body"))
		reply_pair(request, "body", record->body);
	return TRUE;
}
