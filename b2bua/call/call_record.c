/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_record.c - what is written down of a call: the row in the store, its counters and
 * how good it was, the lines in the log.
 *
 * The row is written at every transition, before the transition is heard on
 * the wire, with what each leg needs to be ended after a crash.  The journal takes
 * it and never makes a call wait (db/journal.h).
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/call/call_feed.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/call_metrics.h"
#include "b2bua/route/meter.h"
#include "media/quality.h"
#include <string.h>

static const char *const ENDED_BY[] = {
	[BY_CALLER] = "caller",
	[BY_CALLEE] = "callee",
	[BY_GATEWAY] = "gateway",
};

static void
set_string(char **where, char *value)
{
	g_free(*where);
	*where = value;
}

/* What is in the store is text of lines and tabs: whatever a plugin saves is escaped. */
static void
append_leg(GString *legs, const Party *party)
{
	g_autofree char *saved = NULL, *escaped = NULL;

	if (!party->leg || !party->leg->plugin->leg->save)
		return;
	saved = party->leg->plugin->leg->save(party->leg);
	if (!saved)
		return;
	escaped = g_strescape(saved, NULL);
	g_string_append_printf(legs, "%s\t%s\n", party->leg->plugin->name, escaped);
}

static char *
legs_text(const Call *call)
{
	GString *legs = g_string_new(NULL);

	append_leg(legs, call->caller);
	for (guint i = 0; i < call->callees->len; i++)
		append_leg(legs, call->callees->pdata[i]);
	return g_string_free(legs, FALSE);
}

/* Numbers are recorded as E.164, whatever was dialled or written by a carrier. */
char *
call_caller_text(const Call *call)
{
	const Stage *stage;

	if (call->from->scheme != ADDRESS_SIP || !call->plan || call->plan->stages->len == 0)
		return address_text(call->from);
	stage = call->plan->stages->pdata[0];
	return address_text(((const Target *)stage->targets->pdata[0])->from);
}

char *
call_callee_text(const Call *call)
{
	return call->plan && call->plan->number ? g_strdup(call->plan->number)
						: address_text(call->to);
}

void
call_record_begin(Call *call)
{
	g_autoptr(GError) error = NULL;
	CallRecord *record = call->record;

	record->state = g_strdup(call_state_name(call->state));
	record->started_us = call->started_us;
	record->caller = call_caller_text(call);
	record->callee = call_callee_text(call);
	record->user = g_strdup(call->plan ? call->plan->user : NULL);
	record->trunk = g_strdup(call->plan ? call->plan->trunk : call_trunk_in(call));
	record->caller_plugin = g_strdup(call->caller->leg->plugin->name);
	record->legs = g_strdup("");
	record->ladder = g_strdup("");
	call->recorded = TRUE;
	call_metrics_begin(call);
	if (store_call_begin(gateway_store(call->gateway), record, &error)) {
		call_feed_add(gateway_parts(call->gateway)->feed, record->id);
		return;
	}
	/* it is a live call all the same: listed, counted, can be hung up */
	record->id = calls_spare_id(call->gateway);
	gateway_count(call->gateway, COUNTER_STORE_ERRORS);
	g_warning("the call from %s to %s has no record: %s", record->caller, record->callee,
		  error->message);
}

/* Of the way that is tried now. */
static void
set_price(const Call *call, const Charge *charge)
{
	CallRecord *record = call->record;

	record->price = charge ? charge->price : 0;
	set_string(&record->currency,
		   record->price ? g_strdup(gateway_config(call->gateway)->currency) : NULL);
}

/* The row of a call that goes on is written often: what is long comes at the end. */
static char *
recorded_ladder(const Call *call)
{
	g_autofree char *ladder = call_ladder(call), *series = NULL;

	if (call->state != CALL_ENDED)
		return g_steal_pointer(&ladder);
	series = call_series(call);
	return g_strconcat(ladder, series, NULL);
}

void
call_record_write(Call *call)
{
	CallRecord *record = call->record;
	const Party *callee = call->callee;

	if (!call->recorded)
		return;
	set_string(&record->state, g_strdup(call_state_name(call->state)));
	set_string(&record->legs, legs_text(call));
	set_string(&record->ladder, recorded_ladder(call));
	record->answered_us = call->answered_us;
	if (!callee && call->callees->len > 0)
		callee = call->callees->pdata[call->callees->len - 1];
	if (callee && callee->target) {
		set_string(&record->callee_plugin, g_strdup(callee->target->plugin->name));
		if (callee->target->way.trunk)
			set_string(&record->trunk, g_strdup(callee->target->way.trunk));
		set_price(call, callee->target->charge);
	}
	calls_write(call->gateway, record);
	/* made anew for each row, and long: not kept for as long as the call talks */
	set_string(&record->legs, NULL);
	set_string(&record->ladder, NULL);
}

void
call_record_end(Call *call, Reason reason, const char *sentence, EndedBy by)
{
	CallRecord *record = call->record;

	record->ended_us = call_now_us(call);
	set_string(&record->reason, g_strdup(reason_name(reason)));
	set_string(&record->text, call->one_way && call->loss != MEDIA_LOST_DEAD
					  ? g_strdup_printf("%s. %s", sentence, call->one_way)
					  : g_strdup(sentence));
	set_string(&record->ended_by, g_strdup(ENDED_BY[by]));
	call_record_write(call);
}

/* --- how good it was --- */

#define RATED_LEAST 100 /* packets: two seconds */

static char *
agreed_name(const Party *party)
{
	g_autoptr(Desc) agreed = party->local && party->remote ? call_agreed(party) : NULL;
	const Stream *audio = agreed ? desc_audio(agreed) : NULL;

	return audio && audio->codecs->len > 0
		       ? g_strdup(((const Codec *)audio->codecs->pdata[0])->name)
		       : NULL;
}

/* What came from it, or was sent to it; what was agreed on, as long as nothing has come. */
char *
call_codec_name(const Call *call, const Party *party, gboolean out)
{
	const Party *from = out ? call_other_party(call, party) : party;
	PortStats stats = { 0 };
	const CodecType *ran;

	if (from && party_has_port(from))
		stats = media_last_stats(call->media, from->port);
	ran = out && stats.made ? stats.made : stats.heard;
	return ran ? g_strdup(ran->name) : agreed_name(party);
}

double
call_mos(const Call *call, const Party *party, const PortStats *stats, gboolean out)
{
	g_autofree char *name = call_codec_name(call, party, out);
	const QualityCodec *codec = name ? quality_codec(name, TRUE) : NULL;
	const guint64 came = out ? stats->packets_out : stats->packets_in;
	const guint64 lost = out ? MIN(stats->lost_out, came) : stats->lost_in;
	const guint64 all = out ? came : came + lost;
	const QualityPath path = {
		.loss = all ? (double)lost / (double)all : 0,
		.burst = 1,
		.delay_ms = quality_delay_ms(stats->rtt_us,
					     out ? stats->jitter_out_us : stats->jitter_us),
	};

	if (!codec || all < RATED_LEAST || (out && !stats->reports_in))
		return 0;
	return quality_mos(codec, quality_rating(codec, &path));
}

static double
worst_mos(const Call *call, const Party *party, double worst)
{
	PortStats stats;

	if (!party || !party_has_port(party) || !call->media)
		return worst;
	stats = media_last_stats(call->media, party->port);
	for (guint out = 0; out < 2; out++) {
		double mos = call_mos(call, party, &stats, out);

		if (mos > 0)
			worst = MIN(worst, mos);
	}
	return worst;
}

void
call_count_quality(const Call *call)
{
	static const Counter COUNTED[N_QUALITIES] = {
		[QUALITY_BEST] = COUNTER_CALLS_MOS_BEST,
		[QUALITY_GOOD] = COUNTER_CALLS_MOS_GOOD,
		[QUALITY_FAIR] = COUNTER_CALLS_MOS_FAIR,
		[QUALITY_POOR] = COUNTER_CALLS_MOS_POOR,
		[QUALITY_BAD] = COUNTER_CALLS_MOS_BAD,
		[QUALITY_USELESS] = COUNTER_CALLS_MOS_USELESS,
	};
	double worst = worst_mos(call, call->callee, worst_mos(call, call->caller, G_MAXDOUBLE));

	if (call->answered_us && worst < G_MAXDOUBLE)
		gateway_count(call->gateway, COUNTED[quality_class(worst)]);
}

static void
append_mos(GString *text, const char *key, double mos)
{
	char number[G_ASCII_DTOSTR_BUF_SIZE];

	if (mos > 0)
		g_string_append_printf(text, " %s=%s", key,
				       g_ascii_formatd(number, sizeof number, "%.2f", mos));
}

static void
append_quality(GString *text, const Call *call, const Party *party, const PortStats *stats)
{
	g_autofree char *name = call_codec_name(call, party, FALSE);

	if (name)
		g_string_append_printf(text, " codec=%s", name);
	if (stats->reports_in)
		g_string_append_printf(text, " lost_out=%" G_GUINT64_FORMAT " jitter_out_us=%u",
				       stats->lost_out, stats->jitter_out_us);
	g_string_append_printf(text, " gap_ms=%u", stats->gap_ms);
	append_mos(text, "mos_in", call_mos(call, party, stats, FALSE));
	append_mos(text, "mos_out", call_mos(call, party, stats, TRUE));
}

/* For a person. */
static void
append_audio(GString *text, const Party *party, const PortStats *stats)
{
	const char *side = party_side(party);

	if (!stats->heard)
		return;
	if (!stats->made) {
		g_string_append_printf(text, "audio=from the %s: %s, passed through\n", side,
				       stats->heard->name);
		return;
	}
	g_string_append_printf(text,
			       "audio=from the %s: %s, transcoded to %s; %" G_GUINT64_FORMAT
			       " lost frames concealed, waited %u ms at most for late packets\n",
			       side, stats->heard->name, stats->made->name, stats->concealed,
			       stats->waited_ms);
}

static void
append_stats(GString *text, const Call *call, const Party *party)
{
	PortStats stats;

	if (!party || !party_has_port(party) || !call->media)
		return;
	stats = media_last_stats(call->media, party->port);
	g_string_append_printf(
		text,
		"port=%s packets_in=%" G_GUINT64_FORMAT " bytes_in=%" G_GUINT64_FORMAT
		" packets_out=%" G_GUINT64_FORMAT " bytes_out=%" G_GUINT64_FORMAT
		" lost_in=%" G_GUINT64_FORMAT " jitter_us=%u rtt_us=%u",
		party_side(party), stats.packets_in, stats.bytes_in, stats.packets_out,
		stats.bytes_out, stats.lost_in, stats.jitter_us, stats.rtt_us);
	g_string_append_printf(
		text,
		" dropped_auth=%" G_GUINT64_FORMAT " dropped_malformed=%" G_GUINT64_FORMAT
		" dropped_payload_type=%" G_GUINT64_FORMAT " dropped_source=%" G_GUINT64_FORMAT
		" rtcp_in=%" G_GUINT64_FORMAT " rtcp_out=%" G_GUINT64_FORMAT,
		stats.dropped_auth, stats.dropped_malformed, stats.dropped_payload_type,
		stats.dropped_source, stats.rtcp_in, stats.rtcp_out);
	append_quality(text, call, party, &stats);
	g_string_append_c(text, '\n');
	append_audio(text, party, &stats);
}

char *
call_stats(const Call *call)
{
	GString *text = g_string_new(NULL);

	append_stats(text, call, call->caller);
	append_stats(text, call, call->callee);
	return g_string_free(text, FALSE);
}

void
call_log_end(Call *call)
{
	const CallRecord *record = call->record;

	if (!record->reason)
		return;
	g_message("call %" G_GINT64_FORMAT ": %s to %s ended by the %s: %s", record->id,
		  record->caller, record->callee, record->ended_by, record->text);
	if (reason_is_abnormal(reason_from_name(record->reason))) {
		g_autofree char *text = trace_text(call->trace);
		g_autofree char *ladder = trace_draw(text, 100, TRACE_ALL);

		g_message("call %" G_GINT64_FORMAT ":\n%s", record->id, ladder);
	}
}
