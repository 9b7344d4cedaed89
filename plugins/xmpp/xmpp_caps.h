/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_caps.h - what we say we can, and what others say: disco#info and its hash.
 *
 * Thread: any (pure).  XEP-0030, XEP-0115.
 */
#pragma once
#include "plugins/xmpp/xml.h"

typedef struct {
	const char *category, *type, *name; /* the identity */
	gboolean is_bot;		    /* it is client/bot as well: one can write to it */
	const char *const *features;	    /* sorted, NULL-terminated */
} XmppEntity;

extern const XmppEntity xmpp_caps_number; /* client/phone: the full JID of a number */
extern const XmppEntity xmpp_caps_domain; /* gateway/pstn: the component itself */
/* The same when they tell of STUN and TURN servers (XEP-0215). */
extern const XmppEntity xmpp_caps_number_services, xmpp_caps_domain_services;

void
xmpp_caps_add_identity(xmlNode *query, const char *category, const char *type, const char *name);
/* <query/> of disco#info, with the `node` that was asked for (NULL: none). */
xmlNode *xmpp_caps_query(const XmppEntity *entity, const char *node);
/* XEP-0115 5.1 of a <query/> (ours or somebody's): base64 of SHA-1, newly
 * allocated; NULL when it is ill-formed (5.4: something is there twice), or another <query/>
 * would have the same hash: a "<" is in it.  Such a hash is good for nobody else. */
char *xmpp_caps_hash(const xmlNode *query);
char *xmpp_caps_own_hash(const XmppEntity *entity);
/* <c/> for our presence. */
xmlNode *xmpp_caps_element(const char *node, const char *ver);

/* What calling somebody needs to know of his <query/>. */
typedef enum {
	XMPP_CAN_JINGLE = 1 << 0,
	XMPP_CAN_JMI = 1 << 1,
	XMPP_CAN_RTP = 1 << 2,
	XMPP_CAN_AUDIO = 1 << 3,
	XMPP_CAN_ICE = 1 << 4,
	XMPP_CAN_DTLS = 1 << 5,
	XMPP_CAN_RECEIPTS = 1 << 6,
	XMPP_CAN_DTMF = 1 << 7,
	XMPP_CAN_TELL = 1 << 8 /* it has said what it can: that is all */
} XmppCan;
guint xmpp_caps_read(const xmlNode *query); /* of XmppCan */
gboolean xmpp_caps_can_call(guint can);	    /* takes a Jingle audio call of ours */
/* Takes audio calls, but without DTLS alone: see xmpp_clear.c. */
gboolean xmpp_caps_is_unencrypted(guint can);

/* The <c/> of a presence: TRUE when there is one with a SHA-1 hash.  Borrowed. */
gboolean xmpp_caps_of_presence(const xmlNode *presence, const char **node, const char **ver);
