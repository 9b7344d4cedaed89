/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_caller.h - what is known of who sends an INVITE, once he has proven who he is.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"
#include "plugins/sip/stack/sip_crypto.h"

/* Whose INVITE it is, proven; everything borrowed. */
typedef struct {
	const char *trunk;
	NumberPrivacy privacy;
	const char *preferred; /* of a softphone: a number of its account to call with, or NULL */
	const Address *from;   /* of a softphone: its account */
	const char *phone;     /* of a softphone: phone_source() */
	const char *softphone; /* and its name */
	CryptoPolicy crypto;
	gboolean any_source; /* of a softphone */
} SipCaller;
