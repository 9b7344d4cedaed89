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

/* "0171 123 45 67", "011 44 …", "tel:+49-171-…;ext=5", "+49 (0)171 …", "112", as
 * somebody in `country` means it; NULL: no country, so only "+…" and short codes
 * have a meaning.  FALSE, and NULL in `number`, for what is no number. */
gboolean number_dialled(const char *text, const char *country, char **number);

/* The same of a carrier, who may leave the "+" of an international number away. */
gboolean number_from_carrier(const char *text, const char *country, char **number);

/* As a carrier wants it: form is "e164", "national" (of `country`, from where
 * others are dialled with its prefix for calls abroad) or "prefix" (the digits
 * with `prefix` before them).  Short codes are left as they are. */
char *
number_to_carrier(const char *number, const char *form, const char *prefix, const char *country);
