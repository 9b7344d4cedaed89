/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_softphones.c - credentials of SIP phones; store_contacts.c has where each is. */
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

#define SOFTPHONE_COLUMNS                                                                    \
	"SELECT id, username, user, ha1_md5, ha1_sha256, created, srtp, rtp_source, codecs " \
	"FROM softphones "

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
	softphone->codecs = query_text(query, 8);
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
	g_free(softphone->codecs);
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

/* Registrations made with the old password end. */
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

static gboolean
set_column(Store *store, const char *sql, const char *username, const char *value, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, update_column(store, sql, username, value, error), error);
}

#define SET(column) "UPDATE softphones SET " column " = ?1 WHERE username = ?2 AND realm = ?3"

gboolean
store_softphone_set_srtp(Store *store, const char *username, const char *srtp, GError **error)
{
	static const char sql[] = SET("srtp");

	return set_column(store, sql, username, srtp, error);
}

gboolean
store_softphone_set_rtp_source(Store *store, const char *username, const char *source,
			       GError **error)
{
	static const char sql[] = SET("rtp_source");

	return set_column(store, sql, username, source, error);
}

gboolean
store_softphone_set_codecs(Store *store, const char *username, const char *codecs, GError **error)
{
	static const char sql[] = SET("codecs");

	return set_column(store, sql, username, codecs, error);
}

#undef SET

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
