/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_leg.c - a dialog as a Leg: its life and the commands of the core.
 *
 *            dial                                  INVITE of a trunk
 *   RESOLVING → CALLING ──200, ACK──→ UP ←──ACK── ANSWERED ←─answer── INVITED
 *        └─────────┴──── hangup, refusal, BYE: ENDING ─────┴─────────────┘
 *
 * What the peer says is in sip_session.c, what survives a crash in sip_save.c.
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/dialog/sip_early.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_history.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_info.h"
#include "plugins/sip/dialog/sip_location.h"
#include "plugins/sip/stack/sip_names.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/stack/sip_reason.h"
#include "plugins/sip/stack/sip_stack.h"
#include "plugins/sip/dialog/sip_stranger.h"
#include "plugins/sip/peers/sip_watch.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include <string.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

/* A softphone that has not said "100 Trying" to five copies of the INVITE by then
 * is not there. */
#define PHONE_RESPONSE_MS 8000
/* Longer than any transaction of nua: Timers B and H are 32 s. */
#define LINGER_MS 70000

#define MAX_KEYS 64 /* that wait for an INFO */

#define MOVE_MS 200 /* between looks whether a leg may be offered again */

static const char content_sdp[] = "application/sdp";

/* --- life --- */

static void
refresh_session(gpointer user)
{
	leg_refresh(user);
}

static void
expire_session(gpointer user, const char *why)
{
	leg_expire(user, why);
}

static const SessionOwner session_owner = { refresh_session, expire_session };

SipLeg *
leg_new(SipUa *ua, SipState state, const char *trunk)
{
	SipLeg *leg = g_new0(SipLeg, 1);

	leg->ua = ua;
	leg->state = state;
	leg->trunk = g_strdup(trunk);
	leg->session.owner = &session_owner;
	leg->session.user = leg;
	leg->session.wanted_s = SESSION_DEFAULT_SECONDS;
	leg->session_id = (guint64)g_get_real_time();
	leg->sdp_version = 1;
	leg->families = content_own_family(ua->config);
	leg->early = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, early_free);
	g_hash_table_add(ua->legs, leg);
	return leg;
}

static void
forget_invite(SipLeg *leg)
{
	if (leg->invite_id)
		g_hash_table_remove(leg->ua->invites, leg->invite_id);
	g_clear_pointer(&leg->invite_id, g_free);
}

void
leg_free(SipLeg *leg)
{
	unacked_end(leg);
	g_hash_table_remove(leg->ua->legs, leg);
	origin_forget(leg);
	trunks_forget(leg->ua->trunks, leg);
	if (leg->asks_name)
		names_forget(leg->ua->names, leg);
	leg_clear_timer(leg);
	session_stop(&leg->session);
	if (leg->request[0])
		nua_destroy_event(leg->request);
	if (leg->nh)
		nua_handle_destroy(leg->nh);
	desc_unref(leg->offer);
	desc_unref(leg->remote);
	desc_unref(leg->removed);
	desc_unref(leg->said);
	desc_unref(leg->pracked);
	g_hash_table_unref(leg->early);
	g_free(leg->agreed_tag);
	g_free(leg->trunk);
	g_free(leg->phone);
	g_free(leg->softphone);
	g_free(leg->to);
	g_free(leg->path);
	g_free(leg->sdp);
	g_free(leg->from);
	g_free(leg->identity);
	g_free(leg->about);
	g_free(leg->where);
	g_free(leg->pidf);
	g_free(leg->pidf_id);
	g_free(leg->request_uri);
	if (leg->keys)
		g_string_free(leg->keys, TRUE);
	g_free(leg->goodbye);
	g_free(leg->next_hop);
	g_free(leg->way_back);
	g_free(leg->name_source);
	g_clear_pointer(&leg->hops, g_ptr_array_unref);
	if (leg->lookup)
		g_cancellable_cancel(leg->lookup);
	g_clear_object(&leg->lookup);
	g_free(leg->call_id);
	g_free(leg->local);
	g_free(leg->remote_party);
	g_free(leg->target);
	g_free(leg->routes);
	g_free(leg->called);
	forget_invite(leg);
	g_free(leg->ringing);
	g_free(leg);
}

void
leg_clear_timer(SipLeg *leg)
{
	timer_clear(&leg->timer);
}

void
leg_set_timer(SipLeg *leg, guint ms, TimerFunc func)
{
	timer_set(&leg->timer, ms, func, leg);
}

static void
on_linger(gpointer user)
{
	SipLeg *leg = user;

	leg_free(leg);
}

/* From here on the leg is ours alone and waits for nua's last word. */
static void
begin_ending(SipLeg *leg)
{
	leg->state = STATE_ENDING;
	leg->change = CHANGE_NONE;
	session_stop(&leg->session);
	if (leg->nh)
		leg_set_timer(leg, LINGER_MS, on_linger);
	else
		leg_free(leg);
}

void
leg_over(SipLeg *leg, Reason reason, const char *text)
{
	gboolean told = leg->state == STATE_ENDING;

	if (told)
		return;
	if (leg->leg.side == SIDE_CALLEE)
		trunks_note(leg->ua->trunks, leg->trunk, reason, text);
	leg_ended(&leg->leg, reason, text);
	begin_ending(leg);
}

/* --- descriptions --- */

/* Media is announced by the same address as SIP: what the peer is told of the one, he is
 * told of the other. */
static Desc *
desc_seen(const SipLeg *leg, const Desc *desc)
{
	const Config *config = leg->ua->config;
	const Transport *ours = desc_audio(desc) ? desc_audio(desc)->transport : NULL;
	const char *announced =
		config->sip_public_address ? config->sip_public_address : config->sip_address;
	const char *host = outside_host(leg->ua->outside, leg->trunk);
	g_autoptr(Transport) seen = NULL;

	if (!ours || strcmp(ours->address, announced) != 0 || strcmp(announced, host) == 0)
		return NULL;
	seen = transport_copy(ours);
	g_strlcpy(seen->address, host, sizeof seen->address);
	return desc_moved(desc, seen);
}

const char *
leg_sdp(SipLeg *leg, const Desc *desc)
{
	SdpOrigin origin = { outside_host(leg->ua->outside, leg->trunk), leg->session_id,
			     leg->sdp_version };
	g_autoptr(Desc) seen = desc_seen(leg, desc);
	const Desc *said = leg->said;
	g_autofree char *text = NULL;

	leg->said = desc_ref(desc);
	desc_unref(said);
	if (seen)
		desc = seen;
	text = desc_to_sdp(desc, &origin);
	if (g_strcmp0(text, leg->sdp) == 0)
		return leg->sdp;
	if (leg->sdp) {
		origin.version = ++leg->sdp_version;
		g_free(text);
		text = desc_to_sdp(desc, &origin);
	}
	g_free(leg->sdp);
	leg->sdp = g_steal_pointer(&text);
	return leg->sdp;
}

const char *
leg_sdp_of_offer(SipLeg *leg, const Desc *desc)
{
	g_autoptr(Desc) offer = crypto_offer(&leg->crypto, desc);

	return leg_sdp(leg, offer);
}

void
leg_set_remote(SipLeg *leg, const Desc *desc)
{
	const Desc *old = leg->remote;

	leg->remote = desc ? desc_ref(desc) : NULL;
	desc_unref(old);
}

void
leg_set_offer(SipLeg *leg, const Desc *desc)
{
	const Desc *old = leg->offer;

	leg->offer = desc ? desc_ref(desc) : NULL;
	desc_unref(old);
}

static void
trace_desc(SipLeg *leg, const char *what, const Desc *desc)
{
	g_autofree char *summary = desc ? desc_summary(desc) : NULL;

	leg_trace(&leg->leg, TRACE_OUT, "%s%s%s", what, summary ? " with " : "",
		  summary ? summary : "");
}

/* --- calls out --- */

/* The admin's patience with a carrier that says nothing at all, not even 100; Timer B
 * would have the caller wait 32 s. */
static void
on_no_response(gpointer user)
{
	SipLeg *leg = user;
	g_autofree char *text = NULL;
	const char *problem;

	text = header_hop_text(leg->next_hop);
	leg_trace(&leg->leg, TRACE_NOTE, "no response from %s", text);
	if (leg_try_next_hop(leg))
		return;
	problem = leg_problem(leg);
	watches_note_call(leg->ua->watches, leg->trunk, FALSE);
	/* CANCEL is held back until something answers; then it goes out. */
	nua_cancel(leg->nh, TAG_END());
	leg_over(leg, leg->phone ? REASON_UNREACHABLE : REASON_TIMEOUT,
		 problem ? problem : "no response");
}

static void
send_invite(SipLeg *leg)
{
	g_auto(LocationBody) body = { NULL, NULL };
	const char *sdp = leg_sdp_of_offer(leg, leg->offer);
	g_autofree char *to = g_strdup_printf("<%s>", leg->to ? leg->to : leg->request_uri);
	g_autofree char *contact = leg_contact(leg);
	g_autofree char *session = session_ask(&leg->session, TRUE);
	g_autofree char *min = session_min(&leg->session);

	leg->nh = nua_handle(leg->ua->nua, (nua_hmagic_t *)leg, NUTAG_URL(leg->request_uri),
			     SIPTAG_FROM_STR(leg->from), SIPTAG_TO_STR(to), TAG_END());
	if (!leg->nh) {
		leg_over(leg, REASON_PROTOCOL_ERROR,
			 "the number cannot be written as a SIP address");
		return;
	}
	leg->state = STATE_CALLING;
	forget_invite(leg);
	leg->invite_id = g_uuid_string_random();
	g_hash_table_insert(leg->ua->invites, leg->invite_id, leg);
	if (leg->pidf)
		location_body(leg, sdp, &body);
	/* A handle forgets a NUTAG_PROXY of nua_handle(). */
	nua_invite(leg->nh, NUTAG_PROXY(leg->next_hop), UA_ANSWERS(UA_DIALOG),
		   SIPTAG_CALL_ID_STR(leg->invite_id),
		   SIPTAG_CONTENT_TYPE_STR(body.type ? body.type : content_sdp),
		   SIPTAG_PAYLOAD_STR(body.text ? body.text : sdp),
		   TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
		   TAG_IF(leg->path, SIPTAG_ROUTE_STR(leg->path)),
		   TAG_IF(leg->identity, SIPTAG_HEADER_STR(leg->identity)),
		   TAG_IF(leg->about, SIPTAG_HEADER_STR(leg->about)),
		   TAG_IF(leg->where, SIPTAG_HEADER_STR(leg->where)), SESSION_TAGS(session, min),
		   TAG_IF(leg->anonymous, SIPTAG_PRIVACY_STR("id")), TAG_END());
	leg_set_timer(leg, leg->response_ms, on_no_response);
	trace_desc(leg, "INVITE", leg->offer);
	if (leg->crypto.policy != CRYPTO_OFF && !header_hop_is_tls(leg->next_hop))
		leg_trace(&leg->leg, TRACE_NOTE, "srtp: the key goes in the clear, not by TLS");
}

void
leg_invite_again(SipLeg *leg)
{
	leg_clear_timer(leg);
	/* whatever comes of the old one is nobody's; sip_ua.c ends it */
	nua_handle_bind(leg->nh, NULL);
	nua_cancel(leg->nh, TAG_END());
	leg->nh = NULL;
	leg->challenged = 0;
	leg->trying = FALSE;
	g_clear_pointer(&leg->ringing, g_free);
	origin_forget(leg);
	leg_forget_dialog(leg);
	g_hash_table_remove_all(leg->early);
	g_clear_pointer(&leg->agreed_tag, g_free);
	send_invite(leg);
}

gboolean
leg_try_next_hop(SipLeg *leg)
{
	g_autofree char *text = NULL;

	if (leg->state != STATE_CALLING || leg->heard || !leg->hops ||
	    leg->hop + 1 >= leg->hops->len)
		return FALSE;
	leg->hop++;
	g_free(leg->next_hop);
	leg->next_hop = g_strdup(leg->hops->pdata[leg->hop]);
	text = header_hop_text(leg->next_hop);
	leg_trace(&leg->leg, TRACE_NOTE, "next: %s", text);
	leg_invite_again(leg);
	return TRUE;
}

void
leg_call_hops(SipLeg *leg, GPtrArray *hops)
{
	leg->hops = g_ptr_array_ref(hops);
	leg->next_hop = g_strdup(hops->pdata[0]);
	leg->ua->calls_out++;
	send_invite(leg);
}

static void
on_trunk_resolved(gpointer user, GPtrArray *hops)
{
	SipLeg *leg = user;
	const Trunk *trunk = trunks_find(leg->ua->trunks, leg->trunk);
	g_autoptr(GPtrArray) ordered = NULL;

	if (!trunk || !hops) {
		const char *problem = trunks_problem(leg->ua->trunks, leg->trunk);

		leg_over(leg, REASON_NETWORK_ERROR,
			 !trunk	   ? "no such trunk"
			 : problem ? problem
				   : "the trunk's host name cannot be resolved");
		return;
	}
	leg->response_ms = trunk->response_seconds * 1000;
	leg->session.wanted_s = trunk->session_seconds;
	ordered = watches_order(leg->ua->watches, leg->trunk, hops);
	leg_call_hops(leg, ordered);
}

char *
leg_contact(const SipLeg *leg)
{
	const Outside *outside = leg->ua->outside;
	const char *address = outside_host(outside, leg->trunk);
	const Config *config = leg->ua->config;
	g_autofree char *uri = NULL;
	gboolean tls = header_hop_is_tls(leg->next_hop);
	gboolean tcp = leg->phone ? !g_str_has_prefix(leg->phone, "udp:")
				  : leg->next_hop && g_str_has_suffix(leg->next_hop, "=tcp");

	if (!tls && !(leg->phone && tcp) && outside_is_plain(outside, leg->trunk))
		return NULL;
	if (tls)
		uri = header_next_hop(address, config->sip_tls_port, "tls");
	else if (tcp)
		uri = header_next_hop(address, config->sip_port, "tcp");
	else
		uri = header_next_hop(address, outside_port(outside, leg->trunk), "udp");
	return g_strdup_printf("<%s>", uri);
}

static void
learn_phone(SipLeg *leg, const char *username)
{
	g_autoptr(Softphone) softphone =
		store_softphone_get(gateway_store(leg->ua->gateway), username, NULL);

	leg->crypto.policy = softphone ? crypto_policy(softphone->srtp) : CRYPTO_OFF;
	leg->any_source = softphone && g_strcmp0(softphone->rtp_source, "any") == 0;
}

static void
dial_phone(SipLeg *leg, const Target *target, const Desc *offer)
{
	g_autoptr(Contact) contact =
		store_contact_get(gateway_store(leg->ua->gateway), target->contact, NULL);
	g_autofree char *asserted = NULL;

	leg->phone = g_strdup(contact ? contact->received : NULL);
	leg->softphone = g_strdup(contact ? contact->username : NULL);
	leg->next_hop = phone_next_hop(leg->phone);
	if (!leg->next_hop) {
		leg_over(leg, REASON_UNREACHABLE, "the softphone is not registered any more");
		return;
	}
	leg_set_offer(leg, offer);
	learn_phone(leg, contact->username);
	leg->from = header_from(target->from, outside_domain(leg->ua->outside));
	asserted = header_asserted(target->from, outside_domain(leg->ua->outside));
	leg->identity = asserted ? g_strdup_printf("P-Asserted-Identity: %s", asserted) : NULL;
	leg->anonymous = !asserted;
	leg->request_uri = g_strdup(contact->uri);
	leg->to = g_strdup_printf("sip:%s@%s", contact->username, outside_domain(leg->ua->outside));
	leg->path = g_strdup(contact->path);
	leg->response_ms = PHONE_RESPONSE_MS;
	leg->ua->calls_out++;
	send_invite(leg);
}

void
leg_dial(SipUa *ua, Call *call, const Target *target, const Desc *offer)
{
	SipLeg *leg = leg_new(ua, STATE_RESOLVING, target->trunk);
	const Trunk *trunk = trunks_find(ua->trunks, target->trunk);
	g_autoptr(Desc) wanted = NULL;

	leg_attach(&leg->leg, ua->plugin, call);
	if (target->contact) {
		dial_phone(leg, target, offer);
		return;
	}
	if (!target->trunk && target->to->scheme == ADDRESS_SIP) {
		stranger_dial(leg, target, offer);
		return;
	}
	if (!trunk) {
		leg_over(leg, REASON_NETWORK_ERROR, "no such trunk");
		return;
	}
	leg->crypto.policy = crypto_policy(trunk->srtp);
	wanted = desc_only(offer, trunk->codecs);
	if (!wanted) {
		leg_over(leg, REASON_INCOMPATIBLE, "no codec that the trunk's codecs allow");
		return;
	}
	leg_set_offer(leg, wanted);
	leg->from = header_trunk_from(trunk, target->from, target->withheld,
				      outside_domain(ua->outside));
	leg->identity = header_trunk_identity(trunk, target->from, target->withheld,
					      outside_domain(ua->outside));
	leg->about =
		target->diverted_by ? history_write(target, outside_domain(ua->outside)) : NULL;
	location_set(leg, target);
	leg->anonymous = target->withheld || target->from->scheme == ADDRESS_ANONYMOUS;
	leg->request_uri = header_request_uri(target->to, trunk);
	trunks_resolve(ua->trunks, target->trunk, on_trunk_resolved, leg);
}

/* --- calls in --- */

void
leg_ring(SipLeg *leg, const Desc *early)
{
	/* Without an offer of his an early description would be one of ours, which
	 * an unreliable response cannot carry (RFC 3264 via RFC 3261 13.2.1). */
	const Desc *said = leg->offerless ? NULL : early;
	g_autofree char *contact = NULL;

	if (leg->state != STATE_INVITED)
		return;
	contact = leg_contact(leg);
	if (said) {
		nua_respond(leg->nh, SIP_183_SESSION_PROGRESS, SIPTAG_CONTENT_TYPE_STR(content_sdp),
			    SIPTAG_PAYLOAD_STR(leg_sdp(leg, said)),
			    TAG_IF(contact, SIPTAG_CONTACT_STR(contact)), TAG_END());
		leg->answered_early = leg->reliable;
	} else {
		nua_respond(leg->nh, SIP_180_RINGING, TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
			    TAG_END());
	}
	trace_desc(leg, said ? "183 Session Progress" : "180 Ringing", said);
}

void
leg_respond(SipLeg *leg, guint status, const char *phrase, const char *sdp)
{
	g_autofree char *session = status == 422		   ? session_min(&leg->session)
				   : status < 300 && !leg->pracked ? session_answer(&leg->session)
								   : NULL;
	g_autofree char *contact = status < 300 ? leg_contact(leg) : NULL;

	nua_respond(leg->nh, status, phrase, NUTAG_WITH_SAVED(leg->request),
		    TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
		    TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR(content_sdp)),
		    TAG_IF(sdp, SIPTAG_PAYLOAD_STR(sdp)),
		    TAG_IF(session, SIPTAG_HEADER_STR(session)), TAG_END());
	nua_destroy_event(leg->request);
	leg->request[0] = NULL;
}

static void
answer_change(SipLeg *leg, const Desc *answer)
{
	const Desc *removed = g_steal_pointer(&leg->removed);

	leg->change = CHANGE_NONE;
	if (answer && leg->state == STATE_CALLING)
		early_agree(leg, leg->remote);
	if (answer && removed) {
		g_autoptr(Desc) nothing = desc_answer_nothing(removed);

		leg_respond(leg, SIP_200_OK, leg_sdp(leg, nothing));
		trace_desc(leg, "200 OK", nothing);
	} else if (answer) {
		crypto_settle(&leg->crypto, answer);
		leg_respond(leg, SIP_200_OK, leg_sdp(leg, answer));
		trace_desc(leg, "200 OK", answer);
	} else
		leg_refuse_change(leg);
	g_clear_pointer(&leg->pracked, desc_unref);
	desc_unref(removed);
}

/* A re-INVITE without a description has our offer in its 200.  NULL: the core has none now,
 * so what was said is said again, and the session is refreshed all the same. */
static void
answer_offerless(SipLeg *leg, const Desc *offer)
{
	leg->change = offer ? CHANGE_ACK : CHANGE_NONE;
	leg->refreshing = !offer;
	leg_respond(leg, SIP_200_OK, offer ? leg_sdp_of_offer(leg, offer) : leg->sdp);
	trace_desc(leg, "200 OK", offer);
}

void
leg_refuse_change(SipLeg *leg)
{
	leg->change = CHANGE_NONE;
	if (leg->pracked) { /* RFC 3262 3: a PRACK is not refused */
		g_autoptr(Desc) nothing = desc_answer_nothing(leg->pracked);

		leg_respond(leg, SIP_200_OK, leg_sdp(leg, nothing));
		trace_desc(leg, "200 OK", nothing);
		g_clear_pointer(&leg->pracked, desc_unref);
		return;
	}
	leg_respond(leg, SIP_488_NOT_ACCEPTABLE, NULL);
	leg_trace(&leg->leg, TRACE_OUT, "488 Not Acceptable");
}

void
leg_answer(SipLeg *leg, const Desc *answer)
{
	if (leg->change == CHANGE_ABSORBED)
		leg->change = CHANGE_NONE;
	else if (leg->change == CHANGE_THEIRS)
		answer_change(leg, answer);
	else if (leg->change == CHANGE_OFFER)
		answer_offerless(leg, answer);
	else if (leg->state == STATE_INVITED && answer) {
		g_autofree char *contact = leg_contact(leg);
		g_autofree char *session = session_answer(&leg->session);

		const char *sdp =
			leg->offerless ? leg_sdp_of_offer(leg, answer) : leg_sdp(leg, answer);

		leg->state = STATE_ANSWERED;
		unacked_begin(leg);
		leg_clear_timer(leg);
		if (!leg->offerless)
			crypto_settle(&leg->crypto, answer);
		leg_learn_tag(leg);
		nua_respond(leg->nh, SIP_200_OK, SIPTAG_CONTENT_TYPE_STR(content_sdp),
			    SIPTAG_PAYLOAD_STR(sdp), TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
			    TAG_IF(session, SIPTAG_HEADER_STR(session)), TAG_END());
		trace_desc(leg, "200 OK", answer);
	}
}

/* --- both --- */

static void
send_reinvite(SipLeg *leg, const char *sdp)
{
	g_autofree char *session = session_ask(&leg->session, FALSE);
	g_autofree char *min = session_min(&leg->session);

	g_autofree char *contact = NULL;

	hop_refresh(leg);
	contact = leg_contact(leg);
	nua_invite(leg->nh, SIPTAG_CONTENT_TYPE_STR(content_sdp), SIPTAG_PAYLOAD_STR(sdp),
		   TAG_IF(contact, SIPTAG_CONTACT_STR(contact)), SESSION_TAGS(session, min),
		   TAG_END());
}

void
leg_reinvite(SipLeg *leg)
{
	leg->change = CHANGE_OURS;
	send_reinvite(leg, leg_sdp_of_offer(leg, leg->offer));
	trace_desc(leg, "INVITE again", leg->offer);
}

void
leg_refresh(SipLeg *leg)
{
	g_autofree char *session = session_ask(&leg->session, FALSE);
	g_autofree char *min = session_min(&leg->session);
	g_autofree char *contact = NULL;

	if (leg->state != STATE_UP || leg->change != CHANGE_NONE) {
		session_try_again(&leg->session);
		return;
	}
	leg->change = CHANGE_REFRESH;
	leg_trace(&leg->leg, TRACE_OUT, "%s: session refresh",
		  leg->session.updates ? "UPDATE" : "INVITE again");
	hop_refresh(leg);
	contact = leg_contact(leg);
	if (leg->session.updates)
		nua_update(leg->nh, TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
			   SESSION_TAGS(session, min), TAG_END());
	else
		send_reinvite(leg, leg->sdp);
}

static gboolean
is_busy(const SipLeg *leg)
{
	return leg->state != STATE_UP || leg->change != CHANGE_NONE || leg->request[0];
}

/* As a refresh: the core's descriptions are as before, so it is not asked. */
static void
offer_again(SipLeg *leg)
{
	leg->moved = FALSE;
	leg->moving = TRUE;
	leg->change = CHANGE_REFRESH;
	leg_trace(&leg->leg, TRACE_OUT, "INVITE again: the gateway's address is %s now",
		  outside_host(leg->ua->outside, leg->trunk));
	send_reinvite(leg, leg_sdp(leg, leg->said));
}

static gboolean
on_move_time(gpointer user)
{
	SipUa *ua = user;
	g_autoptr(GPtrArray) legs = g_ptr_array_new();
	gboolean more = FALSE;
	GHashTableIter iter;
	gpointer leg;

	g_hash_table_iter_init(&iter, ua->legs);
	while (g_hash_table_iter_next(&iter, &leg, NULL))
		if (((SipLeg *)leg)->moved)
			g_ptr_array_add(legs, leg);
	for (guint i = 0; i < legs->len; i++) {
		SipLeg *moved = legs->pdata[i];

		if (moved->state == STATE_ENDING)
			moved->moved = FALSE;
		else if (is_busy(moved) || !moved->said ||
			 g_get_monotonic_time() < moved->move_from)
			more = TRUE;
		else
			offer_again(moved);
	}
	if (!more)
		ua->mover = 0;
	return more;
}

void
leg_moved(SipLeg *leg)
{
	if (leg->state == STATE_ENDING)
		return;
	leg->moved = TRUE;
	if (!leg->ua->mover)
		leg->ua->mover = g_timeout_add(MOVE_MS, on_move_time, leg->ua);
}

void
leg_moved_all(SipUa *ua, const char *trunk)
{
	GHashTableIter iter;
	gpointer leg;

	g_hash_table_iter_init(&iter, ua->legs);
	while (g_hash_table_iter_next(&iter, &leg, NULL))
		if (!trunk || g_strcmp0(((SipLeg *)leg)->trunk, trunk) == 0)
			leg_moved(leg);
}

void
leg_refreshed(SipLeg *leg)
{
	leg->change = CHANGE_NONE;
	if (!leg->change_waits)
		return;
	leg->change_waits = FALSE;
	if (g_get_monotonic_time() < leg->change_until)
		leg_reinvite(leg);
}

void
leg_expire(SipLeg *leg, const char *why)
{
	if (leg->state != STATE_UP && leg->state != STATE_ANSWERED)
		return;
	leg_trace(&leg->leg, TRACE_NOTE, "%s", why);
	if (leg->state == STATE_UP)
		leg_bye(leg, "SIP;cause=408;text=\"Session expired\"");
	leg_over(leg, REASON_TIMEOUT, why);
}

void
leg_change(SipLeg *leg, const Desc *offer)
{
	/* Before the ACK, and beside a change of theirs, it would be glare. */
	if (leg->state != STATE_UP ||
	    (leg->change != CHANGE_NONE && leg->change != CHANGE_REFRESH)) {
		leg_answered(&leg->leg, NULL);
		return;
	}
	leg_set_offer(leg, offer);
	leg->tries = 0;
	if (leg->change == CHANGE_REFRESH) {
		leg->change_waits = TRUE;
		leg->change_until =
			g_get_monotonic_time() + leg->ua->config->change_timeout_s * G_USEC_PER_SEC;
		return;
	}
	leg_reinvite(leg);
}

void
leg_next_key(SipLeg *leg)
{
	const char *type = leg->info_plain ? INFO_PLAIN : INFO_RELAY;
	g_autofree char *body = NULL;

	if (leg->info_out || leg->state != STATE_UP || !leg->keys || leg->keys->len == 0)
		return;
	body = info_body(type, leg->keys->str[0]);
	leg->info_out = TRUE;
	hop_refresh(leg);
	leg_trace(&leg->leg, TRACE_OUT, "INFO with a key, %s", type);
	nua_info(leg->nh, SIPTAG_CONTENT_TYPE_STR(type), SIPTAG_PAYLOAD_STR(body), TAG_END());
}

void
leg_dtmf_out(SipLeg *leg, char key)
{
	if (!leg->keys)
		leg->keys = g_string_new(NULL);
	if (leg->keys->len < MAX_KEYS)
		g_string_append_c(leg->keys, key);
	leg_next_key(leg);
}

void
leg_bye(SipLeg *leg, const char *reason_header)
{
	hop_refresh(leg);
	nua_bye(leg->nh, TAG_IF(reason_header, SIPTAG_REASON_STR(reason_header)), TAG_END());
}

static void
refuse_call(SipLeg *leg, Reason reason, const char *header)
{
	const char *phrase = NULL;
	guint status = sip_reason_to_status(reason, &phrase);

	leg_trace(&leg->leg, TRACE_OUT, "%u %s", status, phrase);
	nua_respond(leg->nh, status, phrase, TAG_IF(header, SIPTAG_REASON_STR(header)), TAG_END());
}

static void
say_goodbye(SipLeg *leg, Reason reason, const char *text)
{
	g_autofree char *header = sip_reason_to_header(reason, text);

	if (leg->leg.side == SIDE_CALLEE && leg->state == STATE_CALLING)
		trunks_note(leg->ua->trunks, leg->trunk, reason, NULL);
	switch (leg->state) {
	case STATE_RESOLVING:
	case STATE_ENDING:
		break;
	case STATE_CALLING:
		leg_trace(&leg->leg, TRACE_OUT, "CANCEL%s%s", header ? " " : "",
			  header ? header : "");
		nua_cancel(leg->nh, TAG_IF(header, SIPTAG_REASON_STR(header)), TAG_END());
		break;
	case STATE_INVITED:
		refuse_call(leg, reason, header);
		break;
	case STATE_ANSWERED: /* RFC 3261 15: no BYE of the callee before the ACK */
		if (leg->change == CHANGE_THEIRS)
			leg_refuse_change(leg);
		leg->goodbye = g_strdup(header ? header : "");
		break;
	case STATE_UP:
		if (leg->change == CHANGE_THEIRS || leg->change == CHANGE_OFFER)
			leg_refuse_change(leg);
		leg_trace(&leg->leg, TRACE_OUT, "BYE%s%s", header ? " " : "", header ? header : "");
		leg_bye(leg, header);
		break;
	}
}

void
leg_hangup(SipLeg *leg, Reason reason, const char *text)
{
	say_goodbye(leg, reason, text);
	if (leg->state != STATE_ENDING)
		begin_ending(leg);
}

void
leg_drop(SipLeg *leg, Reason reason, const char *text)
{
	say_goodbye(leg, reason, text);
	leg_over(leg, reason, text);
}
