/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_lenient.h - what sofia's parser cannot read, and has to be gone on with.
 *
 * A second reading, after sofia's own has failed, from a copy of the text: a parse
 * function writes into what it is given.  Methods are any token, where sofia takes
 * what may stand in a URI; what is not well-formed becomes something that nta
 * answers with 400 rather than what it drops.  Of an answer it is the Contact: dropped for
 * it, a 200 would leave a call that only its other end knows of.
 * Thread: any (pure).  RFC 3261 7.1, 18.2.1, 20.16, 25.1; RFC 4475.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/su.h>

/* FALSE: no request line.  A Request-URI that is none is left as url_invalid. */
gboolean lenient_request(sip_request_t *request, char *line);
gboolean lenient_cseq(sip_cseq_t *cseq, char *text);
/* Transport and sent-by of the first of them alone, or NULL. */
sip_via_t *lenient_via(su_home_t *home, char *text);

/* `received` and `rport`, as nta adds them to what it can read: an answer never goes
 * to an address that is only written somewhere. */
void lenient_received(su_home_t *home, sip_via_t *via, const su_sockaddr_t *from);

/* A display name that is neither a token nor in quotes ("Doe, John <sip:…>", UTF-8), in
 * quotes; NULL when there is none before a URI in brackets, or a quote is not closed.
 * RFC 4475 3.1.2.15 leaves it to us. */
char *lenient_name_addr(su_home_t *home, const char *text);

/* The Contact of an answer that is no SIP URI: the place that the answer came from, with
 * what it was beside it.  And that again, NULL when it was none. */
char *lenient_contact(su_home_t *home, const char *text, const su_sockaddr_t *from);
const char *lenient_contact_was(const sip_contact_t *contact);

/* NULs before the end of the headers: a quoted string may hold one (RFC 3261 25.1),
 * a C string ends there.  They become another control character. */
void lenient_nuls(char *text, gsize size);
