/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_list.c - see call_list.h.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_list.h"
#include "b2bua/call/call_feed.h"
#include "b2bua/call/call_private.h"
#include "b2bua/gateway.h"

#define FIRST_SPARE_ID (G_GINT64_CONSTANT(1) << 52) /* no row ever has such a number */

struct CallList {
	CallStep step;
	GPtrArray *calls;      /* Call *, oldest first */
	GHashTable *by_id;     /* gint64 * of the call → Call * */
	GHashTable *by_person; /* bare JID → GQueue * of Call *, the oldest first */
	gint64 spare_ids;
	void (*on_empty)(gpointer user);
	gpointer user;
};

CallList *
call_list_new(CallStep step)
{
	CallList *self = g_new0(CallList, 1);

	self->step = step;
	self->calls = g_ptr_array_new();
	self->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	self->by_person = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)g_queue_free);
	return self;
}

void
call_list_free(CallList *self)
{
	g_ptr_array_unref(self->calls);
	g_hash_table_unref(self->by_id);
	g_hash_table_unref(self->by_person);
	g_free(self);
}

static CallList *
list_of(Gateway *gateway)
{
	return gateway_parts(gateway)->calls;
}

CallStep
calls_step(Gateway *gateway)
{
	return list_of(gateway)->step;
}

guint
calls_live(Gateway *gateway)
{
	return list_of(gateway)->calls->len;
}

Call *
calls_find(Gateway *gateway, gint64 id)
{
	return g_hash_table_lookup(list_of(gateway)->by_id, &id);
}

GPtrArray *
calls_all(Gateway *gateway)
{
	return g_ptr_array_copy(list_of(gateway)->calls, NULL, NULL);
}

static void
place(CallList *self, Call *call, CallPlace *where, const char *person)
{
	GQueue *calls = person ? g_hash_table_lookup(self->by_person, person) : NULL;

	if (!person)
		return;
	if (!calls) {
		calls = g_queue_new();
		g_hash_table_insert(self->by_person, g_strdup(person), calls);
	}
	g_queue_push_tail(calls, call);
	where->person = g_strdup(person);
	where->link = calls->tail;
}

static void
leave(CallList *self, CallPlace *where)
{
	GQueue *calls = where->person ? g_hash_table_lookup(self->by_person, where->person) : NULL;

	if (!calls)
		return;
	g_queue_delete_link(calls, where->link);
	if (g_queue_is_empty(calls))
		g_hash_table_remove(self->by_person, where->person);
	g_clear_pointer(&where->person, g_free);
}

void
calls_place(Gateway *gateway, Call *call)
{
	CallList *self = list_of(gateway);
	const char *called = call->plan ? call->plan->called : NULL;

	leave(self, &call->places[0]);
	leave(self, &call->places[1]);
	place(self, call, &call->places[0], call->account);
	if (g_strcmp0(called, call->account) != 0)
		place(self, call, &call->places[1], called);
}

guint
calls_of_person(Gateway *gateway, const char *person, Call *found[], guint most)
{
	GQueue *calls = person ? g_hash_table_lookup(list_of(gateway)->by_person, person) : NULL;
	guint n = 0;

	for (GList *each = calls ? calls->tail : NULL; each && n < most; each = each->prev)
		found[n++] = each->data;
	return n;
}

void
calls_add(Gateway *gateway, Call *call)
{
	CallList *self = list_of(gateway);
	gint64 id = call_id(call);

	g_ptr_array_add(self->calls, call);
	g_hash_table_insert(self->by_id, g_memdup2(&id, sizeof(id)), call);
	gateway_count(gateway, COUNTER_CALLS);
	gateway_gauge(gateway, COUNTER_CALLS_LIVE, self->calls->len);
}

void
calls_remove(Gateway *gateway, Call *call)
{
	CallList *self = list_of(gateway);
	gint64 id = call_id(call);

	g_ptr_array_remove(self->calls, call);
	g_hash_table_remove(self->by_id, &id);
	leave(self, &call->places[0]);
	leave(self, &call->places[1]);
	gateway_gauge(gateway, COUNTER_CALLS_LIVE, self->calls->len);
	if (self->calls->len == 0 && self->on_empty)
		self->on_empty(self->user);
}

gint64
calls_spare_id(Gateway *gateway)
{
	return FIRST_SPARE_ID + ++list_of(gateway)->spare_ids;
}

void
calls_on_empty(Gateway *gateway, void (*func)(gpointer user), gpointer user)
{
	CallList *self = list_of(gateway);

	self->on_empty = func;
	self->user = user;
}

void
calls_write(Gateway *gateway, const CallRecord *record)
{
	g_autoptr(GError) error = NULL;

	if (!store_call_update(gateway_store(gateway), record, &error)) {
		gateway_count(gateway, COUNTER_STORE_ERRORS);
		g_warning("call %" G_GINT64_FORMAT ": not written: %s", record->id, error->message);
	}
	call_feed_add(gateway_parts(gateway)->feed, record->id);
}
