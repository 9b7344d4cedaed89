/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_timer.h - session timers: a call whose far end has vanished ends by itself.
 *
 * nua's own are off: its refreshes repeat an old SDP or have none.  Either side
 * may be the one that refreshes; who does not hear of it in time says BYE.
 * Thread: signalling.  RFC 4028.
 */
#pragma once
#include "b2bua/timer.h"
#include <sofia-sip/sip.h>

#define SESSION_DEFAULT_SECONDS 1800 /* where no trunk says otherwise */
#define SESSION_MIN_SECONDS	90   /* RFC 4028 4: no Min-SE is smaller */

/* Whose it is; borrowed. */
typedef struct {
	void (*refresh)(gpointer user);			/* it is time to say that we are there */
	void (*expire)(gpointer user, const char *why); /* nobody is there any more */
} SessionOwner;

/* Of a leg; all zero at first but for the owner. */
typedef struct {
	const SessionOwner *owner;
	gpointer user;
	guint wanted_s; /* 0: not asked for */
	guint min_s;	/* the largest Min-SE heard of */
	/* their last request, until it is answered */
	gboolean asked; /* it had Session-Expires */
	guint asked_s;
	gboolean asked_us; /* refresher=uas */
	/* the peer */
	gboolean supported, updates;
	/* agreed */
	guint interval_s; /* 0: there is no timer */
	gboolean we_refresh;
	gint64 until_us;
	Timer *next;
} SessionTimer;

/* A header line for an INVITE or UPDATE of ours; NULL when there is nothing to
 * ask. */
char *session_ask(const SessionTimer *timer, gboolean first);
/* The tags for it.  As headers that nua does not know: else it would answer a
 * 422 by itself, with the same interval. */
#define SESSION_TAGS(asked, min)                                                          \
	TAG_IF(asked, SIPTAG_UNKNOWN_STR(asked)), TAG_IF(asked, SIPTAG_UNKNOWN_STR(min)), \
		TAG_IF(asked, SIPTAG_UNKNOWN_STR("Supported: timer"))
/* Their INVITE or UPDATE.  FALSE: too short, answer 422 with session_min(). */
gboolean session_learn_request(SessionTimer *timer, const sip_t *request);
char *session_min(const SessionTimer *timer);
/* Header lines for our 200 to it, or NULL; the timer runs from now on. */
char *session_answer(SessionTimer *timer);
/* Their 200 to ours. */
void session_learn_answer(SessionTimer *timer, const sip_t *response);
/* A 422: TRUE when asking again for longer has a chance. */
gboolean session_learn_refusal(SessionTimer *timer, const sip_t *response);
/* Nothing came of a refresh: try again in a moment, while there is time. */
void session_try_again(SessionTimer *timer);
void session_stop(SessionTimer *timer);
