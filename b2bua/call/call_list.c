/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_list.c - the live calls of one account, of one number, or through one trunk.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_list.h"
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

/* By id: the end of one may be the end of another. */
static GArray *
find(Gateway *gateway, CallsBy by, const char *key)
{
	static gboolean (*const matches[])(const Call *call, const char *key) = {
		[CALLS_OF_ACCOUNT] = is_of,
		[CALLS_WITH_NUMBER] = is_with,
		[CALLS_BY_TRUNK] = goes_by,
	};
	g_autoptr(GPtrArray) calls = gateway_calls(gateway);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));

	for (guint i = 0; i < calls->len; i++) {
		gint64 id = call_id(calls->pdata[i]);

		if (matches[by](calls->pdata[i], key))
			g_array_append_val(ids, id);
	}
	return ids;
}

guint
calls_count(Gateway *gateway, CallsBy by, const char *key)
{
	g_autoptr(GArray) ids = find(gateway, by, key);

	return ids->len;
}

guint
calls_end(Gateway *gateway, CallsBy by, const char *key, const char *text)
{
	g_autoptr(GArray) ids = find(gateway, by, key);

	for (guint i = 0; i < ids->len; i++) {
		Call *call = gateway_call(gateway, g_array_index(ids, gint64, i));

		if (call)
			call_hangup(call, REASON_ADMIN, text);
	}
	return ids->len;
}
