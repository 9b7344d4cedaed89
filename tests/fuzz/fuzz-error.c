/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-error.c - any text as a line of sofia-sip's log, and as the words of an error in one. */
#include <stdint.h>
#include <string.h>
#include "plugins/sip/stack/sip_error.h"
#include "plugins/sip/stack/sip_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *host, *place, *transport;
	guint port;
} PEERS[] = {
	{ "192.0.2.1", "[192.0.2.1]", "udp", 5060 },
	{ "2001:db8::1", "[2001:db8::1]", "tcp", 5062 },
	{ "2001:db8::2", "[[2001:db8::2]]", "tls", 5061 },
};

/* Whatever the request and the words are, the number is found, and it is of this peer alone. */
static void
hear_of(const char *words, guint i, int code)
{
	g_autofree char *line = g_strdup_printf("nta: %s (%d) with %s/%s:%u", words, code,
						PEERS[i].transport, PEERS[i].place, PEERS[i].port);
	g_autofree char *hop =
		header_next_hop(PEERS[i].host, (guint16)PEERS[i].port, PEERS[i].transport);
	g_autofree char *other =
		header_next_hop(PEERS[i].host, (guint16)PEERS[i].port + 10, PEERS[i].transport);
	const int before = error_of(other); /* an earlier input may have named it */

	error_hear(line);
	g_assert_cmpint(error_of(hop), ==, code);
	g_assert_true(error_of(other) == before || error_of(other) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	static int code;

	code = code % 1000 + 1; /* not what was heard the last time */
	for (guint i = 0; i < G_N_ELEMENTS(PEERS); i++)
		hear_of(text, i, code);
	error_hear(text);
	g_assert_cmpint(error_of(text), >=, 0);
	return 0;
}
