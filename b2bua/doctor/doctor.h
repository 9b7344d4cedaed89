/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor.h - what is wrong with this gateway, its machine, its network and its trunks, and what
 * to do about it.
 *
 * The checks of the gateway itself are done at once; those that wait for a disk or a network run
 * on threads of their own, all of them within DOCTOR_S.  What is found comes one by one.
 * Owner: whoever began it.  Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

#define DOCTOR_S       50 /* for all */
#define DOCTOR_AT_ONCE 2  /* doctors */

typedef enum { CHECK_GOOD, CHECK_BAD, CHECK_SKIPPED, N_CHECK_STATES } CheckState;

typedef struct {
	char *name; /* "trunk carrier" */
	CheckState state;
	char *finding; /* a sentence without a full stop; of a good one perhaps NULL */
	char *remedy;  /* of a bad one */
} Check;
void check_free(Check *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Check, check_free)
const char *check_state_name(CheckState state); /* "good", "bad", "skipped" */

typedef struct Doctor Doctor;

/* NULL with an error: too many are at work. */
Doctor *doctor_begin(Gateway *gateway, GError **error);
/* The next that has been found, new; NULL: none by now. */
Check *doctor_next(Doctor *doctor);
/* All that there is to be found has been taken. */
gboolean doctor_is_done(const Doctor *doctor);
/* What goes on is broken off, and ends by itself soon after.  NULL is fine. */
void doctor_free(Doctor *doctor);
/* The daemon stops: waits for what was broken off. */
void doctor_settle(void);
