/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_crypto.h - SRTP that is offered by SIP: which a=crypto lines, in which profile.
 *
 * OFFER says RTP/AVP with a=crypto beside it: who knows no SRTP does not see it, who
 * knows it answers with a key, and it takes one INVITE.  Who wants RTP/SAVP and
 * nothing else says 488 and is offered that.  REQUIRE offers RTP/SAVP alone, and
 * takes nothing without a key, whoever offers.
 * Once a suite is agreed it stays, and so does our key: each offer of the dialog
 * repeats it, and the peer goes on where he is.
 * Thread: any (pure).  RFC 4568 5.1, 6.1, 7.1.
 */
#pragma once
#include "media/desc.h"

typedef enum { CRYPTO_OFF, CRYPTO_OFFER, CRYPTO_REQUIRE } CryptoPolicy;

CryptoPolicy crypto_policy(const char *text); /* "off", "offer", "require" */

/* Of one dialog; all zero to begin with. */
typedef struct {
	CryptoPolicy policy;
	gboolean secure_profile; /* of OFFER too: RTP/SAVP */
	gboolean settled;	 /* an offer has been answered, with this suite or with none */
	SrtpProfile suite;
	guint tag;
} Crypto;

/* What to say for an offer of ours; the caller owns it. */
Desc *crypto_offer(const Crypto *crypto, const Desc *desc);

/* A description as it came, before anybody shares it: a key beside RTP/AVP that nobody
 * here asks for is not there. */
void crypto_hear(const Crypto *crypto, Desc *desc);

/* Why an answer to an offer of ours cannot be taken, or an offer of theirs; NULL: it can. */
const char *crypto_refuse_answer(const Crypto *crypto, const Desc *answer);
const char *crypto_refuse_offer(const Crypto *crypto, const Desc *offer);

/* The same key of their audio, or both have none. */
gboolean crypto_same(const Desc *one, const Desc *other);

/* An offer has been answered, by either side. */
void crypto_settle(Crypto *crypto, const Desc *answer);
