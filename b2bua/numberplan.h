/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* numberplan.h - the numbering plans of all countries, as libphonenumber knows them.
 *
 * A country is its two letters of ISO 3166 ("DE").  Numbers are E.164 with the
 * "+", or the digits somebody dialled.  New strings are the caller's.
 * Thread: signalling (the library itself takes any).
 */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

gboolean numberplan_knows(const char *country);

/* What somebody in `country` means by these digits ("01711234567", "0044…", or with
 * "+"); NULL when they are no number that can be there. */
char *numberplan_to_e164(const char *digits, const char *country);
/* The digits to dial for it from `country`: "01711234567", "00442079460123". */
char *numberplan_from(const char *e164, const char *country);

/* The country that digits with its calling code before them belong to: "DE" for "49", "4930". */
char *numberplan_of_code(const char *digits);
/* "49", and what is dialled there for a call abroad, "00"; "" where there is no such. */
char *numberplan_calling_code(const char *country);
char *numberplan_abroad(const char *country);

/* TRUE when the plan of `country` has given this number out: more than its length is right. */
gboolean numberplan_is_valid(const char *e164, const char *country);

/* Digits that are dialled as they are in `country`, such as 110 and 116117. */
gboolean numberplan_is_short(const char *digits, const char *country);
gboolean numberplan_is_emergency(const char *digits, const char *country);

/* What a call to this number is for the one who pays: "fixed", "mobile", "toll-free",
 * "premium", "shared-cost", "satellite", "other" (services, pagers, what the plan
 * does not know).  Premium, too, with digits too many or too few.  Static. */
const char *numberplan_class(const char *e164);
/* The same of digits that are dialled as they are in `country`: "toll-free", "premium"
 * or "other", as far as its plan knows. */
const char *numberplan_short_class(const char *digits, const char *country);
/* Two letters, "001" for those of no country, NULL when it is unknown.  New. */
char *numberplan_country(const char *e164);

/* TRUE when this number is one of `country`: of two that share a country code ("+1") the
 * plan knows which; where it does not, the code decides. */
gboolean numberplan_is_of(const char *e164, const char *country);
/* Two letters: whose number it is, of several with one code; NULL when it is unknown.  New. */
char *numberplan_region(const char *e164);

G_END_DECLS
