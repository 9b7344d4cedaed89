/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gateway.h - the root: configuration, store, workers, plugins, counters.
 *
 * One per process, made by core_new() (call/core.h), passed to whoever needs it.  Nothing
 * here knows what a call is.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/config.h"
#include "b2bua/counters.h"
#include "b2bua/leg.h"
#include "db/store.h"

Gateway *gateway_new(const Config *config, Store *store, Workers *workers); /* borrows all three */
void gateway_stop(Gateway *gateway); /* the plugins, the last one first */
void gateway_free(Gateway *gateway); /* stops them, if nobody has */

/* What the folders above have one of for each gateway.  core.c makes and frees them; the
 * root has only the place. */
typedef struct {
	struct Meter *meter;	     /* route/meter.h */
	struct CallList *calls;	     /* call/call_list.h */
	struct CallFeed *feed;	     /* call/call_feed.h */
	struct Admission *admission; /* call/admission.h */
	struct Drain *drain;	     /* call/call_stop.h */
	struct MetricSet *metrics;   /* call/call_metrics.h */
	struct Texts *texts;	     /* text/texts.h */
	struct Desk *desk;	     /* desk.h; NULL: nobody is served there */
} GatewayParts;

GatewayParts *gateway_parts(Gateway *gateway);

/* From now on only calls for help begin. */
void gateway_set_stopping(Gateway *gateway);
gboolean gateway_is_stopping(const Gateway *gateway);

const Config *gateway_config(const Gateway *gateway);
Store *gateway_store(const Gateway *gateway);
Workers *gateway_workers(const Gateway *gateway);
/* A plugin has found that the world sees us at another address: the media of new calls
 * announces it, where it has announced the one before. */
void gateway_moved(Gateway *gateway, const char *before, const char *now);

/* Loads $plugin_dir/NAME.so and starts it; refuses a wrong interface version. */
gboolean gateway_load_plugin(Gateway *gateway, const char *name, GError **error);
/* The same for one that is linked in (tests). */
gboolean gateway_add_plugin(Gateway *gateway, const Plugin *plugin, GError **error);
const Plugin *gateway_plugin(const Gateway *gateway, const char *name); /* NULL when not loaded */
/* The first that can reach somebody so; NULL: nobody can. */
const Plugin *gateway_reaching(const Gateway *gateway, WayKind kind);
/* The same for texts. */
const Plugin *gateway_carrying(const Gateway *gateway, WayKind kind);
/* const Plugin *, in the order they were started; borrowed. */
const GPtrArray *gateway_plugins(const Gateway *gateway);

/* Something for the person of an account to read, by every plugin that has a way:
 * a chat message from the number.  FALSE: nobody has. */
gboolean
gateway_notice(Gateway *gateway, const char *account, const Address *number, const char *text);
/* Asked first, before anything is looked up for it: FALSE when there were too many of this
 * kind in this minute (a client that redials must not flood its person, nor the store). */
gboolean gateway_notice_room(Gateway *gateway, const char *account, const char *kind);

/* To those of [xmpp] operators by chat, and to the log. */
void gateway_tell_operators(Gateway *gateway, const char *text);

/* Tells every plugin what has changed in the store. */
void gateway_changed(Gateway *gateway, Change what, const char *key);

/* A try that became no call, refused by a plugin: it has a short record (store.h,
 * store_call_refused()).  A trunk's call is told to the user whom it was for, that of a user's
 * device (Incoming.device) to him.  `author` NULL: he, or the caller's address. */
void gateway_refused(Gateway *gateway, const Plugin *plugin, const char *author,
		     const Incoming *incoming, Reason reason, const char *words);

/* How the hook of [records] is, for `status`; "" or NULL: there is none. */
void gateway_set_hook_state(Gateway *gateway, const char *text);
const char *gateway_hook_state(const Gateway *gateway);

/* TRUE: a read of the store has failed since store_failures() was `failures`.  What was found
 * since then is not known: nobody may be told that there is no such account or number.  One line
 * in the log a minute says so. */
gboolean gateway_unread_since(Gateway *gateway, guint failures);

/* The numbers of counters.h. */
void gateway_count(Gateway *gateway, Counter counter); /* one more */
void gateway_gauge(Gateway *gateway, Counter gauge, guint64 value);
guint64 gateway_counter(const Gateway *gateway, Counter counter);
