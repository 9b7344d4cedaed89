/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_softphones.c - credentials of SIP phones, and where each is reachable.
 *
 * Contacts come and go with every REGISTER and a phone repeats what was lost:
 * they are written without waiting for the disk, and by the journal where there is one.
 */
#include <string.h>
#include "db/journal_private.h"

/* RFC 7616 3.4.2 */
static char *
ha1(GChecksumType type, const char *username, const char *password)
{
	g_autofree char *a1 = g_strdup_printf("%s:" SOFTPHONE_REALM ":%s", username, password);

	return g_compute_checksum_for_string(type, a1, -1);
}

static gboolean
no_such_softphone(const char *username, GError **error)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
		    "softphone %s does not exist: see 'softphone list'", username);
	return FALSE;
}

/* --- softphones --- */

#define SOFTPHONE_COLUMNS                                                                 \
	"SELECT id, username, user, ha1_md5, ha1_sha256, created, srtp, rtp_source FROM " \
	"softphones "

static gpointer
softphone_from_row(Query *query)
{
	Softphone *softphone = g_new0(Softphone, 1);

	softphone->id = query_int(query, 0);
	softphone->username = query_text(query, 1);
	softphone->user = query_text(query, 2);
	softphone->ha1_md5 = query_text(query, 3);
	softphone->ha1_sha256 = query_text(query, 4);
	softphone->created = query_int(query, 5);
	softphone->srtp = query_text(query, 6);
	softphone->rtp_source = query_text(query, 7);
	return softphone;
}

void
softphone_free(Softphone *softphone)
{
	if (!softphone)
		return;
	g_free(softphone->username);
	g_free(softphone->user);
	g_free(softphone->ha1_md5);
	g_free(softphone->ha1_sha256);
	g_free(softphone->srtp);
	g_free(softphone->rtp_source);
	g_free(softphone);
}

static gboolean
explain_no_insert(Store *store, const char *username, const char *user, GError **error)
{
	if (store_hit_key(store)) {
		g_clear_error(error);
		g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS,
			    "softphone %s exists already: choose another name, or make it a new "
			    "password with 'softphone password %s'",
			    username, username);
	} else if (store_hit_reference(store)) {
		g_clear_error(error);
		g_set_error(
			error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
			"user %s does not exist: see 'user list', or make it with 'user add %s'",
			user, user);
	}
	return FALSE;
}

static gboolean
insert_softphone(Store *store, const char *username, const char *user, const char *password,
		 GError **error)
{
	g_autofree char *md5 = ha1(G_CHECKSUM_MD5, username, password);
	g_autofree char *sha256 = ha1(G_CHECKSUM_SHA256, username, password);
	g_auto(Query) query =
		query_new(store, "INSERT INTO softphones (user, username, realm, ha1_md5, "
				 "ha1_sha256, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

	query_bind_text(&query, user);
	query_bind_text(&query, username);
	query_bind_text(&query, SOFTPHONE_REALM);
	query_bind_text(&query, md5);
	query_bind_text(&query, sha256);
	query_bind_int(&query, store_now());
	return query_run(&query, error) || explain_no_insert(store, username, user, error);
}

gboolean
store_softphone_add(Store *store, const char *username, const char *user, const char *password,
		    GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, insert_softphone(store, username, user, password, error), error);
}

/* Whoever registered with the old password is forgotten. */
static gboolean
forget_contacts(Store *store, const char *username, GError **error)
{
	g_auto(Query) query =
		query_new(store, "DELETE FROM contacts WHERE softphone = (SELECT id FROM "
				 "softphones WHERE username = ?1 AND realm = ?2)");

	query_bind_text(&query, username);
	query_bind_text(&query, SOFTPHONE_REALM);
	return query_run(&query, error);
}

static gboolean
update_password(Store *store, const char *username, const char *password, GError **error)
{
	g_autofree char *md5 = ha1(G_CHECKSUM_MD5, username, password);
	g_autofree char *sha256 = ha1(G_CHECKSUM_SHA256, username, password);
	g_auto(Query) query = query_new(store, "UPDATE softphones SET ha1_md5 = ?1, ha1_sha256 = "
					       "?2 WHERE username = ?3 AND realm = ?4");

	query_bind_text(&query, md5);
	query_bind_text(&query, sha256);
	query_bind_text(&query, username);
	query_bind_text(&query, SOFTPHONE_REALM);
	if (!query_run(&query, error))
		return FALSE;
	if (store_changes(store) != 1)
		return no_such_softphone(username, error);
	return forget_contacts(store, username, error);
}

static gboolean
update_column(Store *store, const char *sql, const char *username, const char *value,
	      GError **error)
{
	g_auto(Query) query = query_new(store, sql);

	query_bind_text(&query, value);
	query_bind_text(&query, username);
	query_bind_text(&query, SOFTPHONE_REALM);
	if (!query_run(&query, error))
		return FALSE;
	return store_changes(store) == 1 || no_such_softphone(username, error);
}

gboolean
store_softphone_set_srtp(Store *store, const char *username, const char *srtp, GError **error)
{
	static const char sql[] =
		"UPDATE softphones SET srtp = ?1 WHERE username = ?2 AND realm = ?3";

	return store_begin(store, error) &&
	       store_settle(store, update_column(store, sql, username, srtp, error), error);
}

gboolean
store_softphone_set_rtp_source(Store *store, const char *username, const char *source,
			       GError **error)
{
	static const char sql[] =
		"UPDATE softphones SET rtp_source = ?1 WHERE username = ?2 AND realm = ?3";

	return store_begin(store, error) &&
	       store_settle(store, update_column(store, sql, username, source, error), error);
}

gboolean
store_softphone_set_password(Store *store, const char *username, const char *password,
			     GError **error)
{
	g_autoptr(Softphone) softphone = NULL;

	if (!store_begin(store, error) ||
	    !store_settle(store, update_password(store, username, password, error), error))
		return FALSE;
	softphone = store->journal ? store_softphone_get(store, username, NULL) : NULL;
	if (softphone)
		journal_forget_softphone(store->journal, softphone->id);
	return TRUE;
}

static gboolean
delete_softphone(Store *store, const char *username, GError **error)
{
	g_auto(Query) query =
		query_new(store, "DELETE FROM softphones WHERE username = ?1 AND realm = ?2");

	query_bind_text(&query, username);
	query_bind_text(&query, SOFTPHONE_REALM);
	return query_run(&query, error) &&
	       (store_changes(store) == 1 || no_such_softphone(username, error));
}

gboolean
store_softphone_del(Store *store, const char *username, GError **error)
{
	g_autoptr(Softphone) softphone =
		store->journal ? store_softphone_get(store, username, NULL) : NULL;

	if (!store_begin(store, error) ||
	    !store_settle(store, delete_softphone(store, username, error), error))
		return FALSE;
	if (softphone)
		journal_forget_softphone(store->journal, softphone->id);
	return TRUE;
}

Softphone *
store_softphone_get(Store *store, const char *username, GError **error)
{
	g_auto(Query) query =
		query_new(store, SOFTPHONE_COLUMNS "WHERE username = ?1 AND realm = ?2");
	QueryResult result;

	query_bind_text(&query, username);
	query_bind_text(&query, SOFTPHONE_REALM);
	result = query_step(&query, error);
	if (result == QUERY_ROW)
		return softphone_from_row(&query);
	if (result == QUERY_DONE)
		no_such_softphone(username, error);
	return NULL;
}

GPtrArray *
store_softphone_page(Store *store, const char *after, guint limit, GError **error)
{
	g_auto(Query) query = query_new(store, SOFTPHONE_COLUMNS
					"WHERE username > ?1 ORDER BY username LIMIT ?2");

	query_bind_text(&query, after ? after : "");
	query_bind_int(&query, limit);
	return query_list(&query, softphone_from_row, (GDestroyNotify)softphone_free, error);
}

GPtrArray *
store_softphone_list(Store *store, const char *user_or_null, GError **error)
{
	g_auto(Query) query = query_new(
		store, user_or_null ? SOFTPHONE_COLUMNS "WHERE user = ?1 ORDER BY username"
				    : SOFTPHONE_COLUMNS "ORDER BY username");

	if (user_or_null)
		query_bind_text(&query, user_or_null);
	return query_list(&query, softphone_from_row, (GDestroyNotify)softphone_free, error);
}

/* --- contacts --- */

#define CONTACT_COLUMNS                                                                         \
	"SELECT c.id, c.softphone, s.username, s.user, c.uri, c.instance, c.path, c.received, " \
	"c.call_id, c.cseq, c.q, c.user_agent, c.expires, c.updated FROM contacts c "           \
	"JOIN softphones s ON s.id = c.softphone "

static Contact *
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

gboolean
store_contact_name(Store *store, Contact *contact, GError **error)
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
static gboolean
put_contact(Store *store, const Contact *contact, GError **error)
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
store_contact_put(Store *store, const Contact *contact, GError **error)
{
	return store->journal ? journal_put_contact(store->journal, contact, error)
			      : put_contact(store, contact, error);
}

static gboolean
delete_contact(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM contacts WHERE id = ?1");

	query_bind_int(&query, id);
	return query_run(&query, error);
}

gboolean
store_contact_del(Store *store, gint64 id, GError **error)
{
	if (!store->journal)
		return delete_contact(store, id, error);
	journal_del_contact(store->journal, id, 0);
	return TRUE;
}

gboolean
store_contact_forget(Store *store, gint64 softphone, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM contacts WHERE softphone = ?1");

	query_bind_int(&query, softphone);
	return query_run(&query, error);
}

static gboolean
expire_contacts(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM contacts WHERE expires <= ?1");

	query_bind_int(&query, store_now());
	return query_run(&query, error);
}

gboolean
store_contact_expire(Store *store, GError **error)
{
	if (!store->journal)
		return expire_contacts(store, error);
	journal_expire_contacts(store->journal);
	return TRUE;
}

/* --- lists: rows, and over them what waits to be written --- */

static GPtrArray *
read_contacts(Query *query, ContactFilter filter, gconstpointer what, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)contact_free);
	QueryResult result;

	while ((result = query_step(query, error)) == QUERY_ROW)
		g_ptr_array_add(list, contact_from_row(query));
	if (result != QUERY_DONE)
		return NULL;
	if (query->store->journal)
		journal_merge_contacts(query->store->journal, list, filter, what);
	return g_steal_pointer(&list);
}

static gboolean
is_contact(const Contact *contact, gconstpointer id)
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
is_of_softphone(const Contact *contact, gconstpointer softphone)
{
	return contact->softphone == *(const gint64 *)softphone;
}

static gboolean
is_of_user(const Contact *contact, gconstpointer jid)
{
	return g_strcmp0(contact->user, jid) == 0;
}

Contact *
store_contact_get(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE c.id = ?1 AND c.expires > ?2");
	g_autoptr(GPtrArray) list = NULL;

	query_bind_int(&query, id);
	query_bind_int(&query, store_now());
	list = read_contacts(&query, is_contact, &id, error);
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
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE c.expires > ?1 ORDER BY s.username, c.id");

	query_bind_int(&query, store_now());
	return read_contacts(&query, is_any, NULL, error);
}

GPtrArray *
store_contact_list_part(Store *store, guint part, guint parts, GError **error)
{
	guint of[] = { part, parts };
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE c.id % ?1 = ?2 AND c.expires > ?3");

	query_bind_int(&query, parts);
	query_bind_int(&query, part);
	query_bind_int(&query, store_now());
	return read_contacts(&query, is_in_part, of, error);
}

GPtrArray *
store_contact_list_of_softphone(Store *store, gint64 softphone, GError **error)
{
	g_auto(Query) query = query_new(store, CONTACT_COLUMNS
					"WHERE c.softphone = ?1 AND c.expires > ?2 ORDER BY c.id");

	query_bind_int(&query, softphone);
	query_bind_int(&query, store_now());
	return read_contacts(&query, is_of_softphone, &softphone, error);
}

GPtrArray *
store_contact_list_of_user(Store *store, const char *jid, GError **error)
{
	g_auto(Query) query =
		query_new(store, CONTACT_COLUMNS "WHERE s.user = ?1 AND c.expires > ?2");

	query_bind_text(&query, jid);
	query_bind_int(&query, store_now());
	return read_contacts(&query, is_of_user, jid, error);
}
