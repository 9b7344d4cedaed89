/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_sender.c - see sip_sender.h. */
#include "plugins/sip/peers/sip_sender.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/shield/sip_source.h"
#include <sofia-sip/msg_addr.h>

static GInetAddress *
source_of(msg_t *msg)
{
	su_sockaddr_t *from = msg ? msg_addr(msg) : NULL;

	if (from && from->su_family == AF_INET)
		return g_inet_address_new_from_bytes((const guint8 *)&from->su_sin.sin_addr,
						     G_SOCKET_FAMILY_IPV4);
	if (from && from->su_family == AF_INET6)
		return g_inet_address_new_from_bytes((const guint8 *)&from->su_sin6.sin6_addr,
						     G_SOCKET_FAMILY_IPV6);
	return NULL;
}

/* Perhaps a softphone that shows a number, or none. */
static gboolean
may_be_phone(SipUa *ua, const SipEvent *event)
{
	return header_caller_is_ours(event->sip, ua->config) || identity_is_anonymous(event->sip);
}

/* Of one that has proven nothing. */
static void
judge(SipUa *ua, const SipEvent *event, TrunkAdmission admission, Sender *sender)
{
	g_autofree char *claimed = digest_server_username(ua->digest, event->sip);
	gboolean by_trunk = sender->challenge != NULL;

	if (sender->phone.stale || admission == ADMIT_STALE) {
		sender->kind = SENDER_CHALLENGE;
		sender->stale = TRUE;
		by_trunk = by_trunk && !sender->phone.stale;
	} else if (claimed) {
		sender->kind = SENDER_WRONG;
		by_trunk = by_trunk && event->sip->sip_authorization;
	} else if (sources_in_use(ua->sources, event)) {
		sender->kind = SENDER_CHALLENGE;
		by_trunk = FALSE;
	} else if (by_trunk || may_be_phone(ua, event))
		sender->kind = SENDER_CHALLENGE;
	else
		sender->kind = SENDER_STRANGER;
	if (!by_trunk)
		g_clear_pointer(&sender->challenge, g_free);
	/* The first request of a digest trunk is no stranger's: it is how one asks. */
	sender->nobody = !sender->stale && sender->phone.verdict == PHONE_STRANGER &&
			 (admission != ADMIT_CHALLENGE || event->sip->sip_authorization);
}

void
sender_identify(SipUa *ua, const SipEvent *event, Sender *sender)
{
	g_autoptr(GInetAddress) source = source_of(event->msg);
	gboolean phone_first = phone_comes_first(ua, event), is_phone = FALSE;
	TrunkAdmission admission;

	*sender = (Sender){ .phone = { .verdict = PHONE_STRANGER } };
	if (phone_first) {
		sender->phone = phone_claim(ua, event);
		is_phone = sender->phone.verdict != PHONE_STRANGER || phone_without_name(ua, event);
	}
	admission = source ? trunks_admit(ua->trunks, source, event->sip, &sender->trunk,
					  &sender->challenge)
			   : ADMIT_STRANGER;
	if (admission == ADMIT_TRUNK && !is_phone) {
		sender->kind = SENDER_TRUNK;
		return;
	}
	sender->trunk = NULL;
	if (!phone_first)
		sender->phone = phone_claim(ua, event);
	if (sender->phone.verdict == PHONE_KNOWN)
		sender->kind = SENDER_PHONE;
	else if (sender->phone.verdict == PHONE_UNREAD)
		sender->kind = SENDER_UNREAD;
	else
		judge(ua, event, admission, sender);
}

void
sender_clear(Sender *sender)
{
	phone_claim_clear(&sender->phone);
	g_clear_pointer(&sender->challenge, g_free);
}
