/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-extdisco.c - what clients are told of STUN and TURN servers (XEP-0215). */
#include <string.h>
#include "plugins/xmpp/xmpp_extdisco.h"

#define NOW  1000000000
#define USER "alice@example.com"
/* python3 -c 'import base64, hashlib, hmac; print(base64.b64encode(hmac.new(b"north",
 * b"1000000060:alice@example.com", hashlib.sha1).digest()))' */
#define PASSWORD "KvCdCR3905bFQUWoYcAn4fibxMk="
#define TURN(type, port, transport)                                         \
	"<service type=\"" type "\" host=\"turn.example.org\" port=\"" port \
	"\" transport=\"" transport                                         \
	"\" username=\"1000000060:alice@example.com\" password=\"" PASSWORD "\""
#define LIMITS " expires=\"2001-09-09T01:47:40Z\" restricted=\"true\"/>"
#define STUN   "<service type=\"stun\" host=\"192.0.2.9\" port=\"5000\" transport=\"udp\"/>"

static const MediaOptions both = {
	.stun = { (char *)"192.0.2.9", 5000 },
	.turn = { (char *)"turn.example.org", 3478 },
	.turn_secret = (char *)"north",
	.turn_ttl_s = 60,
	.turn_tls_port = 5349,
};
static const MediaOptions stun_only = { .stun = { (char *)"192.0.2.9", 5000 } };
static const MediaOptions none = { 0 };

/* What is asked with type get, and what is in the answer; NULL: not answered at all. */
static void
ask(const MediaOptions *media, const char *user, const char *question, const char *wanted)
{
	g_autofree char *text = g_strdup_printf(
		"<iq type='get' id='x' from='alice@example.com/p' to='gw.example.org'>%s</iq>",
		question);
	g_autoptr(xmlNode) iq = xml_parse(text, strlen(text), 65536, NULL);
	g_autoptr(xmlNode) answer = xmpp_extdisco_answer(media, iq, user, NOW);
	g_autofree char *printed = answer ? xml_print(answer) : NULL;

	g_test_message("%s", printed ? printed : "(no answer)");
	if (!wanted)
		g_assert_null(answer);
	else
		g_assert_nonnull(strstr(printed, wanted));
}

static void
test_services(void)
{
	ask(&both, USER, "<services xmlns='urn:xmpp:extdisco:2'/>",
	    " id=\"x\"><services xmlns=\"urn:xmpp:extdisco:2\">" STUN TURN("turn", "3478", "udp")
		    LIMITS TURN("turn", "3478", "tcp") LIMITS TURN("turns", "5349", "tcp") LIMITS
	    "</services>");
	ask(&both, USER, "<services xmlns='urn:xmpp:extdisco:1' type='turns'/>",
	    "<services xmlns=\"urn:xmpp:extdisco:1\" type=\"turns\">" TURN("turns", "5349",
									   "tcp") "/></services>");
	ask(&both, USER, "<services xmlns='urn:xmpp:extdisco:2' type='stun'/>",
	    " type=\"stun\">" STUN "</services>");
	ask(&stun_only, USER, "<services xmlns='urn:xmpp:extdisco:2'/>", ">" STUN "</services>");
	ask(&stun_only, USER, "<services xmlns='urn:xmpp:extdisco:2' type='turn'/>",
	    "type=\"turn\"/>");
}

/* No relaying for people this gateway does not know. */
static void
test_stranger(void)
{
	ask(&both, NULL, "<services xmlns='urn:xmpp:extdisco:2'/>", ">" STUN "</services>");
	ask(&both, NULL,
	    "<credentials xmlns='urn:xmpp:extdisco:2'><service host='turn.example.org' "
	    "type='turn'/></credentials>",
	    "<forbidden ");
}

static void
test_credentials(void)
{
	ask(&both, USER,
	    "<credentials xmlns='urn:xmpp:extdisco:2'><service host='TURN.example.org' "
	    "type='turn' port='3478'/></credentials>",
	    "<credentials xmlns=\"urn:xmpp:extdisco:2\">" TURN("turn", "3478", "udp") LIMITS
	    "</credentials>");
	ask(&both, USER,
	    "<credentials xmlns='urn:xmpp:extdisco:2'><service host='turn.example.org' "
	    "type='turn' port='1'/></credentials>",
	    "<item-not-found ");
	ask(&both, USER,
	    "<credentials xmlns='urn:xmpp:extdisco:2'><service host='turn.example.org' "
	    "type='turn' port='-1'/></credentials>",
	    "<item-not-found ");
	ask(&both, USER, "<credentials xmlns='urn:xmpp:extdisco:2'><service/></credentials>",
	    "<item-not-found ");
	ask(&both, USER, "<credentials xmlns='urn:xmpp:extdisco:2'/>", "<bad-request ");
}

static void
test_not_ours(void)
{
	ask(&none, USER, "<services xmlns='urn:xmpp:extdisco:2'/>", NULL);
	ask(&both, USER, "<services xmlns='urn:xmpp:extdisco:3'/>", NULL);
	ask(&both, USER, "<services/>", NULL);
	ask(&both, USER, "<other xmlns='urn:xmpp:extdisco:2'/>", NULL);
	ask(&both, USER, "", NULL);
}

/* What a server says, and what is made of it: "state: servers". */
static void
read_one(const char *type, const char *content, const char *wanted)
{
	static const char *const names[] = { "list", "none", "hidden", "unknown" };
	g_autofree char *text = g_strdup_printf("<iq type='%s' id='x' from='example.com' "
						"to='gw.example.org'>%s</iq>",
						type, content);
	g_autoptr(xmlNode) iq = xml_parse(text, strlen(text), 65536, NULL);
	Announced what;
	g_autoptr(GPtrArray) servers = xmpp_extdisco_read(iq, &what);
	g_autoptr(GString) got = g_string_new(names[what]);

	for (guint i = 0; i < servers->len; i++) {
		const AnnouncedServer *server = servers->pdata[i];

		g_string_append_printf(got, " %s:%s:%u/%s", server->type, server->host,
				       server->port, server->transport);
		if (server->username)
			g_string_append_printf(got, " %s %s", server->username, server->password);
	}
	g_assert_cmpstr(got->str, ==, wanted);
}

#define LIST(inside)   "<services xmlns='urn:xmpp:extdisco:2'>" inside "</services>"
#define REFUSED(words) "<error type='cancel'><" words " xmlns='" NS_STANZAS "'/></error>"
#define ONE	       "<service type='stun' host='h'/>"
#define THREE	       ONE ONE ONE

static void
test_read(void)
{
	Announced what;
	g_autoptr(GPtrArray) silence = xmpp_extdisco_read(NULL, &what);

	g_assert_cmpint(what, ==, ANNOUNCED_UNKNOWN);
	g_assert_cmpuint(silence->len, ==, 0);
	read_one("result", LIST(""), "list");
	read_one("result", "", "none");
	read_one("result", LIST(ONE), "list stun:h:3478/udp");
	read_one("result", LIST("<service type='turns' host='h'/>"), "list turns:h:5349/tcp");
	read_one("result",
		 LIST("<service type='turn' transport='tcp' host='h' port='9' username='u' "
		      "password='p'/>"),
		 "list turn:h:9/tcp u p");
	read_one("result",
		 LIST("<service type='stun'/><service host='h'/><service type='stun' host=''/>"
		      "<service type='stun' host='h' port='99999'/><other/>"),
		 "list");
	read_one("result", LIST(THREE THREE THREE),
		 "list stun:h:3478/udp stun:h:3478/udp stun:h:3478/udp stun:h:3478/udp"
		 " stun:h:3478/udp stun:h:3478/udp stun:h:3478/udp stun:h:3478/udp");
	read_one("error", REFUSED("service-unavailable"), "none");
	read_one("error", REFUSED("forbidden"), "hidden");
	read_one("error", REFUSED("not-allowed"), "hidden");
	read_one("error", REFUSED("remote-server-not-found"), "unknown");
	read_one("error", "", "unknown");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/extdisco/services", test_services);
	g_test_add_func("/extdisco/stranger", test_stranger);
	g_test_add_func("/extdisco/credentials", test_credentials);
	g_test_add_func("/extdisco/not-ours", test_not_ours);
	g_test_add_func("/extdisco/read", test_read);
	return g_test_run();
}
