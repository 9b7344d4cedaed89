/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* callers_xmpp.c - the XMPP side of the load: a server for the component, and its clients.
 *
 * The gateway's stanzas are looked through as text: what it says, and in which form, is
 * known here.  XEP-0114, XEP-0353, XEP-0166, XEP-0167, XEP-0176, XEP-0320.
 */
#include "bench/callers.h"
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER                                                                                 \
	"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='bench' from='gw.localhost'>"
#define JINGLE "xmlns='urn:xmpp:jingle:1'"
#define JMI    "xmlns='urn:xmpp:jingle-message:0'"
#define FEATURES                                                                       \
	"<identity category='client' type='phone'/><feature var='urn:xmpp:jingle:1'/>" \
	"<feature var='urn:xmpp:jingle:apps:rtp:1'/>"                                  \
	"<feature var='urn:xmpp:jingle:apps:rtp:audio'/>"                              \
	"<feature var='urn:xmpp:jingle:apps:dtls:0'/>"                                 \
	"<feature var='urn:xmpp:jingle:transports:ice-udp:1'/>"                        \
	"<feature var='urn:xmpp:jingle-message:0'/>"

static struct {
	char *secret;
	int listening, stream;
	GString *input;
	gboolean begun, authenticated;
} server = { .listening = -1, .stream = -1 };

/* --- the stream --- */

static void
write_all(const char *text, gsize length)
{
	while (length > 0) {
		const ssize_t n = send(server.stream, text, length, MSG_NOSIGNAL);

		if (n <= 0)
			g_error("the gateway has closed its stream");
		text += n;
		length -= (gsize)n;
	}
}

static void G_GNUC_PRINTF(1, 2) say(const char *format, ...)
{
	char text[8192];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = g_vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	write_all(text, (gsize)length);
}

/* Length of the first whole element, 0: it has not all come. */
static gsize
element_length(const char *text)
{
	int depth = 0;

	for (const char *c = strchr(text, '<'); c; c = strchr(c, '<')) {
		const char *end = strchr(c, '>'); /* libstrophe writes ">" as an entity */

		if (!end)
			return 0;
		if (c[1] == '/')
			depth--;
		else if (end[-1] != '/')
			depth++;
		if (depth <= 0)
			return (gsize)(end + 1 - text);
		c = end;
	}
	return 0;
}

/* --- what clients say --- */

/* From the client, to the gateway's own part of the number. */
#define WAY	  "from='u%u@" USER_DOMAIN "/phone' to='" SLOT_PREFIX "%07u@gw.localhost"
#define WAY_OF(c) (c)->user, NUMBER_BASE + (c)->slot
#define IQ	  "<iq type='set' id='%s%" G_GINT64_MODIFIER "u' " WAY "/gw'><jingle " JINGLE

static void
say_content(const Caller *caller, const char *action, const char *setup)
{
	char ufrag[16];

	media_ufrag(caller, ufrag);
	say(IQ " action='session-%s' sid='%s'>"
	       "<content creator='initiator' name='0' senders='both'>"
	       "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"
	       "<payload-type id='111' name='opus' clockrate='48000' channels='2'/>"
	       "<payload-type id='0' name='PCMU' clockrate='8000'/>"
	       "<payload-type id='8' name='PCMA' clockrate='8000'/>"
	       "<payload-type id='126' name='telephone-event' clockrate='8000'/><rtcp-mux/>"
	       "</description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' "
	       "ufrag='%s' pwd='" CLIENT_PWD "'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' "
	       "hash='sha-256' setup='%s'>%s</fingerprint><candidate component='1' "
	       "foundation='1' generation='0' id='1' ip='127.0.0.1' network='0' port='%u' "
	       "priority='2130706431' protocol='udp' type='host'/></transport></content>"
	       "</jingle></iq>",
	    "s", caller->serial, WAY_OF(caller), action, caller->sid, ufrag, setup,
	    media_fingerprint(), media_client_port(caller));
}

void
xmpp_call(Caller *caller)
{
	g_snprintf(caller->sid, sizeof caller->sid, "bench%" G_GUINT64_FORMAT, caller->serial);
	caller->controls = TRUE;
	say("<message type='chat' id='jm-propose-%s' " WAY "'><propose " JMI " id='%s'>"
	    "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>"
	    "<request xmlns='urn:xmpp:receipts'/><store xmlns='urn:xmpp:hints'/></message>",
	    caller->sid, WAY_OF(caller), caller->sid);
}

void
xmpp_hang_up(Caller *caller)
{
	say(IQ " action='session-terminate' sid='%s'><reason><success/></reason></jingle></iq>",
	    "t", caller->serial, WAY_OF(caller), caller->sid);
}

void
xmpp_hold(Caller *caller)
{
	say(IQ " action='session-info' sid='%s'><hold xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"
	       "</jingle></iq>",
	    "h", caller->serial, WAY_OF(caller), caller->sid);
}

static void
say_of_message(const Caller *caller, const char *word)
{
	say("<message type='chat' " WAY "/gw'><%s " JMI " id='%s'/></message>", WAY_OF(caller),
	    word, caller->sid);
}

/* --- what the gateway says --- */

static void
acknowledge(const Caller *caller, const char *stanza)
{
	g_autofree char *id = text_between(stanza, NULL, " id=\"", "\"");

	say("<iq type='result' id='%s' " WAY "/gw'/>", id, WAY_OF(caller));
}

/* Its credentials, fingerprint and only candidate. */
static void
learn_transport(Caller *caller, const char *stanza)
{
	const char *candidate = strstr(stanza, "<candidate ");
	g_autofree char *ufrag = text_between(stanza, NULL, " ufrag=\"", "\"");
	g_autofree char *pwd = text_between(stanza, NULL, " pwd=\"", "\"");
	g_autofree char *setup = text_between(stanza, NULL, " setup=\"", "\"");
	const char *fingerprint = strstr(stanza, "<fingerprint ");
	g_autofree char *print = fingerprint ? text_between(fingerprint, NULL, ">", "<") : NULL;
	g_autofree char *port = candidate ? text_between(candidate, NULL, " port=\"", "\"") : NULL;

	if (!ufrag || !pwd || !setup || !print || !port)
		caller_failed(caller, "the gateway's description has no transport");
	else
		media_connect(caller, ufrag, pwd, print, (guint16)atoi(port),
			      strcmp(setup, "active") != 0);
}

/* By the gateway, when the telephone has hung up. */
static void
on_ended(Caller *caller, const char *stanza)
{
	if (caller->state == CALL_ENDING)
		caller_is_over(caller, TRUE);
	else
		caller_failed(caller, stanza);
}

static void
on_jingle(Caller *caller, const char *stanza)
{
	g_autofree char *action = text_between(stanza, NULL, " action=\"", "\"");

	acknowledge(caller, stanza);
	if (g_strcmp0(action, "session-initiate") == 0) {
		learn_transport(caller, stanza);
		say_content(caller, "accept", "active");
	} else if (g_strcmp0(action, "session-accept") == 0) {
		learn_transport(caller, stanza);
	} else if (g_strcmp0(action, "session-terminate") == 0) {
		on_ended(caller, stanza);
	}
}

static void
on_proposed(Caller *caller, const char *stanza)
{
	g_autofree char *id = text_between(strstr(stanza, "<propose "), NULL, " id=\"", "\"");

	g_strlcpy(caller->sid, id, sizeof caller->sid);
	say_of_message(caller, "ringing");
	if (caller->rings_only)
		caller_rings(caller);
	else
		say_of_message(caller, "proceed");
}

static void
on_message(Caller *caller, const char *stanza)
{
	if (strstr(stanza, "<propose "))
		on_proposed(caller, stanza);
	else if (strstr(stanza, "<proceed "))
		say_content(caller, "initiate", "actpass");
	else if (strstr(stanza, "<retract ") || strstr(stanza, "<reject "))
		on_ended(caller, stanza);
}

/* Of an IQ that asks: what a client can, or nothing. */
static void
answer(const char *stanza)
{
	g_autofree char *id = text_between(stanza, NULL, " id=\"", "\"");
	g_autofree char *from = text_between(stanza, NULL, " from=\"", "\"");
	g_autofree char *to = text_between(stanza, NULL, " to=\"", "\"");
	g_autofree char *node = text_between(stanza, NULL, " node=\"", "\"");

	if (strstr(stanza, "disco#info"))
		say("<iq type='result' id='%s' from='%s' to='%s'><query "
		    "xmlns='http://jabber.org/protocol/disco#info'%s%s%s>" FEATURES "</query></iq>",
		    id, to, from, node ? " node='" : "", node ? node : "", node ? "'" : "");
	else
		say("<iq type='error' id='%s' from='%s' to='%s'><error type='cancel'>"
		    "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
		    "</iq>",
		    id, to ? to : "", from ? from : "");
}

static void
on_result(Caller *caller, const char *stanza)
{
	g_autofree char *id = text_between(stanza, NULL, " id=\"", "\"");

	if (id && id[0] == 't' && g_ascii_strtoull(id + 1, NULL, 10) == caller->serial)
		caller_is_over(caller, TRUE);
}

static void
on_stanza(const char *stanza)
{
	const char *end = strchr(stanza, '>');
	g_autofree char *from = text_between(stanza, end, " from=\"", "\"");
	g_autofree char *type = text_between(stanza, end, " type=\"", "\"");
	Caller *caller = from ? caller_of_number(from) : NULL;

	if (g_strcmp0(type, "error") == 0 && caller)
		caller_failed(caller, stanza);
	else if (g_str_has_prefix(stanza, "<iq") && g_strcmp0(type, "get") == 0)
		answer(stanza);
	else if (!caller)
		return; /* what follows the end of a call */
	else if (g_strcmp0(type, "set") == 0)
		on_jingle(caller, stanza);
	else if (g_strcmp0(type, "result") == 0)
		on_result(caller, stanza);
	else if (g_str_has_prefix(stanza, "<message"))
		on_message(caller, stanza);
}

/* --- the beginning of the stream --- */

static gboolean
begin(void)
{
	const char *header = strstr(server.input->str, "<stream:stream");
	const char *end = header ? strchr(header, '>') : NULL;

	if (!end)
		return FALSE;
	g_string_erase(server.input, 0, end + 1 - server.input->str);
	server.begun = TRUE;
	say("%s", HEADER);
	return TRUE;
}

static void
authenticate(const char *element)
{
	g_autofree char *text = g_strconcat("bench", server.secret, NULL);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, text, -1);

	if (!strstr(element, digest))
		g_error("the component has another secret");
	server.authenticated = TRUE;
	say("<handshake/>");
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer user)
{
	char buffer[65536];
	const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
	gsize done = 0, length;

	if (n < 0)
		return G_SOURCE_CONTINUE;
	if (n == 0)
		exit(0);
	g_string_append_len(server.input, buffer, n);
	if (!server.begun && !begin())
		return G_SOURCE_CONTINUE;
	while ((length = element_length(server.input->str + done)) > 0) {
		g_autofree char *element = g_strndup(server.input->str + done, length);

		done += length;
		if (server.authenticated)
			on_stanza(element);
		else
			authenticate(element);
	}
	g_string_erase(server.input, 0, (gssize)done);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_incoming(int fd, GIOCondition condition, gpointer user)
{
	server.stream = accept(fd, NULL, NULL);
	if (server.stream >= 0)
		g_unix_fd_add(server.stream, G_IO_IN | G_IO_HUP, on_readable, NULL);
	return server.stream < 0;
}

guint
xmpp_listen(const char *secret)
{
	NetAddress address;

	net_address_parse("127.0.0.1", 0, &address);
	server.secret = g_strdup(secret);
	server.input = g_string_new(NULL);
	server.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server.listening, &address.any, address.length) != 0 ||
	    listen(server.listening, 1) != 0 ||
	    getsockname(server.listening, &address.any, &address.length) != 0)
		g_error("no port for the XMPP server");
	g_unix_fd_add(server.listening, G_IO_IN, on_incoming, NULL);
	return net_address_port(&address);
}

gboolean
xmpp_is_there(void)
{
	return server.authenticated;
}
