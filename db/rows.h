/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rows.h - the tables of what the daemon itself writes, as SQL alone.
 *
 * store_calls.c and store_contacts.c read and write them where there is no journal; where
 * there is one, its writer does, on its own connection.
 * Thread: that of the store.
 */
#pragma once
#include "db/store_private.h"

/* --- calls --- */

#define CALL_COLUMNS                                                                  \
	"SELECT id, state, started_us, answered_us, ended_us, caller, callee, user, " \
	"caller_plugin, callee_plugin, trunk, reason, text, ended_by, count, price, currency"
#define CALL_COLUMNS_WHOLE CALL_COLUMNS ", legs, stats, ladder FROM calls "
#define CALL_COLUMNS_BRIEF CALL_COLUMNS ", NULL, NULL, NULL FROM calls "

gboolean call_row_insert(Store *store, CallRecord *record, GError **error); /* sets id */
gboolean call_row_update(Store *store, const CallRecord *record, GError **error);
/* Inserts the row with its id, or writes over it; a row of that id which is another call's
 * (the file is an older copy) stays, and the record gets another id. */
gboolean call_row_put(Store *store, const CallRecord *record, GError **error);
CallRecord *call_row_get(Store *store, gint64 id, GError **error);
/* Newest first, of those before call `before`; legs, stats and ladder are left NULL. */
GPtrArray *call_rows_page(Store *store, gint64 before, guint limit, GError **error);
/* Of a query that begins with CALL_COLUMNS_…. */
GPtrArray *call_rows_collect(Query *query, GError **error);
GPtrArray *call_rows_open(Store *store, gint64 before, GError **error);
GPtrArray *call_rows_live(Store *store, GError **error); /* whole, oldest first */
/* Some records that began before then; TRUE: there may be more. */
gboolean call_rows_prune(Store *store, gint64 before, GError **error);
/* Their ladders alone; `from` is where the last time stopped. */
gboolean call_rows_prune_ladders(Store *store, gint64 before, gint64 *from, GError **error);

/* --- what devices have lost --- */
gboolean loss_rows_prune(Store *store, gint64 before, GError **error); /* the latest call */

/* --- contacts --- */
gboolean contact_row_put(Store *store, const Contact *contact, GError **error);
gboolean contact_row_del(Store *store, gint64 id, GError **error);
gboolean contact_rows_forget(Store *store, gint64 softphone, GError **error);
gboolean contact_rows_expire(Store *store, GError **error);
/* Sets username and user from its softphone's row. */
gboolean contact_row_name(Store *store, Contact *contact, GError **error);
/* Contact *, none of them expired. */
GPtrArray *contact_rows(Store *store, GError **error);
/* -1: they cannot be read.  `highest`: the id of the latest, even one that has expired. */
gint64 contact_rows_count(Store *store, gint64 *highest, GError **error);
GPtrArray *contact_rows_with_id(Store *store, gint64 id, GError **error);
GPtrArray *contact_rows_of_part(Store *store, guint part, guint parts, GError **error);
GPtrArray *contact_rows_of_softphone(Store *store, gint64 softphone, GError **error);
GPtrArray *contact_rows_of_user(Store *store, const char *jid, GError **error);
