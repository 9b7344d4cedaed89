/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_method.c - see sip_method.h. */
#include "plugins/sip/sip_method.h"
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include "plugins/sip/peers/sip_registrar.h"
#include "plugins/sip/peers/sip_sender.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_message.h"
#include "plugins/sip/text/sip_text_in.h"
#include "plugins/sip/text/sip_text_out.h"
#include <string.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#define WHO(kind)	 (1u << SENDER_##kind)
#define EVERYBODY	 (~0u)
#define STOPPING_SECONDS "30"

typedef enum {
	BY_NOBODY,    /* it is not in Allow */
	BY_SOFIA,     /* sofia answers it, in a dialog and outside */
	BY_US,	      /* sofia leaves it to us */
	BY_US_INSIDE, /* the same, in a dialog alone */
} AnsweredBy;

typedef struct {
	sip_method_t method;
	const char *name;
	AnsweredBy by;
	gboolean transaction; /* nothing is done with it before sofia has one */
	/* Nothing of a sender of whom this is TRUE, either: its answer takes a while. */
	gboolean (*waits)(const Sender *sender);
	/* Outside of a dialog. */
	guint who; /* a set of WHO() */
	void (*take)(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender);
	int status; /* where nothing is to be taken */
	const char *phrase;
	/* Whoever is not in `who` is asked for a telephone's password by 401, strangers too. */
	gboolean registers;
	/* Of one whose nonce is too old: TRUE when that very request was answered before, and
	 * has been again. */
	gboolean (*again)(SipUa *ua, const Reply *reply, const SipEvent *event);
	/* In a dialog; 0: it is the leg's. */
	int inside_status;
	const char *inside_phrase;
	void (*take_inside)(SipLeg *leg, nua_handle_t *nh, const SipEvent *event);
} Method;

/* --- what is done with them --- */

static void
take_trunk(SipUa *ua, Reply *reply, const Trunk *trunk, const SipEvent *event)
{
	SipCaller caller = { .trunk = trunk->name, .crypto = crypto_policy(trunk->srtp) };

	if (unacked_are_many(ua, trunk->name)) {
		sip_count(COUNTER_SIP_CALLS_UNACKED);
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR("32"),
			  TAG_END());
		sip_leg_refused(ua, &caller, event->sip, REASON_OVERLOAD,
				"too many calls wait for the carrier's confirmation");
		return;
	}
	if (event->sip->sip_authorization)
		sources_proven(ua->sources, event);
	sip_leg_incoming(ua, g_steal_pointer(&reply->nh), &caller, event);
}

static void
take_phone(SipUa *ua, Reply *reply, PhoneClaim *claim, const SipEvent *event)
{
	const char *phrase;
	SipCaller caller;
	int status;

	if (phone_caller(ua, claim, event, &caller, &status, &phrase)) {
		sip_leg_incoming(ua, g_steal_pointer(&reply->nh), &caller, event);
		return;
	}
	reply_say(reply, status, phrase, TAG_END());
	if (caller.from && caller.softphone)
		sip_leg_refused(ua, &caller, event->sip, REASON_FORBIDDEN, claim->refused);
}

static void
take_invite(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender)
{
	if (sender->kind == SENDER_TRUNK)
		take_trunk(ua, reply, sender->trunk, event);
	else
		take_phone(ua, reply, &sender->phone, event);
}

static void
take_options(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender)
{
	sources_asked(ua->sources, event);
	if (gateway_is_stopping(ua->gateway)) { /* whoever shares calls out takes another */
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE,
			  SIPTAG_RETRY_AFTER_STR(STOPPING_SECONDS), TAG_END());
		return;
	}
	reply_say(reply, SIP_200_OK, SIPTAG_ACCEPT_STR("application/sdp, " MESSAGE_ACCEPT),
		  TAG_END());
}

/* Accept says what the phone can be sent (RFC 3261 20.1). */
static void
take_register(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender)
{
	for (const sip_accept_t *accept = event->sip->sip_accept; accept; accept = accept->ac_next)
		if (accept->ac_type && g_ascii_strcasecmp(accept->ac_type, CPIM_TYPE) == 0)
			text_out_takes_envelopes(sender->phone.softphone->username,
						 phone_program(event->sip));
	registrar_register(ua, reply, event, sender);
}

/* --- the table --- */

/* INVITE: UNREAD is a caller whom the store could not tell; the core lets calls for help
 * through.  REFER: sofia would send a NOTIFY after one that was declined.  INFO in no dialog it
 * would answer by 200. */
static const Method methods[] = {
	{ sip_method_invite, "INVITE", BY_US, .transaction = TRUE,
	  .who = WHO(TRUNK) | WHO(PHONE) | WHO(UNREAD), .take = take_invite },
	{ sip_method_ack, "ACK", BY_SOFIA, .transaction = TRUE },
	{ sip_method_cancel, "CANCEL", BY_SOFIA, .transaction = TRUE },
	{ sip_method_bye, "BYE", BY_SOFIA, .who = EVERYBODY, .status = SIP_481_NO_TRANSACTION },
	{ sip_method_options, "OPTIONS", BY_US, .who = EVERYBODY, .take = take_options,
	  .inside_status = SIP_200_OK },
	{ sip_method_prack, "PRACK", BY_US_INSIDE, .who = EVERYBODY,
	  .status = SIP_481_NO_TRANSACTION },
	{ sip_method_update, "UPDATE", BY_US, .who = EVERYBODY, .status = SIP_481_NO_TRANSACTION },
	{ sip_method_info, "INFO", BY_US, .who = EVERYBODY, .status = SIP_481_NO_TRANSACTION },
	{ sip_method_refer, "REFER", BY_US, .who = EVERYBODY, .status = SIP_603_DECLINE },
	{ sip_method_register, "REGISTER", BY_US, .who = WHO(PHONE), .take = take_register,
	  .registers = TRUE, .again = registrar_again, .inside_status = SIP_403_FORBIDDEN },
	{ sip_method_message, "MESSAGE", BY_US, .who = WHO(TRUNK) | WHO(PHONE),
	  .waits = text_in_waits, .take = text_in_take, .take_inside = text_in_take_inside },
	{ sip_method_subscribe, "SUBSCRIBE", BY_NOBODY, .who = EVERYBODY,
	  .status = SIP_405_METHOD_NOT_ALLOWED },
	{ sip_method_notify, "NOTIFY", BY_NOBODY, .who = EVERYBODY,
	  .status = SIP_405_METHOD_NOT_ALLOWED },
	{ sip_method_publish, "PUBLISH", BY_NOBODY, .who = EVERYBODY,
	  .status = SIP_405_METHOD_NOT_ALLOWED },
	{ sip_method_unknown, "", BY_NOBODY, .who = EVERYBODY, .status = SIP_501_NOT_IMPLEMENTED },
};

/* --- what others are told of it --- */

static char *
names_of(AnsweredBy first, AnsweredBy last)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(methods); i++)
		if (methods[i].by >= first && methods[i].by <= last)
			g_string_append_printf(names, "%s%s", names->len ? ", " : "",
					       methods[i].name);
	return g_strdup(names->str);
}

void
methods_begin(SipUa *ua)
{
	ua->allow = names_of(BY_SOFIA, BY_US_INSIDE);
	ua->answered = names_of(BY_US, BY_US);
	ua->answered_inside = names_of(BY_US, BY_US_INSIDE);
}

void
methods_end(SipUa *ua)
{
	g_clear_pointer(&ua->allow, g_free);
	g_clear_pointer(&ua->answered, g_free);
	g_clear_pointer(&ua->answered_inside, g_free);
}

/* --- who may not --- */

static void
count(SipUa *ua, const Method *method, const Sender *sender)
{
	if (sender->kind == SENDER_WRONG)
		sip_count(COUNTER_SIP_WRONG_PASSWORDS);
	else if (sender->nobody && method->method == sip_method_invite) {
		ua->strangers++;
		sip_count(COUNTER_SIP_STRANGERS);
	}
}

static void
ask(SipUa *ua, const Method *method, const Reply *reply, const SipEvent *event,
    const Sender *sender)
{
	if (sender->challenge && !method->registers)
		reply_say(reply, SIP_401_UNAUTHORIZED,
			  SIPTAG_WWW_AUTHENTICATE_STR(sender->challenge), TAG_END());
	else
		phone_ask(ua, reply, event, sender->stale, method->registers);
}

static void
refuse(SipUa *ua, const Method *method, const Reply *reply, const SipEvent *event,
       const Sender *sender)
{
	gboolean ends = sender->kind == SENDER_STRANGER && !method->registers;

	if (sender->kind == SENDER_UNREAD) {
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(RETRY_READ),
			  TAG_END());
		return;
	}
	if (sender->stale && method->again && method->again(ua, reply, event))
		return;
	if (!sender->stale) {
		count(ua, method, sender);
		if (sender->kind == SENDER_WRONG || ends)
			sources_failed(ua->sources, event);
		else
			sources_tried(ua->sources, event);
	}
	if (ends)
		reply_say(reply, SIP_403_FORBIDDEN, TAG_END());
	else
		ask(ua, method, reply, event, sender);
}

/* --- one request --- */

static const Method *
method_of(const sip_t *sip)
{
	guint i = 0;

	while (methods[i].method != sip->sip_request->rq_method &&
	       methods[i].method != sip_method_unknown)
		i++;
	return &methods[i];
}

/* A nonce is good for one look at it, so credentials are not looked at before. */
static gboolean
may_wait(const Method *method, const sip_t *sip)
{
	return method->waits && (sip->sip_authorization || sip->sip_proxy_authorization);
}

/* FALSE: it needs a transaction. */
static gboolean
serve(SipUa *ua, const Method *method, Reply *reply, const SipEvent *event)
{
	g_auto(Sender) sender = { 0 };

	if (!reply->nh && may_wait(method, event->sip))
		return FALSE;
	if (method->who != EVERYBODY)
		sender_identify(ua, event, &sender);
	if (!reply->nh && method->waits && method->waits(&sender))
		return FALSE;
	if (!(method->who & (1u << sender.kind)))
		refuse(ua, method, reply, event, &sender);
	else if (method->take)
		method->take(ua, reply, event, &sender);
	else
		reply_say(reply, method->status, method->phrase, TAG_END());
	return TRUE;
}

gboolean
methods_serve(SipUa *ua, Reply *reply, const SipEvent *event)
{
	const Method *method = method_of(event->sip);

	if (method->transaction && !reply->nh)
		return FALSE;
	return !method->who || serve(ua, method, reply, event);
}

gboolean
methods_serve_inside(SipUa *ua, SipLeg *leg, nua_handle_t *nh, const SipEvent *event)
{
	const Method *method = method_of(event->sip);

	if (!method->inside_status && !method->take_inside)
		return FALSE;
	if (event->status < 200 && method->take_inside)
		method->take_inside(leg, nh, event);
	else if (event->status < 200)
		nua_respond(nh, method->inside_status, method->inside_phrase,
			    NUTAG_WITH_THIS(ua->nua), TAG_END());
	return TRUE;
}
