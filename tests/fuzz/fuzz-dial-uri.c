/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-dial-uri.c - any text as a SIP address that somebody dials. */
#include <stdint.h>
#include <string.h>
#include "b2bua/route/dial_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size), *said = NULL, *host = NULL;
	g_autoptr(Address) uri = dial_uri_parse(text), again = NULL;
	guint port;

	if (!uri)
		return 0;
	/* it becomes a line of a header: nothing in its host may end that */
	g_assert_null(strpbrk(uri->host, " \t\r\n<>\";?@"));
	said = address_text(uri);
	again = dial_uri_parse(said);
	g_assert_true(again && address_equal(uri, again));
	dial_uri_split(uri, &host, &port);
	g_assert_true(*host && !strpbrk(host, "[]") && port <= 65535);
	return 0;
}
