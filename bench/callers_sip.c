/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* callers_sip.c - the SIP side of the load: a carrier by UDP, known by its address.
 *
 * The least of RFC 3261 that a call needs.  Nothing is sent again: what is lost on the
 * loopback is a call that failed.
 */
#include "bench/callers.h"
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER (4 << 20)
#define NUMBER SLOT_PREFIX "%07u"

static int carrier;
static guint16 port;
static NetAddress gateway;

static void
transmit(const GString *message)
{
	sendto(carrier, message->str, message->len, 0, &gateway.any, gateway.length);
}

/* --- writing --- */

static void
append_sdp(GString *message, const Caller *caller, const char *direction)
{
	g_autofree char *sdp = g_strdup_printf(
		"v=0\r\no=bench 1 %u IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio %u RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=%s\r\n",
		caller->held ? 2 : 1, media_telephone_port(caller), direction);

	g_string_append_printf(message,
			       "Contact: <sip:" NUMBER "@127.0.0.1:%u>\r\n"
			       "Content-Type: application/sdp\r\nContent-Length: %u\r\n\r\n%s",
			       NUMBER_BASE + caller->slot, port, (guint)strlen(sdp), sdp);
}

/* Up to CSeq, of a request of ours. */
static GString *
request(const Caller *caller, const char *method, guint cseq)
{
	GString *message = g_string_new(NULL);
	g_autofree char *user =
		g_strdup_printf("sip:" USER_PREFIX "%07u@127.0.0.1:%u", NUMBER_BASE + caller->user,
				net_address_port(&gateway));
	g_autofree char *first = g_strdup_printf("<%s>", user);

	g_string_printf(message,
			"%s %s SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%" G_GUINT64_FORMAT
			"-%u%c\r\nMax-Forwards: 70\r\n"
			"From: <sip:" NUMBER "@127.0.0.1>;tag=f%u\r\nTo: %s\r\n"
			"Call-ID: %s\r\nCSeq: %u %s\r\n",
			method, caller->contact ? caller->contact : user, port, caller->serial,
			cseq, method[0], NUMBER_BASE + caller->slot, caller->slot,
			caller->to ? caller->to : first, caller->call_id, cseq, method);
	return message;
}

static void
send_request(const Caller *caller, const char *method, guint cseq)
{
	GString *message = request(caller, method, cseq);

	g_string_append(message, "Content-Length: 0\r\n\r\n");
	transmit(message);
	g_string_free(message, TRUE);
}

void
sip_call(Caller *caller)
{
	GString *message;

	g_snprintf(caller->call_id, sizeof caller->call_id, "%u-%" G_GUINT64_FORMAT "@bench",
		   caller->slot, caller->serial);
	caller->cseq = 1;
	message = request(caller, "INVITE", 1);
	append_sdp(message, caller, "sendrecv");
	transmit(message);
	g_string_free(message, TRUE);
}

void
sip_hang_up(Caller *caller)
{
	send_request(caller, "BYE", ++caller->cseq);
}

/* --- reading --- */

/* A header that stands once; to be freed, or NULL. */
static char *
header(const char *message, const char *name)
{
	g_autofree char *before = g_strdup_printf("\r\n%s: ", name);

	return text_between(message, NULL, before, "\r\n");
}

static void
learn_address(Caller *caller, const char *message)
{
	const char *media = strstr(message, "\r\nm=audio ");

	if (media)
		net_address_parse("127.0.0.1", (guint16)atoi(media + strlen("\r\nm=audio ")),
				  &caller->telephone_to);
}

/* Answers the request with that status; `direction` of the SDP, NULL: none. */
static void
answer(const Caller *caller, const char *message, const char *status, const char *direction)
{
	GString *text = g_string_new(NULL);
	g_autofree char *from = header(message, "From"), *to = header(message, "To");
	g_autofree char *call_id = header(message, "Call-ID"), *cseq = header(message, "CSeq");
	const char *via = strstr(message, "\r\nVia: ");

	g_string_printf(text, "SIP/2.0 %s", status);
	for (; via; via = strstr(via + 2, "\r\nVia: "))
		g_string_append_len(text, via, strstr(via + 2, "\r\n") - via);
	g_string_append_printf(text, "\r\nFrom: %s\r\nTo: %s", from, to);
	if (!strstr(to, ";tag="))
		g_string_append_printf(text, ";tag=t%u", caller->slot);
	g_string_append_printf(text, "\r\nCall-ID: %s\r\nCSeq: %s\r\n", call_id, cseq);
	if (direction)
		append_sdp(text, caller, direction);
	else
		g_string_append_printf(text,
				       "Contact: <sip:" NUMBER "@127.0.0.1:%u>\r\n"
				       "Content-Length: 0\r\n\r\n",
				       NUMBER_BASE + caller->slot, port);
	transmit(text);
	g_string_free(text, TRUE);
}

static void
on_invite(Caller *caller, const char *message)
{
	g_autofree char *to = header(message, "To");

	learn_address(caller, message);
	if (strstr(to, ";tag=")) { /* the hold, or its end */
		caller->held = strstr(message, "a=sendrecv") == NULL;
		answer(caller, message, "200 OK", caller->held ? "recvonly" : "sendrecv");
		return;
	}
	answer(caller, message, "180 Ringing", NULL);
	if (caller->rings_only)
		caller_rings(caller);
	else
		answer(caller, message, "200 OK", "sendrecv");
}

static void
on_request(const char *message)
{
	const char *number = strstr(message, "sip:");
	Caller *caller = number ? caller_of_number(number + 4) : NULL;

	if (!caller)
		return;
	if (g_str_has_prefix(message, "INVITE ")) {
		on_invite(caller, message);
	} else if (g_str_has_prefix(message, "ACK ")) {
		if (caller->held)
			caller_is_held(caller);
		else
			caller_is_up(caller, FALSE);
	} else {
		answer(caller, message, "200 OK", NULL);
		if (g_str_has_prefix(message, "BYE ") || g_str_has_prefix(message, "CANCEL "))
			caller_is_over(caller, FALSE);
	}
}

static void
on_answered(Caller *caller, const char *message)
{
	g_autofree char *contact = header(message, "Contact");

	if (caller->telephone_up)
		return;
	caller->to = header(message, "To");
	caller->contact = contact ? text_between(contact, NULL, "<", ">") : NULL;
	learn_address(caller, message);
	send_request(caller, "ACK", 1);
	caller_is_up(caller, FALSE);
}

static void
on_response(const char *message)
{
	const guint status = (guint)atoi(message + strlen("SIP/2.0 "));
	g_autofree char *call_id = header(message, "Call-ID"), *cseq = header(message, "CSeq");
	Caller *caller = call_id ? caller_at((guint)strtoul(call_id, NULL, 10)) : NULL;

	if (!caller || strcmp(caller->call_id, call_id) != 0 || status < 200 || !cseq)
		return;
	if (strstr(cseq, "BYE"))
		caller_is_over(caller, FALSE);
	else if (status == 200)
		on_answered(caller, message);
	else
		caller_failed(caller, message);
}

static gboolean
on_message(int fd, GIOCondition condition, gpointer user)
{
	char message[8192];
	ssize_t length;

	while ((length = recv(fd, message, sizeof message - 1, MSG_DONTWAIT)) > 0) {
		message[length] = '\0';
		if (g_str_has_prefix(message, "SIP/2.0 "))
			on_response(message);
		else
			on_request(message);
	}
	return G_SOURCE_CONTINUE;
}

guint
sip_open(guint16 gateway_port)
{
	NetAddress address;
	const int size = BUFFER;

	net_address_parse("127.0.0.1", gateway_port, &gateway);
	net_address_parse("127.0.0.1", 0, &address);
	carrier = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(carrier, &address.any, address.length) != 0 ||
	    getsockname(carrier, &address.any, &address.length) != 0)
		g_error("no port for the carrier");
	if (setsockopt(carrier, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(carrier, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	port = net_address_port(&address);
	g_unix_fd_add(carrier, G_IO_IN, on_message, NULL);
	return port;
}
