/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* jingle.h - <jingle/> ↔ struct, descriptions included.
 *
 * Parsing takes what clients really send: unknown elements, attributes and
 * payloads are dropped without an error, defaults are filled in, limits of
 * desc.h hold.  An error is only what no session can be made of; its code is
 * the Reason to end the call with, its message one line for a person.
 * Building writes the one form that suits all clients known.
 * Nothing here knows a session's state.
 * Thread: any (pure).  XEP-0166, 0167, 0176, 0181, 0320, 0338.
 */
#pragma once
#include "b2bua/reason.h"
#include "media/desc.h"
#include "plugins/xmpp/xml.h"

typedef enum {
	JINGLE_UNKNOWN_ACTION,
	JINGLE_CONTENT_ACCEPT,
	JINGLE_CONTENT_ADD,
	JINGLE_CONTENT_MODIFY,
	JINGLE_CONTENT_REJECT,
	JINGLE_CONTENT_REMOVE,
	JINGLE_DESCRIPTION_INFO,
	JINGLE_SECURITY_INFO,
	JINGLE_SESSION_ACCEPT,
	JINGLE_SESSION_INFO,
	JINGLE_SESSION_INITIATE,
	JINGLE_SESSION_TERMINATE,
	JINGLE_TRANSPORT_ACCEPT,
	JINGLE_TRANSPORT_INFO,
	JINGLE_TRANSPORT_REJECT,
	JINGLE_TRANSPORT_REPLACE,
	N_JINGLE_ACTIONS
} JingleAction;

/* The child of a session-info: XEP-0167 section 8. */
typedef enum {
	JINGLE_INFO_NONE, /* none: a ping */
	JINGLE_INFO_ACTIVE,
	JINGLE_INFO_HOLD,
	JINGLE_INFO_UNHOLD,
	JINGLE_INFO_MUTE,
	JINGLE_INFO_UNMUTE,
	JINGLE_INFO_RINGING,
	JINGLE_INFO_UNKNOWN,
	N_JINGLE_INFOS
} JingleInfo;

#define JINGLE_MAX_SID 1024 /* bytes; a longer one is nobody's session */

typedef enum { PARTY_INITIATOR, PARTY_RESPONDER } JingleParty;
typedef enum { SENDERS_BOTH, SENDERS_INITIATOR, SENDERS_RESPONDER, SENDERS_NONE } JingleSenders;

/* As sent, for whoever wants to know what was dropped.  Strings are never NULL. */
typedef struct {
	guint component, port;
	char *protocol, *address, *type;
	gboolean usable; /* it is in the stream's transport as well */
} JingleCandidate;

typedef struct {
	char *name; /* never NULL: a content without a name is dropped */
	JingleParty creator;
	JingleSenders senders;
	gboolean senders_given;
	char *disposition;    /* "session" when not said */
	char *application_ns; /* of <description/>; NULL when there is none */
	char *media;	      /* "audio" …; NULL when not said */
	char *transport_ns;   /* NULL when there is no <transport/> */
	gboolean rtcp_mux;
	gboolean sdes;		/* <crypto/> was offered: never copied */
	gboolean encryption;	/* that, or <encryption/> with something else: ZRTP, "required" */
	GPtrArray *ice_options; /* char *: "trickle", "renomination", sent in a private namespace */
	GPtrArray *raw_candidates; /* JingleCandidate *, in order, at most DESC_MAX_CANDIDATES */
	/* Codecs, transport, direction.  Belongs to Jingle.desc.  Its transport is
	 * TRANSPORT_WEBRTC; ufrag, pwd and fingerprint are NULL where not sent,
	 * setup is SETUP_NONE where not sent, candidates_complete is
	 * <gathering-complete/>; unencrypted where there is neither a <fingerprint/>,
	 * however spoilt, nor an <encryption/>. */
	const Stream *stream;
} JingleContent;

typedef struct {
	JingleAction action;
	char *sid;		     /* NULL when not sent; never "", at most JINGLE_MAX_SID */
	char *initiator, *responder; /* NULL when not sent; clients lie here */
	char *reason;		     /* element name as sent; NULL when there is none */
	char *reason_text;	     /* NULL when there is none */
	JingleInfo info;
	char *info_content;	/* the name in <mute name=…/>; NULL for all */
	char key;		/* of a session-info as XEP-0181 has it; 0: none */
	char *transfer_to;	/* of a session-info as XEP-0251 has it; NULL: none */
	char *transfer_sid;	/* attended: another session of the sender's; NULL: none */
	GPtrArray *contents;	/* JingleContent *, at most DESC_MAX_STREAMS */
	char *group;		/* semantics of the first group, "BUNDLE" if there is one; NULL */
	GPtrArray *group_names; /* char * */
	const Desc *desc;	/* one stream per content, in order; bundle set; never NULL */
} Jingle;

#define JINGLE_ERROR_DOMAIN (jingle_error_quark()) /* the code is a Reason */
GQuark jingle_error_quark(void);

/* --- parsing --- */
/* The <jingle/> in an <iq/>, or NULL. */
const xmlNode *jingle_find(const xmlNode *iq);
Jingle *jingle_parse(const xmlNode *jingle, GError **error);
void jingle_free(Jingle *jingle); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Jingle, jingle_free)

/* The offer or answer in a session-initiate or session-accept (or content-add,
 * -accept), checked to be one we can have: audio, a codec, ICE with credentials,
 * a DTLS fingerprint, a role.  The direction is seen from the sender.  `may_be_clear`:
 * this sender may do without DTLS. */
Desc *desc_from_jingle(const Jingle *jingle, gboolean may_be_clear, GError **error);

const JingleContent *jingle_content(const Jingle *jingle, const char *name); /* NULL: none such */
const JingleContent *jingle_audio(const Jingle *jingle); /* first audio content, or NULL */
gboolean jingle_has_media(const Jingle *jingle, const char *media);
/* What `senders` means to the party that says it. */
Direction jingle_direction(JingleSenders senders, JingleParty speaker);
const char *jingle_action_name(JingleAction action); /* "session-initiate" …, "unknown" */
const char *jingle_info_name(JingleInfo info);	     /* "ringing" …, NULL for NONE and UNKNOWN */
const char *jingle_senders_name(JingleSenders senders);
const char *jingle_party_name(JingleParty party);

/* --- building: each returns a <jingle/> to be put into an <iq type="set"/> --- */

/* Attributes of every <jingle/> of a session; initiator and responder go into
 * session-initiate and session-accept only (NULL: left out). */
typedef struct {
	const char *sid, *initiator, *responder;
} JingleSession;

/* Codecs, transport with all candidates so far, setup actpass, always a group. */
xmlNode *jingle_build_initiate(const JingleSession *session, const Desc *offer);

/* Our answer.  Rejected streams are left out, except that a content of the
 * client's bundled `offer` (NULL: not known) that we do not relay is taken with
 * senders="initiator", for clients that want the same media back. */
xmlNode *jingle_build_accept(const JingleSession *session, const Jingle *offer, const Desc *answer);

/* One candidate, with the credentials of `ours`. */
xmlNode *jingle_build_candidate(const JingleSession *session, const char *content,
				const Transport *ours, const Candidate *candidate);
/* Credentials and all candidates of `ours`: the answer to an ICE restart. */
xmlNode *
jingle_build_restart(const JingleSession *session, const char *content, const Transport *ours);

typedef struct {
	const char *reason; /* element name, see xmpp_reason.h */
	const char *text;   /* for a person; NULL: none */
} JingleEnd;
xmlNode *jingle_build_terminate(const JingleSession *session, const JingleEnd *end);

/* JINGLE_INFO_NONE is an empty session-info; `content` NULL is the session. */
xmlNode *jingle_build_info(const JingleSession *session, JingleInfo info, const char *content);
xmlNode *jingle_build_key(const JingleSession *session, char key); /* XEP-0181 */

/* Refusals of a content-add and a transport-replace that clients understand:
 * same names, creators and senders, empty description and transport. */
xmlNode *jingle_build_content_reject(const JingleSession *session, const Jingle *request);
xmlNode *jingle_build_transport_reject(const JingleSession *session, const Jingle *request);
