/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text_private.h - the inside of texts, for the files of b2bua/text/ alone.
 *
 * texts.c makes and frees; text.c takes; text_outcome.c sends, and has the states.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/text.h"
#include "b2bua/text/outbox.h"
#include "b2bua/text/texts.h"

struct Texts {
	Gateway *gateway;
	Outbox *outbox;
	gboolean closed;

	GHashTable *pending; /* "source\torigin" → Pending *: being written, text.c */
	GHashTable *rates;   /* source → how many in this minute */
	gint64 minute;	     /* the one `rates` counts, monotonic */

	GHashTable *further; /* Further *: deliveries being written, text_outcome.c */
	MetricSet *metrics;
};

static inline Texts *
texts_of(const Gateway *gateway)
{
	return gateway_parts((Gateway *)gateway)->texts;
}

/* --- texts.c --- */
/* One more of this state: "QUEUED" … or "REFUSED". */
void texts_count(Texts *texts, const char *direction, const char *state);

/* --- text.c --- */
void text_pending_free(gpointer pending);
void text_pending_give_up(Texts *texts); /* everybody is told to try again */

/* --- text_outcome.c --- */
extern const OutboxVerbs text_outbox_verbs; /* its user is the Texts */
void text_further_free(gpointer further);
const char *text_way_name(WayKind kind);
