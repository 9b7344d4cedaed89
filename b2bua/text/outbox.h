/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* outbox.h - the order in which deliveries of texts go out, and when they are tried again.
 *
 * A conversation (way, its key, account, peer) has one delivery on its way at a time; those
 * after it wait.  A delivery that could not be sent is tried again after 2 s, 4 s … 5 min, and
 * at once when its way is up; a day after it was made it is over.  Conversations of the same
 * trunk, or softphone, are a lane: so many of each, and of all together, are on their way at
 * once, and no lane waits for another.
 *
 * What is kept here of a delivery is some bytes; its text stays in the store.
 *
 *	add → (waits) → give → given → send → done
 *	                  ^              |
 *	                  +---- again ---+
 *
 * Nothing here reads the store.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"
#include "db/store_texts.h"

typedef struct Outbox Outbox;

/* What it asks for; `id` is that of a delivery.  Each may answer from inside. */
typedef struct {
	/* It is to be marked as given; outbox_given() follows, or outbox_done(). */
	void (*give)(gpointer user, gint64 id);
	/* outbox_done() or outbox_again() follows. */
	void (*send)(gpointer user, gint64 id, gboolean repeated);
	void (*expired)(gpointer user, gint64 id); /* the same */
} OutboxVerbs;

Outbox *outbox_new(const OutboxVerbs *verbs, gpointer user); /* borrows the verbs */
void outbox_free(Outbox *outbox);

/* A delivery of this conversation is being written.  TRUE: it goes at once when it is, so that
 * it may be written as given already.  Followed by outbox_add() or outbox_unreserve(). */
gboolean outbox_reserve(Outbox *outbox, const TextDelivery *delivery);
void outbox_unreserve(Outbox *outbox, const TextDelivery *delivery);
void outbox_add(Outbox *outbox, const TextDelivery *delivery);
/* One that is in the store from before the start. */
void outbox_restore(Outbox *outbox, const TextDelivery *delivery);
/* One that was sent and came back: before those of its conversation that were written later, and
 * after a wait, which is longer the older it is. */
void outbox_returned(Outbox *outbox, const TextDelivery *delivery);

void outbox_given(Outbox *outbox, gint64 id);
/* Both FALSE when it is not there. */
gboolean outbox_done(Outbox *outbox, gint64 id);
gboolean outbox_again(Outbox *outbox, gint64 id);
void outbox_up(Outbox *outbox, const char *way, const char *key);

guint outbox_waiting(const Outbox *outbox); /* all that is in it */
