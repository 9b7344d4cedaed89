/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route.h - who is called: (from, to) → a Plan, or a refusal with its Reason.
 *
 * Asks the store and nobody else, so it is tested without a network.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"

typedef struct {
	GPtrArray *targets; /* Target *, rung together; owned */
	guint ring_seconds;
	gboolean then_others; /* nobody there answers: the next stage is tried */
	/* The first of a forward: reached only when the devices before it have
	 * refused so (BUSY, NO_ANSWER, UNREACHABLE).  NONE: an ordinary next way. */
	Reason forward_when;
	gboolean forwards; /* it is one of a forward: Plan.forwarder pays for it */
} Stage;

typedef struct {
	GPtrArray *stages;	 /* Stage *, tried in order; owned */
	char *user;		 /* bare JID of the account it counts for, or NULL */
	char *called;		 /* bare JID of the account that is called, or NULL */
	char *forwarder;	 /* bare JID of the account that sends it on, or NULL */
	char *number;		 /* the number that was called, whatever was dialled; or NULL */
	char *trunk;		 /* trunk it came in by, or goes out by first; NULL when none */
	gboolean wait_for_media; /* answer the caller when the callee's media is up */
	gboolean is_service;	 /* it goes to a plugin that answers by itself */
	gboolean is_test;	 /* nor is it from a person: call/test_call.h */
} Plan;

/* One who is called for an account, by a plugin that is asked directly. */
Plan *
plan_of_one(const char *account, const Plugin *plugin, const Address *from, const Address *to);
/* The same for devices of that account, which hear themselves. */
Plan *
plan_of_test(const char *account, const Plugin *plugin, const Address *from, const Address *to);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)
void stage_free(Stage *stage);
void target_free(Target *target);

/* NULL with `reason` and `text` (static) set when nobody may be called. */
Plan *route_incoming(Gateway *gateway, const Incoming *incoming, Reason *reason, const char **text);

/* Of a telephone's call, by a trunk, that is refused before it is routed. */
typedef struct {
	char *account; /* bare JID of the user it was for; NULL: nobody's who wants to hear of it */
	char *number;  /* the number of his that was called; NULL: he was called by his address */
	Address *caller; /* as he would have seen him */
} Missed;

/* FALSE, and `missed` is empty: nobody of ours, or one who takes nothing from this caller. */
gboolean route_missed(Gateway *gateway, const Incoming *incoming, Missed *missed);
void missed_clear(Missed *missed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Missed, missed_clear)

/* A user dials an emergency number: told by the number alone, asks no rule and no trunk. */
gboolean route_is_emergency(Gateway *gateway, const Incoming *incoming);

/* The number that somebody of this account means by `to`, as he would dial it: E.164, or a
 * short code.  New; NULL: it is none. */
char *route_called_number(Gateway *gateway, const char *account_or_null, const Address *to);
/* Digits that may be a number as it is dialled at home, by somebody of whom it is not known
 * where that is. */
gboolean route_lacks_country(Gateway *gateway, const char *account_or_null, const char *dialled);

/* What a number's JID stands for, for presence, disco and the JMI prelude:
 * TRUE when `to` is a number we could call, as this account would dial it, one of
 * ours, or a service. */
gboolean route_dialable(Gateway *gateway, const char *account_or_null, const Address *to);
/* FALSE: `to` is a number that rules forbid to this account, premium by default.  Of what is
 * dialable; the guard is not asked.  Never of an emergency number: some clients call nobody who
 * is not there, and who is refused help must hear so. */
gboolean route_permitted(Gateway *gateway, const char *account, const Address *to);
