/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_check.h - what a start would find on this machine, without starting.
 *
 * Thread: any, before there are others: it forks.
 */
#pragma once
#include "b2bua/config.h"

/* Whoever lets people telephone decides what becomes of their calls for help.  FALSE: the
 * configuration does not say, and should. */
gboolean config_chooses_emergency(const Config *config);

/* char *, one line each with its remedy; empty: nothing is wrong. */
GPtrArray *config_check_machine(const Config *config);
