/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-sip.c - a datagram through sofia's parser, the guard, and everything that
 * reads addresses, reasons, credentials and bodies out of the message.
 *
 * What the guard lets through must be what it promises.
 */
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url.h>
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_history.h"
#include "plugins/sip/dialog/sip_timer.h"
#include "plugins/sip/stack/sip_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_routes(const sip_t *sip)
{
	for (const sip_record_route_t *route = sip->sip_record_route; route; route = route->r_next)
		g_assert_true(route->r_url->url_host && (route->r_url->url_type == url_sip ||
							 route->r_url->url_type == url_sips));
	for (const sip_contact_t *contact = sip->sip_contact; contact; contact = contact->m_next) {
		if (contact->m_url->url_type == url_any)
			continue; /* REGISTER */
		g_assert_true(contact->m_url->url_host && (contact->m_url->url_type == url_sip ||
							   contact->m_url->url_type == url_sips));
	}
}

/* What a peer wants of a session timer, and what we say to it, in one line each. */
static void
read_timer(const sip_t *sip)
{
	SessionTimer timer = { .wanted_s = SESSION_DEFAULT_SECONDS };
	g_autofree char *ask = NULL, *min = NULL;

	if (sip->sip_request)
		session_learn_request(&timer, sip);
	else
		session_learn_refusal(&timer, sip);
	ask = session_ask(&timer, TRUE);
	min = session_min(&timer);
	g_assert_null(ask ? strpbrk(ask, "\r\n") : NULL);
	g_assert_null(strpbrk(min, "\r\n"));
	g_assert_cmpuint(timer.interval_s, ==, 0);
	session_stop(&timer);
}

static void
read_request(const sip_t *sip, DigestServer *digest)
{
	static const Config config = { .sip_address = (char *)"192.0.2.1",
				       .sip_domain = (char *)"gw.example.org" };
	g_auto(Identity) caller = { NULL, NULL, NULL };
	g_autoptr(Address) callee = header_called(sip->sip_request->rq_url, &config);
	g_autofree char *from = NULL;
	g_autoptr(GPtrArray) preferred = identity_preferred(sip);
	guint count = 0;
	g_auto(GStrv) diverted = history_read(sip, &count);
	gboolean stale = FALSE;

	identity_read(sip, &caller);
	from = header_from(caller.shown, "gw.example.org");
	if (identity_privacy(sip) == NUMBER_HIDDEN)
		g_assert_cmpint(caller.shown->scheme, ==, ADDRESS_ANONYMOUS);
	identity_wants_too_much(sip);
	g_assert_cmpuint(diverted ? g_strv_length(diverted) : 0, <=, MIN(count, HISTORY_MAX));
	g_assert_null(strpbrk(from, "\r\n"));
	digest_server_check(digest, sip, "user", "password", &stale);
}

static void
read_refusal(const sip_t *sip)
{
	const sip_status_t *status = sip->sip_status;
	g_autofree char *text = NULL, *detail = header_refusal_detail(sip);

	header_refusal(status->st_status, status->st_phrase, sip, &text);
	g_assert_true(!detail ||
		      (strlen(detail) <= HEADER_MAX_DETAIL && g_utf8_validate(detail, -1, NULL)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static DigestServer *digest;
	msg_t *msg = msg_create(guard_mclass(), 0);
	msg_iovec_t iovec[msg_n_fragments] = { { 0 } };
	isize_t n = size ? msg_recv_iovec(msg, iovec, msg_n_fragments, size, 1) : 0;
	const sip_t *sip;
	Content content;

	if (!digest)
		digest = digest_server_new("tandem");
	for (isize_t i = 0; i < n; i++) {
		memcpy(iovec[i].mv_base, data, iovec[i].mv_len);
		data += iovec[i].mv_len;
	}
	if (n > 0) {
		msg_recv_commit(msg, size, 1);
		/* As nta takes it: whole, without errors, with what RFC 3261 8.1.1 requires. */
		if (msg_extract(msg) > 0 && !msg_has_error(msg) && (sip = sip_object(msg)) &&
		    sip_sanity_check(sip) >= 0) {
			check_routes(sip);
			read_timer(sip);
			if (sip->sip_request)
				read_request(sip, digest);
			else
				read_refusal(sip);
			header_reason(sip, REASON_HANGUP);
			content_read(sip, 4096, &content);
			g_assert_true(!content.desc || content.reason == REASON_NONE);
			content_clear(&content);
		}
	}
	msg_destroy(msg);
	return 0;
}
