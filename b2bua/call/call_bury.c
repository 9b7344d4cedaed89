/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_bury.c - see call_bury.h.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_bury.h"
#include "b2bua/call/call.h"
#include "b2bua/gateway.h"
#include "b2bua/words.h"

static void
bury_legs(Gateway *gateway, const CallRecord *record)
{
	g_auto(GStrv) lines = g_strsplit(record->legs ? record->legs : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, "\t", 2);
		const Plugin *plugin = fields[0] ? gateway_plugin(gateway, fields[0]) : NULL;
		g_autofree char *saved = fields[0] && fields[1] ? g_strcompress(fields[1]) : NULL;

		if (plugin && plugin->leg && plugin->leg->bury && saved)
			plugin->leg->bury(saved, REASON_CRASHED);
		else if (**line)
			g_warning("call %" G_GINT64_FORMAT ": no plugin to end its %s leg",
				  record->id, fields[0]);
	}
}

static void
set(char **where, const char *value)
{
	g_free(*where);
	*where = g_strdup(value);
}

/* Nobody knows when it ended: at most the time that the gateway has run is on the bill. */
static void
set_end(CallRecord *record, gint64 alive_us)
{
	const gint64 now = g_get_real_time(), begun = MAX(record->answered_us, record->started_us);
	g_autofree char *time = word_of_time(alive_us / (gint64)G_USEC_PER_SEC);

	record->ended_us = MAX(time ? MIN(now, alive_us) : now, begun);
	g_free(record->text);
	record->text =
		time ? g_strdup_printf("%s. The end is not exact: the gateway is known to have run "
				       "until %s, and perhaps a minute longer",
				       reason_sentence(REASON_CRASHED), time)
		     : g_strdup_printf("%s. The end is not exact: it is the time of the next start",
				       reason_sentence(REASON_CRASHED));
}

static void
close_record(CallRecord *record, gint64 alive_us)
{
	set(&record->state, call_state_name(CALL_ENDED));
	set(&record->legs, "");
	set(&record->reason, reason_name(REASON_CRASHED));
	set(&record->ended_by, "gateway");
	set_end(record, alive_us);
}

void
calls_bury(Gateway *gateway)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) records = store_call_list_live(gateway_store(gateway), &error);

	if (!records) {
		g_warning("the calls that a crash left open cannot be read: %s", error->message);
		return;
	}
	for (guint i = 0; i < records->len; i++) {
		CallRecord *record = records->pdata[i];
		g_autoptr(GError) problem = NULL;

		bury_legs(gateway, record);
		close_record(record, store_alive_us(gateway_store(gateway)));
		if (!store_call_update(gateway_store(gateway), record, &problem))
			g_warning("call %" G_GINT64_FORMAT ": not closed: %s", record->id,
				  problem->message);
		gateway_count(gateway, COUNTER_CALLS_BURIED);
	}
}
