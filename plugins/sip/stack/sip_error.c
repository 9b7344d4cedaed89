/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_error.c - see sip_error.h. */
#include "plugins/sip/stack/sip_error.h"
#include "plugins/sip/stack/sip_header.h"
#include <string.h>

#define KEPT   32
#define AGE_US (60 * G_USEC_PER_SEC)

typedef struct {
	char place[96]; /* "192.0.2.1:5060/udp" */
	int code;
	gint64 at;
} Heard;

static struct {
	Heard heard[KEPT];
	guint next;
} errors;

/* An IPv6 address has brackets in a hop, and may have two pairs of them in the log. */
static char *
place_of(const char *address, gsize length, const char *port, const char *transport)
{
	while (length > 0 && *address == '[') {
		address++;
		length--;
	}
	while (length > 0 && address[length - 1] == ']')
		length--;
	return g_strdup_printf("%.*s:%s/%s", (int)length, address, port, transport);
}

void
error_hear(const char *line)
{
	const char *with = g_str_has_prefix(line, "nta: ") ? g_strrstr(line, ") with ") : NULL;
	const char *number = with ? g_strrstr_len(line, with - line, " (") : NULL;
	const char *transport = with ? with + strlen(") with ") : NULL;
	const char *slash = transport ? strstr(transport, "/[") : NULL;
	const char *port = slash ? strrchr(slash, ':') : NULL;
	g_autofree char *protocol = NULL, *place = NULL;
	Heard *heard;
	int code;

	if (!number || !port)
		return;
	code = (int)g_ascii_strtoll(number + strlen(" ("), NULL, 10);
	if (code <= 0)
		return;
	protocol = g_strndup(transport, slash - transport);
	place = place_of(slash + 1, port - slash - 1, port + 1, protocol);
	heard = &errors.heard[errors.next++ % KEPT];
	g_strlcpy(heard->place, place, sizeof heard->place);
	heard->code = code;
	heard->at = g_get_monotonic_time();
}

int
error_of(const char *hop)
{
	const gint64 since = g_get_monotonic_time() - AGE_US;
	g_autofree char *source = header_hop_source(hop), *place = NULL;
	const char *colon = strrchr(source, ':'), *transport = strrchr(hop, '=');

	if (!colon)
		return 0;
	place = place_of(source, colon - source, colon + 1, transport ? transport + 1 : "udp");
	for (guint i = 1; i <= KEPT; i++) {
		const Heard *heard = &errors.heard[(errors.next - i) % KEPT];

		if (heard->at >= since && heard->code && strcmp(heard->place, place) == 0)
			return heard->code;
	}
	return 0;
}
