/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_source_private.h - the tables of sip_source.h, for the files that have it done.
 *
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/shield/sip_endpoint.h"
#include "plugins/sip/shield/sip_rate.h"
#include "plugins/sip/shield/sip_source.h"

struct Sources {
	Gateway *gateway; /* borrowed, as the next three */
	const Config *config;
	const SourceFriends *friends;
	gpointer user;
	Throttle *table;       /* NULL: switched off */
	GHashTable *endpoints; /* set of Endpoint *: phones that are registered or in a call */
	GHashTable *addresses; /* set of ThrottleKey *: theirs */
	RateTable *rates;      /* of all, by what they are: rate_key() */
	gint64 help_us;	       /* a bucket: rate_pays() */
};

typedef enum { RATE_OF_INVITES = 1, RATE_OF_OTHERS, RATE_OF_ANSWERS, RATE_OF_ACCOUNT } RateKind;

/* What a key of `rates` is made of: an Endpoint, or the hash of an account; and its kind. */
Endpoint source_rate_endpoint(const RateKey *key);
gboolean source_rate_is_account(const RateKey *key);
