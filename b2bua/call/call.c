/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call.c - what a call says of itself: the names of its states and events, whose it
 * is, and its lines in the flight recorder.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"

static const struct {
	const char *name;
	CallTimeout timeout;
} STATES[N_CALL_STATES] = {
	[CALL_SETUP] = { "SETUP", TIMEOUT_SETUP },
	[CALL_CALLING] = { "CALLING", TIMEOUT_STAGE },
	[CALL_RINGING] = { "RINGING", TIMEOUT_STAGE },
	[CALL_CONNECTING] = { "CONNECTING", TIMEOUT_CONNECT },
	[CALL_ACTIVE] = { "ACTIVE", TIMEOUT_DURATION },
	[CALL_CHANGING] = { "CHANGING", TIMEOUT_CHANGE },
	[CALL_TRANSFERRING] = { "TRANSFERRING", TIMEOUT_DURATION },
	[CALL_ENDED] = { "ENDED", TIMEOUT_NEVER },
};

static const char *const EVENT_NAMES[N_CALL_EVENTS] = {
	[EVENT_MEDIA_READY] = "media ready",
	[EVENT_RINGING] = "ringing",
	[EVENT_CALLER_ANSWERED] = "caller answered",
	[EVENT_CALLEE_ANSWERED] = "a callee answered",
	[EVENT_MEDIA_UP] = "media up",
	[EVENT_CHANGED] = "changed",
	[EVENT_CALLER_ENDED] = "caller ended",
	[EVENT_CALLEE_ENDED] = "a callee ended",
	[EVENT_MEDIA_LOST] = "media lost",
	[EVENT_TIMEOUT] = "timeout",
	[EVENT_TRANSFER] = "transfer",
	[EVENT_TRANSFER_ANSWERED] = "target answered",
	[EVENT_TRANSFER_FAILED] = "target refused",
	[EVENT_CANDIDATE] = "candidate of ours",
	[EVENT_HANGUP] = "hang-up from above",
};

static const char *const TIMEOUT_NAMES[N_TIMEOUTS] = {
	[TIMEOUT_NEVER] = "",
	[TIMEOUT_SETUP] = "setup_timeout",
	[TIMEOUT_STAGE] = "the stage's",
	[TIMEOUT_CONNECT] = "connect_timeout",
	[TIMEOUT_DURATION] = "max_duration",
	[TIMEOUT_CHANGE] = "change_timeout",
};

const char *
call_state_name(CallState state)
{
	return STATES[state].name;
}

CallTimeout
call_state_timeout(CallState state)
{
	return STATES[state].timeout;
}

const char *
call_event_name(CallEventKind event)
{
	return EVENT_NAMES[event];
}

const char *
call_timeout_name(CallTimeout timeout)
{
	return TIMEOUT_NAMES[timeout];
}

/* --- looking at one --- */

gint64
call_id(const Call *call)
{
	return call->record->id;
}

const char *
call_user(const Call *call)
{
	return call->plan ? call->plan->user : NULL;
}

char *
call_ladder(const Call *call)
{
	return trace_text(call->trace);
}

/* --- in words --- */

char *
call_sentence(Reason reason, const char *words)
{
	if (!words)
		return g_strdup(reason_sentence(reason));
	return g_strdup_printf("%s (%s)", reason_sentence(reason), words);
}

gint64
call_now_us(const Call *call)
{
	return call->started_us + g_get_monotonic_time() - call->made_us;
}

void
call_note(Call *call, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	trace_add(call->trace, "core", TRACE_NOTE, text);
}
