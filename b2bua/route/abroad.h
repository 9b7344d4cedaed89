/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* abroad.h - minutes abroad: how long an account may still talk today to numbers outside
 * its country, all its calls together.
 *
 * Counted from the answer, running calls included; whoever sends a call on pays for it.
 * When nothing is left such calls are refused, and those that run are hung up.  The day
 * is that of the machine's clock.  What has been talked is in the store, at the latest
 * a minute after.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/config.h"
#include "db/store.h"

typedef struct Abroad Abroad;
typedef struct AbroadUse AbroadUse; /* one who is talked to abroad */

Abroad *abroad_new(const Config *config, Store *store);
void abroad_free(Abroad *abroad); /* no use is left */

/* TRUE when `number` (E.164) is not of the country that this account is at home in: its
 * own, the gateway's, or that of the number it shows.  NULL counts nothing. */
gboolean abroad_is(Abroad *abroad, const char *account, const char *number);

/* Why he may not call abroad now: a line for him, static; NULL: he may.  `failed`: the
 * store could not say. */
const char *abroad_refusal(Abroad *abroad, const char *account, gboolean *failed);

/* Begins to count.  `cut` is called when nothing is left: it ends the call, and with that
 * the use. */
AbroadUse *
abroad_begin(Abroad *abroad, const char *account, void (*cut)(gpointer user), gpointer user);
void abroad_end(AbroadUse *use); /* NULL is fine */

/* For tests: as if so much of the day had passed. */
void abroad_skip(Abroad *abroad, gint64 seconds);
