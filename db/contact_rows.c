/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* contact_rows.c - the table of contacts: where each softphone is reachable.
 *
 * Contacts come and go with every REGISTER, and a phone repeats what was lost: they are
 * written without waiting for the disk.
 */
#include <string.h>
#include "db/rows.h"

#define CONTACT_COLUMNS                                                                         \
	"SELECT c.id, c.softphone, s.username, s.user, c.uri, c.instance, c.path, c.received, " \
	"c.call_id, c.cseq, c.q, c.user_agent, c.expires, c.updated FROM contacts c "           \
	"JOIN softphones s ON s.id = c.softphone "

static gpointer
contact_from_row(Query *query)
{
	Contact *contact = g_new0(Contact, 1);

	contact->id = query_int(query, 0);
	contact->softphone = query_int(query, 1);
	contact->username = query_text(query, 2);
	contact->user = query_text(query, 3);
	contact->uri = query_text(query, 4);
	contact->instance = query_text(query, 5);
	contact->path = query_text(query, 6);
	contact->received = query_text(query, 7);
	contact->call_id = query_text(query, 8);
	contact->cseq = (guint32)query_int(query, 9);
	contact->q = (guint)query_int(query, 10);
	contact->user_agent = query_text(query, 11);
	contact->expires = query_int(query, 12);
	contact->updated = query_int(query, 13);
	return contact;
}

gboolean
contact_row_name(Store *store, Contact *contact, GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT username, user FROM softphones WHERE id = ?1");

	query_bind_int(&query, contact->softphone);
	if (query_step(&query, error) != QUERY_ROW) {
		if (error && !*error)
			g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
				    "the softphone does not exist any more");
		return FALSE;
	}
	g_free(contact->username);
	g_free(contact->user);
	contact->username = query_text(&query, 0);
	contact->user = query_text(&query, 1);
	return TRUE;
}

/* RFC 5626 6: a phone that comes back at another address is the same phone. */
static gboolean
forget_instance(Store *store, const Contact *contact, GError **error)
{
	g_auto(Query) query =
		query_new(store, "DELETE FROM contacts WHERE softphone = ?1 AND instance = ?2 AND "
				 "uri <> ?3");

	query_bind_int(&query, contact->softphone);
	query_bind_text(&query, contact->instance);
	query_bind_text(&query, contact->uri);
	return query_run(&query, error);
}

/* An id of 0 is given by the database. */
gboolean
contact_row_put(Store *store, const Contact *contact, GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"INSERT INTO contacts (softphone, uri, instance, path, received, call_id, cseq, q, "
		"user_agent, expires, updated, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
		"?10, ?11, nullif(?12, 0)) ON CONFLICT (softphone, uri) DO UPDATE SET instance = "
		"excluded.instance, "
		"path = excluded.path, received = excluded.received, call_id = excluded.call_id, "
		"cseq = excluded.cseq, q = excluded.q, user_agent = excluded.user_agent, "
		"expires = excluded.expires, updated = excluded.updated");

	if (contact->instance && !forget_instance(store, contact, error))
		return FALSE;
	query_bind_int(&query, contact->softphone);
	query_bind_text(&query, contact->uri);
	query_bind_text(&query, contact->instance);
	query_bind_text(&query, contact->path);
	query_bind_text(&query, contact->received);
	query_bind_text(&query, contact->call_id);
	query_bind_int(&query, contact->cseq);
	query_bind_int(&query, contact->q);
	query_bind_text(&query, contact->user_agent);
	query_bind_int(&query, contact->expires);
	query_bind_int(&query, store_now());
	query_bind_int(&query, contact->id);
	return query_run(&query, error);
}

gboolean
contact_row_del(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM contacts WHERE id = ?1");

	query_bind_int(&query, id);
	return query_run(&query, error);
}

gboolean
contact_rows_forget(Store *store, gint64 softphone, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM contacts WHERE softphone = ?1");

	query_bind_int(&query, softphone);
	return query_run(&query, error);
}

gboolean
contact_rows_expire(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM contacts WHERE expires <= ?1");

	query_bind_int(&query, store_now());
	return query_run(&query, error);
}

/* --- lists, none of them expired --- */

static GPtrArray *
collect(Query *query, GError **error)
{
	return query_list(query, contact_from_row, (GDestroyNotify)contact_free, error);
}

gint64
contact_rows_count(Store *store, gint64 *highest, GError **error)
{
	g_auto(Query) count = query_new(store, "SELECT count(*) FROM contacts WHERE expires > ?1");
	g_auto(Query) latest = query_new(store, "SELECT max(id) FROM contacts");

	query_bind_int(&count, store_now());
	if (query_step(&count, error) != QUERY_ROW || query_step(&latest, error) != QUERY_ROW)
		return -1;
	*highest = query_int(&latest, 0);
	return query_int(&count, 0);
}

GPtrArray *
contact_rows_with_id(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE c.id = ?1 AND c.expires > ?2");

	query_bind_int(&query, id);
	query_bind_int(&query, store_now());
	return collect(&query, error);
}

GPtrArray *
contact_rows(Store *store, GError **error)
{
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE c.expires > ?1 ORDER BY s.username, c.id");

	query_bind_int(&query, store_now());
	return collect(&query, error);
}

GPtrArray *
contact_rows_of_part(Store *store, guint part, guint parts, GError **error)
{
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE c.id % ?1 = ?2 AND c.expires > ?3");

	query_bind_int(&query, parts);
	query_bind_int(&query, part);
	query_bind_int(&query, store_now());
	return collect(&query, error);
}

GPtrArray *
contact_rows_of_softphone(Store *store, gint64 softphone, GError **error)
{
	g_auto(Query) query = query_new(store, CONTACT_COLUMNS
					"WHERE c.softphone = ?1 AND c.expires > ?2 ORDER BY c.id");

	query_bind_int(&query, softphone);
	query_bind_int(&query, store_now());
	return collect(&query, error);
}

GPtrArray *
contact_rows_of_user(Store *store, const char *jid, GError **error)
{
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE s.user = ?1 AND c.expires > ?2");

	query_bind_text(&query, jid);
	query_bind_int(&query, store_now());
	return collect(&query, error);
}
