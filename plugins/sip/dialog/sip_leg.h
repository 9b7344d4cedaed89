/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_leg.h - a dialog as a Leg: what can be done with it.
 *
 * nua keeps the dialog; a SipLeg (sip_dialog.h) keeps what the core has to be told and
 * when.
 * Thread: signalling.  RFC 3261 12 to 15, RFC 3264, RFC 3311, RFC 3326.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"
#include "plugins/sip/peers/sip_caller.h"

/* An INVITE becomes a call.  `nh` is the leg's from now on. */
void leg_incoming(SipUa *ua, nua_handle_t *nh, const SipCaller *caller, const SipEvent *event);

/* An event of nua for the handle of this leg.  May free it. */
void leg_event(SipLeg *leg, const SipEvent *event);

/* A 100 to its INVITE, which nua says nothing of. */
void leg_hear_trying(SipLeg *leg, const sip_t *response);

/* Commands, as in leg.h. */
void leg_dial(SipUa *ua, Call *call, const Target *target, const Desc *offer);
void leg_ring(SipLeg *leg, const Desc *early);
void leg_answer(SipLeg *leg, const Desc *answer);
void leg_change(SipLeg *leg, const Desc *offer);
void leg_dtmf_out(SipLeg *leg, char key);
void leg_hangup(SipLeg *leg, Reason reason, const char *text);
/* Ours to end, and the core's to hear of it: the softphone is no longer there. */
void leg_drop(SipLeg *leg, Reason reason, const char *text);
void leg_free(SipLeg *leg); /* at stop(): whatever is left */

/* --- between sip_leg.c, sip_incoming.c, sip_session.c and sip_save.c --- */

SipLeg *leg_new(SipUa *ua, SipState state, const char *trunk);
/* The peer, or the network, ended it: tells the core. */
void leg_over(SipLeg *leg, Reason reason, const char *text);
/* Our SDP for `desc`; the version in o= moves when the text does (RFC 3264 8). */
const char *leg_sdp(SipLeg *leg, const Desc *desc);
const char *leg_sdp_of_offer(SipLeg *leg, const Desc *desc); /* with our keys */
void leg_set_remote(SipLeg *leg, const Desc *desc);
void leg_set_offer(SipLeg *leg, const Desc *desc);
/* Sends the INVITE to the first of these hops; the others are kept. */
void leg_call_hops(SipLeg *leg, GPtrArray *hops);
void leg_set_timer(SipLeg *leg, guint ms, TimerFunc func); /* replaces the one before */
void leg_clear_timer(SipLeg *leg);
void leg_refuse_change(SipLeg *leg);
void leg_bye(SipLeg *leg, const char *reason_header);
void leg_reinvite(SipLeg *leg);
/* The session timer's: says that we are there, and that the peer is not. */
void leg_refresh(SipLeg *leg);
void leg_expire(SipLeg *leg, const char *why);
void leg_refreshed(SipLeg *leg); /* and goes on with what waited for it */
/* Our address is another one (sip_outside.h): what has been offered or answered is offered
 * once more, as soon as nothing else is on its way. */
void leg_moved(SipLeg *leg);
void leg_moved_all(SipUa *ua, const char *trunk); /* its legs; NULL: all there are */
/* The INVITE once more, to the same hop: what it asked for was refused. */
void leg_invite_again(SipLeg *leg);
/* Nothing came of this next hop: sends the INVITE to the next one.  FALSE: there
 * is none, or somebody has answered already (RFC 3263 4.3). */
gboolean leg_try_next_hop(SipLeg *leg);
/* Answers the INVITE or UPDATE kept in `request`; `sdp` NULL: without a body. */
void leg_respond(SipLeg *leg, guint status, const char *phrase, const char *sdp);
/* Why the trunk cannot be reached by TLS, in words; NULL: not by TLS, or not known. */
const char *leg_problem(const SipLeg *leg);
/* Our Contact where it is not the one that the stack writes by itself; or NULL. */
char *leg_contact(const SipLeg *leg);

/* The next key that waits, when nothing of the kind is on its way. */
void leg_next_key(SipLeg *leg);

/* Learns the dialog from a message of it: a call in from its INVITE, a call out from the
 * response that makes it, early or in the end; and the target from those that follow. */
void leg_learn_invite(SipLeg *leg, const sip_t *request);
void leg_learn_dialog(SipLeg *leg, const sip_t *response);
void leg_learn_request(SipLeg *leg, const sip_t *request);
void leg_learn_answer(SipLeg *leg, const sip_t *response);
void leg_forget_dialog(SipLeg *leg); /* the INVITE is sent anew */
void leg_learn_ack(SipLeg *leg, const sip_t *ack);
void leg_learn_tag(SipLeg *leg); /* before our 200 */
/* From a 1xx to our INVITE: TRUE when the text of save() is another one now. */
gboolean leg_learn_ringing(SipLeg *leg, const sip_t *response);
char *leg_saved(const SipLeg *leg);
void leg_bury(SipUa *ua, const char *saved, Reason reason);
