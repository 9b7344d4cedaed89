/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-digits.c - the body of a chat message to the number: keys, or not. */
#include <string.h>
#include "plugins/xmpp/xmpp_leg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *keys = xmpp_digits_read(text), *again = NULL;

	if (!keys)
		return 0;
	g_assert_cmpuint(strspn(keys, "0123456789*#ABCDabcd,"), ==, strlen(keys));
	g_assert_cmpuint(strlen(keys), <=, 65);
	again = xmpp_digits_read(keys);
	g_assert_cmpstr(again, ==, keys);
	return 0;
}
