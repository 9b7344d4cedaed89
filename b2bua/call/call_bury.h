/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_bury.h - the calls that a crash has left open.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"

/* Ends their legs and closes their records with REASON_CRASHED.  After the plugins have
 * started, before anything else. */
void calls_bury(Gateway *gateway);
