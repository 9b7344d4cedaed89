/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_error.h - what the network said to a request that could not be sent.
 *
 * An ICMP error or a refused connection ends a request as if somebody had answered 503; the
 * errno is told by sofia-sip to its log alone.  So each line of that is listened to, and the
 * latest few errors are kept by the address they are of.
 * Thread: signalling.
 */
#pragma once
#include <glib.h>

/* "nta: INVITE (1): Connection refused (111) with udp/[192.0.2.1]:5060"; other lines are
 * ignored. */
void error_hear(const char *line);
/* errno of a request to this next hop ("sip:192.0.2.1:5060;transport=udp") within the last
 * minute; 0: nothing was said. */
int error_of(const char *hop);
