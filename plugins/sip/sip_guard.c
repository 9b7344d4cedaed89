/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_guard.c - what sofia-sip must never see.
 *
 * The hook is mc_extract_body: by then every header has been parsed and nothing
 * has been done with any.  The header classes themselves must stay as they are,
 * since sofia looks them up by pointer.
 * Thread: signalling.
 */
#include "plugins/sip/sip_guard.h"
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/url.h>

/* More Route or Via headers than any real network adds; each costs memory for
 * the life of a dialog. */
#define MAX_LIST 32

static guint64 refused, stripped;
static issize_t (*extract_body)(msg_t *msg, msg_pub_t *pub, char b[], isize_t size, int eos);

static gboolean
url_is_routable(const url_t *url)
{
	return (url->url_type == url_sip || url->url_type == url_sips) && url->url_host &&
	       url->url_host[0];
}

static gboolean
contacts_are_sane(const sip_t *sip)
{
	guint n = 0;

	for (const sip_contact_t *contact = sip->sip_contact; contact; contact = contact->m_next) {
		gboolean star = contact->m_url->url_type == url_any;

		if (star &&
		    !(sip->sip_request && sip->sip_request->rq_method == sip_method_register))
			return FALSE;
		if (!star && !url_is_routable(contact->m_url))
			return FALSE;
		if (++n > MAX_LIST)
			return FALSE;
	}
	return TRUE;
}

static gboolean
routes_are_sane(const sip_route_t *first)
{
	guint n = 0;

	for (const sip_route_t *route = first; route; route = route->r_next)
		if (!url_is_routable(route->r_url) || ++n > MAX_LIST)
			return FALSE;
	return TRUE;
}

static gboolean
vias_are_sane(const sip_t *sip)
{
	guint n = 0;

	for (const sip_via_t *via = sip->sip_via; via; via = via->v_next)
		if (++n > 2 * MAX_LIST)
			return FALSE;
	return TRUE;
}

static void
strip(msg_t *msg, sip_t *sip, msg_header_t **list)
{
	while (*list) {
		msg_header_remove(msg, (msg_pub_t *)sip, *list);
		stripped++;
	}
}

/* nua would wait for a challenge that it cannot answer: it knows MD5 alone
 * (RFC 8760 has servers offer several, each in a header of its own). */
static void
strip_challenges(msg_t *msg, sip_t *sip, sip_www_authenticate_t **list)
{
	for (sip_www_authenticate_t *next, *challenge = *list; challenge; challenge = next) {
		const char *algorithm = msg_params_find(challenge->au_params, "algorithm=");
		g_autofree char *bare = g_strdup(algorithm ? algorithm : "MD5");

		next = challenge->au_next;
		g_strdelimit(bare, "\"", ' ');
		if (challenge->au_scheme &&
		    g_ascii_strcasecmp(challenge->au_scheme, "Digest") == 0 &&
		    g_ascii_strcasecmp(g_strstrip(bare), "MD5") == 0)
			continue;
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)challenge);
		stripped++;
	}
}

static void
guard_response(msg_t *msg, sip_t *sip)
{
	guint status = sip->sip_status->st_status;
	gboolean redirect = status >= 300 && status < 400;

	/* nua follows a 302 to wherever it points; the core decides who is called. */
	if (redirect || !contacts_are_sane(sip))
		strip(msg, sip, (msg_header_t **)&sip->sip_contact);
	if (!routes_are_sane(sip->sip_record_route))
		strip(msg, sip, (msg_header_t **)&sip->sip_record_route);
	/* nua would repeat the request by itself after so many seconds. */
	strip(msg, sip, (msg_header_t **)&sip->sip_retry_after);
	strip_challenges(msg, sip, &sip->sip_www_authenticate);
	strip_challenges(msg, sip, (sip_www_authenticate_t **)&sip->sip_proxy_authenticate);
}

static gboolean
guard_request(sip_t *sip)
{
	if (!contacts_are_sane(sip) || !routes_are_sane(sip->sip_record_route) ||
	    !routes_are_sane(sip->sip_route) || !vias_are_sane(sip))
		return FALSE;
	/* A response goes back where the request came from, never to a name or an
	 * address that a stranger wrote into it (RFC 3261 18.2.2). */
	if (sip->sip_via && sip->sip_via->v_maddr) {
		msg_header_remove_param(sip->sip_via->v_common, "maddr");
		stripped++;
	}
	return TRUE;
}

gboolean
guard_message(msg_t *msg, sip_t *sip)
{
	const sip_content_type_t *type = sip->sip_content_type;

	/* A multipart type without a body is followed into nothing. */
	if (type && type->c_type && g_ascii_strncasecmp(type->c_type, "multipart/", 10) == 0 &&
	    !(sip->sip_content_length && sip->sip_content_length->l_length))
		strip(msg, sip, (msg_header_t **)&sip->sip_content_type);
	if (sip->sip_status)
		guard_response(msg, sip);
	else if (sip->sip_request && !guard_request(sip)) {
		refused++;
		return FALSE;
	}
	return TRUE;
}

static issize_t
guard_extract_body(msg_t *msg, msg_pub_t *pub, char b[], isize_t size, int eos)
{
	if (!guard_message(msg, (sip_t *)pub))
		return -1; /* nta answers 400 */
	return extract_body(msg, pub, b, size, eos);
}

msg_mclass_t const *
guard_mclass(void)
{
	static msg_mclass_t *mclass;

	if (!mclass) {
		mclass = msg_mclass_clone(sip_default_mclass(), 0, 0);
		extract_body = mclass->mc_extract_body;
		mclass->mc_extract_body = guard_extract_body;
	}
	return mclass;
}

guint64
guard_refused(void)
{
	return refused;
}

guint64
guard_stripped(void)
{
	return stripped;
}
