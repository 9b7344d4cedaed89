/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_identity.h - who calls, by all that a request says of it, and whether he wants
 * it known.
 *
 * Every header here is a list: what stands in lines of its own and what stands
 * behind a comma is the same (RFC 3261 7.3.1).
 * Thread: any (pure).  RFC 3323, RFC 3325, draft-ietf-sip-privacy-04 (Remote-Party-ID).
 */
#pragma once
#include <sofia-sip/sip.h>
#include "b2bua/address.h"
#include "b2bua/config.h"
#include "b2bua/number.h"

/* --- lists --- */

typedef struct {
	char *name;   /* display name as a person reads it, or NULL */
	char *uri;    /* without its brackets */
	char *params; /* of the header, ";party=calling"; without brackets those of the URI */
} NameAddr;

/* The entries of a header's value; what cannot be read is left out. */
GPtrArray *identity_split(const char *value); /* NameAddr * */
/* Of all lines of a header that sofia does not know. */
GPtrArray *identity_entries(const sip_t *sip, const char *header);
/* TRUE when the parameter is there; its value, unquoted, in `value`. */
gboolean identity_param(const NameAddr *entry, const char *name, char **value);
/* Number or SIP address of an entry's URI; NULL for one without a user. */
Address *identity_address_of(const NameAddr *entry);
Address *identity_address(const url_t *url);
/* Unquoted, valid UTF-8, without control characters, cut at a sane length; or NULL. */
char *identity_name(const char *display);

/* --- who calls --- */

typedef struct {
	Address *shown;	 /* ADDRESS_ANONYMOUS when it is withheld, or not known */
	Address *hidden; /* who he is all the same, or NULL */
	GPtrArray *all;	 /* Address *: whatever he is called, shown or not */
} Identity;

/* A trunk is trusted with P-Asserted-Identity and Remote-Party-ID.  Of several
 * identities a number is preferred to the name of an account. */
void identity_read(const sip_t *sip, Identity *identity);
void identity_clear(Identity *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Identity, identity_clear)

/* What is asked for the number of the caller: by Privacy, by Remote-Party-ID, by a From
 * that says nothing.  What cannot be read hides. */
NumberPrivacy identity_privacy(const sip_t *sip);
/* TRUE for a From that names nobody: "anonymous", "restricted", a host of "invalid". */
gboolean identity_is_anonymous(const sip_t *sip);
/* TRUE when it must be refused: Privacy is critical, and for something that we do not
 * know (RFC 3323 4.2). */
gboolean identity_wants_too_much(const sip_t *sip);

/* The numbers in a header, P-Preferred-Identity or another of the kind; char *. */
GPtrArray *identity_numbers(const sip_t *sip, const char *header);
/* The numbers that a phone would be shown with, the one it wants most first; char *. */
GPtrArray *identity_preferred(const sip_t *sip);
