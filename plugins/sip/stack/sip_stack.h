/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_stack.h - what sofia's stack would do by itself, and must not.
 *
 * It looks no name up: its resolver is never made.  Where the name servers cannot be
 * reached that one runs for ever, in this thread; and a name it does not know makes a BYE
 * vanish without a word.  Whatever is sent has a numeric next hop (sip_hop.h); what has
 * none by mistake fails at once.
 * A second 200 to an INVITE, of another fork, is acknowledged and ended by the same rules.
 * A "100 Trying" to an INVITE is heard (RFC 3261 17.1.1.2): nua is not shown it, since it
 * would never let go of the message.
 * These are functions in place of sofia's own, which the loader prefers (sip_tls.h).
 * Thread: signalling.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/tport.h>

/* What we understand: said in Supported, and enforced by nua (420).  No "timer": a peer that
 * wants refreshes does them (RFC 4028 7.1). */
#define UA_SUPPORTED "100rel, path, replaces"
/* The methods that nua leaves to us, in the place of what there was: sofia reads past the end
 * of some lists that it has joined. */
#define UA_ANSWERS(methods) NUTAG_APPL_METHOD(NULL), NUTAG_APPL_METHOD(methods)

/* What the dialogs know and the stack does not. */
typedef struct {
	/* Where the early dialog that this response begins is reached, as sip_resolve.h writes
	 * it; NULL: nowhere.  The stack's to free. */
	char *(*hop_of_answer)(gpointer user, msg_t *response);
	/* A 100 to an INVITE of ours. */
	void (*trying)(gpointer user, const sip_t *response);
} StackDialogs;

/* Who is asked from now on, borrowed; NULL: nobody. */
void stack_serve(const StackDialogs *dialogs, gpointer user);

/* A request that belongs to no handle of nua, such as the CANCEL of an INVITE that a
 * process before us has sent: whole header lines.  FALSE: it cannot be sent. */
gboolean stack_send(const char *request_line, const char *headers, const char *hop);
/* An OPTIONS that nobody repeats and nobody waits for: nothing is kept of it, and its answer
 * is dropped.  `route` may be NULL. */
void stack_ask(const char *uri, const char *from, const char *route, const char *hop);

/* An answer without a transaction: the tag of its To is the same when the request is sent
 * again (RFC 3261 8.2.7).  Takes `request`; headers as tags, beside Supported and User-Agent. */
void stack_answer(msg_t *request, tport_t *transport, int status, const char *phrase,
		  tag_type_t tag, tag_value_t value, ...);
