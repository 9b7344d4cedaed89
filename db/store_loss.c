/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_loss.c - how much the last calls of a device have lost; b2bua/transcoding.h decides by
 * it.
 *
 * A device has a row from its first bad call until three good ones have followed, so that the
 * calls of good lines cost nothing here.
 */
#include <string.h>
#include "db/journal_private.h"
#include "db/rows.h"

#define DEVICES 16 /* of an account: the latest */

GArray *
store_loss_of(Store *store, const char *account, const char *device_or_null, GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT at, loss, at2, loss2, at3, loss3 FROM device_loss "
				 "WHERE account = ?1 AND (?2 IS NULL OR device = ?2)");
	g_autoptr(GArray) devices = g_array_new(FALSE, FALSE, sizeof(DeviceLoss));
	QueryResult result;

	query_bind_text(&query, account);
	query_bind_text(&query, device_or_null);
	while ((result = query_step(&query, error)) == QUERY_ROW) {
		DeviceLoss device;

		for (guint i = 0; i < DEVICE_LOSS_CALLS; i++) {
			device.calls[i].at = query_int(&query, (int)(2 * i));
			device.calls[i].loss = (guint)query_int(&query, (int)(2 * i + 1));
		}
		g_array_append_val(devices, device);
	}
	return result == QUERY_DONE ? g_steal_pointer(&devices) : NULL;
}

typedef struct {
	char *account, *device;
	CallLoss call;
} Lost;

static void
lost_free(gpointer data)
{
	Lost *lost = data;

	g_free(lost->account);
	g_free(lost->device);
	g_free(lost);
}

static void
bind_lost(Query *query, const Lost *lost)
{
	query_bind_text(query, lost->account);
	query_bind_text(query, lost->device);
	query_bind_int(query, lost->call.at);
	query_bind_int(query, lost->call.loss);
}

static gboolean
move_on(Store *store, const Lost *lost, GError **error)
{
	g_auto(Query) query =
		query_new(store, "UPDATE device_loss SET at3 = at2, loss3 = loss2, at2 = at, "
				 "loss2 = loss, at = ?3, loss = ?4 "
				 "WHERE account = ?1 AND device = ?2");

	bind_lost(&query, lost);
	return query_run(&query, error);
}

static gboolean
insert(Store *store, const Lost *lost, GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"INSERT INTO device_loss (account, device, at, loss) VALUES (?1, ?2, ?3, ?4)");

	bind_lost(&query, lost);
	return query_run(&query, error);
}

static gboolean
forget_good(Store *store, const Lost *lost, GError **error)
{
	g_auto(Query) query =
		query_new(store, "DELETE FROM device_loss WHERE account = ?1 AND device = ?2 "
				 "AND max(loss, loss2, loss3) < ?3");

	query_bind_text(&query, lost->account);
	query_bind_text(&query, lost->device);
	query_bind_int(&query, DEVICE_LOSS_BAD);
	return query_run(&query, error);
}

/* A client may have a new name each time. */
static gboolean
forget_more(Store *store, const Lost *lost, GError **error)
{
	g_auto(Query) query =
		query_new(store, "DELETE FROM device_loss WHERE account = ?1 AND device NOT IN "
				 "(SELECT device FROM device_loss WHERE account = ?1 "
				 "ORDER BY at DESC, device LIMIT ?2)");

	query_bind_text(&query, lost->account);
	query_bind_int(&query, DEVICES);
	return query_run(&query, error);
}

static gboolean
write_lost(Store *store, gconstpointer data, GError **error)
{
	const Lost *lost = data;
	gboolean bad = lost->call.loss >= DEVICE_LOSS_BAD;

	if (!move_on(store, lost, error))
		return FALSE;
	if (store_changes(store) > 0)
		return bad || forget_good(store, lost, error);
	return !bad || (insert(store, lost, error) && forget_more(store, lost, error));
}

gboolean
store_loss_add(Store *store, const char *account, const char *device, const CallLoss *call,
	       GError **error)
{
	Lost *lost = g_new(Lost, 1);
	gboolean written;

	*lost = (Lost){ g_strdup(account), g_strdup(device), *call };
	if (store->journal) {
		journal_post(store->journal, write_lost, lost, lost_free, (Waiting){ 0 });
		return TRUE;
	}
	written = store_begin(store, error) &&
		  store_settle(store, write_lost(store, lost, error), error);
	lost_free(lost);
	return written;
}

gboolean
loss_rows_prune(Store *store, gint64 before, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM device_loss WHERE at < ?1");

	query_bind_int(&query, before);
	return query_run(&query, error);
}
