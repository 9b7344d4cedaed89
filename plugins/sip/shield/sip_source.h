/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_source.h - where requests come from, and who of them is to be ignored.
 *
 * The table of sip_throttle.h with a clock, for the addresses of real requests.
 * What it must not harm, since the source of a datagram can be forged:
 *
 *  - an address of a trunk is never counted;
 *  - the very address and port of a registered phone, or of a phone in a call, is
 *    always heard;
 *  - the address of such a phone is slowed at most: the phone may come back from
 *    another port of its NAT;
 *  - credentials that are right make an address new.
 *
 * Thread: signalling.
 */
#pragma once
#include <gio/gio.h>
#include "plugins/sip/stack/sip_connection.h"
#include "plugins/sip/sip_root.h"

typedef struct Sources Sources;

/* What trunks and calls say of an address. */
typedef struct {
	gboolean (*is_trunk)(gpointer user, GInetAddress *address);
	/* Says sources_use() for each phone in a call. */
	void (*use_calls)(gpointer user, Sources *sources);
} SourceFriends;

/* Asks the guard to call for every request from now on, where throttling is not switched
 * off.  NULL, before and after, is fine everywhere.  Borrows all. */
Sources *
sources_new(Gateway *gateway, const Config *config, const SourceFriends *friends, gpointer user);
void sources_free(Sources *sources);

/* A request that was refused: wrong credentials, or a caller nobody knows. */
void sources_failed(Sources *sources, const SipEvent *event);
/* One without credentials, which any phone begins with: it weighs a tenth as much. */
void sources_tried(Sources *sources, const SipEvent *event);
/* One with the right credentials. */
void sources_proven(Sources *sources, const SipEvent *event);
/* A request outside of a dialog that a phone or a trunk may send. */
void sources_asked(Sources *sources, const SipEvent *event);

/* Whether one more request outside of a dialog is looked at: so many a second of one
 * phone, of one trunk's address, and of any other address.  FALSE: it is to be dropped without
 * an answer. */
gboolean sources_take(Sources *sources, const su_sockaddr_t *from, const sip_t *sip);

/* The same for an account that has proven its password, from wherever: somebody else may
 * have it too. */
gboolean sources_take_account(Sources *sources, const SipEvent *event, const char *account);

/* Whose a connection from there is: that very port is a phone's which is registered or in a
 * call, or the address is a trunk's. */
ConnectionOwner sources_owner(Sources *sources, const su_sockaddr_t *from);

/* It comes from the very address and port of a phone that is registered or in a call. */
gboolean sources_in_use(const Sources *sources, const SipEvent *event);

/* A phone is there now: "udp:192.0.2.1:5060"; until the next refresh. */
void sources_use(Sources *sources, const char *phone);
/* The registrations or the trunks may have changed. */
void sources_refresh(Sources *sources);
/* A trunk has more addresses than before: what they did does not count. */
void sources_lift_trunks(Sources *sources);

void sources_tell(Sources *sources, HostileSourceFunc func, gpointer user);
/* How many; address NULL: all. */
guint sources_lift(Sources *sources, const char *address);
/* Lines for status(). */
void sources_status(Sources *sources, StatusFunc func, gpointer user);
