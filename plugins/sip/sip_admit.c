/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_admit.c - see sip_admit.h. */
#include "plugins/sip/sip_admit.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

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

static void
take_trunk(SipUa *ua, nua_handle_t *nh, const Trunk *trunk, const SipEvent *event)
{
	if (unacked_are_many(ua, trunk->name)) {
		sip_count(COUNTER_SIP_CALLS_UNACKED);
		nua_respond(nh, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR("32"),
			    TAG_END());
		nua_handle_destroy(nh);
		return;
	}
	if (event->sip->sip_authorization)
		sources_proven(ua->sources, event);
	leg_incoming(ua, nh,
		     &(SipCaller){ .trunk = trunk->name, .crypto = crypto_policy(trunk->srtp) },
		     event);
}

static void
take_phone(SipUa *ua, nua_handle_t *nh, PhoneClaim *claim, const SipEvent *event)
{
	const char *phrase;
	SipCaller caller;
	int status;

	if (phone_caller(ua, claim, event, &caller, &status, &phrase)) {
		leg_incoming(ua, nh, &caller, event);
		return;
	}
	nua_respond(nh, status, phrase, NUTAG_WITH_THIS(ua->nua), TAG_END());
	nua_handle_destroy(nh);
}

/* --- who has proven nothing --- */

typedef enum { ANSWER_403, ANSWER_401, ANSWER_407 } Answer;

static Answer
choose_answer(SipUa *ua, const SipEvent *event, gboolean claims, gboolean trunk_may_prove)
{
	if (claims)
		return trunk_may_prove && event->sip->sip_authorization ? ANSWER_401 : ANSWER_407;
	if (sources_in_use(ua->sources, event))
		return ANSWER_407;
	if (trunk_may_prove)
		return ANSWER_401;
	/* Perhaps a softphone that shows a number, or none. */
	return header_caller_is_ours(event->sip, ua->config) || identity_is_anonymous(event->sip)
		       ? ANSWER_407
		       : ANSWER_403;
}

/* `challenge`: of a trunk; NULL: as a telephone. */
static void
ask(SipUa *ua, nua_handle_t *nh, const SipEvent *event, const char *challenge, gboolean stale)
{
	if (challenge)
		nua_respond(nh, SIP_401_UNAUTHORIZED, SIPTAG_WWW_AUTHENTICATE_STR(challenge),
			    TAG_END());
	else
		phone_challenge(ua, nh, event, stale);
}

/* `challenge`: NULL when no trunk may prove itself. */
static void
refuse(SipUa *ua, nua_handle_t *nh, const SipEvent *event, const char *challenge)
{
	g_autofree char *claimed = digest_server_username(trunks_digest(ua->trunks), event->sip);
	Answer answer = choose_answer(ua, event, claimed != NULL, challenge != NULL);

	if (claimed || answer == ANSWER_403)
		sources_failed(ua->sources, event);
	else
		sources_tried(ua->sources, event);
	if (answer == ANSWER_403)
		nua_respond(nh, SIP_403_FORBIDDEN, TAG_END());
	else
		ask(ua, nh, event, answer == ANSWER_401 ? challenge : NULL, FALSE);
}

static void
count(SipUa *ua, const PhoneClaim *claim, Admission admission, const sip_t *sip)
{
	if (claim->verdict == PHONE_WRONG)
		sip_count(COUNTER_SIP_WRONG_PASSWORDS);
	/* The first INVITE of a digest trunk is no stranger's: it is how one asks. */
	if (claim->verdict != PHONE_STRANGER ||
	    (admission == ADMIT_CHALLENGE && !sip->sip_authorization))
		return;
	ua->strangers++;
	sip_count(COUNTER_SIP_STRANGERS);
}

void
admit_invite(SipUa *ua, nua_handle_t *nh, const SipEvent *event)
{
	g_autoptr(GInetAddress) source = source_of(event->msg);
	/* A PBX and a phone may share an address. */
	gboolean phone_first = phone_comes_first(ua, event), is_phone = FALSE;
	g_auto(PhoneClaim) claim = { .verdict = PHONE_STRANGER };
	g_autofree char *challenge = NULL;
	const Trunk *trunk = NULL;
	Admission admission;

	if (phone_first) {
		claim = phone_claim(ua, event);
		is_phone = claim.verdict != PHONE_STRANGER || phone_without_name(ua, event);
	}
	admission = source ? trunks_admit(ua->trunks, source, event->sip, &trunk, &challenge)
			   : ADMIT_STRANGER;
	if (admission == ADMIT_TRUNK && !is_phone) {
		take_trunk(ua, nh, trunk, event);
		return;
	}
	if (!phone_first)
		claim = phone_claim(ua, event);
	if (claim.verdict == PHONE_KNOWN || claim.verdict == PHONE_UNREAD) {
		take_phone(ua, nh, &claim, event);
		return;
	}
	count(ua, &claim, admission, event->sip);
	/* Where only his nonce was too old he knows the password. */
	if (claim.stale || admission == ADMIT_STALE)
		ask(ua, nh, event, claim.stale ? NULL : challenge, TRUE);
	else
		refuse(ua, nh, event, challenge);
	nua_handle_destroy(nh);
}
