/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* guard_rule.h - the limits of what an account, or a trunk, may use: one table of rules.
 *
 * The keys of tandem.conf, what holds for a trunk, the words that people are told and what
 * `tandemctl guard` shows follow from the table.  route/guard.h judges by the rules.
 * Thread: any; immutable.
 */
#pragma once
#include <glib.h>

/* What kind of number is called. */
typedef enum {
	GUARD_HOME, /* in the country of the one who pays */
	GUARD_ABROAD,
	GUARD_PREMIUM, /* premium, satellite, and what no plan knows, at home */
	GUARD_PREMIUM_ABROAD,
	N_GUARD_CLASSES
} GuardClass;

#define GUARD_OF(class) (1u << (class))
#define GUARD_ALL	((1u << N_GUARD_CLASSES) - 1)
/* What is dear abroad is under the rules of both. */
#define GUARD_ABROADS  (GUARD_OF(GUARD_ABROAD) | GUARD_OF(GUARD_PREMIUM_ABROAD))
#define GUARD_PREMIUMS (GUARD_OF(GUARD_PREMIUM) | GUARD_OF(GUARD_PREMIUM_ABROAD))

typedef enum {
	MEASURE_MINUTES,   /* talked; a call that runs is ended when they are used up */
	MEASURE_CALLS,	   /* answered */
	MEASURE_MONEY,	   /* whole units of the currency; ends calls as well */
	MEASURE_COUNTRIES, /* that were new, and asked about */
	MEASURE_AT_ONCE,   /* calls that ring or run */
	MEASURE_LONGEST	   /* minutes of one call */
} GuardMeasure;

typedef enum { GUARD_HOUR, GUARD_DAY, N_GUARD_SPANS } GuardSpan;

#define GUARD_NO_LIMIT 100000

/* ID, section, key, measure, classes, span, default, what is used up, after "your" or "the",
 * help. */
#define GUARD_RULES(ROW)                                                                          \
	ROW(ABROAD_MINUTES, "limits", "abroad_minutes", MINUTES, GUARD_ABROADS, DAY, "60",        \
	    "minutes abroad for today are used up",                                               \
	    "minutes a day that one user may talk to numbers abroad, all calls together; 0: "     \
	    "none (user set JID abroad-minutes=… for one user)")                                  \
	ROW(ABROAD_MINUTES_HOUR, "guard", "abroad_minutes_hour", MINUTES, GUARD_ABROADS, HOUR,    \
	    "100000", "minutes abroad for this hour are used up", "the same in an hour")          \
	ROW(ABROAD_CALLS, "guard", "abroad_calls", CALLS, GUARD_ABROADS, DAY, "300",              \
	    "calls abroad for today are used up",                                                 \
	    "calls abroad that are answered, of one user in a day")                               \
	ROW(ABROAD_CALLS_HOUR, "guard", "abroad_calls_hour", CALLS, GUARD_ABROADS, HOUR, "60",    \
	    "calls abroad for this hour are used up", "the same in an hour")                      \
	ROW(ABROAD_AT_ONCE, "guard", "abroad_at_once", AT_ONCE, GUARD_ABROADS, DAY, "4",          \
	    "lines for calls abroad are all in use", "calls abroad of one user at the same time") \
	ROW(COUNTRIES, "guard", "new_countries", COUNTRIES, GUARD_ABROADS, DAY, "5",              \
	    "new countries for today are used up",                                                \
	    "countries that one user is asked about in a day, because of a first call there")     \
	ROW(COUNTRIES_HOUR, "guard", "new_countries_hour", COUNTRIES, GUARD_ABROADS, HOUR, "3",   \
	    "new countries for this hour are used up", "the same in an hour")                     \
	ROW(PREMIUM_MINUTES, "guard", "premium_minutes", MINUTES, GUARD_PREMIUMS, DAY, "60",      \
	    "minutes with premium numbers for today are used up",                                 \
	    "minutes a day that one user may talk to premium, satellite and unknown numbers, "    \
	    "where a route allows them")                                                          \
	ROW(PREMIUM_CALLS, "guard", "premium_calls", CALLS, GUARD_PREMIUMS, DAY, "100",           \
	    "calls to premium numbers for today are used up",                                     \
	    "such calls that are answered, of one user in a day")                                 \
	ROW(PREMIUM_AT_ONCE, "guard", "premium_at_once", AT_ONCE, GUARD_PREMIUMS, DAY, "2",       \
	    "lines for calls to premium numbers are all in use",                                  \
	    "such calls of one user at the same time")                                            \
	ROW(MINUTES_HOUR, "guard", "minutes_hour", MINUTES, GUARD_ALL, HOUR, "100000",            \
	    "minutes of calls out for this hour are used up",                                     \
	    "minutes that one user may talk through trunks in an hour")                           \
	ROW(MINUTES_DAY, "guard", "minutes_day", MINUTES, GUARD_ALL, DAY, "100000",               \
	    "minutes of calls out for today are used up", "the same in a day")                    \
	ROW(CALLS_HOUR, "guard", "calls_hour", CALLS, GUARD_ALL, HOUR, "100000",                  \
	    "calls out for this hour are used up",                                                \
	    "calls through trunks that are answered, of one user in an hour")                     \
	ROW(CALLS_DAY, "guard", "calls_day", CALLS, GUARD_ALL, DAY, "100000",                     \
	    "calls out for today are used up", "the same in a day")                               \
	ROW(MONEY_HOUR, "guard", "money_hour", MONEY, GUARD_ALL, HOUR, "100000",                  \
	    "money for calls in this hour is used up",                                            \
	    "what calls of one user may cost in an hour, by the price of their routes, in "       \
	    "units of the currency")                                                              \
	ROW(MONEY_DAY, "guard", "money_day", MONEY, GUARD_ALL, DAY, "100000",                     \
	    "money for calls today is used up",                                                   \
	    "the same in a day (user set JID money-a-day=… for one user)")                        \
	ROW(LONGEST_HOME, "guard", "longest_home", LONGEST, GUARD_OF(GUARD_HOME), DAY, "100000",  \
	    "time for a call at home is over",                                                    \
	    "minutes of the longest call to the user's own country")                              \
	ROW(LONGEST_ABROAD, "guard", "longest_abroad", LONGEST, GUARD_ABROADS, DAY, "100000",     \
	    "time for a call abroad is over", "minutes of the longest call abroad")               \
	ROW(LONGEST_PREMIUM, "guard", "longest_premium", LONGEST, GUARD_PREMIUMS, DAY, "30",      \
	    "time for a call to a premium number is over",                                        \
	    "minutes of the longest call to a premium, satellite or unknown number")

#define GUARD_RULE_ID(id, section, key, measure, classes, span, fallback, words, help) GUARD_##id,
typedef enum { GUARD_RULES(GUARD_RULE_ID) N_GUARD_RULES } GuardRule;
#undef GUARD_RULE_ID
