/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtpengine.c - Sipwise's rtpengine, to be measured beside the gateway.
 *
 * In user space, one thread, SDES-SRTP to plain RTP: no ICE and no DTLS, so it has
 * less to do than the gateway.  It is told by its control protocol "ng".
 */
#include "bench/ng.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
measured(Talk *talk, guint calls)
{
	ng_run(talk);
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

static void
introduce_call(Load *load, int socket, guint call)
{
	const guint16 client = load_port(load, call, CLIENT);
	const guint16 telephone = load_port(load, call, TELEPHONE);
	g_autofree char *offer = client_sdp(call, client), *answer = telephone_sdp(telephone);
	GString *request = ng_command(2 * call, "offer", call);
	guint16 port;
	guint8 key[30];

	ng_put(request, "sdp", offer);
	ng_put(request, "transport-protocol", "RTP/AVP");
	ng_put(request, "ICE", "remove");
	load_set_to(load, call, TELEPHONE, ng_ask(socket, request));
	request = ng_command(2 * call + 1, "answer", call);
	ng_put(request, "to-tag", "telephone");
	ng_put(request, "sdp", answer);
	port = ng_ask(socket, request);
	load_set_to(load, call, CLIENT, port);
	/* it has no rtcp-mux unless it is asked for */
	net_address_set_port(&load->call[call].rtcp[CLIENT], port + 1);
	call_key(call, key);
	load->call[call].protection = protection_new(SRTP_CM_SHA1_80, key, TRUE);
}

static void
introduce(Talk *talk, Load *load)
{
	const int ng = ng_connect(talk);

	if (!protection_setup(NULL))
		exit(1);
	for (guint i = 0; i < load->calls; i++)
		introduce_call(load, ng, i);
	close(ng);
}

const Kind rtpengine_kind = { "rtpengine", measured, introduce };
