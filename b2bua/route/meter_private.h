/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter_private.h - the inside of the meter, for meter*.c alone.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/route/meter.h"
#include "b2bua/timer.h"

#define METER_TRUNK    "trunk " /* before the name of a trunk that owns a count */
#define METER_WARNS_AT 80	/* percent */

typedef struct {
	Meter *meter;
	char *name;
	gboolean is_trunk;
	GuardUse use; /* up to `settled_ms` */
	gint64 settled_ms;
	gint64 period[N_GUARD_SPANS];
	gint64 more; /* yes has been said so often today */
	gboolean stopped;
	guint warned, told; /* 1 << GuardRule */
	GPtrArray *uses;    /* MeterUse *, borrowed */
	Timer *timer;
} Owner;

struct Meter {
	Gateway *gateway;
	GHashTable *owners;  /* name → Owner *, owned */
	struct Asked *asked; /* meter_talk.c */
	gint64 skipped_us;   /* by a test */
};

/* --- meter.c --- */
gint64 meter_now_us(const Meter *meter);
/* Settled; NULL: the store does not say how much it has used. */
Owner *meter_owner(Meter *meter, const char *name, GError **error);
/* `own`: the operator has set the account's minutes abroad. */
void meter_limits(const Owner *owner, GuardLimits *limits, gboolean *own);
/* Something has changed: what is over ends, and so on. */
void meter_check(Owner *owner);
void meter_cut(Owner *owner, guint classes, const char *words);

/* --- meter_talk.c --- */
struct Asked *asked_new(void);
void asked_free(struct Asked *asked);
/* The account need not be asked about calls to this country. */
gboolean meter_knows(Meter *meter, const char *account, const char *country);
gboolean meter_has_asked(Meter *meter, const char *account, const char *country);
/* TRUE: that was the first time. */
gboolean meter_ask_person(Meter *meter, const Charge *charge, const char *number);
void meter_warn(Owner *owner, GuardRule rule, const GuardLimits *limits, gboolean own);
void meter_tell_over(Owner *owner, GuardRule rule, const GuardLimits *limits, gboolean own);
