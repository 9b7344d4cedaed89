/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* guard.c - see guard.h. */
#include "b2bua/route/guard.h"
#include "b2bua/words.h"

#define MS_A_MINUTE 60000
#define MONEY_UNIT  ((gint64)10000 * MS_A_MINUTE) /* of GuardCount.cost */

static const GuardRow ROWS[N_GUARD_RULES] = {
#define ROW(id, section, key, measure, classes, span, fallback, words, help) \
	[GUARD_##id] = { section,      key,   MEASURE_##measure, classes,    \
			 GUARD_##span, words, "your " words,	 "the " words },
	GUARD_RULES(ROW)
#undef ROW
};

const GuardRow *
guard_row(GuardRule rule)
{
	return &ROWS[rule];
}

gboolean
guard_has_limit(const GuardLimits *limits, GuardRule rule)
{
	return limits->most[rule] < GUARD_NO_LIMIT;
}

static gint64
sum(const gint64 *values, guint classes)
{
	gint64 all = 0;

	for (guint i = 0; i < N_GUARD_CLASSES; i++)
		all += classes & GUARD_OF(i) ? values[i] : 0;
	return all;
}

static guint
running(const GuardUse *use, guint classes, gboolean ringing)
{
	guint all = 0;

	for (guint i = 0; i < N_GUARD_CLASSES; i++)
		if (classes & GUARD_OF(i))
			all += use->up[i] + (ringing ? use->ringing[i] : 0);
	return all;
}

/* What is one of what a rule limits, in what is counted of it. */
static gint64
unit_of(const GuardRow *row)
{
	return row->measure == MEASURE_MINUTES ? MS_A_MINUTE
	       : row->measure == MEASURE_MONEY ? MONEY_UNIT
					       : 1;
}

static gint64
counted(const GuardUse *use, const GuardRow *row)
{
	const GuardCount *count = &use->spans[row->span];

	switch (row->measure) {
	case MEASURE_MINUTES:
		return sum(count->ms, row->classes);
	case MEASURE_CALLS:
		return sum(count->calls, row->classes);
	case MEASURE_MONEY:
		return count->cost;
	case MEASURE_COUNTRIES:
		return count->countries;
	case MEASURE_AT_ONCE:
		return running(use, row->classes, TRUE);
	case MEASURE_LONGEST:
		break;
	}
	return 0;
}

guint64
guard_used(const GuardUse *use, GuardRule rule)
{
	return (guint64)(counted(use, &ROWS[rule]) / unit_of(&ROWS[rule]));
}

/* In what is counted. */
static gint64
threshold(const GuardLimits *limits, GuardRule rule, guint percent)
{
	return (gint64)limits->most[rule] * unit_of(&ROWS[rule]) * percent / 100;
}

gboolean
guard_reached(const GuardUse *use, const GuardLimits *limits, GuardRule rule, guint percent)
{
	return guard_has_limit(limits, rule) && ROWS[rule].measure != MEASURE_LONGEST &&
	       counted(use, &ROWS[rule]) >= threshold(limits, rule, percent);
}

GuardRule
guard_judge(const GuardUse *use, const GuardLimits *limits, GuardClass class, gboolean is_new)
{
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		const GuardRow *row = &ROWS[rule];

		if (!(row->classes & GUARD_OF(class)) ||
		    (row->measure == MEASURE_COUNTRIES && !is_new))
			continue;
		if (guard_reached(use, limits, rule, 100) ||
		    (row->measure == MEASURE_LONGEST && limits->most[rule] == 0))
			return rule;
	}
	return N_GUARD_RULES;
}

guint
guard_ends(const GuardUse *use, const GuardLimits *limits, GuardRule rule)
{
	const GuardRow *row = &ROWS[rule];

	return (row->measure == MEASURE_MINUTES || row->measure == MEASURE_MONEY) &&
			       guard_reached(use, limits, rule, 100)
		       ? row->classes
		       : 0;
}

gint64
guard_left_ms(const GuardUse *use, const GuardLimits *limits, GuardRule rule, guint percent)
{
	const GuardRow *row = &ROWS[rule];
	gint64 rate = row->measure == MEASURE_MINUTES ? running(use, row->classes, FALSE)
		      : row->measure == MEASURE_MONEY ? use->price
						      : 0;
	gint64 left = threshold(limits, rule, percent) - counted(use, row);

	if (rate == 0 || !guard_has_limit(limits, rule))
		return G_MAXINT64;
	return left <= 0 ? 0 : (left + rate - 1) / rate;
}

gint64
guard_longest_ms(const GuardLimits *limits, GuardClass class, GuardRule *by)
{
	gint64 longest = G_MAXINT64;

	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		gint64 ms = (gint64)limits->most[rule] * MS_A_MINUTE;

		if (ROWS[rule].measure != MEASURE_LONGEST ||
		    !(ROWS[rule].classes & GUARD_OF(class)) || !guard_has_limit(limits, rule) ||
		    ms >= longest)
			continue;
		longest = ms;
		*by = rule;
	}
	return longest;
}

gboolean
guard_hours_hold(const char *text, guint hour)
{
	guint from, to;

	if (!text || !word_hours(text, &from, &to))
		return TRUE;
	return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}
