/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter.h - what accounts and trunks have used of their limits: counted while calls run,
 * kept in the store, and held against the rules of guard.h.
 *
 * Whoever sends a call on pays for it.  A call counts as one that rings from the moment it is
 * called, and its minutes from the answer.  When a limit is reached such calls are refused, and
 * those that run are ended, no others.  The hour and the day are those of the machine's clock.
 * What has been used is in the store, at the latest a minute after.  Emergency calls have no
 * Charge, so nothing of this is about them.
 *
 * The first call to a country is refused, and the person is asked in the chat: yes lets the
 * next one go.  The person and the operators are told at 80 % of a limit, and at its end.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"
#include "b2bua/route/guard.h"

typedef struct Meter Meter;
typedef struct MeterUse MeterUse; /* a call that counts */

/* Who pays for a call out, and as what it counts. */
struct Charge {
	char *account;
	char *number;
	char *country; /* two letters, when it is abroad; otherwise NULL */
	GuardClass class;
	guint price; /* of a minute, in 1/10000 of the currency */
};

Charge *charge_copy(const Charge *charge); /* NULL is fine, in both */
void charge_free(Charge *charge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Charge, charge_free)

Meter *meter_new(Gateway *gateway);
void meter_free(Meter *meter); /* no use is left; NULL is fine */
/* After an upgrade: the countries that each account has called already are known. */
gboolean meter_learn(Meter *meter, GError **error);

/* Of a call to `number` (E.164 or a short code), of this class of numberplan.h. */
Charge *meter_charge(Meter *meter, const char *account, const char *number,
		     const char *number_class_or_null, guint price);

typedef enum {
	METER_MAY,
	METER_ASKS, /* it is the first to a country */
	METER_OVER, /* of `rule` */
	METER_REFUSES,
	METER_UNREAD, /* the store could not say */
} MeterAnswer;

typedef struct {
	MeterAnswer answer;
	GuardRule rule;	  /* of METER_OVER */
	const char *text; /* why not: a line for the caller, static */
} MeterVerdict;

MeterVerdict meter_ask(Meter *meter, const Charge *charge);
/* Of what a trunk may carry. */
gboolean meter_trunk_may(Meter *meter, const Trunk *trunk, const Charge *charge);
/* The call has been refused by it: the person is asked, or told, and the operators. */
void meter_refused(Meter *meter, const Charge *charge, const MeterVerdict *verdict);

/* It must end: ends the call, and with that the use.  Only `reader` may be told why in these
 * words: who pays, a bare JID, or "", the operators alone. */
typedef void (*MeterCut)(gpointer user, const char *reader, const char *words);
/* It is called.  NULL: it counts nowhere. */
MeterUse *
meter_begin(Meter *meter, const Charge *charge, const char *trunk, MeterCut cut, gpointer user);
void meter_answered(MeterUse *use); /* both take NULL */
void meter_end(MeterUse *use);

/* --- for the operator --- */
typedef struct {
	const char *owner; /* a bare JID, or "trunk NAME" */
	GuardRule rule;
	guint64 used, most;
	const char *state; /* "", "warned", "reached", "stopped" */
} MeterRow;
typedef void (*MeterFunc)(gpointer user, const MeterRow *row);
/* What has been used of every limit by `owner`. */
gboolean meter_show(Meter *meter, const char *owner, MeterFunc func, gpointer user, GError **error);
/* What the next owners have used today, by name: those after `after` (NULL: the first), which
 * is moved on.  FALSE: there are no more, or there is an error. */
gboolean meter_list(Meter *meter, char **after, MeterFunc func, gpointer user, GError **error);
/* From now on it has used nothing. */
gboolean meter_lift(Meter *meter, const char *owner, GError **error);

/* The person is to be forgotten, and has no calls. */
void meter_forget(Meter *meter, const char *account);

/* What holds for an account today, without what its person has asked for in the chat. */
void meter_limits_of(Meter *meter, const char *account, GuardLimits *limits);

/* For tests: as if so much of the day had passed. */
void meter_skip(Meter *meter, gint64 seconds);
