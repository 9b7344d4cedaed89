/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* abroad.h - which numbers are outside the country of an account.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

/* TRUE when `number` (E.164) is not of the country that this account is at home in: its
 * own, the gateway's, or that of the number it shows. */
gboolean abroad_is(Gateway *gateway, const char *account, const char *number);
/* Whose number it is: two letters, or COUNTRY_NONE of country.h.  New. */
char *abroad_country(const char *number);
