/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_account.h - presence: ours towards users, and which devices users have.
 *
 * A number's JID exists when it can be dialled; it is present for ever from one
 * full JID, "number@domain/gw", to every user of this gateway, and to nobody
 * else.  Users' devices are known from their presence; what each can, from
 * disco.  Strangers are counted and kept nowhere.
 * Thread: signalling.  RFC 6121 sections 3 and 4, XEP-0115.
 */
#pragma once
#include "b2bua/gateway.h"
#include "plugins/xmpp/xmpp_disco.h"

#define XMPP_RESOURCE "gw" /* of the one full JID of a number */

typedef struct XmppAccounts XmppAccounts;
typedef void (*XmppAccountSend)(gpointer user, const xmlNode *stanza); /* borrowed */

typedef struct {
	char *jid;    /* full */
	guint can;    /* XmppCan; 0: not known */
	gboolean dnd; /* it says "do not disturb" (RFC 6121 4.7.2.1) */
} XmppDevice;

XmppAccounts *xmpp_accounts_new(Gateway *gateway, const char *domain, XmppDisco *disco,
				XmppAccountSend send, gpointer user);
void xmpp_accounts_free(XmppAccounts *accounts); /* NULL is fine */

/* TRUE when this JID of ours exists for the one who asks (or NULL): the domain, or
 * something that route_incoming() can call for him. */
gboolean
xmpp_accounts_is_ours(const XmppAccounts *accounts, const Address *jid, const Address *asks);
/* "+1…@domain/gw" → a number; everything else stays a JID.  What follows the number
 * from the first "," or ";" on are keys to press when it is answered. */
char *xmpp_accounts_post_dial(const Address *jid); /* NULL: none */
Address *xmpp_accounts_callee(const XmppAccounts *accounts, const Address *jid);
/* The same as he dialled it, so that what he is told comes from that JID; without
 * the keys, which nobody should read. */
Address *xmpp_accounts_dialled(const XmppAccounts *accounts, const Address *jid);
/* UNREAD: the store could not say; he comes again later, and is told nothing about himself. */
typedef enum { XMPP_STRANGER, XMPP_UNREAD, XMPP_SWITCHED_OFF, XMPP_USER } XmppStanding;
XmppStanding xmpp_accounts_standing(const XmppAccounts *accounts, const Address *jid);
/* TRUE for an enabled user of this gateway. */
gboolean xmpp_accounts_is_user(const XmppAccounts *accounts, const Address *jid);

/* A user's device: what it can is known now, or it has gone off line. */
typedef void (*XmppDeviceFunc)(gpointer user, const char *bare, const char *full, gboolean gone);
void xmpp_accounts_watch(XmppAccounts *accounts, XmppDeviceFunc func, gpointer user);

/* The stream has gone: who is there is not known until presence comes again. */
void xmpp_accounts_forget_devices(XmppAccounts *accounts);
void xmpp_accounts_presence(XmppAccounts *accounts, const xmlNode *presence);
/* The stream is up: say to users that we are here, and ask who is there. */
void xmpp_accounts_announce(XmppAccounts *accounts);
/* The store has changed: whom it concerns is told, and nobody else. */
void xmpp_accounts_changed(XmppAccounts *accounts, Change what, const char *key);
/* Available presence of `local` (a bare JID of ours) to `to`. */
void xmpp_accounts_show(XmppAccounts *accounts, const char *local, const char *to);

/* XmppDevice *, borrowed; NULL when none is known. */
const GPtrArray *xmpp_accounts_devices(const XmppAccounts *accounts, const char *bare_jid);
/* Of XmppCan, what one device has announced; 0 when it is not known. */
guint xmpp_accounts_can(const XmppAccounts *accounts, const char *bare, const char *full);
/* All devices there that take calls, or may, say "do not disturb"; FALSE when there is none. */
gboolean xmpp_accounts_undisturbed(const XmppAccounts *accounts, const char *bare_jid);
guint xmpp_accounts_n_devices(const XmppAccounts *accounts);
