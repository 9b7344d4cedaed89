/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hook.c - see hook.h.
 *
 * The thread looks for lines, tells them and deletes them, one step after the other.  What the
 * signalling thread shows of it is a copy under a lock, which it takes once a second.
 */
#include "b2bua/http/hook.h"
#include <pthread.h>
#include <string.h>
#include "b2bua/http/hook_way.h"
#include "b2bua/timer.h"
#include "b2bua/words.h"

#define TICK_MS	   1000
#define LOOK_MS	   500	/* between looks for lines, when there was none */
#define RETRY_MS   1000 /* after the first failure */
#define DROP_STEP  1000 /* lines looked at in one go */
#define HOUR_S	   3600
#define MOST_WORDS 200

/* For the signalling thread. */
typedef struct {
	guint64 taken, failures, dropped;
	gint64 waiting;	      /* -1: not looked yet */
	gint64 trouble_since; /* s since 1970; 0: all is well */
	char trouble[MOST_WORDS];
} Facts;

struct Hook {
	/* signalling thread */
	Gateway *gateway;
	Timer *tick;
	GThread *thread;
	/* both */
	GMainContext *context;
	GMainLoop *loop;
	pthread_mutex_t lock; /* ThreadSanitizer understands it, and no GMutex */
	Facts facts;	      /* under the lock */
	/* hook thread */
	char *database, *target, *token;
	guint hours;
	Store *store; /* NULL: not opened yet */
	const HookWay *way;
	gpointer there; /* of the way */
	GSource *next;
	GPtrArray *lines;   /* HookLine *, of the try under way; or NULL */
	gint64 taken_up_to; /* to be deleted; 0: nothing */
	gint64 alone_up_to; /* each in a try of its own: together they did not go; 0: none */
	guint failed;	    /* tries in a row */
	guint refused;	    /* of the first line alone, in a row */
};

/* --- what is said of it; hook thread --- */

static void
set_trouble(Hook *hook, const char *why)
{
	gboolean was;

	pthread_mutex_lock(&hook->lock);
	was = hook->facts.trouble_since != 0;
	if (why && !was)
		hook->facts.trouble_since = g_get_real_time() / G_USEC_PER_SEC;
	if (why) {
		g_strlcpy(hook->facts.trouble, why, MOST_WORDS);
		hook->facts.failures++;
	} else
		hook->facts.trouble_since = 0;
	pthread_mutex_unlock(&hook->lock);
	if (why && !was)
		g_warning("[records] hook: calls that have ended wait: %s", why);
	else if (!why && was)
		g_message("[records] hook: it takes calls again");
}

static void
add_facts(Hook *hook, guint taken, guint dropped)
{
	pthread_mutex_lock(&hook->lock);
	hook->facts.taken += taken;
	hook->facts.dropped += dropped;
	pthread_mutex_unlock(&hook->lock);
}

/* --- steps; hook thread --- */

static void look(Hook *hook);

static gboolean
on_next(gpointer user)
{
	Hook *hook = user;

	g_clear_pointer(&hook->next, g_source_unref);
	look(hook);
	return G_SOURCE_REMOVE;
}

static void
look_in(Hook *hook, guint ms)
{
	hook->next = g_timeout_source_new(ms);
	g_source_set_callback(hook->next, on_next, hook, NULL);
	g_source_attach(hook->next, hook->context);
}

static void
look_later(Hook *hook)
{
	guint ms = RETRY_MS << MIN(hook->failed, 16);

	hook->failed++;
	look_in(hook, MIN(ms, HOOK_RETRY_MOST_S * 1000));
}

static gint64
oldest_told(const Hook *hook)
{
	return g_get_real_time() / G_USEC_PER_SEC - (gint64)hook->hours * HOUR_S;
}

/* What cannot be told any more. */
static gboolean
drop_old(Hook *hook, GError **error)
{
	guint dropped = 0;

	if (!store_hook_drop(hook->store, hook->failed ? oldest_told(hook) : 0, HOOK_LINES,
			     DROP_STEP, &dropped, error))
		return FALSE;
	if (dropped)
		g_warning("[records] hook: %u calls were dropped that it has not taken within %u h "
			  "or that were too many",
			  dropped, hook->hours);
	add_facts(hook, 0, dropped);
	return TRUE;
}

/* What was taken is deleted before anything else is told. */
static gboolean
delete_taken(Hook *hook, GError **error)
{
	if (hook->taken_up_to == 0)
		return TRUE;
	if (!store_hook_done(hook->store, hook->taken_up_to, error))
		return FALSE;
	hook->taken_up_to = 0;
	return TRUE;
}

/* What the start could not write while another process held the lock is written here. */
static gboolean
open_store(Hook *hook, GError **error)
{
	g_autoptr(Store) store = NULL;

	if (hook->store)
		return TRUE;
	store = store_hook_open(hook->database, error);
	if (!store || !store_hook_set(store, hook->target, error))
		return FALSE;
	hook->store = g_steal_pointer(&store);
	return TRUE;
}

static gboolean
next_lines(Hook *hook, GError **error)
{
	guint most = hook->alone_up_to ? 1 : hook->way->most;

	g_clear_pointer(&hook->lines, g_ptr_array_unref);
	hook->lines = store_hook_next(hook->store, most, error);
	return hook->lines != NULL;
}

/* What has waited only because the daemon was away, or because the clock was set, is told once
 * at least. */
static gboolean
are_too_old(const Hook *hook)
{
	return hook->failed > 0 && hook->lines->len > 0 &&
	       ((HookLine *)hook->lines->pdata[0])->queued < oldest_told(hook);
}

/* The database is written only when there is something to be dropped: this is for each try. */
static gboolean
read_lines(Hook *hook, GError **error)
{
	gint64 waiting;

	if (!open_store(hook, error) || !delete_taken(hook, error))
		return FALSE;
	waiting = store_hook_waiting(hook->store, error);
	if (waiting < 0)
		return FALSE;
	pthread_mutex_lock(&hook->lock);
	hook->facts.waiting = waiting;
	pthread_mutex_unlock(&hook->lock);
	if (!next_lines(hook, error))
		return FALSE;
	return (waiting <= HOOK_LINES && !are_too_old(hook)) ||
	       (drop_old(hook, error) && next_lines(hook, error));
}

static void
look(Hook *hook)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) text = NULL;

	if (!read_lines(hook, &error)) {
		g_clear_pointer(&hook->lines, g_ptr_array_unref);
		set_trouble(hook, error->message);
		look_later(hook);
		return;
	}
	if (hook->lines->len == 0) {
		g_clear_pointer(&hook->lines, g_ptr_array_unref);
		look_in(hook, LOOK_MS);
		return;
	}
	text = g_string_new(NULL);
	for (guint i = 0; i < hook->lines->len; i++)
		g_string_append_printf(text, "%s\n", ((HookLine *)hook->lines->pdata[i])->text);
	hook->way->tell(hook->there, text->str);
}

static gint64
last_id(const GPtrArray *lines)
{
	return ((HookLine *)lines->pdata[lines->len - 1])->id;
}

/* Taken or dropped. */
static void
be_done(Hook *hook, gint64 id)
{
	hook->taken_up_to = id;
	if (id >= hook->alone_up_to)
		hook->alone_up_to = 0;
	hook->failed = hook->refused = 0;
	look_in(hook, 0);
}

static void
take(Hook *hook, const GPtrArray *lines)
{
	set_trouble(hook, NULL);
	add_facts(hook, lines->len, 0);
	be_done(hook, last_id(lines));
}

/* Of several it is not known which. */
static void
take_refusal(Hook *hook, const GPtrArray *lines, const char *why)
{
	const HookLine *first = lines->pdata[0];

	if (lines->len > 1) {
		hook->alone_up_to = last_id(lines);
		look_in(hook, 0);
		return;
	}
	set_trouble(hook, why);
	if (++hook->refused < HOOK_REFUSALS) {
		look_later(hook);
		return;
	}
	g_warning("[records] hook: call %" G_GINT64_FORMAT " was dropped, refused %u times: %s",
		  first->call, hook->refused, why);
	add_facts(hook, 0, 1);
	be_done(hook, first->id);
}

static void
on_told(gpointer user, HookResult result, const char *why)
{
	Hook *hook = user;
	g_autoptr(GPtrArray) lines = g_steal_pointer(&hook->lines);

	switch (result) {
	case HOOK_TAKEN:
		take(hook, lines);
		break;
	case HOOK_REFUSED:
		take_refusal(hook, lines, why);
		break;
	case HOOK_FAILED:
		set_trouble(hook, why);
		/* those of a batch that takes too long go in parts */
		hook->alone_up_to = MAX(hook->alone_up_to, last_id(lines));
		look_later(hook);
		break;
	}
}

/* --- the thread --- */

static gboolean
is_program(const Hook *hook)
{
	return hook->target[0] == '/';
}

static gpointer
run(gpointer user)
{
	Hook *hook = user;

	g_main_context_push_thread_default(hook->context);
	hook->way = is_program(hook) ? &hook_program : &hook_post;
	hook->there = is_program(hook)
			      ? hook_program_new(hook->target, HOOK_TRY_S, on_told, hook)
			      : hook_post_new(hook->target, hook->token, HOOK_TRY_S, on_told, hook);
	look_in(hook, 0);
	g_main_loop_run(hook->loop);
	if (hook->next)
		g_source_destroy(hook->next);
	g_clear_pointer(&hook->next, g_source_unref);
	hook->way->free(hook->there);
	if (hook->store)
		delete_taken(hook, NULL);
	store_close(hook->store);
	g_clear_pointer(&hook->lines, g_ptr_array_unref);
	g_main_context_pop_thread_default(hook->context);
	return NULL;
}

/* --- signalling thread --- */

static char *
state_of(const Facts *facts)
{
	g_autofree char *since = word_of_time(facts->trouble_since);

	if (!facts->trouble_since && facts->waiting < 0)
		return g_strdup("starting");
	if (!facts->trouble_since)
		return facts->waiting > 0
			       ? g_strdup_printf("takes calls, %" G_GINT64_FORMAT " waiting",
						 facts->waiting)
			       : g_strdup("has taken all calls");
	return g_strdup_printf("takes no calls since %s (%s), %" G_GINT64_FORMAT " waiting", since,
			       facts->trouble, MAX(facts->waiting, 0));
}

static void
on_tick(gpointer user)
{
	Hook *hook = user;
	g_autofree char *state = NULL;
	Facts facts;

	pthread_mutex_lock(&hook->lock);
	facts = hook->facts;
	pthread_mutex_unlock(&hook->lock);
	gateway_gauge(hook->gateway, COUNTER_HOOK_TAKEN, facts.taken);
	gateway_gauge(hook->gateway, COUNTER_HOOK_FAILURES, facts.failures);
	gateway_gauge(hook->gateway, COUNTER_HOOK_DROPPED, facts.dropped);
	gateway_gauge(hook->gateway, COUNTER_HOOK_WAITING, (guint64)MAX(facts.waiting, 0));
	state = state_of(&facts);
	gateway_set_hook_state(hook->gateway, state);
	timer_set(&hook->tick, TICK_MS, on_tick, hook);
}

static void
hook_free(Hook *hook)
{
	timer_clear(&hook->tick);
	g_main_loop_unref(hook->loop);
	g_main_context_unref(hook->context);
	pthread_mutex_destroy(&hook->lock);
	g_free(hook->database);
	g_free(hook->target);
	g_free(hook->token);
	g_free(hook);
}

Hook *
hook_start(Gateway *gateway, GError **error)
{
	const Config *config = gateway_config(gateway);
	Hook *hook = g_new0(Hook, 1);

	hook->gateway = gateway;
	hook->context = g_main_context_new();
	hook->loop = g_main_loop_new(hook->context, FALSE);
	pthread_mutex_init(&hook->lock, NULL);
	hook->database = g_strdup(config->database);
	hook->target = g_strdup(config->hook);
	hook->token = g_strdup(config->hook_token);
	hook->hours = config->hook_hours;
	hook->facts.waiting = -1;
	on_tick(hook);
	hook->thread = g_thread_try_new("hook", run, hook, error);
	if (hook->thread)
		return hook;
	hook_free(hook);
	return NULL;
}

static gboolean
on_stop(gpointer user)
{
	g_main_loop_quit(((Hook *)user)->loop);
	return G_SOURCE_REMOVE;
}

void
hook_stop(Hook *hook)
{
	g_autoptr(GSource) stop = NULL;

	if (!hook)
		return;
	/* by a source: the thread may not have come to its loop yet */
	stop = g_idle_source_new();
	g_source_set_callback(stop, on_stop, hook, NULL);
	g_source_attach(stop, hook->context);
	g_thread_join(hook->thread);
	gateway_set_hook_state(hook->gateway, NULL);
	hook_free(hook);
}
