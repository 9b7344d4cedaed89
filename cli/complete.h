/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* complete.h - `tandemctl complete -- WORD…`: what may come in the place of the last word.
 *
 * For the completion of shells.  What there is follows from the table of verbs; names and
 * numbers are asked for.
 */
#pragma once
#include "cli/session.h"
#include "cli/show.h"

/* A candidate a line; a key ends in "=".  FAILED: a file is wanted. */
Status complete(const Options *options);
