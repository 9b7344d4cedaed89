/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text_rows.h - the tables of texts, as SQL alone: see rows.h.
 * Thread: that of the store.
 */
#pragma once
#include "db/store_private.h"
#include "db/store_texts.h"

TextDelivery *text_delivery_copy(const TextDelivery *delivery);
TextRecord *text_record_copy(const TextRecord *record);

/* With all its deliveries. */
gboolean text_row_insert(Store *store, const TextRecord *record, GError **error);
gboolean text_row_delete(Store *store, gint64 id, GError **error); /* nothing, if it is not there */
gboolean text_row_state(Store *store, const TextRecord *record, GError **error);
gboolean text_delivery_row_insert(Store *store, const TextDelivery *delivery, GError **error);
gboolean text_delivery_row_give(Store *store, gint64 id, GError **error);
gboolean text_delivery_row_state(Store *store, const TextDelivery *delivery, GError **error);
/* As it is in the database. */
TextRecord *store_text_read(Store *store, gint64 id);
TextRecord *store_text_read_of(Store *store, gint64 delivery);
/* As it is in the database: one that is withdrawn may be there. */
gint64 text_row_find(Store *store, const char *source, const char *origin);
/* The highest id that a table has ever had. */
gint64 store_text_highest(Store *store, const char *table);
/* Some that were taken before then and of which nothing waits; TRUE: there may be more. */
gboolean text_rows_prune(Store *store, gint64 before, GError **error);
