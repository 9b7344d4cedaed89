/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-phone.c - see sip-phone.h. */
#include "tests/legs/sip-phone.h"
#include <string.h>

Phone
phone_new(const char *name, Peer *peer)
{
	return (Phone){ .peer = peer, .name = name, .password = "Secret", .hash = G_CHECKSUM_MD5 };
}

void
phone_clear(Phone *phone)
{
	peer_free(phone->peer);
	g_free(phone->nonce);
}
void
phone_start(void)
{
	rig_start();
	g_assert_true(store_user_add(rig_store(), ALICE, NULL));
	g_assert_true(store_number_add(rig_store(), "+14155550101", ALICE, NULL));
	g_assert_true(store_softphone_add(rig_store(), "alice", ALICE, "Secret", NULL));
	g_assert_true(store_softphone_add(rig_store(), "desk", ALICE, "Secret", NULL));
}

char *
phone_request(Phone *phone, const char *method, const char *uri, const char *extra,
	      const char *body)
{
	const char *transport = phone->peer->stream ? "TCP" : "UDP";

	phone->cseq++;
	return g_strdup_printf(
		"%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/%s 10.9.8.7:5060;branch=z9hG4bK-%s-%u;rport\r\n"
		"From: <sip:%s@gw.example.org>;tag=phone\r\nTo: <sip:%s@gw.example.org>\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, uri, transport, phone->peer->call_id, phone->cseq,
		phone->from ? phone->from : phone->name, phone->name, phone->peer->call_id,
		phone->cseq, method, extra ? extra : "",
		body && !(extra && strstr(extra, "Content-Type:"))
			? "Content-Type: application/sdp\r\n"
			: "",
		body ? strlen(body) : 0, body ? body : "");
}

static char *
digest_of(const Phone *phone, const char *text)
{
	return g_compute_checksum_for_string(phone->hash, text, -1);
}

char *
phone_credentials(Phone *phone, const char *header, const char *method, const char *uri)
{
	g_autofree char *a1 = g_strdup_printf("%s:tandem:%s", phone->name, phone->password);
	g_autofree char *a2 = g_strdup_printf("%s:%s", method, uri);
	g_autofree char *ha1 = digest_of(phone, a1), *ha2 = digest_of(phone, a2);
	g_autofree char *all =
		g_strdup_printf("%s:%s:%08x:c:auth:%s", ha1, phone->nonce, ++phone->count, ha2);
	g_autofree char *response = digest_of(phone, all);

	return g_strdup_printf("%s: Digest username=\"%s\", realm=\"tandem\", nonce=\"%s\", "
			       "uri=\"%s\", response=\"%s\", qop=auth, nc=%08x, cnonce=\"c\", "
			       "algorithm=%s\r\n",
			       header, phone->name, phone->nonce, uri, response, phone->count,
			       phone->hash == G_CHECKSUM_MD5 ? "MD5" : "SHA-256");
}

void
phone_take_nonce(Phone *phone, const char *challenged)
{
	const char *at = strstr(challenged, "nonce=\"");

	g_assert_nonnull(at);
	g_free(phone->nonce);
	phone->nonce = g_strndup(at + 7, strcspn(at + 7, "\""));
	phone->count = 0;
}

/* The answer to a REGISTER with these lines. */
char *
phone_send_register(Phone *phone, const char *extra)
{
	g_autofree char *proof = phone->nonce
					 ? phone_credentials(phone, "Authorization", "REGISTER", GW)
					 : g_strdup("");
	g_autofree char *lines = g_strconcat(extra ? extra : "", proof, NULL);
	g_autofree char *text = phone_request(phone, "REGISTER", GW, lines, NULL);

	peer_send(phone->peer, text);
	return peer_wait(phone->peer, "SIP/2.0 ");
}

void
phone_assert_status(const char *response, const char *status)
{
	g_autofree char *start = g_strdup_printf("SIP/2.0 %s", status);

	if (!g_str_has_prefix(response, start))
		g_error("%s was answered where %s was expected", response, status);
}

/* Challenged, then answered. */
char *
phone_do_register(Phone *phone, const char *extra)
{
	if (!phone->nonce) {
		g_autofree char *challenged = phone_send_register(phone, extra);

		phone_assert_status(challenged, "401");
		phone_take_nonce(phone, challenged);
	}
	return phone_send_register(phone, extra);
}

char *
phone_contact_line(const Phone *phone, const char *params)
{
	return g_strdup_printf("Contact: <sip:%s@127.0.0.1:%u%s>%s\r\n", phone->name,
			       phone->peer->port, phone->peer->stream ? ";transport=tcp" : "",
			       params);
}

void
phone_register(Phone *phone, const char *params)
{
	g_autofree char *line = phone_contact_line(phone, params);
	g_autofree char *answer = phone_do_register(phone, line);

	phone_assert_status(answer, "200");
}

GPtrArray *
phone_contacts(void)
{
	return store_contact_list(rig_store(), NULL);
}

void
phone_assert_contacts(guint n)
{
	g_autoptr(GPtrArray) list = phone_contacts();

	g_assert_cmpuint(list->len, ==, n);
}

gint64
phone_only_contact(void)
{
	g_autoptr(GPtrArray) list = phone_contacts();

	g_assert_cmpuint(list->len, ==, 1);
	return ((Contact *)list->pdata[0])->id;
}

char *
phone_send_invite(Phone *phone, const char *uri)
{
	g_autofree char *proof =
		phone->nonce ? phone_credentials(phone, "Proxy-Authorization", "INVITE", uri)
			     : g_strdup("");
	g_autofree char *lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", proof, NULL);
	g_autofree char *text = phone_request(phone, "INVITE", uri, lines, sdp_one);
	char *answer;

	peer_send(phone->peer, text);
	do
		answer = peer_wait(phone->peer, "SIP/2.0 ");
	while (g_str_has_prefix(answer, "SIP/2.0 100") && (g_free(answer), TRUE));
	return answer;
}
