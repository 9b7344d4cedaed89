/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_list.h - the live calls of a gateway, and how to find one.
 *
 * A call is live from its record to the moment it frees itself.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/call/call.h"
#include "db/store.h"

typedef struct CallList CallList;

/* What is done with an event of a call: given by core.c, as the list is below all of it. */
struct CallEvent; /* call_private.h */
typedef void (*CallStep)(Call *call, const struct CallEvent *event);

CallList *call_list_new(CallStep step);
void call_list_free(CallList *list);

guint calls_live(Gateway *gateway);
Call *calls_find(Gateway *gateway, gint64 id); /* NULL when not live */
/* Call *, borrowed, oldest first; free the array.  None of them outlives the next event. */
GPtrArray *calls_all(Gateway *gateway);

/* Call *, newest first, at most `most`: those where the person is the caller's account, or is
 * called.  Borrowed as above; how many there are. */
guint calls_of_person(Gateway *gateway, const char *person, Call *found[], guint most);

/* --- for the calls themselves --- */
/* Whose it is: said when that is known, and again when it has changed. */
void calls_place(Gateway *gateway, Call *call);
CallStep calls_step(Gateway *gateway);
void calls_add(Gateway *gateway, Call *call);
void calls_remove(Gateway *gateway, Call *call);
/* For a call that the store gives none: unique in this process. */
gint64 calls_spare_id(Gateway *gateway);
/* The row of a call that has begun; who follows the calls is told.  What goes wrong is counted. */
void calls_write(Gateway *gateway, const CallRecord *record);
/* `func` is told whenever the last call has gone; its code may still be on the stack. */
void calls_on_empty(Gateway *gateway, void (*func)(gpointer user), gpointer user);
