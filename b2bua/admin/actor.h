/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* actor.h - who asks for something, and what a front tells the verbs of its process.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/verbs.h"
#include "b2bua/gateway.h"

/* Who asks: the operator of the machine, or a user for the user's own account. */
typedef struct {
	VerbWho kind;
	const char *account; /* of a user: bare JID; NULL: the operator */
	const char *who;     /* for the audit: "uid 0, pid 4711", "alice@example.org" */
	const char *device;  /* of a user: the full JID that asks; NULL: not known */
} Actor;

/* One that outlives who asked; it frees its strings with actor_clear(). */
Actor actor_copy(const Actor *actor);
void actor_clear(Actor *actor);
gboolean verb_may(const Verb *verb, const Actor *actor);

/* What holds where no gateway says so; borrowed. */
extern const Config *control_config;
/* What `reload` does beside telling the plugins: says what came of it, or an error.  NULL:
 * nothing. */
extern char *(*control_reload)(GError **error);
