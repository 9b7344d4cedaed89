/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_leg_private.h - a dialog as a Leg: between the files that sip_leg.c lists.
 *
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/stack/sip_content.h"

/* --- sip_leg.c --- */

SipLeg *sip_leg_new(SipUa *ua, SipState state, SipWay *way); /* takes the way */
/* The peer, or the network, ended it: tells the core. */
void sip_leg_over(SipLeg *leg, Reason reason, const char *text);
/* The same when the peer has not ended it: `detail` is for the operator; or NULL. */
void sip_leg_fail(SipLeg *leg, Reason reason, LegFault fault, const char *detail);
/* Before one of them: what the operator may want to know of it. */
void sip_leg_explain(SipLeg *leg, LegFault fault, const char *detail);
/* From here on the leg is ours alone and waits for nua's last word.  May free it. */
void sip_leg_end(SipLeg *leg);
void sip_leg_set_timer(SipLeg *leg, guint ms, TimerFunc func); /* replaces the one before */
void sip_leg_clear_timer(SipLeg *leg);
void sip_leg_bye(SipLeg *leg, const char *reason_header);
void sip_leg_bye_for(SipLeg *leg, Reason reason, const char *why);
void sip_leg_forget_invite(SipLeg *leg); /* its Call-ID is another's from now on, or nobody's */
/* Answers a 401 or 407.  FALSE: it cannot be answered, and is a refusal. */
gboolean sip_leg_prove(SipLeg *leg, const SipEvent *event);
/* Our Contact where it is not the one that the stack writes by itself; or NULL. */
char *sip_leg_contact(const SipLeg *leg);

/* --- sip_describe.c --- */

/* Our SDP for `desc`; the version in o= moves when the text does (RFC 3264 8). */
const char *sip_leg_sdp(SipLeg *leg, const Desc *desc);
const char *sip_leg_sdp_of_offer(SipLeg *leg, const Desc *desc); /* with our keys */
void sip_leg_set_offer(SipLeg *leg, const Desc *desc);
void sip_leg_set_remote(SipLeg *leg, const Desc *desc);
/* What a message says; a description that cannot be taken is there with its reason. */
void sip_leg_read(SipLeg *leg, const SipEvent *event, Content *content);
Desc *sip_leg_heard(SipLeg *leg, const SipEvent *event, Reason *reason);
/* An answer to an offer of ours.  FALSE: it cannot be taken, and the ladder says why. */
gboolean sip_leg_take_answer(SipLeg *leg, const Desc *answer);
/* Into the ladder, with what `desc` (or NULL) says. */
void sip_leg_trace_in(SipLeg *leg, const char *what, const Desc *desc);
void sip_leg_trace_out(SipLeg *leg, const char *what, const Desc *desc);

/* --- sip_outgoing.c --- */

/* Sends the INVITE to the first of these hops; the others are kept. */
void sip_leg_call_hops(SipLeg *leg, GPtrArray *hops);
void sip_leg_invite_answered(SipLeg *leg, const SipEvent *event);

/* --- sip_change.c --- */

void sip_leg_send_reinvite(SipLeg *leg, const char *sdp);
void sip_leg_reinvite(SipLeg *leg); /* with `offer` */
/* A final answer to a re-INVITE of any kind: the target, and the ACK. */
void sip_leg_reinvite_answered(SipLeg *leg, const SipEvent *event);
void sip_leg_change_answered(SipLeg *leg, const SipEvent *event);
/* Of a re-INVITE or an UPDATE that was accepted: RFC 3261 12.2.1.2. */
void sip_leg_follow_target(SipLeg *leg, const SipEvent *event);
guint sip_leg_glare_ms(const SipLeg *leg); /* until the next try, RFC 3261 14.1 */
void sip_leg_on_change(SipLeg *leg, const SipEvent *event);
void sip_leg_on_prack(SipLeg *leg, const SipEvent *event);
/* What the core says to it; NULL: no. */
void sip_leg_answer_change(SipLeg *leg, const Desc *answer);
void sip_leg_answer_offerless(SipLeg *leg, const Desc *offer);
void sip_leg_refuse_change(SipLeg *leg);
/* An ACK of a refresh, and of an offer of ours. */
void sip_leg_on_refresh_ack(SipLeg *leg, const Desc *answer);
void sip_leg_on_late_answer(SipLeg *leg, const Desc *answer);

/* --- sip_refresh.c --- */

void sip_leg_keep_session(SipLeg *leg); /* its session timer is run from now on */
void sip_leg_refresh_answered(SipLeg *leg, const SipEvent *event);

/* --- sip_answer.c --- */

void sip_leg_on_ack(SipLeg *leg, const SipEvent *event);
void sip_leg_on_lost_ack(SipLeg *leg);

/* --- sip_keys.c --- */

void sip_leg_on_info(SipLeg *leg, const SipEvent *event);
void sip_leg_info_answered(SipLeg *leg, const SipEvent *event);

/* --- sip_hangup.c --- */

void sip_leg_on_bye(SipLeg *leg, const SipEvent *event);
void sip_leg_bye_answered(SipLeg *leg, const SipEvent *event);
void sip_leg_on_cancel(SipLeg *leg, const SipEvent *event);
void sip_leg_on_terminated(SipLeg *leg, const SipEvent *event);

/* --- sip_save.c --- */

/* Learns the dialog from a message of it: a call in from its INVITE, a call out from the
 * response that makes it, early or in the end; and the target from those that follow. */
void sip_leg_learn_invite(SipLeg *leg, const sip_t *request);
void sip_leg_learn_dialog(SipLeg *leg, const sip_t *response);
void sip_leg_learn_request(SipLeg *leg, const sip_t *request);
void sip_leg_learn_answer(SipLeg *leg, const sip_t *response);
void sip_leg_forget_dialog(SipLeg *leg); /* the INVITE is sent anew */
void sip_leg_learn_ack(SipLeg *leg, const sip_t *ack);
void sip_leg_learn_tag(SipLeg *leg); /* before our 200 */
/* From a 1xx to our INVITE: TRUE when the text of save() is another one now. */
gboolean sip_leg_learn_ringing(SipLeg *leg, const sip_t *response);
