/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ng.c - rtpengine's control protocol "ng". */
#include "bench/ng.h"
#include "media/udp.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REPLY	 65536
#define PATIENCE 200 /* times 50 ms */

static int ng;
static guint cookie;

void
ng_connect(guint16 port)
{
	NetAddress to;

	ng = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	net_address_parse("127.0.0.1", port, &to);
	if (connect(ng, &to.any, to.length) != 0)
		g_error("no way to rtpengine");
}

void
ng_put(GString *request, const char *key, const char *value)
{
	g_string_append_printf(request, "%u:%s%u:%s", (guint)strlen(key), key, (guint)strlen(value),
			       value);
}

void
ng_put_list(GString *request, const char *key, const char *value)
{
	g_string_append_printf(request, "%u:%sl%u:%se", (guint)strlen(key), key,
			       (guint)strlen(value), value);
}

GString *
ng_request(const char *name, const char *call_id)
{
	GString *request = g_string_new(NULL);

	g_string_printf(request, "c%u d", ++cookie);
	ng_put(request, "command", name);
	ng_put(request, "call-id", call_id);
	return request;
}

static char *
value_of(const char *reply, const char *key)
{
	g_autofree char *coded = g_strdup_printf("%u:%s", (guint)strlen(key), key);
	const char *at = strstr(reply, coded);
	char *text;
	gulong length;

	if (!at)
		return NULL;
	length = strtoul(at + strlen(coded), &text, 10);
	return *text == ':' ? g_strndup(text + 1, length) : NULL;
}

/* The reply, in its static place; NULL when none comes. */
static const char *
exchange(const GString *request)
{
	static char reply[REPLY];
	struct pollfd poll_in = { .fd = ng, .events = POLLIN };

	for (guint i = 0; i < PATIENCE; i++) {
		ssize_t length;

		if (send(ng, request->str, request->len, 0) < 0) {
			g_usleep(50000); /* it does not listen yet */
			continue;
		}
		if (poll(&poll_in, 1, 50) <= 0)
			continue;
		length = recv(ng, reply, REPLY - 1, 0);
		if (length > 0) {
			reply[length] = '\0';
			return reply;
		}
		g_usleep(50000);
	}
	return NULL;
}

/* An answer to a request that was sent twice may still be in the socket. */
static void
empty_socket(void)
{
	char rest[16];

	while (recv(ng, rest, sizeof rest, MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

char *
ng_ask(GString *request)
{
	const char *reply;
	g_autofree char *result = NULL;

	g_string_append_c(request, 'e');
	empty_socket();
	reply = exchange(request);
	result = reply ? value_of(reply, "result") : NULL;
	if (g_strcmp0(result, "ok") != 0)
		g_error("rtpengine says %s", reply ? reply : "nothing");
	g_string_free(request, TRUE);
	return value_of(reply, "sdp");
}
