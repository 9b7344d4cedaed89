/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* guard.h - what has been used against what may be used: facts in, verdict out.
 *
 * Pure: no store, no clock, no configuration.  route/meter.h counts the facts.
 * Thread: any.
 */
#pragma once
#include "b2bua/guard_rule.h"

/* GUARD_NO_LIMIT and more is none; 0 allows nothing. */
typedef struct {
	guint most[N_GUARD_RULES];
} GuardLimits;

typedef struct {
	gint64 ms[N_GUARD_CLASSES];
	gint64 calls[N_GUARD_CLASSES];
	gint64 cost; /* 1/10000 of the currency a minute, times ms */
	gint64 countries;
} GuardCount;

/* Of one account or trunk. */
typedef struct {
	GuardCount spans[N_GUARD_SPANS];
	guint ringing[N_GUARD_CLASSES]; /* not answered yet */
	guint up[N_GUARD_CLASSES];
	guint price; /* of all that are up, together: 1/10000 of the currency a minute */
} GuardUse;

typedef struct {
	const char *section, *key;
	GuardMeasure measure;
	guint classes; /* GUARD_OF() */
	GuardSpan span;
	const char *used_up;	/* "minutes abroad for today are used up" */
	const char *your, *the; /* the same after "your" and "the" */
} GuardRow;

const GuardRow *guard_row(GuardRule rule);

gboolean guard_has_limit(const GuardLimits *limits, GuardRule rule);
/* What a rule counts, in its own units, rounded down; 0 for MEASURE_LONGEST. */
guint64 guard_used(const GuardUse *use, GuardRule rule);
/* So much of the limit, or more, is used. */
gboolean
guard_reached(const GuardUse *use, const GuardLimits *limits, GuardRule rule, guint percent);

/* Whether one more call of this class may begin: the first rule that says no, or
 * N_GUARD_RULES.  `is_new`: of a country that has to be asked about. */
GuardRule
guard_judge(const GuardUse *use, const GuardLimits *limits, GuardClass class, gboolean is_new);
/* Whether calls that are up must end by this rule: the classes whose do. */
guint guard_ends(const GuardUse *use, const GuardLimits *limits, GuardRule rule);
/* How many ms until a rule reaches so much of its limit when nothing changes but the time;
 * G_MAXINT64: never. */
gint64 guard_left_ms(const GuardUse *use, const GuardLimits *limits, GuardRule rule, guint percent);

/* How many ms one call of this class may last, and by which rule; G_MAXINT64: for ever. */
gint64 guard_longest_ms(const GuardLimits *limits, GuardClass class, GuardRule *rule);

/* Whether it is one of these hours of the day ("7-22"); what is no hours holds always. */
gboolean guard_hours_hold(const char *text, guint hour);
