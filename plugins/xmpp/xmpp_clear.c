/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_clear.c - who may call, and be called, without encryption.
 *
 * Some clients know no DTLS.  Their audio then passes between them and the gateway for all to
 * hear who are on the way, so the operator must have allowed it ([xmpp] plain_rtp), for all
 * users or for those of the server that the gateway is a component of.  A client that has DTLS,
 * by its features or by what it offers, is never taken without.
 */
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

/* A component is one of its server's names: "example.org" for "gw.example.org". */
static char *
domain_above(const char *domain)
{
	const char *dot = strchr(domain, '.');

	return dot && dot[1] ? g_strdup(dot + 1) : NULL;
}

gboolean
xmpp_clear_init(Xmpp *xmpp, const Config *config, GError **error)
{
	const char *value = config->xmpp_plain_rtp;

	xmpp->clear = g_strcmp0(value, "yes") == 0     ? CLEAR_YES
		      : g_strcmp0(value, "local") == 0 ? CLEAR_LOCAL
						       : CLEAR_NO;
	if (xmpp->clear == CLEAR_NO)
		return TRUE;
	xmpp->local_domain = config->xmpp_local_domain ? g_strdup(config->xmpp_local_domain)
						       : domain_above(xmpp->domain);
	if (xmpp->clear == CLEAR_LOCAL && !xmpp->local_domain) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "[xmpp] plain_rtp = local: no domain is above %s; write local_domain, "
			    "the domain of the server's users",
			    xmpp->domain);
		return FALSE;
	}
	g_warning("[xmpp] plain_rtp = %s: the calls of clients without DTLS are not encrypted "
		  "between the client and the gateway, for users of %s",
		  value, xmpp->clear == CLEAR_YES ? "any server" : xmpp->local_domain);
	return TRUE;
}

gboolean
xmpp_clear_may(const Xmpp *xmpp, const char *bare)
{
	g_autoptr(Address) jid = NULL;

	if (xmpp->clear != CLEAR_LOCAL)
		return xmpp->clear == CLEAR_YES;
	jid = address_from_jid(bare);
	return jid && jid->user && jid->host &&
	       g_ascii_strcasecmp(jid->host, xmpp->local_domain) == 0;
}

gboolean
xmpp_clear_needed(const Xmpp *xmpp, const char *bare)
{
	const GPtrArray *devices;

	if (!xmpp_clear_may(xmpp, bare))
		return FALSE;
	devices = xmpp_accounts_devices(xmpp->accounts, bare);
	for (guint i = 0; devices && i < devices->len; i++) {
		const XmppDevice *device = devices->pdata[i];

		if (!(device->can & XMPP_CAN_TELL) || xmpp_caps_is_unencrypted(device->can))
			return TRUE;
	}
	return !devices || devices->len == 0;
}

gboolean
xmpp_clear_may_call(const Xmpp *xmpp, const Address *device)
{
	g_autofree char *bare = address_bare_jid(device), *full = address_full_jid(device);

	return xmpp_clear_may(xmpp, bare) &&
	       !(xmpp_accounts_can(xmpp->accounts, bare, full) & XMPP_CAN_DTLS);
}

/* Its port was made for it: there is a component for RTCP. */
gboolean
xmpp_clear_can_be_offered(const XmppLeg *leg)
{
	const Stream *audio = leg->ours ? desc_audio(leg->ours) : NULL;

	if (!audio || !xmpp_clear_may(leg->xmpp, leg->peer_bare))
		return FALSE;
	for (guint i = 0; i < audio->transport->candidates->len; i++)
		if (g_array_index(audio->transport->candidates, Candidate, i).component == 2)
			return TRUE;
	return FALSE;
}

Desc *
xmpp_clear_desc(const Desc *desc)
{
	const Stream *audio = desc_audio(desc);
	g_autoptr(Transport) told = transport_unencrypted(audio->transport);

	return xmpp_desc_like(desc, audio->direction, told);
}
