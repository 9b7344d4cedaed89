/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* number.h - what people and carriers write for a number, to E.164 and back.
 *
 * Inside a number is E.164 with its "+", or a short code as it is dialled.
 * Thread: signalling.  RFC 3966, XEP-0106.
 */
#pragma once
#include <glib.h>

/* XEP-0106: "\20" and the nine others; everything else stays. */
char *number_unescape(const char *local);

/* The first `length` bytes of a part of a URI without its escapes, "%2B"; as they are where an
 * escape is none. */
char *number_from_uri(const char *text, gsize length);

/* "0171 123 45 67", "011 44 …", "tel:+49-171-…;ext=5", "+49 (0)171 …", "112", as
 * somebody in `country` means it; NULL: no country, so only "+…" and short codes
 * have a meaning.  FALSE, and NULL in `number`, for what is no number.
 * "*31#" and its like before it (number_privacy()) are passed over; an emergency number
 * is what number_emergency() says. */
gboolean number_dialled(const char *text, const char *country, char **number);

typedef enum { NUMBER_AS_SET, NUMBER_HIDDEN, NUMBER_SHOWN } NumberPrivacy;

/* What is asked for the caller's own number by the codes dialled before this one: "*31#",
 * "#31#" and "*67" hide it, "*82" shows it. */
NumberPrivacy number_privacy(const char *text);

/* "112" for all that somebody in `country` (or NULL) who needs help may have dialled:
 * "112#", "*112", "1-1-2", "+112", "00112", "+49112", "*31#112".  New; NULL: it is no
 * emergency number.  Asks nothing but the numbering plan. */
char *number_emergency(const char *dialled, const char *country);
gboolean number_is_emergency(const char *dialled, const char *country);
/* FALSE: in no country; TRUE: it takes a country to know. */
gboolean number_may_be_emergency(const char *dialled);

/* number_dialled() of a carrier, who may leave the "+" of an international number away. */
gboolean number_from_carrier(const char *text, const char *country, char **number);

/* The digits of a local number where `context` ("+1", "+49-30") says whose (RFC 3966
 * 5.1.5): "+14155550101", or the digits alone where they are a short code there.  New;
 * NULL: no such context, or too many digits. */
char *number_in_context(const char *digits, const char *context);

/* The same of "4155550101;phone-context=+1", without a scheme; NULL too when it says no context,
 * or is a global number (RFC 3966 5.1.4). */
char *number_of_tel(const char *text);

/* As a carrier wants it: form is "e164", "national" (of `country`, from where
 * others are dialled with its prefix for calls abroad) or "prefix" (the digits
 * with `prefix` before them).  Short codes are left as they are. */
char *
number_to_carrier(const char *number, const char *form, const char *prefix, const char *country);
