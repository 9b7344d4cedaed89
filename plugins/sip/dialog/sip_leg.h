/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_leg.h - a dialog as a Leg: what the user agent does with it.
 *
 * nua keeps the dialog; a SipLeg (sip_dialog.h) keeps what the core has to be told and
 * when.
 * Thread: signalling.  RFC 3261 12 to 15, RFC 3264, RFC 3311, RFC 3326.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"
#include "plugins/sip/peers/sip_caller.h"

/* An INVITE becomes a call.  `nh` is the leg's from now on. */
void sip_leg_incoming(SipUa *ua, nua_handle_t *nh, const SipCaller *caller, const SipEvent *event);
/* One that was refused before it had a leg: its record, and a word to whom it concerns. */
void sip_leg_refused(SipUa *ua, const SipCaller *caller, const sip_t *sip, Reason reason,
		     const char *words);

/* An event of nua for the handle of this leg.  May free it. */
void sip_leg_event(SipLeg *leg, const SipEvent *event);

/* A 100 to its INVITE, which nua says nothing of. */
void sip_leg_hear_trying(SipLeg *leg, const sip_t *response);

/* Commands, as in b2bua/leg.h. */
void sip_leg_dial(SipUa *ua, Call *call, const Target *target, const Desc *offer);
void sip_leg_ring(SipLeg *leg, const Desc *early);
void sip_leg_answer(SipLeg *leg, const Desc *answer);
void sip_leg_change(SipLeg *leg, const Desc *offer);
void sip_leg_dtmf_out(SipLeg *leg, char key);
void sip_leg_hangup(SipLeg *leg, Reason reason, const char *text);
char *sip_leg_saved(const SipLeg *leg);
void sip_leg_bury(SipUa *ua, const char *saved, Reason reason);

/* Ours to end, and the core's to hear of it: the softphone is no longer there. */
void sip_leg_drop(SipLeg *leg, Reason reason, const char *text);
/* Our address is another one (sip_outside.h): what has been offered or answered is offered
 * once more, as soon as nothing else is on its way.  The legs of this trunk; NULL: all. */
void sip_leg_moved_all(SipUa *ua, const char *trunk);
void sip_leg_free(SipLeg *leg); /* at stop(): whatever is left */
