/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* report_call.c - see report_call.h. */
#include "b2bua/report/report_call.h"
#include <string.h>
#include <sys/random.h>
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/report/report.h"

#define SECRET_BYTES 32
#define KEY_DIGITS   32 /* 128 bits */

static void
set_text(char **where, char *text)
{
	g_free(*where);
	*where = text;
}

static void
take_live(CallRecord *record, const Call *call)
{
	g_autofree char *ladder = call_ladder(call), *series = call_series(call);

	set_text(&record->ladder, g_strconcat(ladder, series, NULL));
	set_text(&record->stats, call_stats(call));
}

char *
report_of_call(Gateway *gateway_or_null, Store *store, gint64 id, GError **error)
{
	g_autoptr(CallRecord) record = store_call_get(store, id, error);
	const Call *call = gateway_or_null ? calls_find(gateway_or_null, id) : NULL;
	g_autofree char *trouble = call ? call_trouble(call) : NULL;

	if (!record)
		return NULL;
	if (call)
		take_live(record, call);
	return report_html(record, trouble);
}

/* --- the address --- */

static gpointer
make_secret(gpointer unused)
{
	guint8 *secret = g_malloc(SECRET_BYTES);

	/* it waits for nothing but the first seconds of the machine, and is whole up to 256 */
	if (getrandom(secret, SECRET_BYTES, 0) != SECRET_BYTES)
		g_error("the kernel gives no random numbers");
	return secret;
}

static char *
key_of(gint64 id)
{
	static GOnce once = G_ONCE_INIT;
	g_autofree char *text = g_strdup_printf("report %" G_GINT64_FORMAT, id);
	char *key = g_compute_hmac_for_string(G_CHECKSUM_SHA256, g_once(&once, make_secret, NULL),
					      SECRET_BYTES, text, -1);

	key[KEY_DIGITS] = '\0';
	return key;
}

char *
report_path(gint64 id)
{
	g_autofree char *key = key_of(id);

	return g_strdup_printf("/report/%" G_GINT64_FORMAT "?key=%s", id, key);
}

gboolean
report_key_is(gint64 id, const char *key_or_null)
{
	g_autofree char *key = key_of(id);
	guint differs = 0;

	if (!key_or_null || strlen(key_or_null) != KEY_DIGITS)
		return FALSE;
	for (guint i = 0; i < KEY_DIGITS; i++)
		differs |= (guint)(key[i] ^ key_or_null[i]);
	return differs == 0;
}
