/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cause.c - which cause follows from the facts, and its sentences filled with them. */
#include "b2bua/why/cause.h"
#include "b2bua/why/catalogue.h"
#include <string.h>

/* --- which --- */

static Cause
find_silence(const MediaSilence *silence)
{
	switch (silence->fault) {
	case MEDIA_UNHEARD:
		return CAUSE_AUDIO_UNHEARD;
	case MEDIA_REFUSED:
		return silence->auth	? CAUSE_AUDIO_KEY
		       : silence->codec ? CAUSE_AUDIO_CODEC
					: CAUSE_AUDIO_FOREIGN;
	default:
		break;
	}
	if (silence->sent)
		return CAUSE_AUDIO_LOST;
	if (!silence->ever)
		return CAUSE_AUDIO_NEVER;
	return silence->reports ? CAUSE_AUDIO_STOPPED : CAUSE_AUDIO_VANISHED;
}

static Cause
find_loss(MediaLoss loss)
{
	static const Cause CAUSES[] = {
		[MEDIA_LOST_SETUP] = CAUSE_PORT,
		[MEDIA_LOST_ICE] = CAUSE_ICE_HALF,
		[MEDIA_LOST_DTLS] = CAUSE_DTLS_UNFINISHED,
		[MEDIA_LOST_FINGERPRINT] = CAUSE_FINGERPRINT,
		[MEDIA_LOST_CONSENT] = CAUSE_CONSENT,
		[MEDIA_LOST_RTP] = CAUSE_RTP_STOPPED,
		[MEDIA_LOST_SILENT] = CAUSE_ICE_SILENT,
		[MEDIA_LOST_NO_CANDIDATE] = CAUSE_ICE_NO_CANDIDATE,
		[MEDIA_LOST_NO_CHECKS] = CAUSE_ICE_NO_CHECKS,
		[MEDIA_LOST_NO_CHOICE] = CAUSE_ICE_NO_CHOICE,
		[MEDIA_LOST_PASSWORD] = CAUSE_ICE_PASSWORD,
		[MEDIA_LOST_DTLS_SILENT] = CAUSE_DTLS_SILENT,
		[MEDIA_LOST_DTLS_REFUSED] = CAUSE_DTLS_REFUSED,
		[MEDIA_LOST_DEAD] = CAUSE_AUDIO_DEAD_ENDED,
	};

	return loss < G_N_ELEMENTS(CAUSES) ? CAUSES[loss] : CAUSE_REASON;
}

/* Each by what kind the peer is: unknown, a client, a softphone, a trunk, a host outside. */
static const Cause FAULTS[N_LEG_FAULTS][N_PEER_KINDS] = {
	[LEG_NO_NAME] = { [PEER_TRUNK] = CAUSE_TRUNK_NAME, [PEER_OUTSIDE] = CAUSE_HOST_NAME },
	[LEG_NOT_REACHED] = { [PEER_SOFTPHONE] = CAUSE_PHONE_UNREACHED,
			      [PEER_TRUNK] = CAUSE_TRUNK_UNREACHED,
			      [PEER_OUTSIDE] = CAUSE_HOST_UNREACHED },
	[LEG_BAD_TLS] = { [PEER_SOFTPHONE] = CAUSE_PHONE_UNREACHED,
			  [PEER_TRUNK] = CAUSE_TRUNK_TLS,
			  [PEER_OUTSIDE] = CAUSE_HOST_UNREACHED },
	[LEG_NO_RESPONSE] = { [PEER_SOFTPHONE] = CAUSE_PHONE_SILENT,
			      [PEER_TRUNK] = CAUSE_TRUNK_SILENT,
			      [PEER_OUTSIDE] = CAUSE_HOST_SILENT },
	[LEG_GONE] = { [PEER_CLIENT] = CAUSE_CLIENT_OFFLINE,
		       [PEER_SOFTPHONE] = CAUSE_PHONE_LOST,
		       [PEER_TRUNK] = CAUSE_TRUNK_LOST,
		       [PEER_OUTSIDE] = CAUSE_HOST_SILENT },
	[LEG_NOT_REGISTERED] = { [PEER_SOFTPHONE] = CAUSE_PHONE_UNREGISTERED },
	[LEG_CODECS_FORBIDDEN] = { [PEER_SOFTPHONE] = CAUSE_CODECS_FORBIDDEN,
				   [PEER_TRUNK] = CAUSE_CODECS_FORBIDDEN },
	[LEG_SERVER_AWAY] = { [PEER_CLIENT] = CAUSE_XMPP_AWAY },
	[LEG_NO_SESSION] = { [PEER_CLIENT] = CAUSE_CLIENT_NO_SESSION },
	[LEG_NO_ACCEPT] = { [PEER_CLIENT] = CAUSE_CLIENT_NO_ACCEPT },
	[LEG_NO_CLIENT] = { [PEER_CLIENT] = CAUSE_NO_CLIENT },
	[LEG_UNENCRYPTED] = { [PEER_CLIENT] = CAUSE_CLIENT_UNENCRYPTED },
};

static const Cause FAULTS_OF_ALL[N_LEG_FAULTS] = {
	[LEG_BAD_DESCRIPTION] = CAUSE_DESCRIPTION, [LEG_NO_DESCRIPTION] = CAUSE_NO_DESCRIPTION,
	[LEG_NO_AUDIO] = CAUSE_NO_AUDIO,	   [LEG_NOT_SECURE] = CAUSE_SRTP_WANTED,
	[LEG_NO_ACK] = CAUSE_UNCONFIRMED,	   [LEG_NO_CODEC] = CAUSE_NO_CODEC,
};

static Cause
find_fault(const CauseFacts *facts)
{
	Cause of_all = FAULTS_OF_ALL[facts->fault];

	return of_all ? of_all : FAULTS[facts->fault][facts->peer];
}

Cause
cause_find(const CauseFacts *facts)
{
	Cause cause = CAUSE_REASON;

	if (facts->is_lost)
		return find_loss(facts->loss);
	if (facts->is_dead)
		return CAUSE_AUDIO_DEAD;
	if (facts->silence)
		return find_silence(facts->silence);
	cause = find_fault(facts);
	if (cause == CAUSE_REASON && facts->reason == REASON_NOT_AUTHORIZED &&
	    facts->peer == PEER_TRUNK)
		return CAUSE_TRUNK_UNAUTHORIZED;
	if (cause == CAUSE_REASON && facts->reason == REASON_INCOMPATIBLE && facts->by_gateway &&
	    facts->caller_codecs)
		return CAUSE_NO_CODEC;
	if (facts->reason == REASON_NO_TRANSCODING)
		return CAUSE_NO_TRANSCODING;
	if (facts->reason == REASON_TRANSCODING_BUSY)
		return CAUSE_TRANSCODING_BUSY;
	return cause;
}

const char *
cause_name(Cause cause)
{
	return catalogue_row(cause)->name;
}

const char *
cause_remedy(Cause cause)
{
	return catalogue_row(cause)->remedy;
}

const char *
cause_remedy_in(const char *text)
{
	const gsize length = strlen(text);
	gsize longest = 0;

	for (Cause cause = 0; cause < N_CAUSES; cause++) {
		const char *remedy = cause_remedy(cause);

		if (remedy && strlen(remedy) > longest && g_str_has_suffix(text, remedy))
			longest = strlen(remedy);
	}
	return longest ? text + length - longest : NULL;
}

/* --- the facts that stand in a sentence --- */

typedef struct {
	const CauseFacts *facts;
	char *peer, *Peer, *said, *error;
} Filling;

static char *
peer_text(const CauseFacts *facts)
{
	static const char *const KINDS[N_PEER_KINDS] = {
		[PEER_CLIENT] = "the client of ",
		[PEER_SOFTPHONE] = "the softphone of ",
		[PEER_TRUNK] = "the trunk ",
		[PEER_OUTSIDE] = "the host ",
	};

	if (facts->peer == PEER_UNKNOWN || !facts->name)
		return g_strdup(facts->is_caller ? "the caller" : "the callee");
	return g_strconcat(KINDS[facts->peer], facts->name, NULL);
}

/* "404 Not Found from the carrier" */
static char *
said_text(const CauseFacts *facts)
{
	if (!facts->words)
		return NULL;
	if (facts->by_gateway || !g_ascii_isdigit(facts->words[0]))
		return g_strdup(facts->words);
	if (facts->peer == PEER_TRUNK)
		return g_strdup_printf("%s from the carrier", facts->words);
	if (facts->peer == PEER_OUTSIDE && facts->name)
		return g_strdup_printf("%s from %s", facts->words, facts->name);
	return g_strdup(facts->words);
}

static const char *
fact_of_person(gconstpointer user, const char *name)
{
	const Filling *filling = user;

	if (strcmp(name, "sentence") == 0)
		return reason_sentence(filling->facts->reason);
	if (strcmp(name, "said") == 0)
		return filling->said;
	return strcmp(name, "words") == 0 ? filling->facts->words : NULL;
}

static const char *
fact_of_operator(gconstpointer user, const char *name)
{
	const Filling *filling = user;
	const CauseFacts *facts = filling->facts;
	const struct {
		const char *name, *value;
	} known[] = {
		{ "peer", filling->peer },
		{ "Peer", filling->Peer },
		{ "name", facts->name },
		{ "side", facts->is_caller ? "caller" : "callee" },
		{ "hop", facts->hop },
		{ "error", filling->error },
		{ "detail", facts->detail },
		{ "caller-codecs", facts->caller_codecs },
		{ "callee-codecs", facts->callee_codecs },
	};

	for (guint i = 0; i < G_N_ELEMENTS(known); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].value;
	return fact_of_person(user, name);
}

char *
cause_for_person(Cause cause, const CauseFacts *facts, gboolean own)
{
	const CauseRow *row = catalogue_row(cause);
	g_autofree char *said = said_text(facts);
	const Filling filling = { .facts = facts, .said = said };

	return catalogue_fill(own && row->own ? row->own : row->other, fact_of_person, &filling);
}

char *
cause_for_operator(Cause cause, const CauseFacts *facts)
{
	g_autofree char *peer = peer_text(facts), *capital = g_strdup(peer);
	g_autofree char *error =
		facts->error ? g_strdup_printf("%s", g_strerror(facts->error)) : NULL;
	const Filling filling = { .facts = facts, .peer = peer, .Peer = capital, .error = error };

	capital[0] = g_ascii_toupper(capital[0]);
	return catalogue_fill(catalogue_row(cause)->operators, fact_of_operator, &filling);
}
