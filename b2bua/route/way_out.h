/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* way_out.h - whether a number outside may be called by a user, and by which trunks.
 *
 * In this order: emergency numbers by the gateway's policy; the rule with the
 * longest beginning of the number (or "default") and the rule of its class
 * ("premium" …) must both allow it; the higher of their costs is held against the
 * user's max-cost; the guard must allow what it uses (meter.h); the trunks are those that the
 * rule names, else all.  Nothing is counted and nobody is told: who makes a call of it says
 * way_out_used().
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"
#include "b2bua/number.h"
#include "b2bua/route/meter.h"

/* What an author is told. */
#define WAY_OUT_NO_TEXTS_FOR_HELP "texts do not reach emergency services: call instead"

typedef struct {
	GPtrArray *trunks; /* Trunk *, in the order tried; owned; empty when refused */
	Reason reason;	   /* NONE: allowed */
	const char *text;  /* static: why not, for the caller */
	gboolean emergency;
	Charge *charge;		  /* what it counts as, and for whom; NULL: an emergency */
	MeterVerdict guard;	  /* what the guard says of it */
	const char *number_class; /* static; NULL for a short code of no country */
	char *rule, *class_rule;  /* targets of the rules that held, or NULL */
	guint cost;
	GString *notes; /* for people: a line for each trunk that is not used, and why */
} WayOut;

/* `number` is E.164 or a short code; `account` a user, or NULL: one without limits. */
WayOut *way_out(Gateway *gateway, const char *account_or_null, const char *number);
/* The same for a call that may be made later: the guard is asked then. */
WayOut *way_out_later(Gateway *gateway, const char *account, const char *number);
/* Who may text it, and by which trunks.  What the key `text` of the two rules says comes before
 * what they say of calls; a premium number needs a rule of its own, or of its class, that says
 * `allow`.  The guard is not asked: a text has no minutes. */
WayOut *way_out_text(Gateway *gateway, const char *account, const char *number);
void way_out_free(WayOut *way);
/* Somebody has really called it: who is asked about it, or told, is now. */
void way_out_used(Gateway *gateway, const WayOut *way);
/* What such a call counts as; NULL: an emergency. */
Charge *way_out_charge(Gateway *gateway, const char *account, const char *number);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WayOut, way_out_free)

/* Where a user is at home: his own country, the gateway's, or NULL.  New. */
char *user_country(Gateway *gateway, const char *account_or_null);
/* Borrowed; NULL where such calls are refused. */
const char *emergency_trunk(const Gateway *gateway);
/* One line for the log: which policy for emergency numbers holds. */
char *emergency_policy(Gateway *gateway);
/* TRUE for "+49", "112", "default" and the classes. */
gboolean route_target_is_valid(const char *target);
