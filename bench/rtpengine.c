/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtpengine.c - Sipwise's rtpengine, to be measured beside the gateway.
 *
 * In user space, one thread, SDES-SRTP to plain RTP: no ICE and no DTLS, so it has
 * less to do than the gateway.  It is told by its control protocol "ng".
 */
#include "bench/bench.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLY	 65536
#define PATIENCE 200 /* times 50 ms */

static void
measured(Talk *talk, guint calls)
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

static void
put(GString *request, const char *key, const char *value)
{
	g_string_append_printf(request, "%u:%s%u:%s", (guint)strlen(key), key, (guint)strlen(value),
			       value);
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
ask(int socket, GString *request)
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

static GString *
command(guint cookie, const char *name, guint call)
{
	GString *request = g_string_new(NULL);
	g_autofree char *id = g_strdup_printf("call%u", call);

	g_string_printf(request, "c%u d", cookie);
	put(request, "command", name);
	put(request, "call-id", id);
	put(request, "from-tag", "client");
	return request;
}

static char *
client_sdp(guint call, guint16 port)
{
	guint8 key[30];
	g_autofree char *text = NULL;

	call_key(call, key);
	text = g_base64_encode(key, sizeof key);
	return g_strdup_printf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			       "t=0 0\r\nm=audio %u RTP/SAVP 0\r\n"
			       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n",
			       port, text);
}

static char *
telephone_sdp(guint16 port)
{
	return g_strdup_printf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			       "t=0 0\r\nm=audio %u RTP/AVP 0\r\n",
			       port);
}

/* The port it gives to the one who will get this reply's SDP. */
static guint16
port_in(const char *reply)
{
	g_autofree char *sdp = value_of(reply, "sdp");
	const char *media = sdp ? strstr(sdp, "m=audio ") : NULL;

	if (!media)
		g_error("rtpengine says %s", reply);
	return (guint16)atoi(media + strlen("m=audio "));
}

static void
introduce_call(Load *load, int socket, guint call)
{
	const guint16 client = load_port(load, call, CLIENT);
	const guint16 telephone = load_port(load, call, TELEPHONE);
	g_autofree char *offer = client_sdp(call, client), *answer = telephone_sdp(telephone);
	g_autofree char *offered = NULL, *answered = NULL;
	GString *request = command(2 * call, "offer", call);
	guint8 key[30];

	put(request, "sdp", offer);
	put(request, "transport-protocol", "RTP/AVP");
	put(request, "ICE", "remove");
	offered = ask(socket, request);
	g_string_free(request, TRUE);
	request = command(2 * call + 1, "answer", call);
	put(request, "to-tag", "telephone");
	put(request, "sdp", answer);
	answered = ask(socket, request);
	g_string_free(request, TRUE);
	load_set_to(load, call, TELEPHONE, port_in(offered));
	load_set_to(load, call, CLIENT, port_in(answered));
	/* it has no rtcp-mux unless it is asked for */
	net_address_set_port(&load->call[call].rtcp[CLIENT], port_in(answered) + 1);
	call_key(call, key);
	load->call[call].protection = protection_new(SRTP_CM_SHA1_80, key, TRUE);
}

static void
introduce(Talk *talk, Load *load)
{
	g_auto(GStrv) words = hear(talk, 1);
	const int ng = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	NetAddress to;

	net_address_parse("127.0.0.1", (guint16)atoi(words[0]), &to);
	if (!protection_setup(NULL) || connect(ng, &to.any, to.length) != 0)
		exit(1);
	for (guint i = 0; i < load->calls; i++)
		introduce_call(load, ng, i);
	close(ng);
}

const Kind rtpengine_kind = { "rtpengine", measured, introduce };
