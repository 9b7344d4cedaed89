/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_step.c - how the table of call.c is run: the queue of events, the timer,
 * the step, the invariants; how a call begins and how it goes.
 *
 * Nothing here knows what a state means.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/route/way_out.h"

#define SETTLE_MS 1000 /* how long an ended call waits for its last counters */

/* --- time --- */

static gint64
timeout_us(Call *call, CallTimeout timeout)
{
	const Config *config = gateway_config(call->gateway);
	gint64 now = g_get_monotonic_time();
	gint64 longest = (gint64)config->max_duration_s * G_USEC_PER_SEC;

	switch (timeout) {
	case TIMEOUT_SETUP:
		return (gint64)config->setup_timeout_s * G_USEC_PER_SEC;
	case TIMEOUT_STAGE: /* ringing does not begin it anew */
		return MAX(call->stage_until_us - now, 1);
	case TIMEOUT_CONNECT:
		return (gint64)config->connect_timeout_s * G_USEC_PER_SEC;
	case TIMEOUT_DURATION:
		if (longest == 0)
			return 0;
		return MAX(call->answered_us + longest - g_get_real_time(), 1);
	case TIMEOUT_CHANGE:
		return (gint64)config->change_timeout_s * G_USEC_PER_SEC;
	case TIMEOUT_NEVER:
	case N_TIMEOUTS:
		break;
	}
	return 0;
}

void
call_expire(Call *call)
{
	call_post(call, (CallEvent){ .kind = EVENT_TIMEOUT, .deadline = call->deadline });
}

static void
on_timeout(gpointer user)
{
	Call *call = user;

	call_expire(call);
}

static void
set_timer(Call *call)
{
	gint64 us = timeout_us(call, call_state_timeout(call->state));

	timer_clear(&call->timer);
	call->deadline++;
	if (us > 0)
		timer_set(&call->timer, (guint)MIN(us / 1000 + 1, G_MAXINT), on_timeout, call);
}

void
call_enter(Call *call, CallState state)
{
	const Stage *stage;

	if (state == call->state)
		return;
	if (state == CALL_CALLING) {
		stage = call_current_stage(call);
		call->stage_until_us =
			g_get_monotonic_time() +
			G_USEC_PER_SEC *
				(gint64)(stage->ring_seconds
						 ? stage->ring_seconds
						 : gateway_config(call->gateway)->ring_timeout_s);
	}
	if (state == CALL_ACTIVE && call->answered_us == 0)
		call->answered_us = g_get_real_time();
	call->state = state;
	call_note(call, "%s", call_state_name(state));
	set_timer(call);
	if (state == CALL_ACTIVE && call->post_dial) {
		g_autofree char *keys = g_steal_pointer(&call->post_dial);

		call_press_all(call, call->caller, keys);
	}
	if (state != CALL_ENDED) /* call_end() writes that one, with the reason */
		call_record_write(call);
}

/* --- steps --- */

#ifndef G_DISABLE_ASSERT
/* What holds in each state when nothing waits in the queue. */
static void
call_check(const Call *call)
{
	guint legs = 0;

	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		legs += party->leg != NULL;
		g_assert(!party->leg || party->leg->call == call);
		g_assert(!party->leg || call_in_stage(call, party));
	}
	g_assert((call->asked != NULL) == (call->state == CALL_CHANGING));
	if (call->state == CALL_ENDED) {
		g_assert(legs == 0 && !call->caller->leg && call->record->reason);
		return;
	}
	g_assert(call->media);
	if (call->state != CALL_TRANSFERRING)
		g_assert(call->caller->leg && call->caller->leg->call == call);
	switch (call->state) {
	case CALL_SETUP:
		g_assert(legs == 0 && !call->callee);
		break;
	case CALL_CALLING:
	case CALL_RINGING:
		g_assert(legs > 0 && !call->callee && call->caller->ours);
		break;
	case CALL_CONNECTING:
		g_assert(call->answered_us == 0);
		g_assert(legs == 1 && call->callee->leg && call->callee->remote);
		break;
	case CALL_ACTIVE:
	case CALL_CHANGING:
		g_assert(call->answered_us != 0);
		g_assert(legs == 1 && call->callee->leg);
		g_assert(call->caller->local && call->callee->local && call->callee->remote);
		g_assert(call->caller->remote || call->caller->owes_answer);
		break;
	case CALL_TRANSFERRING: /* one may have gone */
		g_assert(call->transfer && legs + (call->caller->leg != NULL) > 0);
		break;
	default:
		break;
	}
}
#else
#define call_check(call) ((void)(call))
#endif

/* What was true when it was said and is no longer, or makes no sense. */
static gboolean
is_stale(const Call *call, const CallEvent *event)
{
	const Party *party = event->party;

	if (event->kind == EVENT_TIMEOUT)
		return event->deadline != call->deadline;
	if (!party)
		return FALSE;
	if (event->port != 0 && event->port != party->port)
		return TRUE;
	if (party->side == SIDE_CALLEE && !call_in_stage(call, party))
		return TRUE;
	switch (event->kind) {
	case EVENT_RINGING:
		return !party->leg || party->side == SIDE_CALLER;
	case EVENT_ANSWERED:
		return !party->leg || (party->side == SIDE_CALLER && call->answered_us == 0 &&
				       !party->owes_answer);
	case EVENT_CHANGED:
		return !party->leg;
	default:
		return FALSE;
	}
}

static void
step(Call *call, const CallEvent *event)
{
	const CallCell *cell;

	if (call->state == CALL_ENDED || is_stale(call, event))
		return;
	if (event->kind == EVENT_CANDIDATE) {
		leg_command_candidate(event->party, &event->candidate);
		return;
	}
	if (event->kind == EVENT_HANGUP) {
		call_end(call, event->reason, event->text, BY_GATEWAY);
		return;
	}
	if (event->kind == EVENT_ANSWERED && event->party == call->caller &&
	    call->answered_us == 0) { /* he hears early media: nobody has answered yet */
		change_late_answer(call, event);
		return;
	}
	cell = call_cell(call->state, event->kind);
	if (!cell->action) {
		gateway_count(call->gateway, COUNTER_EVENTS_IGNORED);
		call_note(call, "ignored: %s", call_event_name(event->kind));
		return;
	}
	if (cell->moves)
		call_enter(call, cell->next);
	cell->action(call, event);
}

static void
event_free(CallEvent *event)
{
	desc_unref(event->desc);
	address_free(event->target);
	g_free(event->text);
	g_free(event);
}

static void
call_free(Call *call)
{
	timer_clear(&call->timer);
	if (call->recorded) { /* once more, with the last counters and the last of the ladder */
		g_free(call->record->stats);
		call->record->stats = call_stats(call);
		call_count_quality(call);
		call_record_write(call);
		call_log_end(call);
		calls_remove(call->gateway, call);
		admission_end(call);
		if (call->forwarder_counts)
			admission_discharge(call->gateway, call->plan->forwarder);
	}
	media_close(call->media);
	call_stop_keys(call);
	g_free(call->post_dial);
	change_forget(call);
	party_free(call->caller);
	g_ptr_array_unref(call->callees);
	plan_free(call->plan);
	address_free(call->from);
	address_free(call->to);
	call_record_free(call->record);
	trace_free(call->trace);
	g_free(call->refusal_words);
	g_free(call->one_way);
	g_free(call->account);
	g_free(call->author);
	g_free(call);
}

/* Everything that waits, one after the other; then the call may be gone. */
static void
run_queue(Call *call)
{
	CallEvent *event;

	while ((event = g_queue_pop_head(&call->events))) {
		step(call, event);
		event_free(event);
		if (g_queue_is_empty(&call->events))
			call_check(call);
	}
	call->busy = FALSE;
	if (call->state == CALL_ENDED && call->stats_wanted == 0)
		call_free(call);
}

void
call_post(Call *call, CallEvent event)
{
	g_queue_push_tail(&call->events, g_memdup2(&event, sizeof(event)));
	if (call->busy)
		return;
	call->busy = TRUE;
	run_queue(call);
}

/* --- beginning and end --- */

static void
refuse_over_limit(Call *call, Reason reason, const char *words)
{
	gateway_count(call->gateway, COUNTER_CALLS_OVER_LIMIT);
	call_record_refused(call, reason, words);
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
		refuse_over_limit(call, limit, words);
		return FALSE;
	}
	if (asker.emergency)
		call->line = LINE_HELP;
	return TRUE;
}

static gboolean
call_is_for_help(const Call *call)
{
	g_autofree char *country = user_country(call->gateway, call_user(call));

	return call->line == LINE_HELP ||
	       (call->plan->number && number_is_emergency(call->plan->number, country));
}

/* What costs money needs a record that a crash does not take; calls for help do not. */
static gboolean
is_kept(const Call *call)
{
	gboolean costs = FALSE;

	if (!call->plan || store_keeps_calls(gateway_store(call->gateway)))
		return TRUE;
	for (guint i = 0; i < call->plan->stages->len; i++) {
		const Stage *stage = call->plan->stages->pdata[i];

		for (guint k = 0; k < stage->targets->len; k++)
			costs = costs || ((const Target *)stage->targets->pdata[k])->trunk;
	}
	return !costs || call_is_for_help(call);
}

/* NULL as the plan is a refusal, with its reason and words. */
static void
begin(Call *call, const Incoming *incoming, Reason reason, const char *words)
{
	Reason limit = REASON_NONE;
	const char *limit_words = NULL;

	if (call->line == LINE_ORDINARY && call->plan && call->plan->is_echo)
		call->line = LINE_ECHO;
	if (!admission_ask_plan(call, &limit, &limit_words)) {
		refuse_over_limit(call, limit, limit_words);
		return;
	}
	if (incoming->offer && !desc_audio(incoming->offer) && call->plan) {
		reason = REASON_INCOMPATIBLE;
		words = NULL;
	}
	if (reason != REASON_NONE && !call_record_has_room(call)) {
		call_record_refused(call, reason, words);
		call_end(call, reason, words, BY_GATEWAY);
		return;
	}
	if (!is_kept(call)) {
		refuse_over_limit(call, REASON_NETWORK_ERROR,
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
	call_media_open(call, incoming->near);
	set_timer(call);
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
	g_queue_init(&call->events);
	call->caller = call_add_party(call, SIDE_CALLER,
				      audio ? audio->transport->kind : plugin->transport);
	call->caller->leg = leg;
	call->caller->attached = TRUE;
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
}

void
call_new_planned(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
		 Plan *plan, Reason reason, const char *words)
{
	Call *call = call_make(gateway, leg, plugin, incoming);

	call->busy = TRUE;
	call->plan = plan;
	if (is_admitted(call, incoming)) {
		set_account(call, incoming);
		begin(call, incoming, reason, words);
	}
	run_queue(call);
}

void
call_new(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming)
{
	Call *call = call_make(gateway, leg, plugin, incoming);
	Reason reason = REASON_NONE;
	const char *words = NULL;

	call->busy = TRUE;
	if (is_admitted(call, incoming)) {
		call->plan = route_incoming(gateway, incoming, &reason, &words);
		set_account(call, incoming);
		begin(call, incoming, reason, words);
	}
	run_queue(call);
}

void
call_refused(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
	     Reason reason, const char *words)
{
	call_new_planned(gateway, leg, plugin, incoming, NULL, reason, words);
}

static void
on_settled(gpointer user)
{
	Call *call = user;

	call_closed(call);
}

void
call_end(Call *call, Reason reason, const char *words, EndedBy by)
{
	g_autofree char *text = call_sentence(reason, words);

	if (call->state == CALL_ENDED)
		return;
	change_forget(call);
	call_stop_keys(call);
	transfer_forget(call, reason, words);
	call_enter(call, CALL_ENDED);
	call_note(call, "%s", text);
	call_record_end(call, reason, text, by);
	leg_command_hangup(call, call->caller, reason, text);
	for (guint i = 0; i < call->callees->len; i++)
		leg_command_hangup(call, call->callees->pdata[i], reason, text);
	call_notice(call, reason, words, by);
	call_media_finish(call);
	if (call->stats_wanted > 0)
		timer_set(&call->timer, SETTLE_MS, on_settled, call);
}

void
call_closed(Call *call)
{
	call->stats_wanted = 0;
	if (!call->busy)
		call_free(call);
}

void
call_hangup(Call *call, Reason reason, const char *text)
{
	call_post(call,
		  (CallEvent){ .kind = EVENT_HANGUP, .reason = reason, .text = g_strdup(text) });
}

/* --- looking at one --- */

gint64
call_id(const Call *call)
{
	return call->record->id;
}

CallState
call_state(const Call *call)
{
	return call->state;
}

Gateway *
call_gateway(const Call *call)
{
	return call->gateway;
}

const char *
call_user(const Call *call)
{
	return call->plan ? call->plan->user : NULL;
}

gint64
call_started_us(const Call *call)
{
	return call->started_us;
}

gint64
call_answered_us(const Call *call)
{
	return call->answered_us;
}

char *
call_caller_text(const Call *call)
{
	return address_text(call->from);
}

char *
call_callee_text(const Call *call)
{
	return address_text(call->to);
}
