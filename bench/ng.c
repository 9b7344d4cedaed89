/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ng.c - rtpengine in a process, and its control protocol.
 *
 * In user space, one thread.
 */
#include "bench/ng.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLY	 65536
#define PATIENCE 200 /* times 50 ms */

void
ng_run(Talk *talk)
{
	g_autofree char *listen = NULL;
	UdpPair pair;

	if (!udp_pair_open("127.0.0.1", 20000, 29999, &pair, NULL))
		exit(1);
	close(pair.rtp);
	close(pair.rtcp);
	listen = g_strdup_printf("--listen-ng=127.0.0.1:%u", pair.port);
	say(talk, "%u", pair.port);
	say(talk, "ready %d", (int)getpid());
	execlp("rtpengine", "rtpengine", "--config-file=none", "--foreground", "--table=-1",
	       "--interface=127.0.0.1", listen, "--num-threads=1", "--port-min=30000",
	       "--port-max=60000", "--log-level=3", "--log-stderr", (char *)NULL);
	perror("rtpengine");
	exit(1);
}

/* --- its control protocol: a cookie, then a bencoded dictionary --- */

void
ng_put(GString *request, const char *key, const char *value)
{
	g_string_append_printf(request, "%u:%s%u:%s", (guint)strlen(key), key, (guint)strlen(value),
			       value);
}

void
ng_begin(GString *request, const char *key, char kind)
{
	g_string_append_printf(request, "%u:%s%c", (guint)strlen(key), key, kind);
}

void
ng_say(GString *request, const char *value)
{
	g_string_append_printf(request, "%u:%s", (guint)strlen(value), value);
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

static char *
exchange(int socket, GString *request)
{
	g_autofree char *reply = g_malloc(REPLY);
	struct pollfd poll_in = { .fd = socket, .events = POLLIN };

	g_string_append_c(request, 'e');
	for (guint i = 0; i < PATIENCE; i++) {
		ssize_t length;

		if (send(socket, request->str, request->len, 0) < 0 || poll(&poll_in, 1, 50) <= 0)
			continue;
		length = recv(socket, reply, REPLY - 1, 0);
		if (length > 0) {
			reply[length] = '\0';
			return g_steal_pointer(&reply);
		}
		g_usleep(50000); /* it does not listen yet */
	}
	g_error("rtpengine does not answer");
}

GString *
ng_command(guint cookie, const char *name, guint call)
{
	GString *request = g_string_new(NULL);
	g_autofree char *id = g_strdup_printf("call%u", call);

	g_string_printf(request, "c%u d", cookie);
	ng_put(request, "command", name);
	ng_put(request, "call-id", id);
	ng_put(request, "from-tag", "client");
	return request;
}

guint16
ng_ask(int socket, GString *request)
{
	g_autofree char *reply = exchange(socket, request);
	g_autofree char *sdp = value_of(reply, "sdp");
	const char *media = sdp ? strstr(sdp, "m=audio ") : NULL;

	if (!media)
		g_error("rtpengine says %s", reply);
	g_string_free(request, TRUE);
	return (guint16)atoi(media + strlen("m=audio "));
}

int
ng_connect(Talk *talk)
{
	g_auto(GStrv) words = hear(talk, 1);
	const int ng = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	NetAddress to;

	net_address_parse("127.0.0.1", (guint16)atoi(words[0]), &to);
	if (connect(ng, &to.any, to.length) != 0)
		exit(1);
	return ng;
}
