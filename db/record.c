/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* record.c - call records and contacts as data: copied and freed. */
#include "db/store_private.h"

#define MS_A_MINUTE 60000

void
call_record_free(CallRecord *record)
{
	if (!record)
		return;
	g_free(record->state);
	g_free(record->caller);
	g_free(record->callee);
	g_free(record->user);
	g_free(record->caller_plugin);
	g_free(record->callee_plugin);
	g_free(record->trunk);
	g_free(record->legs);
	g_free(record->reason);
	g_free(record->text);
	g_free(record->ended_by);
	g_free(record->stats);
	g_free(record->ladder);
	g_free(record->currency);
	g_free(record);
}

CallRecord *
call_record_copy(const CallRecord *record)
{
	CallRecord *copy = g_memdup2(record, sizeof *record);

	copy->state = g_strdup(record->state);
	copy->caller = g_strdup(record->caller);
	copy->callee = g_strdup(record->callee);
	copy->user = g_strdup(record->user);
	copy->caller_plugin = g_strdup(record->caller_plugin);
	copy->callee_plugin = g_strdup(record->callee_plugin);
	copy->trunk = g_strdup(record->trunk);
	copy->legs = g_strdup(record->legs);
	copy->reason = g_strdup(record->reason);
	copy->text = g_strdup(record->text);
	copy->ended_by = g_strdup(record->ended_by);
	copy->stats = g_strdup(record->stats);
	copy->ladder = g_strdup(record->ladder);
	copy->currency = g_strdup(record->currency);
	return copy;
}

/* Both as the view cdr has them. */
gint64
call_record_seconds(const CallRecord *record, gint64 now_us)
{
	gint64 until = record->ended_us ? record->ended_us : now_us;

	if (!record->answered_us || until < record->answered_us)
		return 0;
	return (until - record->answered_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
}

guint64
call_record_cost(const CallRecord *record, gint64 now_us)
{
	gint64 until = record->ended_us ? record->ended_us : now_us;

	if (!record->answered_us || until < record->answered_us)
		return 0;
	return ((guint64)(until - record->answered_us) / 1000 * record->price + MS_A_MINUTE / 2) /
	       MS_A_MINUTE;
}

void
contact_free(Contact *contact)
{
	if (!contact)
		return;
	g_free(contact->username);
	g_free(contact->user);
	g_free(contact->uri);
	g_free(contact->instance);
	g_free(contact->path);
	g_free(contact->received);
	g_free(contact->call_id);
	g_free(contact->user_agent);
	g_free(contact);
}

Contact *
contact_copy(const Contact *contact)
{
	Contact *copy = g_memdup2(contact, sizeof *contact);

	copy->username = g_strdup(contact->username);
	copy->user = g_strdup(contact->user);
	copy->uri = g_strdup(contact->uri);
	copy->instance = g_strdup(contact->instance);
	copy->path = g_strdup(contact->path);
	copy->received = g_strdup(contact->received);
	copy->call_id = g_strdup(contact->call_id);
	copy->user_agent = g_strdup(contact->user_agent);
	return copy;
}
