/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_ua.h - the SIP user agent: sofia-sip's nua on the main loop.
 *
 * It makes and ends all the parts that sip_root.h names.
 * Thread: signalling.  RFC 3261.
 */
#pragma once
#include "b2bua/leg.h"

extern const Plugin sip_plugin;
