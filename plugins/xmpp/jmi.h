/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* jmi.h - Jingle Message Initiation: ringing somebody by messages.
 *
 *     caller                                   callee
 *       propose (bare JID) ------------------>
 *       <------------------------ receipt, ringing
 *       <------------------------ proceed | reject       accept to his own devices
 *       retract (instead of session-initiate) ->
 *       finish  <-------------------------------> finish  after the session
 *
 * Nothing here knows a call's state.
 * Thread: any (pure).  XEP-0353, XEP-0184, XEP-0334.
 */
#pragma once
#include "plugins/xmpp/xml.h"

typedef enum {
	JMI_PROPOSE,
	JMI_RINGING,
	JMI_PROCEED,
	JMI_ACCEPT, /* older clients: taken on another device */
	JMI_REJECT,
	JMI_RETRACT,
	JMI_FINISH,
	N_JMI_KINDS
} JmiKind;

typedef struct {
	JmiKind kind;
	char *id;		    /* never empty */
	GPtrArray *media;	    /* char *, of the <description/>s: "audio", "video" */
	char *reason, *reason_text; /* as in Jingle; NULL when not given */
	gboolean tie_break;	    /* reject: both sides proposed */
	char *migrated;		    /* finish: id of the session that goes on; NULL */
	char *device;		    /* proceed: OMEMO device, to be ignored; NULL */
	char *message_id;	    /* of the <message/>; NULL */
	gboolean receipt_wanted;    /* only when there is a message_id to name */
	gboolean bounced;	    /* a message of type "error": ours came back */
	gboolean delayed;	    /* it was kept on its way, XEP-0203 */
	gint64 stamp; /* when it was sent, s since 1970; 0: it does not say, or not so that one
		       * could read it */
} Jmi;

#define JMI_ERROR_DOMAIN (jmi_error_quark())
GQuark jmi_error_quark(void);

/* NULL without an error: there is no such element in this <message/>. */
Jmi *jmi_parse(const xmlNode *message, GError **error);
void jmi_free(Jmi *jmi); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Jmi, jmi_free)
gboolean jmi_has_media(const Jmi *jmi, const char *media);
const char *jmi_kind_name(JmiKind kind);

/* TRUE for an element of ours without a usable id: which one it is. */
gboolean jmi_kind_without_id(const xmlNode *message, JmiKind *kind);
/* The id of the session whose message of ours has come back, RFC 6120 8.3.1, or NULL; it
 * points into the message. */
const char *jmi_returned(const xmlNode *message, JmiKind *kind);

/* The id of the message that this one says has been received; NULL: no receipt. */
const char *jmi_receipt(const xmlNode *message);

/* Whole <message/>s: type chat, store hint, message id "jm-KIND-<id>", so that one
 * that comes back is known.  propose (audio) also asks for a receipt.  reason and text are for
 * reject, retract and finish; NULL: none. */
typedef struct {
	JmiKind kind;
	const char *from, *to, *id;
	const char *reason, *text;
	const char *nick;     /* propose: the caller's name (XEP-0172); NULL: none */
	const char *migrated; /* finish: id of the session that goes on; NULL: none */
	gboolean alone;	      /* no other device of the account is to see it (XEP-0280 section 6) */
} JmiBuild;
xmlNode *jmi_build(const JmiBuild *what);
xmlNode *jmi_build_receipt(const char *from, const char *to, const char *message_id);
