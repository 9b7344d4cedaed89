/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_out.h - MESSAGE: a text that goes, to a trunk or to a softphone.
 *
 * To a trunk it goes from hop to hop until one has answered, as an INVITE does; a softphone
 * gets it at each of its registrations, and has it when one has taken it.  Its Call-ID, its CSeq
 * and the tag of its From follow from the id: sent again it is the same request.
 *
 *   200                                text_delivered(); of one that wants a report by IMDN
 *                                      text_sent()
 *   202, another 2xx                   text_sent()
 *   401, 407                           answered once
 *   3xx of a trunk that may redirect   followed
 *   503 with Retry-After of a trunk    nothing goes there for so long
 *   others, silence                    text_failed(), by the table of sip_message.h
 *
 * Thread: signalling.  RFC 3428, RFC 3263 4.3, RFC 5438.
 */
#pragma once
#include "b2bua/text.h"
#include "plugins/sip/sip_root.h"

void text_out_start(SipUa *ua);
/* Before nua is shut down and before the trunks are gone: the rest is forgotten. */
void text_out_stop(void);

/* As in b2bua/text.h. */
guint text_out_room(SipUa *ua, const Way *way, const char *device);
void text_out_send(SipUa *ua, const Text *text);

/* An event of a handle without a leg.  FALSE: it is none of ours. */
gboolean text_out_event(nua_handle_t *nh, const SipEvent *event);

/* This program (its User-Agent, or NULL) of a softphone understands message/cpim: it may be asked
 * for reports. */
void text_out_takes_envelopes(const char *softphone, const char *program);
