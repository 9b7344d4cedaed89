/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* country.h - the names of countries, as people are told of them.
 *
 * Thread: any; immutable.
 */
#pragma once
#include <glib.h>

#define COUNTRY_NONE "001" /* of numbers that belong to no country, as numberplan.h has it */

/* "Austria" for "AT"; the letters themselves where there is no such country.  Static. */
const char *country_name(const char *code);
