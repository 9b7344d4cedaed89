/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_notice.c - what people are told of a call in the chat with the number:
 * why it failed, in words, and that they have missed one.
 *
 * Each user says whether he wants to read such.  Nobody is told of what he did
 * himself, and nobody learns addresses of the other's network.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/setting.h"

/* Of one's own telephone, by how its media was lost. */
static const char *
own_loss(MediaLoss loss)
{
	switch (loss) {
	case MEDIA_LOST_SETUP:
		return "The gateway could not open a port for the audio of your phone";
	case MEDIA_LOST_ICE:
		return "Your phone and the gateway found no network path to each other; a TURN "
		       "server would help";
	case MEDIA_LOST_SILENT:
		return "Your phone never answered the connectivity checks of the gateway: its "
		       "network blocks UDP; a TURN server would help";
	case MEDIA_LOST_NO_CANDIDATE:
		return "Your phone offered no network address that the gateway can reach; a TURN "
		       "server would help";
	case MEDIA_LOST_DTLS:
		return "Your phone did not complete the handshake for encrypted audio";
	case MEDIA_LOST_FINGERPRINT:
		return "Your phone used another encryption key than the one that it announced";
	case MEDIA_LOST_CONSENT:
		return "The connection to your phone was lost: its network is gone or has changed";
	case MEDIA_LOST_RTP:
		return "The audio from your phone stopped";
	}
	return NULL;
}

/* What the person of `side` did himself, or what is the good end of a call. */
static gboolean
needs_no_words(Reason reason, EndedBy by, EndedBy self)
{
	switch (reason) {
	case REASON_HANGUP: /* at the longest duration the gateway does it */
		return by != BY_GATEWAY;
	case REASON_CANCELLED:
	case REASON_ANSWERED_ELSEWHERE:
	case REASON_TRANSFERRED:
		return TRUE;
	case REASON_BUSY:
	case REASON_DECLINED:
		return by == self;
	default:
		return FALSE;
	}
}

static const Target *
current_target(const Call *call)
{
	const Stage *stage;

	if (call->callee)
		return call->callee->target;
	if (!call->plan || call->stage >= call->plan->stages->len)
		return NULL;
	stage = call_current_stage(call);
	return stage->targets->pdata[0];
}

/* A SIP address at somebody else's host. */
static gboolean
is_outside(const Target *target)
{
	return target->way.kind == WAY_URI;
}

/* "The number is not in service (404 Not Found from the carrier)" */
static char *
failure_sentence(const Call *call, const Party *self, Reason reason, const char *words, EndedBy by)
{
	const Target *target = current_target(call);

	if (call->lost && call->lost == self)
		return g_strdup(own_loss(call->loss));
	if (call->lost) /* the words name addresses of the other's network */
		return g_strdup_printf("%s (at the other end)", reason_sentence(reason));
	if (words && by == BY_CALLEE && self->side == SIDE_CALLER && target &&
	    target->way.kind == WAY_TRUNK)
		return g_strdup_printf("%s (%s from the carrier)", reason_sentence(reason), words);
	if (words && by == BY_CALLEE && self->side == SIDE_CALLER && target &&
	    g_ascii_isdigit(words[0]) && is_outside(target))
		return g_strdup_printf("%s (%s from %s)", reason_sentence(reason), words,
				       target->to->host);
	return call_sentence(reason, words);
}

static void
tell(Call *call, const char *account, Setting wanted, const Address *number, const char *text)
{
	Store *store = gateway_store(call->gateway);
	g_autoptr(User) user = NULL;

	if (!text || !gateway_notice_room(call->gateway, account, setting_name(wanted)))
		return;
	user = store_user_get(store, account, NULL);
	if (!user || !user->enabled || !setting_on(store, account, wanted))
		return;
	if (gateway_notice(call->gateway, account, number, text))
		call_note(call, "message to %s: %s", account, text);
}

/* Of the other side, as this one sees it. */
static const Address *
number_of(const Call *call, const Party *self)
{
	if (self->side == SIDE_CALLER)
		return call->to;
	return self->target ? self->target->from : call->from;
}

static void
tell_failed(Call *call, const Party *self, Reason reason, const char *words, EndedBy by)
{
	g_autofree char *text = NULL;

	if (needs_no_words(reason, by, self->side == SIDE_CALLER ? BY_CALLER : BY_CALLEE))
		return;
	text = failure_sentence(call, self, reason, words, by);
	tell(call, self->account, SETTING_CALL_FAILED_MESSAGES, number_of(call, self), text);
}

/* --- in the middle of a call --- */

static const char *
fault_sentence(const Call *call, const Party *party, const Party *reader)
{
	if (call_is_dead(call))
		return "No audio passes in this call any more, in either direction";
	if (party->fault == MEDIA_UNHEARD)
		return reader == party
			       ? "Your phone reports that it hears nothing of the other side"
			       : "You are not heard: nothing that you say arrives at the other end";
	return reader == party
		       ? "You are not heard: no audio that can be used comes from your phone"
		       : "You can be heard, but no audio comes from the other end";
}

static void
tell_fault(Call *call, const Party *party, const Party *reader)
{
	if (reader && reader->account)
		tell(call, reader->account, SETTING_CALL_FAILED_MESSAGES, number_of(call, reader),
		     fault_sentence(call, party, reader));
}

void
call_notice_fault(Call *call, const Party *party)
{
	tell_fault(call, party, call->caller);
	tell_fault(call, party, call->callee);
}

/* --- missed calls --- */

/* What needs no more words than that nobody came. */
static gboolean
is_plain(Reason reason)
{
	return reason == REASON_CANCELLED || reason == REASON_NO_ANSWER ||
	       reason == REASON_TIMEOUT || reason == REASON_UNREACHABLE;
}

/* Nobody took it, and nobody said that he would not: a telephone of his may have tried,
 * or not even have been called. */
static gboolean
is_missed(const Call *call, Reason reason, EndedBy by)
{
	if (call->callee)
		return FALSE;
	if (reason != REASON_CANCELLED && call->forwarded_as != REASON_NONE)
		reason = call->forwarded_as; /* the forward failed, too */
	switch (reason) {
	case REASON_CANCELLED:
	case REASON_NO_ANSWER:
	case REASON_TIMEOUT:
	case REASON_UNREACHABLE:
	case REASON_INCOMPATIBLE:
	case REASON_NO_TRANSCODING:
	case REASON_TRANSCODING_BUSY:
	case REASON_IP_VERSION:
	case REASON_SECURITY:
	case REASON_NO_MEDIA:
	case REASON_MEDIA_LOST:
	case REASON_OVERLOAD:
	case REASON_NETWORK_ERROR:
	case REASON_PROTOCOL_ERROR:
	case REASON_SHUTDOWN:
		return TRUE;
	case REASON_BUSY: /* a limit, not he */
		return by == BY_GATEWAY;
	default:
		return FALSE;
	}
}

static char *
who(const Address *caller)
{
	g_autofree char *text = NULL;

	if (caller->scheme == ADDRESS_ANONYMOUS)
		return g_strdup("a caller who hides the number");
	text = address_text(caller);
	return caller->name ? g_strdup_printf("%s (%s)", caller->name, text)
			    : g_steal_pointer(&text);
}

/* Why he could not have taken it, after the colon. */
static char *
missed_why(const Call *call, Reason reason, const char *words, EndedBy by)
{
	if (call->forwarded_as == REASON_NONE && !is_plain(reason))
		/* of media that was lost the words name addresses of the caller's network */
		return call_sentence(reason, call->lost ? NULL : words);
	if (call_anyone_rang(call))
		return NULL;
	/* we did not even try, and know why */
	if (call->forwarded_as == REASON_NONE && reason == REASON_UNREACHABLE && by == BY_GATEWAY &&
	    words)
		return g_strdup_printf("none of your phones rang (%s)", words);
	return g_strdup("none of your phones rang");
}

static char *
missed_sentence(const Call *call, const Address *caller, Reason reason, const char *words,
		EndedBy by)
{
	g_autoptr(GDateTime) began =
		g_date_time_new_from_unix_local(call->started_us / G_USEC_PER_SEC);
	g_autofree char *when = g_date_time_format(began, "%Y-%m-%d at %H:%M %Z");
	g_autofree char *name = who(caller), *why = missed_why(call, reason, words, by);

	return g_strdup_printf("Missed call from %s on %s%s%s", name, when, why ? ": " : "",
			       why ? why : "");
}

static void
tell_missed(Call *call, Reason reason, const char *words, EndedBy by)
{
	const Target *first = ((const Stage *)call->plan->stages->pdata[0])->targets->pdata[0];
	g_autofree char *text = missed_sentence(call, first->from, reason, words, by);

	tell(call, call->plan->called, SETTING_MISSED_CALL_MESSAGES, first->from, text);
}

void
call_notice(Call *call, Reason reason, const char *words, EndedBy by)
{
	if (call->account)
		tell_failed(call, call->caller, reason, words, by);
	if (!call->plan || !call->plan->called)
		return;
	if (is_missed(call, reason, by))
		tell_missed(call, reason, words, by);
	else if (call->callee && call->callee->account)
		tell_failed(call, call->callee, reason, words, by);
}
