/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* admission.h - whether one more call may begin, and for whom it counts.
 *
 * Asked twice: before a call is routed, by who asks, so that what is over a limit costs
 * little; and of the plan, by whom it counts for and where it goes.  The shares of the rate
 * and of the lines are in route/limits.h; here stand the limits of an account and what an
 * emergency call is spared.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/config.h"
#include "b2bua/call/call.h"

typedef struct Admission Admission;

Admission *admission_new(const Config *config);
void admission_free(Admission *admission);

/* Who asks for a call; an account or a trunk, the other is NULL. */
typedef struct {
	const char *user; /* bare JID; perhaps nobody's */
	const char *trunk;
	gboolean emergency; /* by the number alone: an account calls for help */
	char *author;	    /* set by admission_ask(); owned; see limits.h */
} Asker;

/* TRUE when one more call may begin; otherwise why not.  `emergency` becomes FALSE for who
 * calls for help so often that he is asked like any other. */
gboolean admission_ask(Gateway *gateway, Asker *asker, Reason *reason, const char **text);
/* The same of a call that has been routed. */
gboolean admission_ask_plan(const Call *call, Reason *reason, const char **text);

/* The call takes its place among those of its author and its account, and leaves it. */
void admission_begin(const Call *call);
void admission_end(const Call *call);
/* A call of somebody else counts for this user as well: begins and ends.  FALSE: he
 * has as many as he may. */
gboolean admission_charge(Gateway *gateway, const char *user);
void admission_discharge(Gateway *gateway, const char *user);
