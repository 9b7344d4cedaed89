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

static gboolean
tell_user(Gateway *gateway, const char *account, Setting wanted, const Address *number,
	  const char *text)
{
	Store *store = gateway_store(gateway);
	g_autoptr(User) user = NULL;

	if (!gateway_notice_room(gateway, account, setting_name(wanted)))
		return FALSE;
	user = store_user_get(store, account, NULL);
	return user && user->enabled && setting_on(store, account, wanted) &&
	       gateway_notice(gateway, account, number, text);
}

static void
tell(Call *call, const char *account, Setting wanted, const Address *number, const char *text)
{
	if (text && tell_user(call->gateway, account, wanted, number, text))
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
tell_failed(Call *call, const Party *self, const Why *why, EndedBy by)
{
	g_autofree char *text = NULL;

	if (needs_no_words(why->facts.reason, by,
			   self->side == SIDE_CALLER ? BY_CALLER : BY_CALLEE))
		return;
	text = why_for(why, self);
	tell(call, self->account, SETTING_CALL_FAILED_MESSAGES, number_of(call, self), text);
}

/* --- a test call: all that its person reads of it is said at its end --- */

/* The device that rang, or whoever asked for it. */
static const Party *
tested(const Call *call)
{
	if (call->callee)
		return call->callee;
	return call->callees->len ? call->callees->pdata[call->callees->len - 1] : call->caller;
}

static void
keep_fault(Call *call, const Why *why)
{
	g_free(call->fault);
	call->fault = why_for(why, tested(call));
}

static void
append_lost(GString *text, const PortStats *stats)
{
	g_string_append_printf(
		text, ", lost %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " packets from you and ",
		stats->lost_in, stats->packets_in + stats->lost_in);
	if (stats->reports_in)
		g_string_append_printf(
			text, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " to you",
			MIN(stats->lost_out, stats->packets_out), stats->packets_out);
	else
		g_string_append(text, "of those to you your client says nothing");
}

static char *
test_sentence(const Call *call)
{
	const Party *party = tested(call);
	const gint64 us = call->record->ended_us - call->answered_us;
	g_autofree char *codec = NULL;
	PortStats stats;
	MediaPath path;
	GString *text;

	if (call->answered_us == 0)
		return g_strdup_printf("The test call was not taken: %s", call->fault);
	codec = call_codec_name(call, party, FALSE);
	stats = media_last_stats(call->media, party->port);
	path = media_path(call->media, party->port);
	text = g_string_new(NULL);
	g_string_append_printf(text, "The test call lasted %.0f s: codec %s",
			       (double)us / G_USEC_PER_SEC, codec ? codec : "not known");
	append_lost(text, &stats);
	if (path.known)
		g_string_append_printf(text, ", ICE path %s (yours) to %s (ours)",
				       candidate_type_name(path.theirs),
				       candidate_type_name(path.ours));
	if (call->fault)
		g_string_append_printf(text, ". %s", call->fault);
	return g_string_free(text, FALSE);
}

void
call_notice_test(Call *call)
{
	g_autoptr(Address) from = NULL;
	g_autofree char *text = NULL;

	if (!call->fault && call->answered_us == 0)
		return;
	from = address_new(ADDRESS_JID, NULL, gateway_config(call->gateway)->xmpp_domain, NULL);
	text = test_sentence(call);
	gateway_notice(call->gateway, call->account, from, text);
}

/* --- in the middle of a call --- */

static void
tell_fault(Call *call, const Why *why, const Party *reader)
{
	g_autofree char *text = reader ? why_for(why, reader) : NULL;

	if (reader && reader->account)
		tell(call, reader->account, SETTING_CALL_FAILED_MESSAGES, number_of(call, reader),
		     text);
}

void
call_notice_fault(Call *call, const Why *why)
{
	if (call->plan->is_test) {
		keep_fault(call, why);
		return;
	}
	tell_fault(call, why, call->caller);
	tell_fault(call, why, call->callee);
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
	/* busy by a limit, and not he */
	return reason_is_missed(reason) || (reason == REASON_BUSY && by == BY_GATEWAY);
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

/* It is known of his own devices. */
static gboolean
is_about_the_called(const Call *call, const Why *why)
{
	return why->about && why->about != call->caller &&
	       g_strcmp0(why->about->account, call->plan->called) == 0;
}

/* Why he could not have taken it, after the colon. */
static char *
missed_why(const Call *call, const Why *why)
{
	const CauseFacts *facts = &why->facts;
	const gboolean forwarded = call->forwarded_as != REASON_NONE;

	/* his own limit; the words are for who calls */
	if (!forwarded && facts->reason == REASON_BUSY && facts->by_gateway)
		return g_strdup("your account has as many calls as allowed");
	if (!forwarded && (why->cause != CAUSE_REASON || !is_plain(facts->reason)))
		return cause_for_person(why->cause, facts, is_about_the_called(call, why));
	if (call_anyone_rang(call))
		return NULL;
	/* we did not even try, and know why */
	if (!forwarded && facts->reason == REASON_UNREACHABLE && facts->by_gateway && facts->words)
		return g_strdup_printf("none of your phones rang (%s)", facts->words);
	return g_strdup("none of your phones rang");
}

static char *
missed_sentence(gint64 started_us, const Address *caller, const char *why)
{
	g_autoptr(GDateTime) began = g_date_time_new_from_unix_local(started_us / G_USEC_PER_SEC);
	g_autofree char *when = g_date_time_format(began, "%Y-%m-%d at %H:%M %Z");
	g_autofree char *name = who(caller);

	return g_strdup_printf("Missed call from %s on %s%s%s", name, when, why ? ": " : "",
			       why ? why : "");
}

static void
tell_missed(Call *call, const Why *why)
{
	const Target *first = ((const Stage *)call->plan->stages->pdata[0])->targets->pdata[0];
	g_autofree char *reason = missed_why(call, why);
	g_autofree char *text = missed_sentence(call->started_us, first->from, reason);

	tell(call, call->plan->called, SETTING_MISSED_CALL_MESSAGES, first->from, text);
}

void
call_notice(Call *call, const Why *why, EndedBy by)
{
	if (call->plan && call->plan->is_test) {
		if (call->answered_us == 0 || why->facts.reason != REASON_HANGUP)
			keep_fault(call, why);
		return;
	}
	if (call->account)
		tell_failed(call, call->caller, why, by);
	if (!call->plan || !call->plan->called)
		return;
	if (is_missed(call, why->facts.reason, by))
		tell_missed(call, why);
	else if (call->callee && call->callee->account)
		tell_failed(call, call->callee, why, by);
}

/* --- what was refused before it was a call --- */

void
call_notice_missed(Gateway *gateway, const Missed *missed, gint64 started_us, Reason reason,
		   const char *words)
{
	const char *said = reason == REASON_OVERLOAD && words ? words : reason_sentence(reason);
	g_autofree char *why = g_strdup_printf("none of your phones rang (%s)", said);
	g_autofree char *text = missed_sentence(started_us, missed->caller, why);

	tell_user(gateway, missed->account, SETTING_MISSED_CALL_MESSAGES, missed->caller, text);
}

void
call_notice_refused(Gateway *gateway, const char *account, const Address *number, Reason reason,
		    const char *words)
{
	const CauseFacts facts = { .reason = reason,
				   .words = words,
				   .by_gateway = TRUE,
				   .is_caller = TRUE,
				   .peer = PEER_SOFTPHONE,
				   .name = account };
	g_autofree char *text = cause_for_person(cause_find(&facts), &facts, TRUE);

	tell_user(gateway, account, SETTING_CALL_FAILED_MESSAGES, number, text);
}
