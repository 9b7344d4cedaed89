/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_stop.c - see call_stop.h.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_stop.h"
#include "b2bua/call/admission.h"
#include "b2bua/call/call_private.h"
#include <string.h>

static gboolean
is_party_of(const Party *party, const char *account)
{
	return party->leg && g_strcmp0(party->account, account) == 0;
}

static gboolean
is_of(const Call *call, const char *account)
{
	if (g_strcmp0(call->account, account) == 0 || is_party_of(call->caller, account) ||
	    (call->plan && g_strcmp0(call->plan->forwarder, account) == 0))
		return TRUE;
	for (guint i = 0; i < call->callees->len; i++)
		if (is_party_of(call->callees->pdata[i], account))
			return TRUE;
	return FALSE;
}

static gboolean
goes_by(const Call *call, const char *trunk)
{
	if (call->plan && g_strcmp0(call->plan->trunk, trunk) == 0)
		return TRUE;
	for (guint i = 0; i < call->callees->len; i++) {
		const Party *callee = call->callees->pdata[i];

		if (callee->leg && callee->target &&
		    g_strcmp0(callee->target->way.trunk, trunk) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean
shows(const Call *call, const char *number)
{
	for (guint i = 0; i < call->callees->len; i++) {
		const Party *callee = call->callees->pdata[i];

		if (callee->target && callee->target->from &&
		    g_strcmp0(callee->target->from->user, number) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean
is_with(const Call *call, const char *number)
{
	return g_strcmp0(call->record->callee, number) == 0 || shows(call, number);
}

static gboolean
is_any(const Call *call, const char *key)
{
	return TRUE;
}

typedef gboolean (*Match)(const Call *call, const char *key);

static const Match MATCHES[] = {
	[CALLS_OF_ACCOUNT] = is_of,
	[CALLS_WITH_NUMBER] = is_with,
	[CALLS_BY_TRUNK] = goes_by,
};

static GArray *
find(Gateway *gateway, Match match, const char *key)
{
	g_autoptr(GPtrArray) calls = calls_all(gateway);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));

	for (guint i = 0; i < calls->len; i++) {
		gint64 id = call_id(calls->pdata[i]);

		if (match(calls->pdata[i], key))
			g_array_append_val(ids, id);
	}
	return ids;
}

guint
calls_count(Gateway *gateway, CallsBy by, const char *key)
{
	g_autoptr(GArray) ids = find(gateway, MATCHES[by], key);

	return ids->len;
}

/* By id: the end of one may be the end of another. */
static void
hang_up(Gateway *gateway, const GArray *ids, Reason reason, const char *text)
{
	for (guint i = 0; i < ids->len; i++) {
		Call *call = calls_find(gateway, g_array_index(ids, gint64, i));

		if (call)
			call_hangup(call, reason, text);
	}
}

guint
calls_end(Gateway *gateway, CallsBy by, const char *key, const char *text)
{
	g_autoptr(GArray) ids = find(gateway, MATCHES[by], key);

	hang_up(gateway, ids, REASON_ADMIN, text);
	return ids->len;
}

void
calls_end_all(Gateway *gateway, Reason reason)
{
	g_autoptr(GArray) ids = find(gateway, is_any, NULL);

	hang_up(gateway, ids, reason, NULL);
}

void
calls_close(Gateway *gateway)
{
	gateway_set_stopping(gateway);
	while (calls_live(gateway) > 0) {
		g_autoptr(GPtrArray) calls = calls_all(gateway);
		Call *call = calls->pdata[0];
		gint64 id = call_id(call);

		call_hangup(call, REASON_SHUTDOWN, NULL);
		if (calls_find(gateway, id))
			call_closed(call); /* without its last counters */
	}
}

/* --- the orderly stop --- */

struct Drain {
	Gateway *gateway;
	guint timeout, drained; /* sources */
	void (*done)(gpointer user);
	gpointer user;
};

/* Not from inside the end of the last call, whose code is still on the stack. */
static gboolean
on_drained(gpointer data)
{
	Drain *self = data;

	self->drained = 0;
	if (calls_live(self->gateway) == 0) /* somebody may have called for help */
		self->done(self->user);
	return G_SOURCE_REMOVE;
}

static void
on_empty(gpointer user)
{
	Drain *self = user;

	g_clear_handle_id(&self->timeout, g_source_remove);
	if (!self->drained)
		self->drained = g_idle_add(on_drained, self);
}

static gboolean
on_timeout(gpointer data)
{
	Drain *self = data;

	self->timeout = 0;
	calls_end_all(self->gateway, REASON_SHUTDOWN);
	return G_SOURCE_REMOVE;
}

void
drain_free(Drain *self)
{
	if (!self)
		return;
	g_clear_handle_id(&self->timeout, g_source_remove);
	g_clear_handle_id(&self->drained, g_source_remove);
	g_free(self);
}

void
calls_drain(Gateway *gateway, void (*done)(gpointer user), gpointer user)
{
	Drain *self = g_new0(Drain, 1);

	drain_free(gateway_parts(gateway)->drain);
	gateway_parts(gateway)->drain = self;
	self->gateway = gateway;
	self->done = done;
	self->user = user;
	gateway_set_stopping(gateway);
	calls_on_empty(gateway, on_empty, self);
	self->timeout =
		g_timeout_add_seconds(gateway_config(gateway)->drain_seconds, on_timeout, self);
	if (calls_live(gateway) == 0)
		on_empty(self);
}
