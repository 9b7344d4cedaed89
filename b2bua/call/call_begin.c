/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_begin.c - how a call begins: admitted, routed, recorded, its first ports asked for.
 *
 * Thread: signalling.
 */
#include "b2bua/call/admission.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/call_private.h"
#include "b2bua/route/way_out.h"

static void
refuse_over_limit(Call *call, const Incoming *incoming, Reason reason, const char *words)
{
	gateway_count(call->gateway, COUNTER_CALLS_OVER_LIMIT);
	call_record_refused(call, incoming, reason, words);
	call_end(call, reason, words, BY_GATEWAY);
}

/* Before anything is spent on it.  Whether somebody calls for help is seen by the number. */
static gboolean
is_admitted(Call *call, const Incoming *incoming)
{
	g_autofree char *user = !incoming->trunk && incoming->from->scheme == ADDRESS_JID
					? address_bare_jid(incoming->from)
					: NULL;
	Asker asker = { .user = user,
			.trunk = incoming->trunk,
			.emergency = route_is_emergency(call->gateway, incoming) };
	Reason limit = REASON_NONE;
	const char *words = NULL;
	gboolean may = admission_ask(call->gateway, &asker, &limit, &words);

	call->author = asker.author;
	if (!may) {
		call->account = g_strdup(user);
		call->caller->account = g_strdup(user);
		refuse_over_limit(call, incoming, limit, words);
		return FALSE;
	}
	if (asker.emergency)
		call->line = LINE_HELP;
	return TRUE;
}

/* What costs money needs a record that a crash does not take; calls for help do not. */
static gboolean
record_suffices(const Call *call)
{
	gboolean costs = FALSE;

	if (!call->plan || store_keeps_calls(gateway_store(call->gateway)))
		return TRUE;
	for (guint i = 0; i < call->plan->stages->len; i++) {
		const Stage *stage = call->plan->stages->pdata[i];

		for (guint k = 0; k < stage->targets->len; k++)
			costs = costs || ((const Target *)stage->targets->pdata[k])->way.trunk;
	}
	return !costs || call_is_for_help(call);
}

/* Without a plan the call is refused, with this reason and these words. */
static void
begin(Call *call, const Incoming *incoming, const Call *near, Reason reason, const char *words)
{
	Reason limit = REASON_NONE;
	const char *limit_words = NULL;

	if (call->line == LINE_ORDINARY && call->plan && call->plan->is_service)
		call->line = LINE_SERVICE;
	if (!admission_ask_plan(call, &limit, &limit_words)) {
		refuse_over_limit(call, incoming, limit, limit_words);
		return;
	}
	if (incoming->offer && !desc_audio(incoming->offer) && call->plan) {
		reason = REASON_INCOMPATIBLE;
		words = NULL;
	}
	if (reason != REASON_NONE && !call_record_has_room(call)) {
		call_record_refused(call, incoming, reason, words);
		call_end(call, reason, words, BY_GATEWAY);
		return;
	}
	if (!record_suffices(call)) {
		refuse_over_limit(call, incoming, REASON_NETWORK_ERROR,
				  "the gateway cannot keep a record of the call");
		return;
	}
	call_record_begin(call);
	calls_add(call->gateway, call);
	admission_begin(call);
	if (reason != REASON_NONE) {
		call_end(call, reason, words, BY_GATEWAY);
		return;
	}
	if (!call_pays_forward(call, call_current_stage(call))) {
		call_end(call, REASON_BUSY, "the person called has as many calls as allowed",
			 BY_GATEWAY);
		return;
	}
	call_media_open(call, near);
	call_set_timer(call);
	call_prepare_stage(call);
}

static Call *
call_make(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming)
{
	Call *call = g_new0(Call, 1);
	const Stream *audio = incoming->offer ? desc_audio(incoming->offer) : NULL;
	g_autofree char *from = address_text(incoming->from), *to = address_text(incoming->to);
	g_autofree char *with = incoming->offer ? desc_summary(incoming->offer) : NULL;

	leg->plugin = plugin;
	leg->call = call;
	leg->side = SIDE_CALLER;
	call->gateway = gateway;
	call->from = address_copy(incoming->from);
	call->to = address_copy(incoming->to);
	call->post_dial = g_strdup(incoming->post_dial);
	call->callees = g_ptr_array_new_with_free_func((GDestroyNotify)party_free);
	call->trace = trace_new();
	call->record = g_new0(CallRecord, 1);
	call->started_us = g_get_real_time();
	call->made_us = g_get_monotonic_time();
	g_queue_init(&call->events);
	call->caller = call_add_party(call, SIDE_CALLER,
				      audio ? audio->transport->kind : plugin->transport, NULL);
	call->caller->leg = leg;
	call->caller->plugin = plugin;
	party_reach(call->caller, PROGRESS_CALLED);
	party_set_descs(call->caller, NULL, incoming->offer);
	party_note_offer(call->caller, incoming->offer);
	leg_trace(leg, TRACE_IN, "%s calls %s, %s", from, to, with ? with : "no offer yet");
	return call;
}

/* Whose call it is: the plan knows; who was refused says who he is. */
static void
set_account(Call *call, const Incoming *incoming)
{
	if (incoming->trunk)
		return;
	if (call->plan)
		call->account = g_strdup(call->plan->user);
	else if (call->from->scheme == ADDRESS_JID)
		call->account = address_bare_jid(call->from);
	call->caller->account = g_strdup(call->account);
	call->caller->device = g_strdup(incoming->device);
}

void
call_new_near(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
	      const Call *near, Plan *plan)
{
	Call *call = call_make(gateway, leg, plugin, incoming);
	Reason reason = REASON_NONE;
	const char *words = NULL;

	store_read_together(gateway_store(gateway));
	call->busy = TRUE;
	call->plan = plan;
	if (is_admitted(call, incoming)) {
		if (!call->plan)
			call->plan = route_incoming(gateway, incoming, &reason, &words);
		set_account(call, incoming);
		begin(call, incoming, near, reason, words);
	}
	call_run(call);
	store_read_apart(gateway_store(gateway));
}

void
call_new(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming)
{
	call_new_near(gateway, leg, plugin, incoming, NULL, NULL);
}

void
call_refused(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
	     Reason reason, const char *words)
{
	Call *call = call_make(gateway, leg, plugin, incoming);

	store_read_together(gateway_store(gateway));
	call->busy = TRUE;
	if (is_admitted(call, incoming)) {
		set_account(call, incoming);
		begin(call, incoming, NULL, reason, words);
	}
	call_run(call);
	store_read_apart(gateway_store(gateway));
}
