/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-rig.h - the SIP plugin between a core and a peer that the test plays.
 *
 * The core's side of leg.h writes down what it is told, one line an event.
 */
#pragma once
#include "b2bua/config.h"
#include "b2bua/counters.h"
#include "b2bua/leg.h"
#include "b2bua/text.h"
#include "db/store.h"
#include "tests/legs/sip-peer.h"

/* --- the gateway --- */
extern Leg *rig_leg; /* of the last call_new() or leg_attach() */
extern const Plugin *rig_plugin;
extern const Desc *rig_heard; /* the last description that a leg has told */
/* Changes the configuration before the next start; set back to NULL by it. */
extern void (*rig_configure)(Config *config);
void rig_start(void); /* with an empty store */
void rig_stop(void);
Store *rig_store(void);
/* A trunk at the peer's port on 127.0.0.1; `change` may be NULL. */
void rig_trunk(const char *name, guint port, void (*change)(Trunk *trunk));
Peer *rig_start_with_trunk(void); /* rig_start(), and a trunk "carrier" at this peer's port */
/* A call of the peer's that is answered and acknowledged; the tag the gateway gave. */
char *rig_take_call(Peer *peer, const char *headers, const char *offer, const char *answer);
char *rig_call_in(Peer *peer); /* the same, of sdp_one and sdp_two */
void rig_answer_bye(Peer *peer);
void rig_hang_up(Peer *peer);  /* the core does; the BYE is answered */
void rig_end_call(Peer *peer); /* the same, and what is said of it is forgotten */
/* What rig_dial() says of a call that is sent on, or of an emergency. */
extern Target rig_target;
void rig_dial(const char *trunk, const char *number, const Address *from);
/* A SIP address outside, as "bob@127.0.0.1:5070". */
void rig_dial_uri(const char *uri, const Address *from);
void rig_dial_contact(gint64 contact); /* a softphone's registration */
/* A text that comes is an event, "text FROM → TO of WHOM: BODY"; `rig_text`, or NULL, sees it.
 * The last one is answered. */
extern void (*rig_text)(const TextIn *text);
void rig_answer_text(TextAnswer answer, Reason reason, const char *words);
/* From +14155550100 to +12125550199; kind, device and the rest as `more` has them, or NULL. */
void rig_send_text(gint64 id, Way way, const char *body, const Text *more);
extern gboolean rig_tells_ways; /* text_way_is_up() is an event */
Desc *rig_desc(const char *sdp);
const char *rig_traces(void);
/* What gateway_refused() was told since the last time, a line each; to be freed. */
char *rig_take_refusals(void);

/* Where a call or a text is redirected is an event: it may go there; or not, in these words. */
extern const char *rig_forbids;

/* Waits for the next event and compares: "ringing", "ended busy 486 Busy Here". */
void rig_expect(const char *event);
/* The same, but only its beginning. */
void rig_expect_start(const char *event);
void rig_no_event(void); /* nothing has been said that was not expected */
void rig_spin(guint ms);
/* For storms: forgets what was said, turns the loop while there is something to
 * do, and lets go of every leg there is. */
guint rig_drain(void);	   /* how much was said */
GPtrArray *rig_legs(void); /* Leg *, not ended yet; borrowed */
void rig_hangup_all(void);
