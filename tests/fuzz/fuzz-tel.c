/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-tel.c - any text as the user part of a URI, with parameters of a number or without. */
#include <stdint.h>
#include <string.h>
#include "b2bua/address.h"
#include "b2bua/number.h"
#include "plugins/sip/stack/sip_tel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *user = tel_read(text), *digits = NULL, *number = NULL;
	const char *context = strchr(text, ' ');

	g_assert_true(!user || (*user && g_utf8_validate(user, -1, NULL)));
	if (!context)
		return 0;
	digits = g_strndup(text, (gsize)(context - text));
	number = number_in_context(digits, context + 1);
	if (number) {
		g_autofree char *again = NULL;

		g_assert_true(number_normalise(number, &again));
		g_assert_cmpstr(again, ==, number);
	}
	return 0;
}
