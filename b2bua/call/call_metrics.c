/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_metrics.c - see call_metrics.h. */
#include "b2bua/call/call_metrics.h"
#include <string.h>
#include "b2bua/call/call_private.h"

static const double SETUP_BOUNDS[] = { 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120 };
static const double DURATION_BOUNDS[] = { 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400 };
static const double LOSS_BOUNDS[] = { 0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5 };
static const double JITTER_BOUNDS[] = { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2 };
/* the classes of quality.h */
static const double MOS_BOUNDS[] = { 2.58, 3.1, 3.6, 4.03, 4.34 };

enum { ACTIVE, ENDED, SETUP, DURATION, LOSS, JITTER, ROUND_TRIP, MOS, N_ROWS };

#define BOUNDS(array) .bounds = array, .n_bounds = G_N_ELEMENTS(array)

static const MetricRow ROWS[N_ROWS] = {
	[ACTIVE] = { "tandem_calls_active",
		     METRIC_GAUGE,
		     "Calls that have begun and not ended",
		     { "direction" } },
	[ENDED] = { "tandem_calls_ended_total",
		    METRIC_COUNTER,
		    "Calls that ended, refused ones as well, by the reason of docs/mapping.md",
		    { "direction", "trunk", "reason" } },
	[SETUP] = { "tandem_call_setup_seconds",
		    METRIC_HISTOGRAM,
		    "Time from the begin of a call until a device rings (ringing) or answers "
		    "(answer), and from the answer until both sides can talk (media)",
		    { "stage" },
		    BOUNDS(SETUP_BOUNDS) },
	[DURATION] = { "tandem_call_duration_seconds",
		       METRIC_HISTOGRAM,
		       "Time from the answer to the end of a call",
		       { "direction" },
		       BOUNDS(DURATION_BOUNDS) },
	[LOSS] = { "tandem_rtp_loss_ratio",
		   METRIC_HISTOGRAM,
		   "Share of lost packets of an ended call, of what came in from a side and of "
		   "what went out to the side, by the reports of that side",
		   { "transport", "direction" },
		   BOUNDS(LOSS_BOUNDS) },
	[JITTER] = { "tandem_rtp_jitter_seconds",
		     METRIC_HISTOGRAM,
		     "Interarrival jitter of RFC 3550 at the end of a call",
		     { "transport", "direction" },
		     BOUNDS(JITTER_BOUNDS) },
	[ROUND_TRIP] = { "tandem_rtp_round_trip_seconds",
			 METRIC_HISTOGRAM,
			 "Round trip between the gateway and a side at the end of a call",
			 { "transport" },
			 BOUNDS(SETUP_BOUNDS) },
	[MOS] = { "tandem_call_mos",
		  METRIC_HISTOGRAM,
		  "MOS of the E-model of an ended call, each direction of each side",
		  { "transport", "direction" },
		  BOUNDS(MOS_BOUNDS) },
};

static const char *const TRANSPORTS[N_TRANSPORT_KINDS] = {
	[TRANSPORT_RTP] = "rtp",
	[TRANSPORT_WEBRTC] = "webrtc",
	[TRANSPORT_NONE] = "none",
	[TRANSPORT_LOOP] = "none",
};

MetricSet *
call_metrics_new(void)
{
	return metric_set_new(ROWS, N_ROWS);
}

static MetricSet *
metrics_of(const Call *call)
{
	return gateway_parts(call->gateway)->metrics;
}

static void
add(const Call *call, guint row, const char *first, const char *second, double number)
{
	metric_add(metrics_of(call), row, (const char *[]){ first, second, NULL }, number);
}

const char *
call_direction(const Call *call)
{
	if (call_trunk_in(call))
		return "in";
	if (call->plan && call->plan->trunk)
		return "out";
	if (call->plan && !call->plan->user)
		return "in";
	if (call->plan)
		return "internal";
	return call->account ? "out" : "in";
}

/* A trunk that answered, or was tried last, is the one of the record. */
static const char *
trunk_of(const Call *call)
{
	const char *trunk = call->record->trunk	  ? call->record->trunk
			    : call_trunk_in(call) ? call_trunk_in(call)
			    : call->plan	  ? call->plan->trunk
						  : NULL;

	return trunk ? trunk : "";
}

void
call_metrics_begin(Call *call)
{
	call->direction = call_direction(call);
	call->clock.begun_us = g_get_monotonic_time();
	add(call, ACTIVE, call->direction, NULL, 1);
}

void
call_metrics_enter(Call *call, guint state)
{
	const gint64 now = g_get_monotonic_time();

	if (call->clock.begun_us == 0)
		return;
	if (state == CALL_RINGING && call->clock.rang_us == 0) {
		call->clock.rang_us = now;
		add(call, SETUP, "ringing", NULL,
		    (double)(now - call->clock.begun_us) / G_USEC_PER_SEC);
	}
	if ((state == CALL_CONNECTING || state == CALL_ACTIVE) && call->clock.taken_us == 0) {
		call->clock.taken_us = now;
		add(call, SETUP, "answer", NULL,
		    (double)(now - call->clock.begun_us) / G_USEC_PER_SEC);
	}
	if (state == CALL_ACTIVE && call->clock.talks_us == 0) {
		call->clock.talks_us = now;
		add(call, SETUP, "media", NULL,
		    (double)(now - call->clock.taken_us) / G_USEC_PER_SEC);
	}
}

void
call_metrics_ended(Call *call, const char *reason)
{
	const char *direction = call->direction ? call->direction : call_direction(call);

	metric_add(metrics_of(call), ENDED, (const char *[]){ direction, trunk_of(call), reason },
		   1);
	if (call->clock.talks_us)
		add(call, DURATION, direction, NULL,
		    (double)(g_get_monotonic_time() - call->clock.talks_us) / G_USEC_PER_SEC);
}

/* --- audio --- */

static void
add_direction(const Call *call, const Party *party, const PortStats *stats, gboolean out)
{
	const char *transport = TRANSPORTS[party->kind], *direction = out ? "out" : "in";
	const guint64 sent = out ? stats->packets_out : stats->packets_in + stats->lost_in;
	const guint64 lost = out ? MIN(stats->lost_out, stats->packets_out) : stats->lost_in;
	double mos = call_mos(call, party, stats, out);

	if (sent == 0 || (out && !stats->reports_in))
		return;
	add(call, LOSS, transport, direction, (double)lost / (double)sent);
	add(call, JITTER, transport, direction,
	    (double)(out ? stats->jitter_out_us : stats->jitter_us) / G_USEC_PER_SEC);
	if (mos > 0)
		add(call, MOS, transport, direction, mos);
}

static void
add_side(const Call *call, const Party *party)
{
	PortStats stats;

	if (!party || !party_has_port(party) || !call->media || party->kind == TRANSPORT_NONE)
		return;
	stats = media_last_stats(call->media, party->port);
	add_direction(call, party, &stats, FALSE);
	add_direction(call, party, &stats, TRUE);
	if (stats.rtt_us)
		add(call, ROUND_TRIP, TRANSPORTS[party->kind], NULL,
		    (double)stats.rtt_us / G_USEC_PER_SEC);
}

void
call_metrics_free(Call *call)
{
	if (!call->direction)
		return;
	add(call, ACTIVE, call->direction, NULL, -1);
	if (call->clock.talks_us == 0)
		return;
	add_side(call, call->caller);
	add_side(call, call->callee);
}
