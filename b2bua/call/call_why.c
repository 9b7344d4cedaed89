/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_why.c - what a call knows of why it ended, or is bad: the facts for why/cause.h.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"

static PeerKind
kind_of(const Call *call, const Party *party)
{
	if (party->target && party->target->way.kind == WAY_TRUNK)
		return PEER_TRUNK;
	if (party->target && party->target->way.kind == WAY_URI)
		return PEER_OUTSIDE;
	if (party->side == SIDE_CALLER && !party->account) /* or who came by a transfer */
		return call_trunk_in(call) && !call->transferred ? PEER_TRUNK : PEER_UNKNOWN;
	if (party->account)
		return party->plugin && !(party->plugin->reaches & WAY_ACCOUNT) ? PEER_SOFTPHONE
										: PEER_CLIENT;
	return PEER_UNKNOWN;
}

static const char *
name_of(const Call *call, const Party *party, PeerKind kind)
{
	switch (kind) {
	case PEER_CLIENT:
	case PEER_SOFTPHONE:
		return party->account;
	case PEER_TRUNK:
		return party->target ? party->target->way.trunk : call_trunk_in(call);
	case PEER_OUTSIDE:
		return party->target->to->host;
	default:
		return NULL;
	}
}

/* "PCMU, G722" */
static char *
codecs_of(const Party *party)
{
	const Stream *audio = party && party->remote ? desc_audio(party->remote) : NULL;
	GString *text = g_string_new(NULL);

	for (guint i = 0; audio && i < audio->codecs->len; i++) {
		const Codec *codec = audio->codecs->pdata[i];

		if (g_ascii_strcasecmp(codec->name, "telephone-event") != 0)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", codec->name);
	}
	return text->len ? g_string_free(text, FALSE) : (g_string_free(text, TRUE), NULL);
}

static void
set_about(const Call *call, const Party *party, Why *why)
{
	CauseFacts *facts = &why->facts;

	why->about = party;
	if (!party)
		return;
	facts->is_caller = party->side == SIDE_CALLER;
	facts->peer = kind_of(call, party);
	facts->name = name_of(call, party, facts->peer);
	facts->fault = party->trouble;
	facts->error = party->error;
	facts->hop = party->hop;
	facts->detail = party->detail;
}

/* Whoever has ended it, if nobody is known to be the reason. */
static const Party *
ender(const Call *call, EndedBy by)
{
	if (call->about)
		return call->about;
	if (by == BY_CALLER)
		return call->caller;
	return by == BY_CALLEE ? call->callee : NULL;
}

void
why_of_end(const Call *call, Reason reason, const char *words, EndedBy by, Why *why)
{
	*why = (Why){ .facts = { .reason = reason,
				 .words = words,
				 .by_gateway = by == BY_GATEWAY,
				 .is_lost = call->lost,
				 .loss = call->loss },
		      .reader = call->reader };
	set_about(call, ender(call, by), why);
	if (call->lost) {
		why->facts.detail = call->loss_text;
	} else if (reason == REASON_INCOMPATIBLE || reason == REASON_NO_TRANSCODING ||
		   reason == REASON_TRANSCODING_BUSY) {
		const Party *callee = call->callee ? call->callee : call->about;

		why->caller_codecs = codecs_of(call->caller);
		why->callee_codecs = callee != call->caller ? codecs_of(callee) : NULL;
		why->facts.caller_codecs = why->caller_codecs;
		why->facts.callee_codecs = why->callee_codecs;
	}
	why->cause = cause_find(&why->facts);
}

void
why_of_silence(const Call *call, const Party *party, Why *why)
{
	*why = (Why){ 0 };
	set_about(call, party, why);
	why->facts.silence = &party->silence;
	why->facts.is_dead = call_is_dead(call);
	why->facts.detail = party->silence_text;
	why->cause = cause_find(&why->facts);
}

void
why_clear(Why *why)
{
	g_clear_pointer(&why->caller_codecs, g_free);
	g_clear_pointer(&why->callee_codecs, g_free);
}

char *
why_for(const Why *why, const Party *party)
{
	/* to a carrier's proxy nothing is "your phone" */
	if ((party == why->about && !party->account) ||
	    (why->reader && g_strcmp0(why->reader, party->account) != 0))
		return g_strdup(reason_sentence(why->facts.reason));
	return cause_for_person(why->cause, &why->facts, party == why->about);
}

char *
why_for_operator(const Why *why)
{
	g_autofree char *sentence = cause_for_operator(why->cause, &why->facts);
	const char *remedy = cause_remedy(why->cause);

	return remedy ? g_strdup_printf("%s. %s", sentence, remedy) : g_steal_pointer(&sentence);
}
