/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_series.c - what was measured of a call's audio over time, as lines of its record.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"

/* "1.2": of microseconds; the locale has no say. */
static void
append_ms(GString *text, guint32 us, gboolean known)
{
	if (known)
		g_string_append_printf(text, " %u.%u", us / 1000, us / 100 % 10);
	else
		g_string_append(text, " -");
}

static void
append_mos(GString *text, double mos)
{
	const guint hundredths = (guint)(mos * 100 + 0.5);

	if (mos > 0)
		g_string_append_printf(text, " %u.%02u", hundredths / 100, hundredths % 100);
	else
		g_string_append(text, " -");
}

/* call_mos() rates what PortStats says: here of one span alone. */
static void
set_span(PortStats *stats, const SeriesPoint *point)
{
	stats->packets_in = point->packets_in;
	stats->lost_in = point->lost_in;
	stats->packets_out = point->packets_out;
	stats->lost_out = point->lost_out;
	stats->jitter_us = point->jitter_us;
	stats->jitter_out_us = point->jitter_out_us;
	stats->rtt_us = point->rtt_us;
	stats->reports_in = point->reports;
}

static void
append_point(GString *out, const Call *call, const Party *party, const PortStats *stats,
	     const SeriesPoint *point)
{
	g_autoptr(GString) text = g_string_new(party_side(party));
	g_autofree char *line = NULL;

	g_string_append_printf(text, " in %u %u", point->packets_in, point->lost_in);
	append_ms(text, point->jitter_us, point->packets_in > 0);
	append_mos(text, call_mos(call, party, stats, FALSE));
	g_string_append_printf(text, " out %u", point->packets_out);
	if (point->reports)
		g_string_append_printf(text, " %u", point->lost_out);
	else
		g_string_append(text, " -");
	append_ms(text, point->jitter_out_us, point->reports);
	append_mos(text, call_mos(call, party, stats, TRUE));
	g_string_append(text, " rtt");
	append_ms(text, point->rtt_us, point->rtt_us > 0);
	line = trace_series_line(call->trace, point->until_us, text->str);
	g_string_append(out, line);
}

static void
append_side(GString *out, const Call *call, const Party *party)
{
	const SeriesPoint *points;
	PortStats stats;
	guint n;

	if (!party || !party_has_port(party) || !call->media)
		return;
	points = media_series(call->media, party->port, &n);
	stats = media_last_stats(call->media, party->port);
	for (guint i = 0; i < n; i++) {
		set_span(&stats, &points[i]);
		append_point(out, call, party, &stats, &points[i]);
	}
}

char *
call_series(const Call *call)
{
	GString *out = g_string_new(NULL);

	append_side(out, call, call->caller);
	append_side(out, call, call->callee);
	return g_string_free(out, FALSE);
}
