/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_contacts.c - where softphones are reachable, by the journal where there is one.
 *
 * The journal is what writes then, and what it has not written yet is laid over what is read.
 */
#include "db/journal_private.h"
#include "db/rows.h"

gboolean
store_contact_put(Store *store, const Contact *contact, GError **error)
{
	return store->journal ? journal_put_contact(store->journal, contact, error)
			      : contact_row_put(store, contact, error);
}

gboolean
store_contact_del(Store *store, gint64 id, GError **error)
{
	if (!store->journal)
		return contact_row_del(store, id, error);
	journal_del_contact(store->journal, id, 0);
	return TRUE;
}

gboolean
store_contact_expire(Store *store, GError **error)
{
	if (!store->journal)
		return contact_rows_expire(store, error);
	journal_expire_contacts(store->journal);
	return TRUE;
}

/* --- lists: rows, and over them what waits to be written --- */

static GPtrArray *
lay_over(Store *store, GPtrArray *rows, ContactFilter filter, gconstpointer what)
{
	if (rows && store->journal)
		journal_merge_contacts(store->journal, rows, filter, what);
	return rows;
}

static gboolean
has_id(const Contact *contact, gconstpointer id)
{
	return contact->id == *(const gint64 *)id;
}

static gboolean
is_any(const Contact *contact, gconstpointer unused)
{
	return TRUE;
}

static gboolean
is_in_part(const Contact *contact, gconstpointer part)
{
	const guint *of = part;

	return contact->id % of[1] == of[0];
}

static gboolean
is_of_user(const Contact *contact, gconstpointer jid)
{
	return g_strcmp0(contact->user, jid) == 0;
}

Contact *
store_contact_get(Store *store, gint64 id, GError **error)
{
	g_autoptr(GPtrArray) list =
		lay_over(store, contact_rows_with_id(store, id, error), has_id, &id);

	if (list && list->len > 0)
		return g_ptr_array_steal_index(list, 0);
	if (list)
		g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
			    "the registration has ended");
	return NULL;
}

GPtrArray *
store_contact_list(Store *store, GError **error)
{
	return lay_over(store, contact_rows(store, error), is_any, NULL);
}

gint64
store_contact_count(Store *store, GError **error)
{
	gint64 highest = 0;
	gint64 count = contact_rows_count(store, &highest, error);

	return count >= 0 && store->journal
		       ? MAX(0, count + journal_new_contacts(store->journal, highest))
		       : count;
}

GPtrArray *
store_contact_list_part(Store *store, guint part, guint parts, GError **error)
{
	guint of[] = { part, parts };

	return lay_over(store, contact_rows_of_part(store, part, parts, error), is_in_part, of);
}

GPtrArray *
store_contact_list_of_softphone(Store *store, gint64 softphone, GError **error)
{
	return store->journal ? journal_contacts_of(store->journal, softphone, error)
			      : contact_rows_of_softphone(store, softphone, error);
}

GPtrArray *
store_contact_list_of_user(Store *store, const char *jid, GError **error)
{
	return lay_over(store, contact_rows_of_user(store, jid, error), is_of_user, jid);
}
