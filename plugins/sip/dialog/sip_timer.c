/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_timer.c - session timers: a call whose far end has vanished ends by itself.
 *
 * In a request "uac" is who sent it and "uas" who answers, whoever began the call.
 */
#include "plugins/sip/dialog/sip_timer.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_stack.h"
#include <string.h>
#include <sofia-sip/sip_header.h>

#define MAX_SECONDS   86400
#define AGAIN_SECONDS 2

void
session_stop(SessionTimer *timer)
{
	timer_clear(&timer->next);
}

/* --- the clock --- */

static void
on_due(gpointer user)
{
	SessionTimer *timer = user;

	timer->owner->refresh(timer->user);
}

static void
on_expired(gpointer user)
{
	SessionTimer *timer = user;

	timer->owner->expire(timer->user, "the other side has stopped refreshing the session");
}

static void
run(SessionTimer *timer)
{
	session_stop(timer);
	if (timer->interval_s == 0)
		return;
	timer->until_us = g_get_monotonic_time() + (gint64)timer->interval_s * G_USEC_PER_SEC;
	/* RFC 4028 10: we refresh at the half; we give up a little before the end */
	if (timer->we_refresh)
		timer_set(&timer->next, MAX(timer->interval_s / 2, 1) * 1000, on_due, timer);
	else
		timer_set(&timer->next,
			  MAX(timer->interval_s - MIN(32, timer->interval_s / 3), 1) * 1000,
			  on_expired, timer);
}

void
session_try_again(SessionTimer *timer)
{
	session_stop(timer);
	if (timer->interval_s == 0)
		return;
	if (g_get_monotonic_time() + AGAIN_SECONDS * G_USEC_PER_SEC > timer->until_us)
		timer->owner->expire(timer->user,
				     "the other side does not answer session refreshes");
	else
		timer_set(&timer->next, AGAIN_SECONDS * 1000, on_due, timer);
}

/* RFC 4028 4: whatever somebody writes, nobody refreshes more often than that; the admin may
 * want it for his own trunk. */
static guint
shortest(const SessionTimer *timer)
{
	guint own =
		timer->wanted_s ? MIN(timer->wanted_s, SESSION_MIN_SECONDS) : SESSION_MIN_SECONDS;

	return MAX(own, timer->min_s);
}

/* --- ours --- */

char *
session_ask(const SessionTimer *timer, gboolean first)
{
	guint seconds = first ? MAX(timer->wanted_s, timer->min_s) : timer->interval_s;

	if (first && timer->wanted_s == 0)
		return NULL;
	if (!first && timer->interval_s == 0)
		return NULL;
	return g_strdup_printf("Session-Expires: %u%s", MAX(seconds, timer->min_s),
			       first		   ? ""
			       : timer->we_refresh ? ";refresher=uac"
						   : ";refresher=uas");
}

typedef struct {
	guint64 seconds, min; /* 0: not said */
	gboolean uac, uas;    /* who is to refresh */
} Said;

/* As sip_guard.c has kept it out of nua's sight. */
static Said
what_was_said(const sip_t *sip)
{
	const char *kept = guard_kept(sip, GUARD_SESSION_TIMER);
	Said said = { 0 };
	g_auto(GStrv) words = NULL;

	words = g_strsplit(kept ? kept : "", " ", 3);
	if (g_strv_length(words) < 3)
		return said;
	said.seconds = MIN(g_ascii_strtoull(words[0], NULL, 10), MAX_SECONDS);
	said.min = g_ascii_strtoull(words[1], NULL, 10);
	said.uac = g_ascii_strcasecmp(words[2], "uac") == 0;
	said.uas = g_ascii_strcasecmp(words[2], "uas") == 0;
	return said;
}

static void
learn_peer(SessionTimer *timer, const sip_t *sip)
{
	timer->supported = sip_has_feature(sip->sip_supported, "timer") || what_was_said(sip).uac;
	if (sip->sip_allow)
		timer->updates = sip_is_allowed(sip->sip_allow, sip_method_update, "UPDATE");
}

void
session_learn_answer(SessionTimer *timer, const sip_t *response)
{
	const Said said = what_was_said(response);

	learn_peer(timer, response);
	timer->interval_s = said.seconds ? MAX((guint)said.seconds, shortest(timer)) : 0;
	timer->we_refresh = !said.uas;
	run(timer);
}

gboolean
session_learn_refusal(SessionTimer *timer, const sip_t *response)
{
	const guint64 min = response ? what_was_said(response).min : 0;
	guint asked = MAX(MAX(timer->wanted_s, timer->interval_s), timer->min_s);

	if (min <= asked || min > MAX_SECONDS)
		return FALSE;
	timer->min_s = (guint)min;
	return TRUE;
}

/* --- theirs --- */

gboolean
session_learn_request(SessionTimer *timer, const sip_t *request)
{
	const Said said = what_was_said(request);

	learn_peer(timer, request);
	timer->asked = said.seconds > 0;
	timer->asked_s = (guint)said.seconds;
	timer->asked_us = said.uas;
	if (said.min <= MAX_SECONDS)
		timer->min_s = MAX(timer->min_s, (guint)said.min);
	/* RFC 4028 9: who does not know timers could not answer a 422 */
	return !timer->asked || !timer->supported || timer->asked_s >= SESSION_MIN_SECONDS ||
	       timer->interval_s > 0;
}

char *
session_min(const SessionTimer *timer)
{
	return g_strdup_printf("Min-SE: %u", MAX(timer->min_s, SESSION_MIN_SECONDS));
}

char *
session_answer(SessionTimer *timer)
{
	guint wanted = MAX(timer->wanted_s, timer->min_s);

	timer->interval_s = timer->asked ? MAX(timer->asked_s, shortest(timer)) : 0;
	if (timer->asked && timer->wanted_s && timer->asked_s > wanted)
		timer->interval_s = wanted;
	if (!timer->asked && timer->wanted_s && timer->supported)
		timer->interval_s = wanted;
	/* theirs when they can: it is they who sit behind a NAT */
	timer->we_refresh = timer->asked_us || !timer->supported;
	run(timer);
	if (timer->interval_s == 0)
		return NULL;
	return g_strdup_printf("Supported: timer, " UA_SUPPORTED
			       "\r\nSession-Expires: %u;refresher=%s%s",
			       timer->interval_s, timer->we_refresh ? "uas" : "uac",
			       timer->we_refresh ? "" : "\r\nRequire: timer");
}
