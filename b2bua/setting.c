/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* setting.c - what holds for a user, by the table of setting.h. */
#include "b2bua/setting.h"
#include "b2bua/words.h"
#include <string.h>

typedef enum { CALLERS, CHOICE, COUNTRIES, COUNTRY, DESTINATION, HOURS, LOCATION, WHOLE, YES } Type;

static const struct {
	const char *name, *fallback;
	Type type;
} ROWS[N_SETTINGS] = {
#define ROW(id, name, type, values, fallback, flags, help) { name, fallback, type },
	SETTINGS(ROW)
#undef ROW
};

const char *
setting_name(Setting setting)
{
	return ROWS[setting].name;
}

gboolean
setting_find(const char *name, Setting *setting)
{
	for (*setting = 0; *setting < N_SETTINGS; (*setting)++)
		if (strcmp(ROWS[*setting].name, name) == 0)
			return TRUE;
	return FALSE;
}

char *
setting_text(Store *store, const char *user, Setting setting)
{
	char *value = store_setting_get(store, user, ROWS[setting].name);
	gboolean yes;

	/* it has been kept as on and off */
	if (value && ROWS[setting].type == YES && word_is_yes_or_no(value, &yes)) {
		g_free(value);
		return g_strdup(yes ? "yes" : "no");
	}
	return value ? value : g_strdup(ROWS[setting].fallback);
}

gboolean
setting_on(Store *store, const char *user, Setting setting)
{
	g_autofree char *value = setting_text(store, user, setting);

	return g_strcmp0(value, "yes") == 0;
}

char *
setting_country(Store *store, const char *user_or_null, const char *fallback)
{
	char *country = user_or_null ? setting_text(store, user_or_null, SETTING_COUNTRY) : NULL;

	return country ? country : g_strdup(fallback);
}

RingOrder
setting_ring(Store *store, const char *user)
{
	static const struct {
		const char *name;
		RingOrder order;
	} ORDERS[] = {
		{ "both", { { RING_CLIENTS | RING_PHONES } } },
		{ "xmpp", { { RING_CLIENTS } } },
		{ "sip", { { RING_PHONES } } },
		{ "xmpp-then-sip", { { RING_CLIENTS, RING_PHONES } } },
		{ "sip-then-xmpp", { { RING_PHONES, RING_CLIENTS } } },
	};
	g_autofree char *ring = setting_text(store, user, SETTING_RING);

	for (guint i = 0; i < G_N_ELEMENTS(ORDERS); i++)
		if (g_strcmp0(ORDERS[i].name, ring) == 0)
			return ORDERS[i].order;
	return ORDERS[0].order;
}
