/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_in.c - see sip_text_in.h. */
#include "plugins/sip/text/sip_text_in.h"
#include "b2bua/text.h"
#include "plugins/sip/peers/sip_called.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/stack/sip_message.h"
#include "plugins/sip/stack/sip_reason.h"
#include "plugins/sip/text/sip_text_name.h"
#include "plugins/sip/text/sip_text_out.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_time.h>

#define MAX_WAITING    1000
#define RETRY_SECONDS  "10"
#define FUTURE_SECONDS 300	    /* a clock may be off by it */
#define PAST_SECONDS   (31 * 86400) /* nobody keeps a text for longer */

/* One that the core has not answered. */
typedef struct {
	nua_handle_t *nh; /* a reference */
	gboolean ours;	  /* the handle ends with it */
	msg_t *msg;	  /* a reference */
} Waiting;

/* Who has written it, and to whom; borrowed. */
typedef struct {
	const Address *from, *to;
	const char *trunk, *account;
	const Softphone *softphone;
	const Identity *identity; /* of a trunk's; or NULL */
	gboolean inside;
} Author;

static GHashTable *waiting; /* ticket → Waiting *; NULL: not started */
static guint ticket;

/* --- answers --- */

static void
waiting_free(gpointer data)
{
	Waiting *one = data;

	msg_destroy(one->msg);
	if (one->ours)
		nua_handle_destroy(one->nh);
	nua_handle_unref(one->nh);
	g_free(one);
}

void
text_in_start(SipUa *ua)
{
	waiting = g_hash_table_new_full(NULL, NULL, NULL, waiting_free);
}

static void
say(const Waiting *one, guint status, const char *phrase, const char *retry, const char *reason)
{
	nua_respond(one->nh, (int)status, phrase, NUTAG_WITH(one->msg),
		    TAG_IF(retry, SIPTAG_RETRY_AFTER_STR(retry)),
		    TAG_IF(reason, SIPTAG_REASON_STR(reason)), TAG_END());
}

void
text_in_stop(void)
{
	GHashTableIter iter;
	gpointer one;

	if (!waiting)
		return;
	g_hash_table_iter_init(&iter, waiting);
	while (g_hash_table_iter_next(&iter, NULL, &one))
		say(one, SIP_503_SERVICE_UNAVAILABLE, RETRY_SECONDS, NULL);
	g_clear_pointer(&waiting, g_hash_table_unref);
}

static void
on_answered(gpointer user, TextAnswer answer, Reason reason, const char *words)
{
	const Waiting *one = waiting ? g_hash_table_lookup(waiting, user) : NULL;
	const char *phrase = NULL;
	guint status = sip_reason_to_status(reason, &phrase);
	g_autofree char *header =
		answer == TEXT_REFUSED ? sip_reason_to_header(reason, words) : NULL;

	if (!one)
		return;
	if (answer == TEXT_TAKEN)
		say(one, SIP_202_ACCEPTED, NULL, NULL);
	else if (answer == TEXT_LATER)
		say(one, SIP_503_SERVICE_UNAVAILABLE, RETRY_SECONDS, NULL);
	else
		say(one, status, phrase, status == 503 ? RETRY_SECONDS : NULL, header);
	g_hash_table_remove(waiting, user);
}

/* --- a text --- */

/* As its author says, where his clock can be right. */
static gint64
written_at(const sip_t *sip, const Message *message)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC, at = message->written;

	if (!at && sip->sip_date)
		at = (gint64)sip->sip_date->d_time - (gint64)SU_TIME_EPOCH;
	return at < now - PAST_SECONDS || at > now + FUTURE_SECONDS ? 0 : at;
}

static void
give(SipUa *ua, Reply *reply, const SipEvent *event, const Author *author, const Message *message)
{
	const sip_t *sip = event->sip;
	g_autofree char *to = address_text(author->to);
	const MessageNames names = { .call_id = sip->sip_call_id->i_id,
				     .tag = sip->sip_from->a_tag,
				     .cseq = sip->sip_cseq->cs_seq,
				     .to = to };
	g_autofree char *origin = message_origin(message, &names);
	TextIn text = { .from = author->from,
			.to = author->to,
			.trunk = author->trunk,
			.account = author->account,
			.device = author->softphone ? author->softphone->username : NULL,
			.origin = origin,
			.body = message->body,
			.language = message->language,
			.written = written_at(sip, message),
			.receipt = (message->wants & CPIM_POSITIVE) != 0,
			.hidden = author->identity ? author->identity->hidden : NULL,
			.identities = author->identity ? author->identity->all : NULL };
	Waiting *one = g_new0(Waiting, 1);

	one->nh = nua_handle_ref(reply->nh);
	one->ours = !author->inside;
	one->msg = msg_ref_create(event->msg);
	reply->nh = NULL;
	if (!++ticket)
		ticket++;
	g_hash_table_insert(waiting, GUINT_TO_POINTER(ticket), one);
	text_new(ua->gateway, ua->plugin, &text, on_answered, GUINT_TO_POINTER(ticket));
}

/* What has become of one of ours; of a softphone's it can be told that it was sent it. */
static void
take_report(SipUa *ua, const Author *author, const Message *message)
{
	gint64 id = author->softphone ? text_of_imdn_id(message->id, author->softphone) : 0;

	if (id && message->report <= IMDN_DISPLAYED)
		text_delivered(ua->gateway, id);
	else if (id && message->report == IMDN_FAILED)
		text_failed(ua->gateway, id, FALSE, REASON_DECLINED,
			    "the softphone could not show it");
}

static void
read_body(const sip_t *sip, Message *message)
{
	const sip_payload_t *payload = sip->sip_payload;
	g_autofree char *type = NULL, *encoding = NULL, *language = NULL;

	if (sip->sip_content_type)
		type = header_text((const sip_header_t *)sip->sip_content_type);
	if (sip->sip_content_encoding)
		encoding = header_text((const sip_header_t *)sip->sip_content_encoding);
	if (sip->sip_content_language)
		language = header_text((const sip_header_t *)sip->sip_content_language);
	message_read(&(MessageHeaders){ type, encoding, language },
		     payload ? payload->pl_data : NULL, payload ? payload->pl_len : 0,
		     TEXT_MAX_BYTES, message);
}

static void
refuse(const Reply *reply, const Message *message)
{
	gboolean type = message->status == 415;

	reply_say(reply, (int)message->status, message->phrase,
		  TAG_IF(type, SIPTAG_ACCEPT_STR(MESSAGE_ACCEPT)),
		  TAG_IF(type, SIPTAG_ACCEPT_ENCODING_STR(MESSAGE_ENCODINGS)), TAG_END());
}

static void
take(SipUa *ua, Reply *reply, const SipEvent *event, const Author *author)
{
	g_auto(Message) message = { 0 };

	read_body(event->sip, &message);
	if (message.enveloped && author->softphone)
		text_out_takes_envelopes(author->softphone->username, phone_program(event->sip));
	if (message.kind == MESSAGE_REFUSED) {
		refuse(reply, &message);
	} else if (message.kind == MESSAGE_TEXT && !author->to) {
		reply_say(reply, SIP_404_NOT_FOUND, TAG_END());
	} else if (message.kind == MESSAGE_TEXT && (gateway_is_stopping(ua->gateway) ||
						    g_hash_table_size(waiting) >= MAX_WAITING)) {
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(RETRY_SECONDS),
			  TAG_END());
	} else if (message.kind == MESSAGE_TEXT) {
		give(ua, reply, event, author, &message);
	} else {
		if (message.kind == MESSAGE_REPORT)
			take_report(ua, author, &message);
		reply_say(reply, SIP_200_OK, TAG_END());
	}
}

/* --- outside of a dialog --- */

static void
take_trunk(SipUa *ua, Reply *reply, const Trunk *trunk, const SipEvent *event)
{
	g_auto(Identity) identity = { NULL, NULL, NULL };
	g_autoptr(Address) to = called_by_text(ua, trunk, event->sip);
	Author author = { .to = to, .trunk = trunk->name, .identity = &identity };

	if (!trunk_takes_texts(trunk)) {
		reply_say(reply, 403, "No Texts By This Trunk", TAG_END());
		return;
	}
	if (event->sip->sip_authorization)
		sources_proven(ua->sources, event);
	identity_read(event->sip, &identity);
	author.from = identity.shown;
	take(ua, reply, event, &author);
}

/* He writes as the number that his phone asks for, where that is his. */
static void
take_phone(SipUa *ua, Reply *reply, PhoneClaim *claim, const SipEvent *event)
{
	g_autoptr(Address) to = called_by_text(ua, NULL, event->sip), number = NULL;
	const char *phrase;
	SipCaller caller;
	Author author = { .to = to };
	int status;

	if (!phone_caller(ua, claim, event, &caller, &status, &phrase)) {
		reply_say(reply, status, phrase, TAG_END());
		return;
	}
	if (caller.preferred)
		number = address_new(ADDRESS_NUMBER, caller.preferred, NULL, NULL);
	author.from = number ? number : caller.from;
	author.account = claim->softphone->user;
	author.softphone = claim->softphone;
	take(ua, reply, event, &author);
}

gboolean
text_in_waits(const Sender *sender)
{
	return sender->kind == SENDER_PHONE ||
	       (sender->kind == SENDER_TRUNK && trunk_takes_texts(sender->trunk));
}

void
text_in_take(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender)
{
	if (sender->kind == SENDER_TRUNK)
		take_trunk(ua, reply, sender->trunk, event);
	else
		take_phone(ua, reply, &sender->phone, event);
}

/* --- in a dialog --- */

static void
take_phone_inside(SipLeg *leg, Reply *reply, const SipEvent *event)
{
	g_auto(PhoneClaim) claim = phone_claim(leg->ua, event);
	Author author = { .to = leg->party, .inside = TRUE };

	if (claim.verdict == PHONE_UNREAD) {
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(RETRY_SECONDS),
			  TAG_END());
		return;
	}
	if (claim.verdict != PHONE_KNOWN) {
		if (claim.verdict == PHONE_WRONG)
			sources_failed(leg->ua->sources, event);
		phone_ask(leg->ua, reply, event, claim.stale, FALSE);
		return;
	}
	if (!way_is_softphone(leg->way, claim.softphone->username)) {
		reply_say(reply, SIP_403_FORBIDDEN, TAG_END());
		return;
	}
	author.account = claim.softphone->user;
	author.softphone = claim.softphone;
	claim.account = address_from_jid(claim.softphone->user);
	author.from = claim.account;
	take(leg->ua, reply, event, &author);
}

void
text_in_take_inside(SipLeg *leg, nua_handle_t *nh, const SipEvent *event)
{
	Reply reply = { leg->ua->nua, leg->ua->allow, nh, NULL, NULL };
	Author author = {
		.from = leg->peer, .to = leg->party, .trunk = way_trunk(leg->way), .inside = TRUE
	};

	if (!way_takes_texts(leg->way) || !leg->peer)
		reply_say(&reply, SIP_403_FORBIDDEN, TAG_END());
	else if (way_softphone(leg->way))
		take_phone_inside(leg, &reply, event);
	else
		take(leg->ua, &reply, event, &author);
}
