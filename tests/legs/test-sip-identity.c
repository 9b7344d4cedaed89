/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-identity.c - who calls, whom, and how private: a table for each, by what
 * carriers and telephones write. */
#include "tests/legs/sip-phone.h"
#include <string.h>

#define CALLED "sip:+14155550123@gw.example.org"
#define BOB    "\"Bob\" <sip:+12125550199@c.example>"

/* An INVITE as it is written here; `to` and `extra` may be NULL. */
static void
invite(Peer *peer, const char *uri, const char *to, const char *from, const char *extra)
{
	g_autofree char *text = NULL;

	g_free(peer->call_id);
	peer->call_id = g_uuid_string_random();
	text = g_strdup_printf(
		"INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-%s;rport\r\n"
		"From: %s;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nMax-Forwards: "
		"70\r\n"
		"Contact: <sip:c@127.0.0.1:%u>\r\n%sContent-Type: application/sdp\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		uri, peer->port, peer->call_id, from, peer->tag, to ? to : uri, peer->call_id,
		peer->port, extra ? extra : "", strlen(sdp_one), sdp_one);
	peer_send(peer, text);
}

static void
refuse_it(Peer *peer)
{
	g_autofree char *refused = NULL;

	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	refused = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, refused, NULL);
}

typedef struct {
	const char *from, *extra, *expected;
} CallerCase;

static void
check_callers(const CallerCase *cases, guint n)
{
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint i = 0; i < n; i++) {
		g_autofree char *expected = g_strdup_printf(
			"new %s → +14155550123 by carrier 40000 sendrecv", cases[i].expected);

		g_test_message("%s %s", cases[i].from, cases[i].extra ? cases[i].extra : "");
		invite(peer, CALLED, NULL, cases[i].from, cases[i].extra);
		rig_expect(expected);
		refuse_it(peer);
	}
	rig_stop();
}

/* An INVITE that names nobody has a record all the same. */
static void
called__nobody(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *refused = NULL, *kept = NULL;

	invite(peer, "sip:gw.example.org", NULL, BOB, NULL);
	refused = peer_wait(peer, "SIP/2.0 404");
	peer_ack(peer, refused, NULL);
	kept = rig_take_refusals();
	g_assert_cmpstr(kept, ==,
			"+12125550199 → gw.example.org by carrier of -: not-found the INVITE names "
			"nobody to call\n");
	rig_stop();
}

/* Lines and commas are the same, a number goes before the name of an account. */
static void
caller__lists(void)
{
	static const CallerCase CASES[] = {
		{ BOB,
		  "P-Asserted-Identity: <sip:trunk123@ims.example>\r\n"
		  "P-Asserted-Identity: <tel:+14155550177>\r\n",
		  "+14155550177 (Bob)" },
		{ BOB,
		  "P-Asserted-Identity: <tel:+14155550177>\r\n"
		  "P-Asserted-Identity: <sip:trunk123@ims.example>\r\n",
		  "+14155550177 (Bob)" },
		{ BOB,
		  "P-Asserted-Identity: <sip:trunk123@ims.example>, \"A, B\" "
		  "<tel:+14155550177>\r\n",
		  "+14155550177 (A, B)" },
		{ BOB,
		  "P-Asserted-Identity: <sip:trunk123@ims.example>,\r\n <tel:+14155550177>\r\n",
		  "+14155550177 (Bob)" },
		{ BOB, "p-asserted-identity: sip:trunk123@ims.example,tel:+1-415-555-0177\r\n",
		  "+14155550177 (Bob)" },
		{ BOB, "P-Asserted-Identity: <<<, <tel:+14155550177>\r\n", "+14155550177 (Bob)" },
		/* an account alone does not hide the number that From has */
		{ BOB, "P-Asserted-Identity: <sip:trunk123@ims.example>\r\n",
		  "+12125550199 (Bob)" },
		{ "<sip:bob@c.example>", "P-Asserted-Identity: <sip:trunk123@ims.example>\r\n",
		  "sip:trunk123@ims.example (no name)" },
		/* Remote-Party-ID, of the one who calls alone */
		{ "<sip:trunk123@c.example>",
		  "Remote-Party-ID: <sip:+14155550123@c.example>;party=called\r\n"
		  "Remote-Party-ID: \"Ann\" "
		  "<sip:+14155550177@c.example>;party=calling;privacy=off\r\n",
		  "+14155550177 (Ann)" },
		{ "<sip:trunk123@c.example>",
		  "Remote-Party-ID: <sip:+14155550123@c.example>;party=called, "
		  "<sip:+14155550177@c.example>\r\n",
		  "+14155550177 (no name)" },
		{ BOB,
		  "Remote-Party-ID: <sip:+14155550199@c.example>\r\n"
		  "P-Asserted-Identity: <sip:+14155550177@c.example>\r\n",
		  "+14155550177 (Bob)" },
	};

	check_callers(CASES, G_N_ELEMENTS(CASES));
}

static void
caller__numbers(void)
{
	static const CallerCase CASES[] = {
		{ "<tel:+1-212-555-0199>", NULL, "+12125550199 (no name)" },
		{ "<tel:2125550199;phone-context=+1>", NULL, "+12125550199 (no name)" },
		{ "<tel:2125550199;isub=7;phone-context=+1>", NULL, "+12125550199 (no name)" },
		{ "<sip:2125550199;phone-context=+1@c.example;user=phone>", NULL,
		  "+12125550199 (no name)" },
		{ "<sip:+12125550199;npdi;rn=+12125550000@c.example;user=phone>", NULL,
		  "+12125550199 (no name)" },
		{ "<tel:7001;phone-context=c.example>", NULL, "7001 (no name)" },
		{ BOB, "P-Asserted-Identity: <tel:4155550177;phone-context=+1>\r\n",
		  "+14155550177 (Bob)" },
		{ BOB, "P-Asserted-Identity: tel:4155550177;phone-context=+1\r\n",
		  "+14155550177 (Bob)" },
		{ BOB,
		  "P-Asserted-Identity: "
		  "<sip:01711234567;phone-context=+49@c.example;user=phone>\r\n",
		  "+491711234567 (Bob)" },
		{ BOB, "Remote-Party-ID: <tel:4155550177;phone-context=+1>;privacy=off\r\n",
		  "+14155550177 (Bob)" },
	};

	check_callers(CASES, G_N_ELEMENTS(CASES));
}

/* A name that is not in quotes and should be costs nobody the call. */
static void
caller__names(void)
{
#define CALLER " <sip:+12125550199@c.example>"
	static const CallerCase CASES[] = {
		{ "J\xc3\xbcrgen" CALLER, NULL, "+12125550199 (J\xc3\xbcrgen)" },
		{ "Dr. M. O'Neil (x)" CALLER, NULL, "+12125550199 (Dr. M. O'Neil (x))" },
		{ "Doe, John" CALLER, NULL, "+12125550199 (Doe, John)" },
		{ "joe@c.example" CALLER, NULL, "+12125550199 (joe@c.example)" },
		{ "\"Bob\" B." CALLER, NULL, "+12125550199 (Bob B.)" },
		{ "(212) 555-0199" CALLER, NULL, "+12125550199 ((212) 555-0199)" },
	};

	check_callers(CASES, G_N_ELEMENTS(CASES));
}

/* Nor does a line that no call needs. */
static void
caller__spare_lines(void)
{
	static const char *const NAMES[] = { "Session-Expires",	    "x",     "Min-SE", "Expires",
					     "Content-Disposition", "Event", "RAck",   "RSeq" };
	static const char *const VALUES[] = { "", "@@ ,;=", "\"open" };
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(NAMES) * G_N_ELEMENTS(VALUES); i++) {
		g_autofree char *line =
			g_strdup_printf("%s: %s\r\n", NAMES[i % G_N_ELEMENTS(NAMES)],
					VALUES[i / G_N_ELEMENTS(NAMES)]);

		g_test_message("%s", line);
		invite(peer, CALLED, NULL, BOB, line);
		rig_expect("new +12125550199 (Bob) → +14155550123 by carrier 40000 sendrecv");
		refuse_it(peer);
	}
	rig_stop();
}

/* An answer that is dropped for such a line leaves a call that only its other end knows. */
static void
callee__odd_lines(void)
{
	static const char *const LINES[] = {
		"Contact: J\xc3\xbcrgen <sip:c@127.0.0.1:%u>\r\n",
		"Contact: Doe, John <sip:c@127.0.0.1:%u>\r\n",
		"Contact: \"Bob\" B. <sip:c@127.0.0.1:%u>\r\n",
		"Contact: <sip:c@127.0.0.1:%u>\r\nSession-Expires:\r\n",
		"Contact: <sip:c@127.0.0.1:%u>\r\nExpires: never\r\n",
		"Contact: <sip:c@127.0.0.1:%u>\r\nContent-Disposition:\r\n",
		"Contact: <sip:c@127.0.0.1:%u>\r\nRSeq: x\r\n",
	};
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(LINES); i++) {
		g_auto(GStrv) part = g_strsplit(LINES[i], "%u", 2);
		g_autofree char *line = g_strdup_printf("%s%u%s", part[0], peer->port, part[1]);
		g_autofree char *request = NULL, *ack = NULL, *bye = NULL;

		g_test_message("%s", line);
		rig_dial("carrier", "+14155550123", NULL);
		request = peer_wait(peer, "INVITE ");
		peer_reply(peer, request, "200 OK", "odd", line, sdp_one);
		ack = peer_wait(peer, "ACK ");
		rig_expect("answered 40000 sendrecv");
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		bye = peer_wait(peer, "BYE ");
		peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	}
	rig_stop();
}

/* Whatever a carrier writes for a number that is withheld; who it is all the same is for
 * lists of blocked callers alone. */
static void
caller__withheld(void)
{
#define HIDDEN "anonymous (no name) who is +12125550199"
#define NOBODY "anonymous (no name)"
	static const CallerCase CASES[] = {
		{ BOB, "Privacy: id\r\n", HIDDEN },
		{ BOB, "Privacy: ID\r\n", HIDDEN },
		{ BOB, "Privacy: user\r\n", HIDDEN },
		{ BOB, "Privacy: full\r\n", HIDDEN },
		{ BOB, "Privacy: header\r\n", HIDDEN },
		{ BOB, "Privacy: user;id;critical\r\n", HIDDEN },
		{ BOB, "Privacy: session, id\r\n", HIDDEN },
		{ BOB, "Privacy: critical\r\nPrivacy: id\r\n", HIDDEN },
		{ BOB, "Privacy: id\r\nPrivacy: critical\r\n", HIDDEN },
		{ BOB, "Privacy: session;critical\r\n", "+12125550199 (Bob)" },
		{ BOB, "Privacy: none\r\n", "+12125550199 (Bob)" },
		{ BOB, "Privacy: id\r\nP-Asserted-Identity: <tel:+14155550177>\r\n",
		  "anonymous (no name) who is +14155550177" },
		{ BOB,
		  "Remote-Party-ID: <sip:+12125550199@c.example>;party=calling;privacy=full\r\n",
		  HIDDEN },
		{ BOB, "Remote-Party-ID: <sip:+12125550199@c.example>;privacy=uri\r\n", HIDDEN },
		{ BOB, "Remote-Party-ID: <sip:+12125550199@c.example>;privacy=full-network\r\n",
		  HIDDEN },
		{ BOB, "Remote-Party-ID: <sip:+12125550199@c.example>;privacy=name;privacy=uri\r\n",
		  HIDDEN },
		{ BOB, "Remote-Party-ID: <sip:+12125550199@c.example>;privacy=\"full\"\r\n",
		  HIDDEN },
		{ BOB, "Remote-Party-ID: <sip:+12125550199@c.example>;privacy=name\r\n",
		  "+12125550199 (no name)" },
		{ BOB,
		  "Remote-Party-ID: <sip:+14155550123@c.example>;party=called;privacy=full\r\n",
		  "+12125550199 (Bob)" },
		{ "<sip:restricted@c.example>", NULL, NOBODY },
		{ "<sip:anonymous@c.example>", NULL, NOBODY },
		{ "<sip:Anonymous@anonymous.invalid>", NULL, NOBODY },
		{ "<sip:unavailable@c.example>", NULL, NOBODY },
		{ "<sip:unknown@c.example>", NULL, NOBODY },
		{ "<sip:withheld@c.example>", NULL, NOBODY },
		{ "<sip:private@c.example>", NULL, NOBODY },
		{ "<sip:x@unknown.invalid>", NULL, NOBODY },
		{ "<sip:+266696687@c.example>", NULL, NOBODY },
		{ "<sip:c.example>", NULL, NOBODY },
		{ "\"Anonymous\" <sip:+12125550199@c.example>", NULL, HIDDEN },
		{ "\"Restricted\" <sip:c.example>", NULL, NOBODY },
		{ "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
		  "P-Asserted-Identity: <tel:+12125550199>\r\n", HIDDEN },
		{ "<sip:restricted@c.example>",
		  "Remote-Party-ID: <sip:+12125550199@c.example>;party=calling;privacy=full\r\n",
		  HIDDEN },
		/* and what is said of a name alone hides nothing */
		{ "\"Unavailable\" <sip:+12125550199@c.example>", NULL,
		  "+12125550199 (Unavailable)" },
	};

	check_callers(CASES, G_N_ELEMENTS(CASES));
}

/* Whom a carrier calls, by every URI that says it. */
static void
called__numbers(void)
{
	static const char *const CASES[][2] = {
		{ "sip:+14155550123@gw.example.org", "+14155550123" },
		{ "tel:+14155550123", "+14155550123" },
		{ "tel:+1-415-555-0123", "+14155550123" },
		{ "sip:+49(0)1711234567@gw.example.org", "+491711234567" },
		{ "sip:+49(0)(171)1234567@gw.example.org", "+491711234567" },
		{ "tel:4155550123;phone-context=+1", "+14155550123" },
		{ "tel:4155550123;isub=12;phone-context=+1", "+14155550123" },
		{ "sip:4155550123;phone-context=+1@gw.example.org;user=phone", "+14155550123" },
		{ "sip:+14155550123;npdi@gw.example.org;user=phone", "+14155550123" },
		{ "tel:4155550123", "sip:4155550123@gw.example.org" },
		{ "tel:7001;phone-context=gw.example.org", "7001" },
	};
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *expected = g_strdup_printf(
			"new +12125550199 (Bob) → %s by carrier 40000 sendrecv", CASES[i][1]);

		g_test_message("%s", CASES[i][0]);
		invite(peer, CASES[i][0], NULL, BOB, NULL);
		rig_expect(expected);
		refuse_it(peer);
	}
	rig_stop();
}

/* A registrar calls the Contact that we registered, and writes the number elsewhere. */
static void
registers(Trunk *trunk)
{
	g_free(trunk->username);
	trunk->username = g_strdup("acct77");
}

static void
called__account(void)
{
	static const struct {
		const char *uri, *to, *extra, *called;
	} CASES[] = {
		{ "sip:acct77@gw.example.org", "sip:+14155550123@c.example", NULL, "+14155550123" },
		{ "sip:acct77@gw.example.org", "tel:4155550123;phone-context=+1", NULL,
		  "+14155550123" },
		{ "sip:acct77@gw.example.org;line=1", "sip:14155550123@c.example", NULL,
		  "sip:14155550123@c.example" },
		{ "sip:127.0.0.1", "sip:+14155550123@c.example", NULL, "+14155550123" },
		{ "sip:acct77@gw.example.org", "sip:+14155550199@c.example",
		  "P-Called-Party-ID: <sip:+14155550123@c.example>\r\n", "+14155550123" },
		{ "sip:acct77@gw.example.org", "sip:+14155550123@c.example",
		  "P-Called-Party-ID: <sip:acct77@c.example>\r\n", "+14155550123" },
		/* the number is where it belongs */
		{ "sip:+14155550123@gw.example.org", "sip:+14155550124@c.example", NULL,
		  "+14155550123" },
		{ "sip:+14155550123@gw.example.org", "sip:+14155550124@c.example",
		  "P-Called-Party-ID: <sip:+14155550124@c.example>\r\n", "+14155550123" },
		/* none of them is ours */
		{ "sip:acct77@gw.example.org", "sip:+14155550199@c.example", NULL,
		  "sip:acct77@gw.example.org" },
	};
	g_autoptr(Peer) peer = peer_new();

	phone_start();
	g_assert_true(store_number_add(rig_store(), "+14155550123", ALICE, NULL));
	g_assert_true(store_number_add(rig_store(), "+14155550124", ALICE, NULL));
	rig_trunk("carrier", peer->port, registers);
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *expected = g_strdup_printf(
			"new +12125550199 (Bob) → %s by carrier 40000 sendrecv", CASES[i].called);

		g_test_message("%s %s", CASES[i].uri, CASES[i].to);
		invite(peer, CASES[i].uri, CASES[i].to, BOB, CASES[i].extra);
		rig_expect(expected);
		refuse_it(peer);
	}
	rig_stop();
}

static const char *told_in;

static void
told(Trunk *trunk)
{
	g_free(trunk->called);
	trunk->called = g_strdup(told_in);
}

/* The admin knows better than we could guess. */
static void
called__where_the_admin_says(void)
{
	static const struct {
		const char *where, *called;
	} CASES[] = {
		{ "auto", "+14155550123" },
		{ "uri", "+14155550123" },
		{ "to", "+14155550124" },
		{ "p-called-party-id", "+14155550199" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *expected = g_strdup_printf(
			"new +12125550199 (Bob) → %s by carrier 40000 sendrecv", CASES[i].called);

		rig_start();
		told_in = CASES[i].where;
		rig_trunk("carrier", peer->port, told);
		invite(peer, "sip:+14155550123@gw.example.org", "sip:+14155550124@c.example", BOB,
		       "P-Called-Party-ID: <sip:+14155550199@c.example>\r\n");
		rig_expect(expected);
		refuse_it(peer);
		rig_stop();
	}
}

/* With the right credentials, for which it is challenged the first time. */
static void
phone_call(Phone *phone, const char *from, const char *extra)
{
	g_autofree char *proof = NULL, *lines = NULL;

	if (!phone->nonce) {
		g_autofree char *challenged = NULL;

		invite(phone->peer, CALLED, NULL, from, extra);
		challenged = peer_wait(phone->peer, "SIP/2.0 407");
		phone_take_nonce(phone, challenged);
		peer_ack(phone->peer, challenged, NULL);
	}
	proof = phone_credentials(phone, "Proxy-Authorization", "INVITE", CALLED);
	lines = g_strconcat(extra ? extra : "", proof, NULL);
	invite(phone->peer, CALLED, NULL, from, lines);
}

/* Not one of an earlier call that is sent again. */
static char *
wait_for_this(Peer *peer, const char *status)
{
	for (;;) {
		char *answer = peer_wait(peer, status);

		if (strstr(answer, peer->call_id))
			return answer;
		g_free(answer);
	}
}

/* What is kept of a call that was answered so; NULL: it was taken. */
static void
check_record(const char *answer)
{
	g_autofree char *kept = rig_take_refusals();
	g_autofree char *expected =
		!answer ? g_strdup("")
			: g_strdup_printf(
				  ALICE " → +14155550123 by - of alice: forbidden %s\n",
				  strstr(answer, "Privacy Not Available")
					  ? "the telephone wants a privacy that there is not"
					  : "the telephone shows a number that is not of the "
					    "account");

	g_assert_cmpstr(kept, ==, expected);
}

/* What a telephone asks of its identity is done, or the call fails (RFC 3325 8). */
static void
phone__asks(void)
{
	static const struct {
		const char *from, *extra, *expected;
	} CASES[] = {
		{ "<sip:alice@gw.example.org>", NULL, "" },
		{ "<sip:+14155550101@gw.example.org>", NULL, " as +14155550101" },
		{ "<sip:+14155550102@gw.example.org>", NULL, " as +14155550102" },
		{ "<tel:4155550102;phone-context=+1>", NULL, " as +14155550102" },
		{ "<sip:alice@gw.example.org>", "Privacy: id\r\n", " hidden" },
		{ "<sip:alice@gw.example.org>", "Privacy: user;critical\r\n", " hidden" },
		{ "<sip:alice@gw.example.org>", "Privacy: header\r\n", " hidden" },
		{ "<sip:alice@gw.example.org>", "Privacy: none\r\n", " shown" },
		{ "<sip:alice@gw.example.org>", "Privacy: session\r\n", "" },
		{ "\"Anonymous\" <sip:anonymous@anonymous.invalid>", "Privacy: id\r\n", " hidden" },
		{ "<sip:anonymous@anonymous.invalid>", NULL, " hidden" },
		{ "<sip:anonymous@gw.example.org>", NULL, " hidden" },
		{ "\"Anonymous\" <sip:alice@gw.example.org>", NULL, " hidden" },
		{ "<sip:alice@gw.example.org>",
		  "Remote-Party-ID: <sip:alice@gw.example.org>;privacy=full\r\n", " hidden" },
		{ "<sip:alice@gw.example.org>",
		  "P-Preferred-Identity: <sip:+14155550102@gw.example.org>\r\n",
		  " as +14155550102" },
		{ "<sip:+14155550101@gw.example.org>",
		  "P-Preferred-Identity: <tel:+1-415-555-0102>\r\n", " as +14155550102" },
		{ "<sip:alice@gw.example.org>",
		  "P-Preferred-Identity: <sip:alice@gw.example.org>\r\n"
		  "P-Preferred-Identity: <tel:+14155550102>\r\n",
		  " as +14155550102" },
		{ "<sip:alice@gw.example.org>",
		  "P-Asserted-Identity: <sip:+14155550102@gw.example.org>\r\n",
		  " as +14155550102" },
		{ "<sip:anonymous@anonymous.invalid>",
		  "Privacy: id\r\nP-Preferred-Identity: <tel:+14155550102>\r\n",
		  " hidden as +14155550102" },
		/* somebody else's number */
		{ "<sip:alice@gw.example.org>", "P-Preferred-Identity: <tel:+14155550199>\r\n",
		  NULL },
		{ "<sip:+14155550199@gw.example.org>", NULL, NULL },
		{ "<sip:alice@gw.example.org>", "P-Asserted-Identity: <tel:+14155550199>\r\n", "" },
		/* something that we do not know, and that must not be left undone */
		{ "<sip:alice@gw.example.org>", "Privacy: invisible;critical\r\n", NULL },
		{ "<sip:alice@gw.example.org>", "Privacy: invisible\r\n", "" },
	};
	g_auto(Phone) phone = phone_new("alice", peer_new());

	phone_start();
	g_assert_true(store_number_add(rig_store(), "+14155550102", ALICE, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *expected =
			CASES[i].expected
				? g_strdup_printf("new " ALICE
						  " (no name)%s → +14155550123 by (null) 40000 "
						  "sendrecv",
						  CASES[i].expected)
				: NULL;
		g_autofree char *answer = NULL;

		g_test_message("%s %s", CASES[i].from, CASES[i].extra ? CASES[i].extra : "");
		phone_call(&phone, CASES[i].from, CASES[i].extra);
		if (expected) {
			rig_expect(expected);
			refuse_it(phone.peer);
		} else {
			answer = wait_for_this(phone.peer, "SIP/2.0 403");
			peer_ack(phone.peer, answer, NULL);
		}
		check_record(answer);
	}
	rig_stop();
}

/* An anonymous From is challenged as any phone's, however often, and is no attack. */
static void
phone__anonymous(void)
{
	static const char *const FROM[] = { "<sip:anonymous@anonymous.invalid>",
					    "\"Anonymous\" <sip:x@anonymous.invalid>",
					    "<sip:restricted@gw.example.org>" };
	g_auto(Phone) phone = phone_new("alice", peer_new());

	phone_start();
	for (guint i = 0; i < 40; i++) {
		g_autofree char *challenged = NULL;

		invite(phone.peer, CALLED, NULL, FROM[i % G_N_ELEMENTS(FROM)], "Privacy: id\r\n");
		do
			challenged = peer_wait(phone.peer, "SIP/2.0 ");
		while (g_str_has_prefix(challenged, "SIP/2.0 100") && (g_free(challenged), TRUE));
		phone_assert_status(challenged, "407");
		peer_ack(phone.peer, challenged, NULL);
	}
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/identity/caller/lists", caller__lists);
	g_test_add_func("/identity/caller/names", caller__names);
	g_test_add_func("/identity/caller/spare-lines", caller__spare_lines);
	g_test_add_func("/identity/callee/odd-lines", callee__odd_lines);
	g_test_add_func("/identity/caller/numbers", caller__numbers);
	g_test_add_func("/identity/caller/withheld", caller__withheld);
	g_test_add_func("/identity/called/numbers", called__numbers);
	g_test_add_func("/identity/called/account", called__account);
	g_test_add_func("/identity/called/where-the-admin-says", called__where_the_admin_says);
	g_test_add_func("/identity/phone/asks", phone__asks);
	g_test_add_func("/identity/phone/anonymous", phone__anonymous);
	g_test_add_func("/sip/called/nobody", called__nobody);
	return g_test_run();
}
