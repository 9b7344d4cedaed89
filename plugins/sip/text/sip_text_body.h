/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_body.h - what stands in a MESSAGE of ours.
 *
 *   a text, an error's words             text/plain
 *   one that wants a report, to a        message/cpim around it
 *   softphone that takes envelopes
 *   a receipt, an error of a text whose  message/imdn+xml in message/cpim
 *   author has asked for it so
 *   another receipt, a copy              nothing
 *
 * Thread: any (pure).  RFC 3428, RFC 3862, RFC 5438.
 */
#pragma once
#include "b2bua/text.h"

typedef struct {
	const char *type; /* of `text`; static */
	char *text;	  /* NULL: it goes by the envelope alone */
	char *language;	  /* of it, or NULL */
	char *envelope;	  /* message/cpim, which comes first; or NULL */
	gboolean asks;	  /* the envelope asks for a report */
} TextBody;

/* `id`: by which name a softphone that takes envelopes is to report; or NULL.  Both `text` and
 * `envelope` are NULL where there is nothing to be sent. */
void text_body_make(const Text *text, const char *id, const char *domain, TextBody *body);
void text_body_clear(TextBody *body);
