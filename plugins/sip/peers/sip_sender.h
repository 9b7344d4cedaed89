/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_sender.h - whose a request outside of a dialog is, whatever its method.
 *
 * Nobody learns from an answer, or from being slowed, which names there are: a sender
 * that has not proven itself is told apart by what it has sent and where from, never by
 * whether the name that it gives exists.
 *
 *   right credentials of a softphone                       PHONE
 *   right credentials of a trunk, or its address           TRUNK
 *   right credentials with a nonce that is too old         CHALLENGE, stale
 *   credentials that prove nothing                         WRONG
 *   none, from a telephone's own port                      CHALLENGE
 *   … where a trunk may prove itself by digest             CHALLENGE, with the trunks' one
 *   … calling itself one of this gateway, or nobody        CHALLENGE
 *   … any other                                            STRANGER
 *
 * A PBX and a phone may share an address: what looks like a phone's is a phone's first.
 * Thread: signalling.  RFC 3261 22.
 */
#pragma once
#include "plugins/sip/peers/sip_phone.h"

typedef enum {
	SENDER_STRANGER,  /* nothing says that it could prove itself */
	SENDER_CHALLENGE, /* it has proven nothing yet: it is to be asked */
	SENDER_WRONG,	  /* it has tried a wrong name or password, and is asked again */
	SENDER_UNREAD,	  /* the store cannot say who it is */
	SENDER_TRUNK,	  /* `trunk` */
	SENDER_PHONE	  /* `phone` */
} SenderKind;

typedef struct {
	SenderKind kind;
	const Trunk *trunk; /* borrowed, until the trunks change */
	PhoneClaim phone;   /* of PHONE and UNREAD */
	char *challenge;    /* a trunk is asked with it, by 401; NULL: a telephone is */
	gboolean stale;	    /* it knows a password, and only the nonce was too old */
	gboolean nobody;    /* no name of ours is in it: for counters, never for an answer */
} Sender;

void sender_identify(SipUa *ua, const SipEvent *event, Sender *sender);
void sender_clear(Sender *sender);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sender, sender_clear)
