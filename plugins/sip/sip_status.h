/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_status.h - what `tandemctl status` shows of SIP: listening, calls, connections, the
 * shield, and each trunk.
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/sip_root.h"

void ua_status(SipUa *ua, StatusFunc func, gpointer user);
