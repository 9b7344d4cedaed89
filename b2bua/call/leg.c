/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* leg.c - what legs tell the core becomes events in the queue of their call;
 * what the core tells legs goes through here as well.
 *
 * leg_ended() detaches at once, although the event it makes may wait: no
 * command can reach a leg that has said its last word.  An event of a leg that
 * has none (the core has let go of it) is dropped.
 * Thread: signalling.
 */
#include "b2bua/call/call_bill.h"
#include "b2bua/call/call_private.h"
#include <string.h>

#define MAX_WORDS 200 /* bytes of the far end's own words */

/* While a leg is in its hangup() it has no call any more, but what it says
 * belongs in the ladder. */
typedef struct {
	const Leg *leg;
	Call *call;
	const char *lane;
} HangingUp;

static HangingUp hanging_up;

static Party *
party_of(const Leg *leg)
{
	Call *call = leg->call;

	if (!call)
		return NULL;
	if (call->caller->leg == leg)
		return call->caller;
	for (guint i = call->callees->len; i-- > 0;) {
		Party *party = call->callees->pdata[i];

		if (party->leg == leg)
			return party;
	}
	g_assert_not_reached(); /* a leg with a call is one of its parties' */
}

static void
post(Leg *leg, CallEvent event)
{
	event.party = party_of(leg);
	if (!event.party)
		return;
	if (event.desc)
		desc_ref(event.desc);
	call_post(leg->call, event);
}

void
leg_attach(Leg *leg, const Plugin *plugin, Call *call)
{
	Party *party = call->dialling;

	/* dial() makes one leg, and only dial() does */
	g_assert(party && party->progress == PROGRESS_NONE);
	leg->plugin = plugin;
	leg->call = call;
	leg->side = SIDE_CALLEE;
	party->leg = leg;
	party->plugin = plugin;
	party_reach(party, PROGRESS_CALLED);
}

void
leg_trying(Leg *leg)
{
	Party *party = party_of(leg);

	if (party)
		party_reach(party, PROGRESS_TRYING);
}

void
leg_ringing(Leg *leg, const Desc *early)
{
	post(leg, (CallEvent){ .kind = EVENT_RINGING, .desc = early });
}

void
leg_unattended(Leg *leg)
{
	Party *party = party_of(leg);

	if (party)
		party_reach(party, PROGRESS_UNATTENDED);
}

void
leg_answered(Leg *leg, const Desc *answer)
{
	const Party *party = party_of(leg);

	if (party)
		post(leg, (CallEvent){ .kind = party == leg->call->caller ? EVENT_CALLER_ANSWERED
									  : EVENT_CALLEE_ANSWERED,
				       .desc = answer });
}

void
leg_changed(Leg *leg, const Desc *offer)
{
	post(leg, (CallEvent){ .kind = EVENT_CHANGED, .desc = offer });
}

void
leg_candidate(Leg *leg, const Candidate *theirs)
{
	Party *party = party_of(leg);

	/* a command to the media, which no leg hears: need not wait in the queue */
	if (party && party_has_port(party) && leg->call->media)
		media_add_candidate(leg->call->media, party->port, theirs);
}

void
leg_dtmf(Leg *leg, char digit)
{
	Party *party = party_of(leg);

	if (party)
		call_press(leg->call, party, digit, FALSE);
}

void
leg_digits(Leg *leg, const char *digits)
{
	Party *party = party_of(leg);

	if (party && (leg->call->state == CALL_ACTIVE || leg->call->state == CALL_CHANGING))
		call_press_all(leg->call, party, digits);
}

void
leg_transfer(Leg *leg, const Address *target, const Leg *with)
{
	if (!party_of(leg))
		return;
	post(leg, (CallEvent){ .kind = EVENT_TRANSFER,
			       .target = target ? address_copy(target) : NULL,
			       .with = with && with->call ? call_id(with->call) : 0,
			       .with_leg = with });
}

static char *
cut_words(const char *text)
{
	g_autofree char *words = NULL;

	if (!text || !text[0])
		return NULL;
	words = g_utf8_make_valid(text, (gssize)strnlen(text, MAX_WORDS));
	return g_strdup(g_strstrip(g_strdelimit(words, "\r\n\t", ' ')));
}

static void
end(Leg *leg, Reason reason, const char *text, gboolean failed)
{
	Party *party = party_of(leg);
	Call *call = leg->call;

	if (!party)
		return;
	g_assert(reason > REASON_NONE && reason < N_REASONS);
	party->leg = NULL;
	leg->call = NULL;
	call_post(call, (CallEvent){ .kind = party == call->caller ? EVENT_CALLER_ENDED
								   : EVENT_CALLEE_ENDED,
				     .party = party,
				     .reason = reason,
				     .failed = failed,
				     .text = cut_words(text) });
}

void
leg_device(Leg *leg, const char *device)
{
	Party *party = party_of(leg);

	if (!party)
		return;
	g_free(party->device);
	party->device = g_strdup(device);
}

void
leg_ended(Leg *leg, Reason reason, const char *text)
{
	end(leg, reason, text, FALSE);
}

void
leg_failed(Leg *leg, Reason reason, const char *text)
{
	end(leg, reason, text, TRUE);
}

void
leg_explain(Leg *leg, const LegFacts *facts)
{
	Party *party = party_of(leg);

	if (!party)
		return;
	party->trouble = facts->fault;
	party->error = facts->error;
	g_free(party->hop);
	party->hop = g_strdup(facts->hop);
	g_free(party->detail);
	party->detail = g_strdup(facts->detail);
}

void
leg_muted(Leg *leg, gboolean muted)
{
	Party *party = party_of(leg);

	if (party)
		party->muted = muted;
}

void
leg_save(Leg *leg)
{
	if (leg->call)
		call_record_write(leg->call);
}

void
leg_trace(const Leg *leg, TraceKind kind, const char *format, ...)
{
	g_autofree char *text = NULL;
	const char *lane;
	Call *call = leg->call;
	va_list arguments;

	if (call) {
		lane = party_of(leg)->lane;
	} else if (leg == hanging_up.leg) {
		call = hanging_up.call;
		lane = hanging_up.lane;
	} else {
		return;
	}
	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	trace_add(call->trace, lane, kind, text);
}

/* --- commands: a leg that is gone hears nothing --- */

void
leg_command_ring(Party *party, const Desc *early)
{
	if (party->leg && party->leg->plugin->leg->ring)
		party->leg->plugin->leg->ring(party->leg, early);
}

void
leg_command_answer(Party *party, const Desc *answer)
{
	if (party->leg && party->leg->plugin->leg->answer)
		party->leg->plugin->leg->answer(party->leg, answer);
}

void
leg_command_change(Party *party, const Desc *offer)
{
	if (party->leg)
		party->leg->plugin->leg->change(party->leg, offer);
}

void
leg_command_transferring(Party *party, TransferState state, Reason reason, const char *text)
{
	if (party->leg && party->leg->plugin->leg->transferring)
		party->leg->plugin->leg->transferring(party->leg, state, reason, text);
}

void
leg_command_candidate(Party *party, const Candidate *ours)
{
	if (party->leg && party->leg->plugin->leg->candidate)
		party->leg->plugin->leg->candidate(party->leg, ours);
}

void
leg_command_hangup(Call *call, Party *party, Reason reason, const char *text)
{
	Leg *leg = g_steal_pointer(&party->leg);
	HangingUp before = hanging_up; /* one call's end may end another's */

	meter_end(g_steal_pointer(&party->use));
	bill_end(g_steal_pointer(&party->bill));
	if (!leg)
		return;
	leg->call = NULL;
	hanging_up = (HangingUp){ leg, call, party->lane };
	leg->plugin->leg->hangup(leg, reason, text);
	hanging_up = before;
}
