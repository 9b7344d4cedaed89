/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter_private.h - the inside of the meter, for meter*.c alone.
 *
 * meter_owner.c: who has used what, and may use what.  meter_use.c: the calls.  meter_talk.c:
 * the chat.  meter.c: may one more call begin, and what the operator sees.
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

	GuardLimits limits; /* when they were last read; none before */
	gboolean own;	    /* the operator has set the account's minutes abroad */

	/* MeterUse; those that talk in the order of their answers */
	GQueue ringing[N_GUARD_CLASSES], talking[N_GUARD_CLASSES];
	GQueue cut; /* that have been told to end */
	gboolean cuts_left;
	guint held; /* by somebody on the stack: it stays, and is written by that one */
	Timer *timer;

	guint64 posted; /* when it was last written: store_posted() */
	GList age;	/* in Meter.ages */
} Owner;

struct Meter {
	Gateway *gateway;
	GTree *owners;	     /* name → Owner *, owned */
	GQueue ages;	     /* Owner *: who was asked for last stands last */
	struct Asked *asked; /* meter_talk.c */
	gint64 skipped_us;   /* by a test */
};

/* --- meter_owner.c --- */
gint64 meter_now_us(const Meter *meter);
GDateTime *meter_clock(const Meter *meter);
gint64 meter_today(const Meter *meter); /* 20261128 */
GTree *meter_owners_new(void);
/* Settled; NULL: the store does not say how much it has used.  It may go at the next call of
 * this, unless it has calls or is held. */
Owner *meter_owner(Meter *meter, const char *name, GError **error);
/* For a look: one that is not counted any further.  Of it and of no other owner_clear(). */
void owner_init(Owner *owner, Meter *meter, const char *name);
void owner_restore(Owner *owner, const StoreUse *use);
void owner_clear(Owner *owner);
/* Unless it has calls, or is held. */
void meter_drop_owner(Meter *meter, const char *name);
/* Counts what has been talked since the last time. */
void owner_settle(Owner *owner);
void owner_begin_span(Owner *owner, GuardSpan span);
void owner_write(Owner *owner);
/* FALSE: the store cannot be read, and what was read before holds. */
gboolean owner_read_limits(Owner *owner);
void trunk_limits(const Trunk *trunk, GuardLimits *limits);

/* --- meter_use.c --- */
/* Something has changed: what is over ends, and so on. */
void meter_check(Owner *owner);
void meter_set_timer(Owner *owner);

/* --- meter.c --- */
/* Most calls at home are counted nowhere. */
gboolean meter_is_limited(Meter *meter, const Charge *charge);

/* --- meter_talk.c --- */
struct Asked *asked_new(void);
void asked_free(struct Asked *asked);
/* The account need not be asked about calls to this country. */
gboolean meter_knows(Meter *meter, const char *account, const char *country);
gboolean meter_has_asked(Meter *meter, const char *account, const char *country);
/* TRUE: that was the first time. */
gboolean meter_ask_person(Meter *meter, const Charge *charge);
/* The question is no longer open; NULL: the one about more. */
void meter_forget_question(Meter *meter, const char *account, const char *country_or_null);
void asked_forget(struct Asked *asked, const char *account);
void meter_warn(Owner *owner, GuardRule rule);
void meter_tell_over(Owner *owner, GuardRule rule);
