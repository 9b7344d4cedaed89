/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-digest.c - nonces of many accounts, and which digests a phone is offered. */
#include "plugins/sip/stack/sip_dialect.h"
#include "plugins/sip/stack/sip_digest.h"
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>

static char *
nonce_of(DigestServer *server)
{
	g_autofree char *challenge = digest_server_challenge(server, DIGEST_MD5, FALSE);
	const char *at = strstr(challenge, "nonce=\"");

	return g_strndup(at + 7, strcspn(at + 7, "\""));
}

/* A REGISTER with the right password, asked for once. */
static DigestVerdict
prove(DigestServer *server, const char *username, const char *nonce, guint count)
{
	g_autofree char *a1 = g_strdup_printf("%s:tandem:pw", username);
	g_autofree char *ha1 = g_compute_checksum_for_string(G_CHECKSUM_MD5, a1, -1);
	g_autofree char *nc = g_strdup_printf("%08x", count);
	g_autofree char *response = digest_response(username, "tandem", "pw", "REGISTER", "sip:gw",
						    nonce, "auth", nc, "c");
	g_autofree char *text = g_strdup_printf(
		"REGISTER sip:gw SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1\r\n"
		"From: <sip:%s@gw>;tag=1\r\nTo: <sip:%s@gw>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
		"Authorization: Digest username=\"%s\", realm=\"tandem\", nonce=\"%s\", "
		"uri=\"sip:gw\", response=\"%s\", qop=auth, nc=%s, cnonce=\"c\"\r\n"
		"Content-Length: 0\r\n\r\n",
		username, username, username, nonce, response, nc);
	DigestSecret secret = { username, { [DIGEST_MD5] = ha1 } };
	msg_t *msg = msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
	DigestVerdict verdict = digest_server_verify(server, sip_object(msg), &secret, NULL);

	msg_destroy(msg);
	return verdict;
}

/* What one account uses up is its own: thousands of right answers, each to a challenge of
 * its own, and nobody else waits; nothing that was heard can be said again.  (The places
 * are few and fixed, so it is the same with all that a minute has room for.) */
static void
test_flood(void)
{
	const guint flood = 2000;
	DigestServer *server = digest_server_new("tandem");
	g_autoptr(GPtrArray) nonces = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *before = nonce_of(server), *other = NULL;

	g_assert_cmpint(prove(server, "desk", before, 1), ==, DIGEST_RIGHT);
	for (guint i = 0; i < flood; i++) {
		char *nonce = nonce_of(server);

		g_assert_cmpint(prove(server, "mallory", nonce, 1), ==, DIGEST_RIGHT);
		if (i % 97 == 0 || i + 20 > flood)
			g_ptr_array_add(nonces, nonce);
		else
			g_free(nonce);
	}
	g_assert_cmpuint(digest_server_places(server), <=, 17);
	other = nonce_of(server);
	g_assert_cmpint(prove(server, "alice", other, 1), ==, DIGEST_RIGHT);
	g_assert_cmpint(prove(server, "desk", before, 2), ==, DIGEST_RIGHT);
	for (guint i = 0; i < nonces->len; i++)
		g_assert_cmpint(prove(server, "mallory", nonces->pdata[i], 1), ==, DIGEST_STALE);
	digest_server_free(server);
}

static void
test_counts(void)
{
	static const struct {
		guint count;
		DigestVerdict verdict;
	} CASES[] = {
		{ 1, DIGEST_RIGHT }, { 1, DIGEST_STALE }, { 2, DIGEST_RIGHT }, { 7, DIGEST_RIGHT },
		{ 5, DIGEST_STALE }, { 8, DIGEST_RIGHT }, { 0, DIGEST_STALE },
	};
	DigestServer *server = digest_server_new("tandem");
	g_autofree char *nonce = nonce_of(server), *forged = g_strconcat(nonce, "0", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
		g_assert_cmpint(prove(server, "alice", nonce, CASES[i].count), ==,
				CASES[i].verdict);
	g_assert_cmpint(prove(server, "alice", forged, 1), ==, DIGEST_STALE);
	g_assert_cmpint(prove(server, "alice", "", 1), ==, DIGEST_STALE);
	digest_server_sweep(server);
	g_assert_cmpuint(digest_server_places(server), ==, 1); /* not old yet */
	digest_server_free(server);
}

/* A stranger that asks by thousands of names takes no place of a phone that is about to
 * ask again. */
static void
test_dialects_flood(void)
{
	Dialects *dialects = dialects_new();

	g_assert_cmpint(dialects_offer(dialects, "odd", "192.0.2.8"), ==, DIGEST_NONE);
	for (guint i = 0; i < 20000; i++) {
		g_autofree char *program = g_strdup_printf("scan %u", i);

		g_assert_cmpint(dialects_offer(dialects, program, "203.0.113.1"), ==, DIGEST_NONE);
	}
	g_assert_cmpint(dialects_offer(dialects, "odd", "192.0.2.8"), ==, DIGEST_MD5);
	/* from as many addresses: a fixed number of places, and the first ones make room */
	for (guint i = 0; i < 20000; i++) {
		g_autofree char *source = g_strdup_printf("10.1.%u.%u", i / 250, i % 250);

		dialects_offer(dialects, "scan", source);
	}
	g_assert_cmpint(dialects_offer(dialects, "odd", "192.0.2.8"), ==, DIGEST_NONE);
	dialects_free(dialects);
}

/* Who asks, in turn: "program source", what it is offered, how it proves its password. */
static void
test_dialects(void)
{
	static const struct {
		const char *program, *source;
		DigestAlgorithm offered, proves;
	} CASES[] = {
		/* gives up at SHA-256 whatever it is offered first */
		{ "baresip v1.0.0 (x86_64/linux)", "192.0.2.1", DIGEST_MD5, DIGEST_MD5 },
		{ "baresip v0.6.1", "192.0.2.1", DIGEST_MD5, DIGEST_NONE },
		{ "baresip v3.11.0", "192.0.2.1", DIGEST_MD5, DIGEST_NONE },
		{ "baresip v3.12.0", "192.0.2.1", DIGEST_NONE, DIGEST_SHA256 },
		{ "baresip v4.0.0", "192.0.2.1", DIGEST_NONE, DIGEST_SHA256 },
		/* one that nobody knows: its second try gets MD5, and so it is learned */
		{ "odd", "192.0.2.2", DIGEST_NONE, DIGEST_NONE },
		{ "odd", "192.0.2.2", DIGEST_MD5, DIGEST_MD5 },
		{ "odd", "192.0.2.3", DIGEST_MD5, DIGEST_NONE },
		/* somebody without a password asks by that program's name: nothing is learned */
		{ "good", "192.0.2.66", DIGEST_NONE, DIGEST_NONE },
		{ "good", "192.0.2.66", DIGEST_MD5, DIGEST_NONE },
		{ "good", "192.0.2.4", DIGEST_NONE, DIGEST_SHA256 },
		{ "good", "192.0.2.66", DIGEST_NONE, DIGEST_NONE },
		{ "good", "192.0.2.66", DIGEST_NONE, DIGEST_NONE },
		/* it took MD5 though SHA-256 was there */
		{ "old", "192.0.2.5", DIGEST_NONE, DIGEST_MD5 },
		{ "old", "192.0.2.5", DIGEST_NONE, DIGEST_MD5 },
		{ NULL, NULL, DIGEST_NONE, DIGEST_NONE },
		{ NULL, NULL, DIGEST_MD5, DIGEST_NONE },
	};
	Dialects *dialects = dialects_new();

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_test_message("%u: %s", i, CASES[i].program);
		g_assert_cmpint(dialects_offer(dialects, CASES[i].program, CASES[i].source), ==,
				CASES[i].offered);
		if (CASES[i].proves != DIGEST_NONE)
			dialects_proved(dialects, CASES[i].program, CASES[i].source,
					CASES[i].proves);
	}
	for (guint i = 0; i < 100000; i++) { /* has an end */
		g_autofree char *program = g_strdup_printf("p%u", i);

		dialects_offer(dialects, program, "192.0.2.7");
		dialects_proved(dialects, program, "192.0.2.7", DIGEST_SHA256);
	}
	dialects_free(dialects);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/digest/flood", test_flood);
	g_test_add_func("/digest/counts", test_counts);
	g_test_add_func("/digest/dialects", test_dialects);
	g_test_add_func("/digest/dialects-flood", test_dialects_flood);
	return g_test_run();
}
