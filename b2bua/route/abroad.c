/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* abroad.c - see abroad.h. */
#include "b2bua/route/abroad.h"
#include "b2bua/address.h"
#include "b2bua/country.h"
#include "b2bua/numberplan.h"
#include "b2bua/setting.h"

static char *
home_of(Gateway *gateway, const char *account)
{
	const char *country = gateway_config(gateway)->country;
	char *home = setting_text(gateway_store(gateway), account, SETTING_COUNTRY);
	g_autoptr(User) user = NULL;

	if (home || country)
		return home ? home : g_strdup(country);
	user = store_user_get(gateway_store(gateway), account, NULL);
	if (user && user->caller_id)
		home = numberplan_region(user->caller_id);
	return home || !user || !user->caller_id ? home : numberplan_country(user->caller_id);
}

/* Who is at home nowhere that we know of is abroad everywhere. */
gboolean
abroad_is(Gateway *gateway, const char *account, const char *number)
{
	g_autofree char *home = number_is_e164(number) ? home_of(gateway, account) : NULL;

	return number_is_e164(number) && (!home || !numberplan_is_of(number, home));
}

char *
abroad_country(const char *number)
{
	char *country = numberplan_region(number);

	if (!country)
		country = numberplan_country(number);
	return country ? country : g_strdup(COUNTRY_NONE);
}
