/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-register.c - the headers of a REGISTER whose password is right: what is kept
 * of them can be called, and is answered in one line. */
#include <netinet/in.h>
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_log.h>
#include "b2bua/text.h"
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_dialect.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/peers/sip_registrar.h"
#include "plugins/sip/peers/sip_trunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define URI "sip:gw.example.org"

static const Config config = { .sip_address = (char *)"192.0.2.1",
			       .sip_domain = (char *)"gw.example.org",
			       .sip_min_expires = 60,
			       .sip_max_expires = 3600 };
static SipUa ua = { .config = &config };
static Store *store;

/* --- of gateway.h, what the registrar asks --- */

GatewayParts *
gateway_parts(Gateway *self)
{
	static GatewayParts none;

	return &none;
}

Store *
gateway_store(const Gateway *gateway)
{
	return store;
}

gboolean
gateway_unread_since(Gateway *gateway, guint failures)
{
	return store_failures(store) != failures;
}

const Config *
gateway_config(const Gateway *gateway)
{
	return &config;
}

/* Of text.h: no text waits for a softphone. */
void
text_way_is_up(Gateway *gateway, WayKind kind, const char *key)
{
}

static void
start(void)
{
	su_log_set_level(NULL, 0);
	store = store_open(":memory:", NULL);
	if (!store || !store_user_add(store, "alice@example.org", NULL) ||
	    !store_softphone_add(store, "alice", "alice@example.org", "secret", NULL))
		g_error("no store");
	ua.digest = digest_server_new(SOFTPHONE_REALM);
	ua.trunks = trunks_new(store, ua.digest, G_SOCKET_FAMILY_IPV4, FALSE);
	ua.dialects = dialects_new();
}

/* Counts up one nonce, since each that was used is remembered. */
static char *
authorization(void)
{
	static char *nonce;
	static guint count;
	g_autofree char *nc = NULL, *response = NULL;

	if (!nonce || count >= 10000) {
		g_autofree char *challenge = digest_server_challenge(ua.digest, DIGEST_MD5, FALSE);
		const char *at = strstr(challenge, "nonce=\"") + strlen("nonce=\"");

		g_free(nonce);
		nonce = g_strndup(at, strcspn(at, "\""));
		count = 0;
	}
	nc = g_strdup_printf("%08x", ++count);
	response = digest_response("alice", SOFTPHONE_REALM, "secret", "REGISTER", URI, nonce,
				   "auth", nc, "c");
	return g_strdup_printf("Authorization: Digest username=\"alice\", realm=\"" SOFTPHONE_REALM
			       "\", nonce=\"%s\", uri=\"" URI "\", qop=auth, nc=%s, cnonce=\"c\", "
			       "response=\"%s\"\r\n",
			       nonce, nc, response);
}

static msg_t *
message(const uint8_t *data, size_t size)
{
	g_autofree char *proof = authorization();
	g_autoptr(GString) text = g_string_new("REGISTER " URI " SIP/2.0\r\n"
					       "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx\r\n"
					       "From: <sip:alice@gw.example.org>;tag=a\r\n"
					       "To: <sip:alice@gw.example.org>\r\n"
					       "Call-ID: c\r\nCSeq: 2 REGISTER\r\n");
	msg_t *msg = msg_create(guard_mclass(), 0);
	msg_iovec_t iovec[msg_n_fragments] = { { 0 } };
	const char *from;
	isize_t n;

	g_string_append(text, proof);
	g_string_append_len(text, (const char *)data, (gssize)size);
	g_string_append(text, "\r\nContent-Length: 0\r\n\r\n");
	from = text->str;
	n = msg_recv_iovec(msg, iovec, msg_n_fragments, text->len, 1);
	for (isize_t i = 0; i < n; from += iovec[i].mv_len, i++)
		memcpy(iovec[i].mv_base, from, iovec[i].mv_len);
	msg_recv_commit(msg, text->len, 1);
	msg_addr(msg)->su_sin.sin_family = AF_INET;
	msg_addr(msg)->su_sin.sin_port = htons(5060);
	return msg;
}

static void
check_contacts(void)
{
	g_autoptr(GPtrArray) contacts = store_contact_list(store, NULL);

	g_assert_nonnull(contacts);
	for (guint i = 0; i < contacts->len; i++) {
		const Contact *contact = contacts->pdata[i];
		g_autofree char *hop = phone_next_hop(contact->received);

		g_assert_true(g_ascii_strncasecmp(contact->uri, "sip", 3) == 0);
		g_assert_null(strpbrk(contact->uri, "<>\r\n\" "));
		g_assert_null(contact->instance ? strpbrk(contact->instance, "\"\r\n") : NULL);
		g_assert_null(contact->path ? strpbrk(contact->path, "\r\n\"") : NULL);
		g_assert_cmpuint(contact->q, <=, 1000);
		g_assert_cmpstr(hop, ==, "sip:0.0.0.0:5060;transport=udp");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	msg_t *msg;
	const sip_t *sip;

	if (!store)
		start();
	msg = message(data, size);
	if (msg_extract(msg) > 0 && !msg_has_error(msg) && (sip = sip_object(msg)) &&
	    sip_sanity_check(sip) >= 0 && sip->sip_request &&
	    sip->sip_request->rq_method == sip_method_register) {
		SipEvent event = { .event = nua_i_register, .phrase = "", .sip = sip, .msg = msg };
		Reply reply = { .message = msg_ref_create(msg) };
		g_auto(Sender) sender = { 0 };

		if (!store_begin(store, NULL))
			g_error("no transaction");
		sender_identify(&ua, &event, &sender);
		if (sender.kind == SENDER_PHONE)
			registrar_register(&ua, &reply, &event, &sender);
		else /* what was added has other credentials before the right ones */
			msg_destroy(reply.message);
		check_contacts();
		store_rollback(store);
	}
	msg_destroy(msg);
	return 0;
}
