/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* callers_ng.c - rtpengine in the gateway's place: the media of the same calls, with
 * nothing of their signalling.
 *
 * The telephone's offer, the client's answer: ICE and DTLS on the client's side, as the
 * gateway has it.
 */
#include "bench/callers.h"
#include "bench/ng.h"
#include <stdlib.h>
#include <string.h>

void
ng_open(guint16 port)
{
	ng_connect(port);
}

static char *
telephone_sdp(const Caller *caller)
{
	return g_strdup_printf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			       "t=0 0\r\nm=audio %u RTP/AVP 0 8 101\r\n"
			       "a=rtpmap:101 telephone-event/8000\r\n",
			       media_telephone_port(caller));
}

static char *
client_sdp(const Caller *caller)
{
	char ufrag[16];
	const guint port = media_client_port(caller);

	media_ufrag(caller, ufrag);
	return g_strdup_printf(
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio %u UDP/TLS/RTP/SAVPF 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
		"a=ice-ufrag:%s\r\na=ice-pwd:" CLIENT_PWD "\r\na=setup:active\r\n"
		"a=fingerprint:sha-256 %s\r\na=rtcp-mux\r\n"
		"a=candidate:1 1 UDP 2130706431 127.0.0.1 %u typ host\r\n",
		port, ufrag, media_fingerprint(), port);
}

static GString *
ask(const Caller *caller, const char *name)
{
	g_autofree char *call_id = g_strdup_printf("%" G_GUINT64_FORMAT, caller->serial);
	GString *request = ng_request(name, call_id);

	ng_put(request, "from-tag", "telephone");
	return request;
}

static char *
line_of(const char *sdp, const char *name)
{
	g_autofree char *before = g_strdup_printf("\r\na=%s", name);

	return text_between(sdp, NULL, before, "\r\n");
}

static guint16
port_of(const char *sdp)
{
	const char *media = sdp ? strstr(sdp, "m=audio ") : NULL;

	return media ? (guint16)atoi(media + strlen("m=audio ")) : 0;
}

static void
offer(Caller *caller)
{
	GString *request = ask(caller, "offer");
	g_autofree char *theirs = telephone_sdp(caller), *sdp = NULL, *ufrag = NULL, *pwd = NULL,
			*fingerprint = NULL;

	ng_put(request, "sdp", theirs);
	ng_put(request, "transport-protocol", "UDP/TLS/RTP/SAVPF");
	ng_put(request, "ICE", "force");
	ng_put_list(request, "rtcp-mux", "require");
	sdp = ng_ask(request);
	ufrag = line_of(sdp, "ice-ufrag:");
	pwd = line_of(sdp, "ice-pwd:");
	fingerprint = line_of(sdp, "fingerprint:sha-256 ");
	if (!ufrag || !pwd || !fingerprint)
		g_error("rtpengine has another offer: %s", sdp);
	media_connect(caller, ufrag, pwd, fingerprint, port_of(sdp), TRUE);
}

void
ng_call(Caller *caller)
{
	GString *request;
	g_autofree char *theirs = client_sdp(caller), *sdp = NULL;

	offer(caller);
	request = ask(caller, "answer");
	ng_put(request, "to-tag", "client");
	ng_put(request, "sdp", theirs);
	sdp = ng_ask(request);
	net_address_parse("127.0.0.1", port_of(sdp), &caller->telephone_to);
	caller_is_up(caller, FALSE);
}

void
ng_hang_up(Caller *caller)
{
	g_free(ng_ask(ask(caller, "delete")));
	caller_is_over(caller, FALSE);
	caller_is_over(caller, TRUE);
}
