/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_dialect.h - which digests a softphone is offered, so that it answers.
 *
 * Some programs give up when one challenge of several is by an algorithm that they do
 * not know, and try again from the start: then MD5 alone is offered.  What is offered
 * depends on the program and on where it asks from, never on the name it asks for: that
 * would tell which names there are.  A program's dialect is learned from requests that
 * proved a password, so nobody else can take the better algorithm away from it.
 * Pure: no network, no clock, a fixed number of places.
 * Thread: signalling.  RFC 8760 2.4.
 */
#pragma once
#include "plugins/sip/stack/sip_digest.h"

typedef struct Dialects Dialects;

Dialects *dialects_new(void);
void dialects_free(Dialects *dialects); /* NULL is fine */

/* DIGEST_NONE: all.  `program` is a User-Agent, `source` the address of a request without
 * credentials; both may be NULL. */
DigestAlgorithm dialects_offer(Dialects *dialects, const char *program, const char *source);
/* A request of that program has proved its password so. */
void
dialects_proved(Dialects *dialects, const char *program, const char *source, DigestAlgorithm used);
