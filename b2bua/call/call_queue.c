/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_queue.c - the queue of a call's events, its timer, and how it is freed.
 *
 * An event that is raised while another is handled (the call is busy) waits in the queue, so
 * nothing is handled from inside of something else.  What is done with an event is not known
 * here: the list of calls has the function, which is the table's (call_step.c).
 * Thread: signalling.
 */
#include "b2bua/call/admission.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/call_metrics.h"
#include "b2bua/call/call_private.h"

/* --- the queue --- */

static void
event_free(CallEvent *event)
{
	desc_unref(event->desc);
	address_free(event->target);
	g_free(event->text);
	g_free(event->reader);
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
		call_metrics_free(call);
		call_sound_learn(call);
		call_record_write(call);
		call_log_end(call);
		calls_remove(call->gateway, call);
		admission_end(call);
		if (call->forwarder_counts)
			admission_discharge(call->gateway, call->plan->forwarder);
	}
	if (call->plan && call->plan->is_test)
		call_notice_test(call);
	media_close(call->media);
	call_stop_keys(call);
	g_free(call->post_dial);
	call_forget_change(call);
	party_free(call->caller);
	g_ptr_array_unref(call->callees);
	plan_free(call->plan);
	address_free(call->from);
	address_free(call->to);
	call_record_free(call->record);
	trace_free(call->trace);
	g_free(call->refusal_words);
	g_free(call->loss_text);
	g_free(call->reader);
	g_free(call->fault);
	g_free(call->one_way);
	g_free(call->account);
	g_free(call->author);
	g_free(call);
}

/* Everything that waits, one after the other; then the call may be gone. */
void
call_run(Call *call)
{
	CallStep step = calls_step(call->gateway);
	Store *store = gateway_store(call->gateway);
	CallEvent *event;

	store_read_together(store);
	while ((event = g_queue_pop_head(&call->events))) {
		step(call, event);
		event_free(event);
	}
	call->busy = FALSE;
	if (call->state == CALL_ENDED && call->stats_wanted == 0)
		call_free(call);
	store_read_apart(store);
}

void
call_post(Call *call, CallEvent event)
{
	g_queue_push_tail(&call->events, g_memdup2(&event, sizeof(event)));
	if (call->busy)
		return;
	call->busy = TRUE;
	call_run(call);
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
	call_hangup_for(call, reason, text, NULL);
}

void
call_hangup_for(Call *call, Reason reason, const char *text, const char *reader)
{
	call_post(call, (CallEvent){ .kind = EVENT_HANGUP,
				     .reason = reason,
				     .text = g_strdup(text),
				     .reader = g_strdup(reader) });
}

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
		return MAX(call->answered_us + longest - call_now_us(call), 1);
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

void
call_set_timer(Call *call)
{
	gint64 us = timeout_us(call, call_state_timeout(call->state));

	timer_clear(&call->timer);
	call->deadline++;
	if (us > 0)
		timer_set(&call->timer, (guint)MIN(us / 1000 + 1, G_MAXINT), on_timeout, call);
}

/* --- states --- */

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
		call->answered_us = call_now_us(call);
	call_metrics_enter(call, state);
	call->state = state;
	call_note(call, "%s", call_state_name(state));
	call_set_timer(call);
	if (state == CALL_ACTIVE && call->post_dial) {
		g_autofree char *keys = g_steal_pointer(&call->post_dial);

		call_press_all(call, call->caller, keys);
	}
	if (state != CALL_ENDED) /* call_end() writes that one, with the reason */
		call_record_write(call);
}
