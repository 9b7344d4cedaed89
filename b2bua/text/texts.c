/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* texts.c - see texts.h. */
#include "b2bua/text/texts.h"
#include "b2bua/text/text_private.h"

#define PAGE 1000 /* deliveries read at a time */

enum { TEXTS, N_ROWS };

static const MetricRow ROWS[N_ROWS] = {
	[TEXTS] = { "tandem_texts_total",
		    METRIC_COUNTER,
		    "Texts that came into a state: queued when they were taken, then sent, "
		    "delivered "
		    "or failed; refused",
		    { "direction", "state" } },
};

Texts *
texts_new(Gateway *gateway)
{
	Texts *texts = g_new0(Texts, 1);

	texts->gateway = gateway;
	texts->outbox = outbox_new(&text_outbox_verbs, texts);
	texts->pending = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, text_pending_free);
	texts->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	texts->further = g_hash_table_new_full(NULL, NULL, text_further_free, NULL);
	texts->metrics = metric_set_new(ROWS, N_ROWS);
	return texts;
}

void
texts_recover(Gateway *gateway)
{
	Texts *texts = texts_of(gateway);
	gint64 after = 0;
	guint found;

	do {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) page =
			store_text_waiting(gateway_store(gateway), after, PAGE, &error);

		if (!page) {
			g_warning(
				"texts that wait cannot be read: %s; they are sent after a restart",
				error->message);
			return;
		}
		found = page->len;
		for (guint i = 0; i < found; i++) {
			const TextDelivery *delivery = page->pdata[i];

			after = delivery->id;
			outbox_restore(texts->outbox, delivery);
		}
	} while (found == PAGE);
}

void
texts_changed(Gateway *gateway, Change what, const char *key)
{
	if (what == CHANGE_TRUNK)
		text_way_is_up(gateway, WAY_TRUNK, key);
	if (what == CHANGE_SOFTPHONE)
		text_way_is_up(gateway, WAY_CONTACT, key);
	if (what == CHANGE_USER)
		text_way_is_up(gateway, WAY_ACCOUNT, NULL);
}

void
texts_close(Gateway *gateway)
{
	Texts *texts = texts_of(gateway);

	texts->closed = TRUE;
	text_pending_give_up(texts);
	store_text_forget(gateway_store(gateway));
}

void
texts_free(Texts *texts)
{
	if (!texts)
		return;
	outbox_free(texts->outbox);
	g_hash_table_unref(texts->pending);
	g_hash_table_unref(texts->rates);
	g_hash_table_unref(texts->further);
	metric_set_free(texts->metrics);
	g_free(texts);
}

void
texts_count(Texts *texts, const char *direction, const char *state)
{
	g_autofree char *lower = g_ascii_strdown(state, -1);

	metric_add(texts->metrics, TEXTS, (const char *const[]){ direction, lower }, 1);
}

guint
texts_waiting(const Gateway *gateway)
{
	return outbox_waiting(texts_of(gateway)->outbox);
}

const MetricSet *
texts_metrics(const Gateway *gateway)
{
	return texts_of(gateway)->metrics;
}
