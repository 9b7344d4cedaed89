/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_content.h - what a SIP message carries: its session description, and why it is
 * refused for its body alone.
 *
 * Thread: any (pure).  RFC 3261 7.4, 8.2.3, 20.1; RFC 5621.
 */
#pragma once
#include <sofia-sip/sip.h>
#include "b2bua/config.h"
#include "b2bua/reason.h"
#include "media/desc.h"

/* What we say we read (RFC 3261 8.2.3). */
#define CONTENT_SDP    "application/sdp"
#define CONTENT_ACCEPT "application/sdp, multipart/mixed, multipart/alternative, multipart/related"

/* Warnings of a refusal (RFC 3261 20.43). */
#define CONTENT_OTHER_FAMILY 300 /* incompatible network protocol */
#define CONTENT_NO_ADDRESS   301 /* incompatible network address formats */

/* One body, read once. */
typedef struct {
	Desc *desc;    /* NULL: none, or not to be used */
	Reason reason; /* NONE: there is none, or it is fine */
	guint refusal; /* status that a request is refused with for its body; 0: for nothing */
	gboolean encoded;
	guint warning; /* one of those above; 0: none */
	Desc *refused; /* the description that has it */
} Content;

/* What packets can be sent to, as a set. */
typedef enum { CONTENT_IPV4 = 1, CONTENT_IPV6 = 2 } ContentFamilies;
ContentFamilies content_family(const char *address); /* numeric; 0 for one that says nothing */
/* Of our media: of what we offer, and all that there are, for who calls us. */
ContentFamilies content_own_family(const Config *config);
ContentFamilies content_own_families(const Config *config);

/* `max_bytes` of description; 0: any that sip_desc.h takes. */
void content_read(const sip_t *sip, guint max_bytes, Content *content);
/* Streams that cannot be sent to are not there: each for itself, and with the last one that
 * speaks the description is refused (RFC 6157 4).  No address at all is a hold, and fine. */
void content_check_addresses(Content *content, ContentFamilies families);
void content_clear(Content *content);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

/* What to say with `refusal`. */
const char *content_phrase(const Content *content);
/* What it is refused for, for a person; NULL: nothing to add to the phrase. */
const char *content_why(const Content *content);
/* The Warning header's value in the name of `agent`; NULL: none. */
char *content_warning(const Content *content, const char *agent);

/* Whether the sender takes SDP in an answer (RFC 3261 20.1). */
gboolean content_accepts_sdp(const sip_t *sip);
