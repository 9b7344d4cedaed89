/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* address.h - who: a telephone number, a SIP URI or a JID.
 *
 * Immutable once made.  A JID's user part is unescaped nowhere: it is kept as on
 * the wire and compared after lower-casing user and host (full stringprep is the
 * server's, who already applied it).
 * Thread: any (pure).  RFC 3966, RFC 3261 19.1, RFC 7622.
 */
#pragma once
#include <glib.h>

typedef enum { ADDRESS_ANONYMOUS, ADDRESS_NUMBER, ADDRESS_SIP, ADDRESS_JID } AddressScheme;

typedef struct {
	AddressScheme scheme;
	char *user;	/* NUMBER: E.164 with its "+", or a short code of digits, * and # */
	char *host;	/* SIP and JID; for NUMBER the domain it was heard at, or NULL */
	char *resource; /* JID: "" never, NULL when bare */
	char *name;	/* display name, or NULL */
} Address;

Address *
address_new(AddressScheme scheme, const char *user, const char *host, const char *resource);
Address *address_copy(const Address *address);
Address *address_with_name(const Address *address, const char *name);
void address_free(Address *address); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Address, address_free)

/* "user@host/resource"; NULL for what is no JID (RFC 7622: lengths, '@', '/'). */
Address *address_from_jid(const char *text);
char *address_bare_jid(const Address *address);
char *address_full_jid(const Address *address); /* bare when there is no resource */

/* Visual separators (" -.()/") are dropped, "tel:" and "sip:" prefixes too.  TRUE and a new string
 * in `number` for "+" and 7 to 15 digits, or for a short code of 1 to 6 of [0-9*#]; FALSE
 * otherwise. */
gboolean number_normalise(const char *text, char **number);
gboolean number_is_e164(const char *number);

gboolean address_equal(const Address *one, const Address *other); /* display names ignored */
char *address_text(const Address *address);			  /* for logs and people */
