/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tel.h - whom a URI is for: telephone numbers in tel: and sip: URIs.
 *
 *   tel:+1-415-555-0101;ext=5               +1-415-555-0101
 *   tel:4155550101;phone-context=+1         +14155550101
 *   sip:112;phone-context=+49@h;user=phone  112
 *   tel:7042;phone-context=example.com      7042: an extension of somebody's
 *   sip:bob@h                               bob
 *
 * Thread: any (pure).  RFC 3966, RFC 3261 19.1.6.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/url.h>

/* The number, or the user part without escapes; UTF-8, or NULL. */
char *tel_user(const url_t *url);

/* The same of a URI as text; NULL as well for what is none. */
char *tel_of_uri(const char *uri);

/* The same of "4155550101;phone-context=+1", the user part of a URI. */
char *tel_read(const char *text);
