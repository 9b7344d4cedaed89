/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_content.h - what a SIP message carries: its session description, and why it is
 * refused for its body alone.
 *
 * Thread: any (pure).  RFC 3261 7.4, 8.2.3, 20.1; RFC 5621.
 */
#pragma once
#include <sofia-sip/sip.h>
#include "b2bua/reason.h"
#include "media/desc.h"

/* What we say we read (RFC 3261 8.2.3). */
#define CONTENT_ACCEPT "application/sdp, multipart/mixed, multipart/alternative, multipart/related"

/* One body, read once. */
typedef struct {
	Desc *desc;    /* NULL: none, or not to be used */
	Reason reason; /* NONE: there is none, or it is fine */
	guint refusal; /* status that a request is refused with for its body; 0: for nothing */
	gboolean encoded;
} Content;

/* `max_bytes` of description; 0: any that sip_desc.h takes. */
void content_read(const sip_t *sip, guint max_bytes, Content *content);
void content_clear(Content *content);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

/* What to say with `refusal`. */
const char *content_phrase(const Content *content);

/* Whether the sender takes SDP in an answer (RFC 3261 20.1). */
gboolean content_accepts_sdp(const sip_t *sip);
