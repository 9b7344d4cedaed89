/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_early.h - what is agreed on before an INVITE is answered.
 *
 * A description in an unreliable provisional response is a preview: the offer of the
 * INVITE is still open, and each other preview takes its place.  In a reliable one it is
 * the answer: the same in a later response says nothing new, and either side may offer
 * again, in an UPDATE or in the PRACK.
 * Of a call out it is kept for each To tag, for a proxy may have called several.
 * Thread: signalling.  RFC 3262 5, RFC 3311 5, RFC 6337 2.2, 4.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"

void early_free(gpointer early); /* of SipLeg.early */

/* The same description: what it says, and its key. */
gboolean early_is_same(const Desc *one, const Desc *other);

/* Whoever has sent this response says `said`, which may be NULL: what holds of him now.
 * NULL: nothing; else owned by the caller. */
Desc *early_hear(SipLeg *leg, const sip_t *response, const Desc *said);

/* He has offered `theirs` since, and was answered. */
void early_agree(SipLeg *leg, const Desc *theirs);

/* Whether an offer in this request may be taken now.  0: yes; 491: one of ours is not
 * answered; 500: one of theirs is not, and Retry-After is to be said. */
guint early_refusal(const SipLeg *leg, const sip_t *request);
