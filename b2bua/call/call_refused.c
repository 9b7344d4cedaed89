/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_refused.c - what is kept of a try that was refused before it was a call, and who is
 * told of it.
 *
 * A stranger can make any number of them: ten of an author in a minute have a row each, and
 * for those alone the store is asked whom the call was for (db/refusals.c counts the others).
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"

static char *
author_of(const Call *call)
{
	if (call->account)
		return g_strdup(call->account);
	return call_trunk_in(call) ? g_strdup(call_trunk_in(call)) : call_caller_text(call);
}

gboolean
call_record_has_room(Call *call)
{
	g_autofree char *author = author_of(call);

	return store_refusal_room(gateway_store(call->gateway), author);
}

/* Takes the record's name and number from what is known of whom the call was for. */
static void
name_called(CallRecord *record, const Missed *missed)
{
	g_autofree char *caller = address_text(missed->caller);

	g_free(record->user);
	record->user = g_strdup(missed->account);
	g_free(record->caller);
	record->caller = g_steal_pointer(&caller);
	if (missed->number) {
		g_free(record->callee);
		record->callee = g_strdup(missed->number);
	}
}

/* `author`: who is refused so often that it is counted; his account, his trunk, his address. */
static void
write_refusal(Gateway *gateway, CallRecord *record, const Incoming *incoming, const char *author,
	      Reason reason, const char *words)
{
	Store *store = gateway_store(gateway);
	const gboolean alone = store_refusal_room(store, author);
	g_auto(Missed) missed = { 0 };
	g_autoptr(GError) error = NULL;

	record->state = g_strdup(call_state_name(CALL_ENDED));
	record->started_us = record->ended_us = g_get_real_time();
	record->ended_by = g_strdup("gateway");
	record->reason = g_strdup(reason_name(reason));
	record->text = call_sentence(reason, words);
	if (alone && route_missed(gateway, incoming, &missed))
		name_called(record, &missed);
	if (!store_call_refused(store, record, alone ? NULL : author, &error)) {
		gateway_count(gateway, COUNTER_STORE_ERRORS);
		g_warning("a refusal has no record: %s", error->message);
	}
	if (missed.account)
		call_notice_missed(gateway, &missed, record->started_us, reason, words);
}

void
call_record_refused(Call *call, const Incoming *incoming, Reason reason, const char *words)
{
	g_autofree char *author = author_of(call);
	g_autoptr(CallRecord) record = g_new0(CallRecord, 1);
	/* who is called is told at the end of the call, where there is a plan */
	const Incoming planned = { .from = incoming->from, .to = incoming->to };

	record->caller = call_caller_text(call);
	record->callee = call_callee_text(call);
	record->user = g_strdup(call->account ? call->account : call_user(call));
	record->trunk = g_strdup(call->plan ? call->plan->trunk : call_trunk_in(call));
	record->caller_plugin = g_strdup(call->caller->leg->plugin->name);
	write_refusal(call->gateway, record, call->plan ? &planned : incoming, author, reason,
		      words);
}

/* A telephone of his has proven who he is; nobody else's word for it counts. */
static char *
proven_account(const Incoming *incoming)
{
	return !incoming->trunk && incoming->device && incoming->from->scheme == ADDRESS_JID
		       ? address_bare_jid(incoming->from)
		       : NULL;
}

void
gateway_refused(Gateway *gateway, const Plugin *plugin, const char *author,
		const Incoming *incoming, Reason reason, const char *words)
{
	g_autoptr(CallRecord) record = g_new0(CallRecord, 1);
	g_autofree char *own = proven_account(incoming), *who = NULL;

	record->caller = address_text(incoming->from);
	record->callee = address_text(incoming->to);
	record->user = g_strdup(own);
	record->trunk = g_strdup(incoming->trunk);
	record->caller_plugin = g_strdup(plugin->name);
	who = g_strdup(author ? author : own ? own : record->caller);
	write_refusal(gateway, record, incoming, who, reason, words);
	if (own)
		call_notice_refused(gateway, own, incoming->to, reason, words);
}
