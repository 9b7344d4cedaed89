/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text_rows.c - the tables of texts and their deliveries. */
#include "db/prune.h"
#include "db/text_rows.h"
#include <string.h>

#define TEXT_COLUMNS                                                                          \
	"SELECT id, source, origin, taken, written, direction, author, addressee, device, "   \
	"trunk, sender, recipient, peer, body, language, receipt, state, reason, words FROM " \
	"texts "
#define DELIVERY_COLUMNS                                                                         \
	"SELECT id, text, kind, way, way_key, account, peer, device, sender, recipient, about, " \
	"body, part, made, changed, given, state, reason, words FROM text_deliveries "

/* --- as data --- */

void
text_delivery_free(TextDelivery *delivery)
{
	if (!delivery)
		return;
	g_free(delivery->kind);
	g_free(delivery->way);
	g_free(delivery->way_key);
	g_free(delivery->account);
	g_free(delivery->peer);
	g_free(delivery->device);
	g_free(delivery->sender);
	g_free(delivery->recipient);
	g_free(delivery->about);
	g_free(delivery->body);
	g_free(delivery->state);
	g_free(delivery->reason);
	g_free(delivery->words);
	g_free(delivery);
}

TextDelivery *
text_delivery_copy(const TextDelivery *delivery)
{
	TextDelivery *copy = g_memdup2(delivery, sizeof *delivery);

	copy->kind = g_strdup(delivery->kind);
	copy->way = g_strdup(delivery->way);
	copy->way_key = g_strdup(delivery->way_key);
	copy->account = g_strdup(delivery->account);
	copy->peer = g_strdup(delivery->peer);
	copy->device = g_strdup(delivery->device);
	copy->sender = g_strdup(delivery->sender);
	copy->recipient = g_strdup(delivery->recipient);
	copy->about = g_strdup(delivery->about);
	copy->body = g_strdup(delivery->body);
	copy->state = g_strdup(delivery->state);
	copy->reason = g_strdup(delivery->reason);
	copy->words = g_strdup(delivery->words);
	return copy;
}

TextRecord *
text_record_new(void)
{
	TextRecord *record = g_new0(TextRecord, 1);

	record->deliveries = g_ptr_array_new_with_free_func((GDestroyNotify)text_delivery_free);
	return record;
}

void
text_record_free(TextRecord *record)
{
	if (!record)
		return;
	g_free(record->source);
	g_free(record->origin);
	g_free(record->direction);
	g_free(record->author);
	g_free(record->addressee);
	g_free(record->device);
	g_free(record->trunk);
	g_free(record->sender);
	g_free(record->recipient);
	g_free(record->peer);
	g_free(record->body);
	g_free(record->language);
	g_free(record->state);
	g_free(record->reason);
	g_free(record->words);
	if (record->deliveries)
		g_ptr_array_unref(record->deliveries);
	g_free(record);
}

static gpointer
copy_delivery(gconstpointer delivery, gpointer unused)
{
	return text_delivery_copy(delivery);
}

TextRecord *
text_record_copy(const TextRecord *record)
{
	TextRecord *copy = g_memdup2(record, sizeof *record);

	copy->source = g_strdup(record->source);
	copy->origin = g_strdup(record->origin);
	copy->direction = g_strdup(record->direction);
	copy->author = g_strdup(record->author);
	copy->addressee = g_strdup(record->addressee);
	copy->device = g_strdup(record->device);
	copy->trunk = g_strdup(record->trunk);
	copy->sender = g_strdup(record->sender);
	copy->recipient = g_strdup(record->recipient);
	copy->peer = g_strdup(record->peer);
	copy->body = g_strdup(record->body);
	copy->language = g_strdup(record->language);
	copy->state = g_strdup(record->state);
	copy->reason = g_strdup(record->reason);
	copy->words = g_strdup(record->words);
	copy->deliveries = g_ptr_array_copy(record->deliveries, copy_delivery, NULL);
	g_ptr_array_set_free_func(copy->deliveries, (GDestroyNotify)text_delivery_free);
	return copy;
}

/* --- written --- */

gboolean
text_delivery_row_insert(Store *store, const TextDelivery *delivery, GError **error)
{
	g_auto(Query) query = query_new(
		store, "INSERT INTO text_deliveries (id, text, kind, way, way_key, account, peer, "
		       "device, sender, recipient, about, body, part, made, changed, given, state, "
		       "reason, words) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
		       "?13, ?14, ?15, ?16, ?17, ?18, ?19)");

	query_bind_int(&query, delivery->id);
	query_bind_int(&query, delivery->text);
	query_bind_text(&query, delivery->kind);
	query_bind_text(&query, delivery->way);
	query_bind_text(&query, delivery->way_key);
	query_bind_text(&query, delivery->account);
	query_bind_text(&query, delivery->peer);
	query_bind_text(&query, delivery->device);
	query_bind_text(&query, delivery->sender);
	query_bind_text(&query, delivery->recipient);
	query_bind_text(&query, delivery->about);
	query_bind_text(&query, delivery->body);
	query_bind_int(&query, delivery->part);
	query_bind_int(&query, delivery->made);
	query_bind_int(&query, delivery->changed);
	query_bind_int(&query, delivery->given);
	query_bind_text(&query, delivery->state);
	query_bind_text(&query, delivery->reason);
	query_bind_text(&query, delivery->words);
	return query_run(&query, error);
}

static gboolean
insert_text(Store *store, const TextRecord *record, GError **error)
{
	g_auto(Query) query = query_new(
		store, "INSERT INTO texts (id, source, origin, taken, written, direction, author, "
		       "addressee, device, trunk, sender, recipient, peer, body, language, "
		       "receipt, state, reason, words) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
		       "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)");

	query_bind_int(&query, record->id);
	query_bind_text(&query, record->source);
	query_bind_text(&query, record->origin);
	query_bind_int(&query, record->taken);
	query_bind_int(&query, record->written);
	query_bind_text(&query, record->direction);
	query_bind_text(&query, record->author);
	query_bind_text(&query, record->addressee);
	query_bind_text(&query, record->device);
	query_bind_text(&query, record->trunk);
	query_bind_text(&query, record->sender);
	query_bind_text(&query, record->recipient);
	query_bind_text(&query, record->peer);
	query_bind_text(&query, record->body);
	query_bind_text(&query, record->language);
	query_bind_int(&query, record->receipt);
	query_bind_text(&query, record->state);
	query_bind_text(&query, record->reason);
	query_bind_text(&query, record->words);
	return query_run(&query, error);
}

gboolean
text_row_insert(Store *store, const TextRecord *record, GError **error)
{
	if (!insert_text(store, record, error))
		return FALSE;
	for (guint i = 0; i < record->deliveries->len; i++)
		if (!text_delivery_row_insert(store, record->deliveries->pdata[i], error))
			return FALSE;
	return TRUE;
}

gboolean
text_row_delete(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM texts WHERE id = ?1");

	query_bind_int(&query, id);
	return query_run(&query, error);
}

gboolean
text_delivery_row_give(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query =
		query_new(store, "UPDATE text_deliveries SET given = 1 WHERE id = ?1");

	query_bind_int(&query, id);
	return query_run(&query, error);
}

gboolean
text_delivery_row_state(Store *store, const TextDelivery *delivery, GError **error)
{
	g_auto(Query) query =
		query_new(store, "UPDATE text_deliveries SET state = ?1, reason = ?2, words = ?3, "
				 "changed = ?4 WHERE id = ?5");

	query_bind_text(&query, delivery->state);
	query_bind_text(&query, delivery->reason);
	query_bind_text(&query, delivery->words);
	query_bind_int(&query, delivery->changed);
	query_bind_int(&query, delivery->id);
	return query_run(&query, error);
}

gboolean
text_row_state(Store *store, const TextRecord *record, GError **error)
{
	g_auto(Query) query = query_new(
		store, "UPDATE texts SET state = ?1, reason = ?2, words = ?3 WHERE id = ?4");

	query_bind_text(&query, record->state);
	query_bind_text(&query, record->reason);
	query_bind_text(&query, record->words);
	query_bind_int(&query, record->id);
	return query_run(&query, error);
}

/* --- read --- */

static gpointer
text_from_row(Query *query)
{
	TextRecord *record = g_new0(TextRecord, 1);
	int column = 0;

	record->id = query_int(query, column++);
	record->source = query_text(query, column++);
	record->origin = query_text(query, column++);
	record->taken = query_int(query, column++);
	record->written = query_int(query, column++);
	record->direction = query_text(query, column++);
	record->author = query_text(query, column++);
	record->addressee = query_text(query, column++);
	record->device = query_text(query, column++);
	record->trunk = query_text(query, column++);
	record->sender = query_text(query, column++);
	record->recipient = query_text(query, column++);
	record->peer = query_text(query, column++);
	record->body = query_text(query, column++);
	record->language = query_text(query, column++);
	record->receipt = query_int(query, column++) != 0;
	record->state = query_text(query, column++);
	record->reason = query_text(query, column++);
	record->words = query_text(query, column++);
	return record;
}

static gpointer
delivery_from_row(Query *query)
{
	TextDelivery *delivery = g_new0(TextDelivery, 1);
	int column = 0;

	delivery->id = query_int(query, column++);
	delivery->text = query_int(query, column++);
	delivery->kind = query_text(query, column++);
	delivery->way = query_text(query, column++);
	delivery->way_key = query_text(query, column++);
	delivery->account = query_text(query, column++);
	delivery->peer = query_text(query, column++);
	delivery->device = query_text(query, column++);
	delivery->sender = query_text(query, column++);
	delivery->recipient = query_text(query, column++);
	delivery->about = query_text(query, column++);
	delivery->body = query_text(query, column++);
	delivery->part = (guint)query_int(query, column++);
	delivery->made = query_int(query, column++);
	delivery->changed = query_int(query, column++);
	delivery->given = query_int(query, column++) != 0;
	delivery->state = query_text(query, column++);
	delivery->reason = query_text(query, column++);
	delivery->words = query_text(query, column++);
	return delivery;
}

static GPtrArray *
deliveries_of(Store *store, gint64 text)
{
	g_auto(Query) query = query_new(store, DELIVERY_COLUMNS "WHERE text = ?1 ORDER BY id");

	query_bind_int(&query, text);
	return query_list(&query, delivery_from_row, (GDestroyNotify)text_delivery_free, NULL);
}

static TextRecord *
read_text(Store *store, const char *sql, gint64 id)
{
	g_auto(Query) query = query_new(store, sql);
	g_autoptr(TextRecord) record = NULL;

	query_bind_int(&query, id);
	if (query_step(&query, NULL) != QUERY_ROW)
		return NULL;
	record = text_from_row(&query);
	record->deliveries = deliveries_of(store, record->id);
	return record->deliveries ? g_steal_pointer(&record) : NULL;
}

TextRecord *
store_text_read(Store *store, gint64 id)
{
	return read_text(store, TEXT_COLUMNS "WHERE id = ?1", id);
}

TextRecord *
store_text_read_of(Store *store, gint64 delivery)
{
	return read_text(store,
			 TEXT_COLUMNS "WHERE id = (SELECT text FROM text_deliveries WHERE id = ?1)",
			 delivery);
}

gint64
text_row_find(Store *store, const char *source, const char *origin)
{
	g_auto(Query) query =
		query_new(store, "SELECT id FROM texts WHERE source = ?1 AND origin = ?2");

	query_bind_text(&query, source);
	query_bind_text(&query, origin);
	return query_step(&query, NULL) == QUERY_ROW ? query_int(&query, 0) : 0;
}

guint
store_text_count(Store *store, const char *source, gint64 since, guint most)
{
	g_auto(Query) query =
		query_new(store, "SELECT count(*) FROM (SELECT 1 FROM texts WHERE source = ?1 AND "
				 "taken >= ?2 LIMIT ?3)");

	query_bind_text(&query, source);
	query_bind_int(&query, since);
	query_bind_int(&query, most);
	return query_step(&query, NULL) == QUERY_ROW ? (guint)query_int(&query, 0) : 0;
}

GPtrArray *
store_text_waiting(Store *store, gint64 after, guint limit, GError **error)
{
	g_auto(Query) query = query_new(
		store, "SELECT id, text, kind, way, way_key, account, peer, device, sender, "
		       "recipient, about, NULL, part, made, changed, given, state, reason, words "
		       "FROM text_deliveries WHERE state = 'QUEUED' AND id > ?1 ORDER BY id "
		       "LIMIT ?2");

	query_bind_int(&query, after);
	query_bind_int(&query, limit);
	return query_list(&query, delivery_from_row, (GDestroyNotify)text_delivery_free, error);
}

#define SEARCH_STEP 500 /* ids looked at in one go */

/* The ids there are: what is old was deleted, and what is new begins below `*before`. */
static gboolean
clamp_ids(Store *store, gint64 *before, gint64 *least, GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM texts");

	if (query_step(&query, error) != QUERY_ROW)
		return FALSE;
	*least = query_int(&query, 0);
	*before = MIN(*before, query_int(&query, 1) + 1);
	return TRUE;
}

static GPtrArray *
search_between(Store *store, const TextFilter *filter, gint64 from, gint64 before, GError **error)
{
	g_auto(Query) query =
		query_new(store, TEXT_COLUMNS
			  "WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR author = ?3 OR "
			  "addressee = ?3) AND (?4 IS NULL OR sender = ?4 OR recipient = ?4) AND "
			  "(?5 IS NULL OR trunk = ?5) AND (?6 IS NULL OR state = ?6) AND taken >= "
			  "?7 ORDER BY id DESC");

	query_bind_int(&query, from);
	query_bind_int(&query, before);
	query_bind_text(&query, filter->user);
	query_bind_text(&query, filter->number);
	query_bind_text(&query, filter->trunk);
	query_bind_text(&query, filter->state);
	query_bind_int(&query, filter->since);
	return query_list(&query, text_from_row, (GDestroyNotify)text_record_free, error);
}

GPtrArray *
store_text_search(Store *store, const TextFilter *filter, gint64 *before, GError **error)
{
	gint64 least = 0, from;
	GPtrArray *found;

	if (!clamp_ids(store, before, &least, error))
		return NULL;
	from = MAX(*before - SEARCH_STEP, least);
	found = search_between(store, filter, from, *before, error);
	*before = from > least ? from : 0;
	return found;
}

gint64
store_text_highest(Store *store, const char *table)
{
	g_auto(Query) query = query_new(store, "SELECT seq FROM sqlite_sequence WHERE name = ?1");

	query_bind_text(&query, table);
	return query_step(&query, NULL) == QUERY_ROW ? query_int(&query, 0) : 0;
}

/* --- what is old --- */

gboolean
text_rows_prune(Store *store, gint64 before, GError **error)
{
	const Pruning pruning = {
		.list = "SELECT id FROM (SELECT id, taken FROM texts WHERE id > ?1 ORDER BY id "
			"LIMIT ?2) WHERE taken < ?3 AND NOT EXISTS (SELECT 1 FROM text_deliveries "
			"WHERE text_deliveries.text = id AND state = 'QUEUED')",
		.take = "DELETE FROM texts WHERE id = ?1",
		.before = before,
	};

	return prune_step(store, &pruning, NULL, error);
}
