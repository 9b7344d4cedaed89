/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_called.c - whom a trunk calls: where in its INVITE that number stands. */
#include "plugins/sip/peers/sip_called.h"
#include "b2bua/number.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/stack/sip_tel.h"
#include <string.h>
#include <sofia-sip/su_alloc.h>

/* The user that we register there, or none at all. */
static gboolean
is_our_account(const Trunk *trunk, const url_t *url)
{
	g_autofree char *user = tel_user(url);

	return !user ||
	       (trunk->username && *trunk->username && strcmp(user, trunk->username) == 0) ||
	       (trunk->account && *trunk->account && strcmp(user, trunk->account) == 0);
}

/* A Contact of ours may have had an address that we are seen by. */
static Address *
called_by(const SipUa *ua, const url_t *url)
{
	url_t home = outside_at_home(ua->outside, url);

	return header_called(&home, ua->config);
}

static Address *
by_header(const sip_t *sip, const SipUa *ua)
{
	g_autoptr(GPtrArray) entries = identity_entries(sip, "P-Called-Party-ID");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	Address *called = NULL;

	su_home_init(home);
	for (guint i = 0; !called && i < entries->len; i++) {
		const url_t *url = url_make(home, ((const NameAddr *)entries->pdata[i])->uri);

		called = url ? called_by(ua, url) : NULL;
	}
	su_home_deinit(home);
	return called;
}

static gboolean
is_ours(SipUa *ua, const Trunk *trunk, const Address *called)
{
	const char *country = trunk->country && *trunk->country ? trunk->country : NULL;
	g_autofree char *number = NULL;
	g_autoptr(User) owner = NULL;

	if (called && called->user && number_from_carrier(called->user, country, &number))
		owner = store_user_by_number(gateway_store(ua->gateway), number, NULL);
	return owner != NULL;
}

/* Where the carrier says it depends on whether it calls our account. */
static Address *
look_everywhere(SipUa *ua, const Trunk *trunk, const sip_t *sip)
{
	g_autoptr(Address) uri = called_by(ua, sip->sip_request->rq_url);
	g_autoptr(Address) header = NULL, to = NULL;

	if (!is_our_account(trunk, sip->sip_request->rq_url))
		return g_steal_pointer(&uri);
	/* of a call that was sent on To may be anybody's number */
	header = by_header(sip, ua);
	if (is_ours(ua, trunk, header))
		return g_steal_pointer(&header);
	to = called_by(ua, sip->sip_to->a_url);
	return is_ours(ua, trunk, to) || !uri ? g_steal_pointer(&to) : g_steal_pointer(&uri);
}

/* RFC 3428 says nothing else than the Request-URI, and carriers write anything into To.  But
 * where the Request-URI is the account at the carrier, it is as with calls. */
Address *
called_by_text(SipUa *ua, const Trunk *trunk, const sip_t *sip)
{
	g_autoptr(Address) uri = called_by(ua, sip->sip_request->rq_url);

	return trunk && !is_ours(ua, trunk, uri) ? called_by_trunk(ua, trunk, sip)
						 : g_steal_pointer(&uri);
}

Address *
called_by_trunk(SipUa *ua, const Trunk *trunk, const sip_t *sip)
{
	const char *where = trunk && trunk->called ? trunk->called : "uri";

	if (strcmp(where, "auto") == 0)
		return look_everywhere(ua, trunk, sip);
	if (strcmp(where, "to") == 0)
		return called_by(ua, sip->sip_to->a_url);
	if (strcmp(where, "p-called-party-id") == 0)
		return by_header(sip, ua);
	return called_by(ua, sip->sip_request->rq_url);
}
