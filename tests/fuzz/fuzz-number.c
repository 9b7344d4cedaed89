/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-number.c - any text as what somebody dials: two letters of a country, then the rest. */
#include <stdint.h>
#include <string.h>
#include "b2bua/address.h"
#include "b2bua/number.h"
#include "b2bua/numberplan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes out is a number, and a number stays what it is. */
static void
check(const char *number, const char *country)
{
	g_autofree char *again = NULL, *sent = NULL;

	g_assert_true(number_dialled(number, country, &again));
	g_assert_cmpstr(again, ==, number);
	sent = number_to_carrier(number, "national", NULL, country);
	g_assert_nonnull(sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *country = g_strndup(text, 2);
	g_autofree char *unescaped = number_unescape(text), *number = NULL, *other = NULL;
	const char *plan = numberplan_knows(country) ? country : NULL;

	g_assert_cmpuint(strlen(unescaped), <=, strlen(text));
	if (number_dialled(strlen(text) > 2 ? text + 2 : "", plan, &number))
		check(number, plan);
	else
		g_assert_null(number);
	if (strlen(text) > 2 && number_is_emergency(text + 2, plan))
		g_assert_true(number_may_be_emergency(text + 2));
	number_from_carrier(strlen(text) > 2 ? text + 2 : "", plan, &other);
	return 0;
}
