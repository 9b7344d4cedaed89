/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_phone.h - softphones: whose request is it, and where is a phone reached?
 *
 * A phone proves the user name and password of a softphone (tandemctl softphone
 * add).  It is called where its REGISTER came from, over the connection that it
 * keeps open, whatever its Contact says: that is what gets through a NAT.
 * Thread: signalling.  RFC 3261 22, RFC 3581, RFC 5626 (reuse of flows).
 */
#pragma once
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/stack/sip_reply.h"
#include "plugins/sip/peers/sip_caller.h"
#include "plugins/sip/sip_root.h"

typedef enum {
	PHONE_STRANGER,	 /* no softphone's request */
	PHONE_CHALLENGE, /* 401 or 407, see phone_ask() */
	PHONE_WRONG,	 /* the same, and it has tried a wrong password */
	PHONE_KNOWN,	 /* `softphone` is set */
	PHONE_UNREAD	 /* the store cannot say who it is */
} PhoneVerdict;

typedef struct {
	PhoneVerdict verdict;
	gboolean stale;	      /* for the challenge */
	Softphone *softphone; /* owned, as the next three */
	/* What phone_caller() lends. */
	Address *account;
	char *source, *number;
	const char *refused; /* static: why phone_caller() refused it, for the record */
} PhoneClaim;

/* Which program it is, by its own word; or NULL. */
const char *phone_program(const sip_t *sip);

/* Who a request claims to be, and whether that is proven. */
PhoneClaim phone_claim(SipUa *ua, const SipEvent *event);
void phone_claim_clear(PhoneClaim *claim);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PhoneClaim, phone_claim_clear)

/* Answers with a challenge for each algorithm that it may know (sip_dialect.h): 401 to one that
 * registers, else 407.  `stale`: only its nonce was too old. */
void
phone_ask(SipUa *ua, const Reply *reply, const SipEvent *event, gboolean stale, gboolean registers);

/* It says nothing of itself, but a registered phone is where it comes from. */
gboolean phone_without_name(SipUa *ua, const SipEvent *event);

/* An INVITE that is rather a phone's than that of a trunk at the same address: it has
 * credentials, calls itself one of this gateway, or comes from where the phone of
 * that name has registered. */
gboolean phone_comes_first(SipUa *ua, const SipEvent *event);

/* Who calls, by the INVITE of one that is PHONE_KNOWN, or PHONE_UNREAD; it borrows from
 * the claim.  FALSE: he may not call so, which is answered with `status` and `phrase`. */
gboolean phone_caller(SipUa *ua, PhoneClaim *claim, const SipEvent *event, SipCaller *caller,
		      int *status, const char **phrase);

/* "udp:192.0.2.1:5060", "tls:[2001:db8::1]:40000": where a request came from. */
char *phone_source(msg_t *msg, const sip_t *sip);
/* The same as a next hop: "sip:192.0.2.1:5060;transport=udp".  NULL when it is none. */
char *phone_next_hop(const char *source);
