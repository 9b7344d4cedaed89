/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* contexts.h - many GMainContexts on one thread.
 *
 * Whatever wakes a GMainContext, it asks all its sources and polls all their
 * descriptors: with a thousand ICE agents in one, every STUN message costs 130 us.
 * Here each agent has a context of its own; an epoll and a list of times say
 * which of them has something to do, and one that waits costs nothing.
 * Thread: the ice worker whose epoll it is.
 */
#pragma once
#include "media/worker.h"

typedef struct Contexts Contexts;

Contexts *contexts_new(int epoll_fd); /* borrowed */
void contexts_free(Contexts *contexts);

GMainContext *contexts_add(Contexts *contexts);
/* To be said after a source was attached to it outside contexts_run() by its own thread:
 * that wakes nobody.  What another thread attaches does. */
void contexts_changed(Contexts *contexts, GMainContext *main);
/* To be said when what uses the context has opened all its sockets, and closes none before
 * contexts_unwatch(): the epoll need not be told of them each time. */
void contexts_fix(Contexts *contexts, GMainContext *main);
/* The thread ends: others may do with the contexts what they like, but run them. */
void contexts_leave(Contexts *contexts);
/* Lets go of its descriptors.  To be done before they are closed, or another thread may
 * have the number by then; contexts_remove() follows. */
void contexts_unwatch(Contexts *contexts, GMainContext *main);
/* The context is gone when this returns, with the sources it still has.  Not from
 * inside contexts_run(), nor between an epoll_wait() and the contexts_run() after it. */
void contexts_remove(Contexts *contexts, GMainContext *main);

guint contexts_count(const Contexts *contexts);
/* Milliseconds until the next timer of any is due, as epoll_wait() takes it; -1: none. */
int contexts_timeout(const Contexts *contexts, gint64 now);
/* Those whose watches became readable and those with a timer that is due. */
void contexts_run(Contexts *contexts, gint64 now);
