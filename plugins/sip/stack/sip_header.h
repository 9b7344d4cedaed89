/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_header.h - addresses and reasons in the headers of a SIP message.
 *
 * No state and no network.
 * Thread: any (pure).  RFC 3261 19.1, 20; RFC 3323, RFC 3325, RFC 3326.
 * Who calls is in sip_identity.h.
 */
#pragma once
#include <sofia-sip/sip.h>
#include "b2bua/config.h"
#include "b2bua/leg.h"
#include "b2bua/config.h"
#include "b2bua/reason.h"
#include "db/store.h"

/* TRUE when the From is one at this gateway. */
gboolean header_caller_is_ours(const sip_t *sip, const Config *config);
/* FALSE when a request inside the dialog of this INVITE would have no target: no
 * Contact (the guard lets only SIP URIs be one), and a From that is no SIP URI. */
gboolean header_has_target(const sip_t *sip);
/* Who is called by this URI.  A host of ours becomes the
 * configured domain. */
Address *header_called(const url_t *url, const Config *config);

/* "\"Name\" <sip:+14155551234@gw.example.org>", or the anonymous form. */
char *header_from(const Address *from, const char *domain);
/* The value of P-Asserted-Identity, NULL for who wants to be anonymous. */
char *header_asserted(const Address *from, const char *domain);
/* The same two in the form the trunk's caller-id asks for: the From, and a whole
 * header line beside it, or NULL.  A number that is withheld is in the second
 * alone, for the carrier (RFC 3323, 3325). */
char *
header_trunk_from(const Trunk *trunk, const Address *from, gboolean withheld, const char *domain);
char *header_trunk_identity(const Trunk *trunk, const Address *from, gboolean withheld,
			    const char *domain);
/* A user part with the escapes that it needs.  New. */
char *header_escaped(const char *user);
/* "sip:bob@example.org:5070": an address outside, see dial_uri.h */
char *header_uri(const Address *to);
/* "sip:+14155551234@carrier.example.org:5070;transport=tcp" */
char *header_request_uri(const Address *to, const Trunk *trunk);

/* The Reason headers of the message, or `fallback` when none says more. */
Reason header_reason(const sip_t *sip, Reason fallback);
#define HEADER_MAX_DETAIL 300 /* bytes */
/* What a refusal says beside its status: Reason, Warning, Retry-After; for the operator, so its
 * beginning.  New, or NULL. */
char *header_refusal_detail(const sip_t *sip);
/* Reason for a final refusal; `text` ("404 Not Found") is newly allocated. */
Reason header_refusal(guint status, const char *phrase, const sip_t *sip, char **text);

/* What nua_authenticate() wants for a 401 or 407 of this trunk, or NULL when it
 * cannot be answered.  Each of the two is answered once; a second challenge that
 * is not about an old nonce means that the password is wrong.  `challenged` holds
 * which have been met, 0 at first. */
char *header_credentials(const Trunk *trunk, guint status, const sip_t *sip, guint *challenged);

/* "sip:192.0.2.1:5060;transport=udp", brackets where IPv6 needs them. */
char *header_next_hop(const char *address, guint port, const char *transport);
gboolean header_hop_is_tls(const char *hop);
/* The same hop under a name (sip_tls_peer.h): "sip:NAME:5061;maddr=192.0.2.1;transport=tls". */
char *header_hop_by_name(const char *hop, const char *name);
char *header_hop_source(const char *hop); /* of both: "192.0.2.1:5061" */
char *header_hop_text(const char *hop);	  /* for people: "192.0.2.1:5061 by tls" */
/* A header as its text ("<sip:a@b>;tag=c"), one line. */
char *header_text(const sip_header_t *header);
