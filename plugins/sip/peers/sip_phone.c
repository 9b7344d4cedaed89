/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_phone.c - softphones: whose request is it, and where is a phone reached?
 *
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_outside.h"
#include "b2bua/number.h"
#include "b2bua/route/way_out.h"
#include "plugins/sip/stack/sip_dialect.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/stack/sip_tel.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_string.h>

/* --- who --- */

/* The address a request came from, without its port; or NULL. */
static char *
phone_address(msg_t *msg)
{
	su_sockaddr_t *from = msg ? msg_addr(msg) : NULL;
	char address[INET6_ADDRSTRLEN] = "";

	if (!from || (from->su_family != AF_INET && from->su_family != AF_INET6))
		return NULL;
	su_inet_ntop(from->su_family, SU_ADDR(from), address, sizeof address);
	return g_strdup(address);
}

static char *
user_of(const url_t *url)
{
	return url && url->url_user ? g_uri_unescape_string(url->url_user, NULL) : NULL;
}

/* Credentials come first: the From may be a number, or anonymous. */
static Softphone *
find_softphone(SipUa *ua, const sip_t *sip)
{
	Store *store = gateway_store(ua->gateway);
	g_autofree char *claimed = digest_server_username(ua->digest, sip);
	g_autofree char *from = user_of(sip->sip_from->a_url);
	Softphone *softphone = claimed ? store_softphone_get(store, claimed, NULL) : NULL;

	if (!softphone && !claimed && from)
		softphone = store_softphone_get(store, from, NULL);
	return softphone;
}

const char *
phone_program(const sip_t *sip)
{
	return sip->sip_user_agent ? sip->sip_user_agent->g_string : NULL;
}

PhoneClaim
phone_claim(SipUa *ua, const SipEvent *event)
{
	const sip_t *sip = event->sip;
	guint failures = store_failures(gateway_store(ua->gateway));
	PhoneClaim claim = { .softphone = find_softphone(ua, sip) };
	g_autofree char *source = phone_address(event->msg);
	DigestAlgorithm used;
	DigestVerdict verdict;
	DigestSecret secret;

	if (gateway_unread_since(ua->gateway, failures)) {
		g_clear_pointer(&claim.softphone, softphone_free);
		claim.verdict = PHONE_UNREAD;
	}
	if (!claim.softphone)
		return claim;
	secret = (DigestSecret){ claim.softphone->username,
				 { [DIGEST_MD5] = claim.softphone->ha1_md5,
				   [DIGEST_SHA256] = claim.softphone->ha1_sha256 } };
	verdict = digest_server_verify(ua->digest, sip, &secret, &used);
	if (verdict == DIGEST_RIGHT || verdict == DIGEST_STALE)
		dialects_proved(ua->dialects, phone_program(sip), source, used);
	switch (verdict) {
	case DIGEST_RIGHT:
		claim.verdict = PHONE_KNOWN;
		return claim;
	case DIGEST_STALE:
		claim.stale = TRUE;
		claim.verdict = PHONE_CHALLENGE;
		break;
	case DIGEST_ABSENT:
		claim.verdict = PHONE_CHALLENGE;
		break;
	case DIGEST_WRONG:
		claim.verdict = PHONE_WRONG;
		break;
	}
	g_clear_pointer(&claim.softphone, softphone_free);
	return claim;
}

void
phone_claim_clear(PhoneClaim *claim)
{
	g_clear_pointer(&claim->softphone, softphone_free);
	g_clear_pointer(&claim->account, address_free);
	g_clear_pointer(&claim->source, g_free);
	g_clear_pointer(&claim->number, g_free);
}

/* Alike for names that there are and for others. */
static DigestAlgorithm
choose_offer(SipUa *ua, const SipEvent *event)
{
	DigestServer *digest = ua->digest;
	g_autofree char *claimed = digest_server_username(digest, event->sip);
	g_autofree char *source = phone_address(event->msg);

	return claimed ? digest_server_algorithm(digest, event->sip)
		       : dialects_offer(ua->dialects, phone_program(event->sip), source);
}

void
phone_ask(SipUa *ua, const Reply *reply, const SipEvent *event, gboolean stale, gboolean registers)
{
	DigestServer *digest = ua->digest;
	DigestAlgorithm only = choose_offer(ua, event);
	/* RFC 8760 2.4: the best one first. */
	g_autofree char *best =
		only == DIGEST_MD5 ? NULL : digest_server_challenge(digest, DIGEST_SHA256, stale);
	g_autofree char *next =
		only == DIGEST_SHA256 ? NULL : digest_server_challenge(digest, DIGEST_MD5, stale);

	if (registers)
		reply_say(reply, SIP_401_UNAUTHORIZED,
			  TAG_IF(best, SIPTAG_WWW_AUTHENTICATE_STR(best)),
			  TAG_IF(next, SIPTAG_WWW_AUTHENTICATE_STR(next)), TAG_END());
	else
		reply_say(reply, SIP_407_PROXY_AUTH_REQUIRED,
			  TAG_IF(best, SIPTAG_PROXY_AUTHENTICATE_STR(best)),
			  TAG_IF(next, SIPTAG_PROXY_AUTHENTICATE_STR(next)), TAG_END());
}

/* --- calls from softphones --- */

/* Whose number a phone shows; NULL when it is none of ours. */
static User *
owner_of(SipUa *ua, const char *user)
{
	g_autofree char *number = NULL;

	return number_from_carrier(user, NULL, &number)
		       ? store_user_by_number(gateway_store(ua->gateway), number, NULL)
		       : NULL;
}

static gboolean
is_of(SipUa *ua, const Softphone *softphone, const char *number)
{
	g_autoptr(User) owner = owner_of(ua, number);

	return owner && strcmp(owner->jid, softphone->user) == 0;
}

/* A phone may call itself by its name, by a number of its account, or not at all. */
static gboolean
may_be(SipUa *ua, const Softphone *softphone, const sip_t *sip)
{
	g_autofree char *user = tel_user(sip->sip_from->a_url);

	return !user || strcmp(user, softphone->username) == 0 || identity_is_anonymous(sip) ||
	       strcmp(user, softphone->user) == 0 || is_of(ua, softphone, user);
}

/* Which of his numbers: the first one it names that is his.  FALSE: it insists on somebody
 * else's, and his own might be the one that he wants to keep to himself (RFC 3325 7). */
static gboolean
choose_number(SipUa *ua, const Softphone *softphone, const sip_t *sip, char **number)
{
	g_autoptr(GPtrArray) wanted = identity_preferred(sip);
	g_autoptr(GPtrArray) insisted = identity_numbers(sip, "P-Preferred-Identity");

	*number = NULL;
	for (guint i = 0; !*number && i < wanted->len; i++)
		if (is_of(ua, softphone, wanted->pdata[i]))
			*number = g_strdup(wanted->pdata[i]);
	for (guint i = 0; i < insisted->len; i++)
		if (is_of(ua, softphone, insisted->pdata[i]))
			return TRUE;
	return insisted->len == 0;
}

/* Nobody is kept from calling for help by what his phone says of him. */
static gboolean
calls_for_help(SipUa *ua, const Softphone *softphone, const sip_t *sip)
{
	g_autofree char *country = user_country(ua->gateway, softphone->user);
	g_autofree char *called = tel_user(sip->sip_request->rq_url);

	return number_is_emergency(called, country);
}

/* What is answered, and what the record says. */
typedef struct {
	const char *phrase, *words;
} Impossible;

static const Impossible not_its_own = { "Not Your Identity",
					"the telephone shows a number that is not of the account" };
static const Impossible too_private = { "Privacy Not Available",
					"the telephone wants a privacy that there is not" };

/* NULL: it may call so. */
static const Impossible *
is_impossible(SipUa *ua, const Softphone *softphone, const sip_t *sip, char **number)
{
	gboolean his = choose_number(ua, softphone, sip, number);

	if (calls_for_help(ua, softphone, sip))
		return NULL;
	if (!may_be(ua, softphone, sip) || !his)
		return &not_its_own;
	return identity_wants_too_much(sip) ? &too_private : NULL;
}

static gboolean
is_registered_at(SipUa *ua, const Softphone *softphone, const char *source)
{
	g_autoptr(GPtrArray) contacts =
		store_contact_list_of_softphone(gateway_store(ua->gateway), softphone->id, NULL);

	for (guint i = 0; contacts && i < contacts->len; i++)
		if (g_strcmp0(((Contact *)contacts->pdata[i])->received, source) == 0)
			return TRUE;
	return FALSE;
}

gboolean
phone_without_name(SipUa *ua, const SipEvent *event)
{
	return identity_is_anonymous(event->sip) && sources_in_use(ua->sources, event);
}

gboolean
phone_comes_first(SipUa *ua, const SipEvent *event)
{
	const sip_t *sip = event->sip;
	g_autoptr(Softphone) softphone = NULL;
	g_autofree char *source = NULL;

	if (sip->sip_authorization || sip->sip_proxy_authorization ||
	    header_caller_is_ours(sip, ua->config) || phone_without_name(ua, event))
		return TRUE;
	softphone = find_softphone(ua, sip);
	source = phone_source(event->msg, sip);
	return softphone && source && is_registered_at(ua, softphone, source);
}

/* Nobody can be proven, and nobody is counted as hostile for it.  The core, which cannot
 * read either, refuses all but calls for help. */
static gboolean
unread_caller(SipUa *ua, PhoneClaim *claim, SipCaller *caller)
{
	g_autofree char *jid = g_strconcat("unknown@", outside_domain(ua->outside), NULL);

	claim->account = address_from_jid(jid);
	*caller = (SipCaller){ .from = claim->account, .phone = claim->source };
	return claim->account && claim->source;
}

gboolean
phone_caller(SipUa *ua, PhoneClaim *claim, const SipEvent *event, SipCaller *caller, int *status,
	     const char **phrase)
{
	guint failures = store_failures(gateway_store(ua->gateway));
	const Softphone *softphone = claim->softphone;
	const Impossible *impossible = NULL;

	claim->source = phone_source(event->msg, event->sip);
	if (claim->verdict != PHONE_UNREAD) {
		sources_proven(ua->sources, event);
		impossible = is_impossible(ua, softphone, event->sip, &claim->number);
	}
	/* whose number it shows could not be read */
	if (claim->verdict == PHONE_UNREAD ||
	    (impossible && gateway_unread_since(ua->gateway, failures))) {
		*status = 503;
		*phrase = sip_503_Service_unavailable;
		return unread_caller(ua, claim, caller);
	}
	claim->account = address_from_jid(softphone->user);
	*caller = (SipCaller){ .from = claim->account,
			       .phone = claim->source,
			       .privacy = identity_privacy(event->sip),
			       .preferred = claim->number,
			       .softphone = softphone->username,
			       .crypto = crypto_policy(softphone->srtp),
			       .any_source = g_strcmp0(softphone->rtp_source, "any") == 0 };
	*status = 403;
	*phrase = impossible ? impossible->phrase : not_its_own.phrase;
	claim->refused = impossible ? impossible->words : not_its_own.words;
	return claim->account && claim->source && !impossible;
}

/* --- where --- */

/* What a Via says is how the message came: it is the last hop's. */
static const char *
transport_of(const sip_t *sip)
{
	const char *protocol = sip && sip->sip_via ? sip->sip_via->v_protocol : "";
	const char *slash = strrchr(protocol, '/');

	if (slash && g_ascii_strcasecmp(slash, "/TCP") == 0)
		return "tcp";
	return slash && g_ascii_strcasecmp(slash, "/TLS") == 0 ? "tls" : "udp";
}

char *
phone_source(msg_t *msg, const sip_t *sip)
{
	g_autofree char *address = phone_address(msg);

	return address ? g_strdup_printf(strchr(address, ':') ? "%s:[%s]:%u" : "%s:%s:%u",
					 transport_of(sip), address, ntohs(msg_addr(msg)->su_port))
		       : NULL;
}

char *
phone_next_hop(const char *source)
{
	const char *colon = source ? strchr(source, ':') : NULL;

	return colon ? g_strdup_printf("sip:%s;transport=%.*s", colon + 1, (int)(colon - source),
				       source)
		     : NULL;
}
