/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* worker.h - a thread of the media's and what is posted to it.
 *
 * Four kinds: the signalling worker is no thread of its own but the default
 * GMainContext of the process; an ice worker runs a GMainContext for each agent;
 * a media worker runs one epoll, and where packets are many it lets some come
 * together, which costs less than a wake-up each; the files worker runs what is
 * posted, and may wait for a disk.  They share nothing and speak only through
 * worker_post(): a function and an argument it owns, run in order, once.
 * Thread: each function says which.
 */
#pragma once
#include <glib.h>

typedef enum { WORKER_SIGNALLING, WORKER_ICE, WORKER_MEDIA, WORKER_FILES } WorkerKind;
typedef struct Worker Worker;
typedef void (*PostFunc)(gpointer argument);

/* What a media worker's epoll holds: the first member of whatever is watched. */
typedef struct Watch Watch;
struct Watch {
	void (*readable)(Watch *watch);
	/* readable() is some turns away, and next but one: what it will read may be
	 * prefetched.  NULL is fine. */
	void (*soon)(const Watch *watch);
	void (*next)(const Watch *watch);
};

/* Called on a media worker at the time that it has returned, or every 20 ms while somebody
 * has asked for it with worker_hurry().  Monotonic, us. */
typedef gint64 (*TickFunc)(gpointer user, gint64 now);

/* Thread: signalling, for new, stop and free.  `tick` is a media worker's, or
 * NULL. */
Worker *worker_new(WorkerKind kind, guint index, TickFunc tick, gpointer user);
/* Runs what is queued, then ends the thread.  What is posted later waits for
 * worker_drain(). */
void worker_stop(Worker *worker);
/* After worker_stop(): runs what was posted since, here.  TRUE when there was
 * anything. */
gboolean worker_drain(Worker *worker);
void worker_free(Worker *worker); /* NULL is fine */

/* Any thread.  `func` owns `argument`. */
void worker_post(Worker *worker, PostFunc func, gpointer argument);

/* --- on an ice worker only --- */
/* A context that the worker runs until it is given back; what happens in one costs
 * nothing in the others. */
GMainContext *worker_add_context(Worker *worker);
/* A post has done something with what uses the context: its sources are asked again. */
void worker_change_context(Worker *worker, GMainContext *context);
/* What uses the context has opened all its sockets, and closes none until it is unwatched. */
void worker_fix_context(Worker *worker, GMainContext *context);
/* Both from a post, not from inside a source: first, before what the context watches is
 * closed; then, to give it back. */
void worker_unwatch_context(Worker *worker, GMainContext *context);
void worker_remove_context(Worker *worker, GMainContext *context);

/* A timer on such a context, owned by the caller until it is cleared. */
GSource *worker_timer(GMainContext *context, guint ms, GSourceFunc func, gpointer user);
void worker_clear_timer(GSource **timer); /* one that is NULL is fine, and becomes so */

/* --- on a media worker only --- */
gboolean worker_watch(Worker *worker, int fd, Watch *watch);
/* The watch may be freed as soon as this has returned, provided that this is
 * called from a post or a tick and not from inside readable(). */
void worker_unwatch(Worker *worker, int fd);
void worker_hurry(Worker *worker, gboolean more); /* counted */
gint64 worker_now(const Worker *worker);	  /* monotonic, us; of the current turn */

/* How much of a processor the thread has used over the last seconds, in percent.  0 of a
 * worker that is no media worker.  Thread: any. */
guint worker_load(const Worker *worker);

/* Which kind of thread this is; a thread that is no worker is signalling. */
WorkerKind worker_current(void);
#define ASSERT_SIGNALLING() g_assert(worker_current() == WORKER_SIGNALLING)
#define ASSERT_ICE()	    g_assert(worker_current() == WORKER_ICE)
#define ASSERT_MEDIA()	    g_assert(worker_current() == WORKER_MEDIA)
#define ASSERT_FILES()	    g_assert(worker_current() == WORKER_FILES)
