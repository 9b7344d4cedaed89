/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* guard_replay.h - what the rules of guard.h would have done to calls that are over: for an
 * operator who thinks of changing one.
 *
 * Pure.  A call that would have been refused, or ended, uses no more; whether its caller would
 * have tried again nobody knows.
 * Thread: any.
 */
#pragma once
#include "b2bua/route/guard.h"

typedef struct {
	gint64 started_ms, answered_ms, ended_ms; /* since 1970; answered 0: never */
	gint64 hour;				  /* which one it began in: any number */
	GuardClass class;
	guint price;
} ReplayCall;

typedef struct {
	gint64 reached_ms[N_GUARD_RULES]; /* when each limit was reached; 0: never */
	guint refused[N_GUARD_RULES];	  /* calls */
	guint ended[N_GUARD_RULES];
} ReplayResult;

/* The calls of one account on one day, which it sorts. */
void guard_replay(GArray *calls, const GuardLimits *limits, ReplayResult *result);
