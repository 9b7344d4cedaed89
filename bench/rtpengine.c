/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtpengine.c - Sipwise's rtpengine, to be measured beside the gateway.
 *
 * In user space, one thread, SDES-SRTP to plain RTP: no ICE and no DTLS, so it has
 * less to do than the gateway.  It is told by its control protocol "ng".
 */
#include "bench/bench.h"
#include "bench/ng.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* --- its control protocol --- */

static GString *
command(const char *name, guint call)
{
	g_autofree char *id = g_strdup_printf("call%u", call);
	GString *request = ng_request(name, id);

	ng_put(request, "from-tag", "client");
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

/* The port it gives to the one who will get this SDP. */
static guint16
port_in(const char *sdp)
{
	const char *media = sdp ? strstr(sdp, "m=audio ") : NULL;

	if (!media)
		g_error("rtpengine says %s", sdp ? sdp : "nothing");
	return (guint16)atoi(media + strlen("m=audio "));
}

static void
introduce_call(Load *load, guint call)
{
	const guint16 client = load_port(load, call, CLIENT);
	const guint16 telephone = load_port(load, call, TELEPHONE);
	g_autofree char *offer = client_sdp(call, client), *answer = telephone_sdp(telephone);
	g_autofree char *offered = NULL, *answered = NULL;
	GString *request = command("offer", call);
	guint8 key[30];

	ng_put(request, "sdp", offer);
	ng_put(request, "transport-protocol", "RTP/AVP");
	ng_put(request, "ICE", "remove");
	offered = ng_ask(request);
	request = command("answer", call);
	ng_put(request, "to-tag", "telephone");
	ng_put(request, "sdp", answer);
	answered = ng_ask(request);
	load_set_to(load, call, TELEPHONE, port_in(offered));
	load_set_to(load, call, CLIENT, port_in(answered));
	/* it has no rtcp-mux unless it is asked for */
	net_address_set_port(&load->call[call].rtcp[CLIENT], port_in(answered) + 1);
	call_key(call, key);
	load->call[call].protection = protection_new(SRTP_CM_SHA1_80, key, TRUE);
	load->call[call].opening = NULL; /* its own key is not looked for */
}

static void
introduce(Talk *talk, Load *load)
{
	g_auto(GStrv) words = hear(talk, 1);

	if (!protection_setup(NULL))
		exit(1);
	ng_connect((guint16)atoi(words[0]));
	for (guint i = 0; i < load->calls; i++)
		introduce_call(load, i);
}

const Kind rtpengine_kind = { "rtpengine", measured, introduce };
