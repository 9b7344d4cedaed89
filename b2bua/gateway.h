/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gateway.h - the root: configuration, store, workers, plugins, live calls.
 *
 * One per process, made by main.c, passed to whoever needs it.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/config.h"
#include "b2bua/counters.h"
#include "b2bua/leg.h"
#include "db/store.h"

Gateway *gateway_new(const Config *config, Store *store, Workers *workers); /* borrows all three */
void gateway_free(Gateway *gateway); /* every call is ended first */

const Config *gateway_config(const Gateway *gateway);
Store *gateway_store(const Gateway *gateway);
Workers *gateway_workers(const Gateway *gateway);
/* A plugin has found that the world sees us at another address: the media of new calls
 * announces it, where it has announced the one before. */
void gateway_moved(Gateway *gateway, const char *before, const char *now);
struct Abroad *gateway_abroad(const Gateway *gateway); /* abroad.h */

/* Loads $plugin_dir/NAME.so and starts it; refuses a wrong interface version. */
gboolean gateway_load_plugin(Gateway *gateway, const char *name, GError **error);
/* The same for one that is linked in (tests). */
gboolean gateway_add_plugin(Gateway *gateway, const Plugin *plugin, GError **error);
const Plugin *gateway_plugin(const Gateway *gateway, const char *name); /* NULL when not loaded */
/* The first that can reach somebody so; NULL: nobody can. */
const Plugin *gateway_reaching(const Gateway *gateway, WayKind kind);
/* const Plugin *, in the order they were started; borrowed. */
const GPtrArray *gateway_plugins(const Gateway *gateway);

/* Ends the legs of every call that a crash has left open, and closes the
 * records with REASON_CRASHED.  After the plugins have started. */
void gateway_bury(Gateway *gateway);

/* Live calls. */
guint gateway_n_calls(const Gateway *gateway);
Call *gateway_call(const Gateway *gateway, gint64 id); /* NULL when not live */
GPtrArray *
gateway_calls(const Gateway *gateway); /* Call *, borrowed, oldest first; free the array */
void gateway_track(Gateway *gateway, Call *call, gboolean live); /* call.c alone */
/* A call of somebody else counts for this user as well: begins and ends.  FALSE: he
 * has as many as he may. */
gboolean gateway_charge(Gateway *gateway, const char *user);
void gateway_discharge(Gateway *gateway, const char *user);

/* Who asks for a call; an account or a trunk, the other is NULL. */
typedef struct {
	const char *user; /* bare JID; perhaps nobody's */
	const char *trunk;
	gboolean emergency; /* by the number alone: an account calls for help */
} Asker;

/* TRUE when one more call may begin; otherwise why not.  Asked before the call is routed,
 * so that what is over a limit costs little.  `emergency` becomes FALSE for who calls for
 * help so often that he is asked like any other. */
gboolean gateway_admit(Gateway *gateway, Asker *asker, Reason *reason, const char **text);
/* The same of what is known when it is routed: whom it counts for, where it goes. */
gboolean gateway_admit_plan(Gateway *gateway, const Call *call, Reason *reason, const char **text);

/* New calls are refused from now on in both directions; `done` is called when
 * the last has ended or after the configured time, when the rest are hung up. */
void gateway_drain(Gateway *gateway, void (*done)(gpointer user), gpointer user);
gboolean gateway_draining(const Gateway *gateway);
void gateway_hangup_all(Gateway *gateway, Reason reason);

/* Something for the person of an account to read, by every plugin that has a way:
 * a chat message from the number.  FALSE: nobody has, or there were too many in
 * this minute (a client that redials must not flood him). */
gboolean
gateway_notice(Gateway *gateway, const char *account, const Address *number, const char *text);

/* Tells every plugin what has changed in the store. */
void gateway_changed(Gateway *gateway, Change what, const char *key);

/* A try that became no call, refused by a plugin: it has a short record (store.h,
 * store_call_refused()).  `author` NULL: the caller's address. */
void gateway_refused(Gateway *gateway, const Plugin *plugin, const char *author,
		     const Address *from, const Address *to, Reason reason, const char *words);
/* For a call that the store gives none: unique in this process. */
gint64 gateway_spare_id(Gateway *gateway);

/* Something had to be decided without what the store should have said: one line in
 * the log a minute says so. */
void gateway_unread(Gateway *gateway);

/* The numbers of counters.h. */
void gateway_count(Gateway *gateway, Counter counter); /* one more */
void gateway_gauge(Gateway *gateway, Counter gauge, guint64 value);
guint64 gateway_counter(const Gateway *gateway, Counter counter);
