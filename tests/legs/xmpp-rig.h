/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp-rig.h - the real XMPP plugin, core and store between a server of our own and a
 * telephone that does as it is told.
 *
 * One call at a time for the telephone; what it is told is remembered as words.
 * Thread: the default GMainContext.
 */
#pragma once
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/core.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "tests/legs/xmpp_server.h"

#define RIG_USER   "alice@example.com"
#define RIG_CALLED "+15555550199" /* her number */
#define RIG_NUMBER "+15555550123@gw.example.org"
#define RIG_US	   RIG_NUMBER "/gw"
#define RIG_AUDIO  "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
#define RIG_KEY                                                                                   \
	"67:75:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:" \
	"1B:1C:3C"
/* A <content/> with those codecs, credentials and fingerprint. */
#define RIG_CODEC "<payload-type id='0' name='PCMU' clockrate='8000'/>"
#define RIG_ICE	  "ufrag='n8Lw' pwd='8cM4pXb2Qf6hYt1vKz9sDj3r'"
#define RIG_DTLS(setup)                                                                     \
	"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256'" setup ">" RIG_KEY \
	"</fingerprint>"
#define RIG_CONTENT(codecs, ice, dtls)                                                          \
	"<content creator='initiator' name='0' senders='both'>"                                 \
	"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" codecs                 \
	"<rtcp-mux/></description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " ice \
	">" dtls "</transport></content>"
#define RIG_GOOD RIG_CONTENT(RIG_CODEC, RIG_ICE, RIG_DTLS(" setup='active'"))

typedef struct {
	XmppServer *server;
	Config *config;
	Store *store;
	Gateway *gateway;
	Leg *telephone;	 /* of the call there is, or NULL */
	GString *heard;	 /* what it was told: "dial ring hangup:busy" */
	GPtrArray *said; /* xmlNode *, what the gateway has said since rig_forget() */
	guint number;
	char *sid; /* of the session that rig_play() means; the test's to set, ours to free at the
		      end */
} Rig;
extern Rig rig;

/* `more` is added to the configuration. */
void rig_set_up(const char *more);
void rig_tear_down(void);

/* The server hands this to the gateway. */
void rig_say(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The same text as it is, but for "$SID": that stands for rig.sid. */
void rig_play(const char *text);
/* Until all that was handed over has been seen to, and what it led to has been said. */
void rig_settle(void);
void rig_forget(void); /* what was said and heard so far */
/* Until the gateway says something with that child of that name, or an iq of that Jingle
 * action: borrowed. */
const xmlNode *rig_wait_said(const char *name);
const xmlNode *rig_find_said(const char *name); /* or NULL */
/* Until the telephone is told that word. */
gboolean rig_hears(const char *word);
void rig_wait_heard(const char *word);
/* The answer to the iq of that id, or NULL. */
const xmlNode *rig_answer_to(const char *id);
/* The text of the last chat message to the user, or NULL; to be freed. */
char *rig_last_text(void);
/* The newest record of a call; to be freed. */
CallRecord *rig_last_record(void);

/* The telephone: it calls, answers, rings, hangs up. */
void rig_phone_calls(void);
void rig_phone_answers(void);
void rig_phone_ends(Reason reason);

/* A client of the user comes on line; `features` as <feature/> elements, NULL: it never says
 * what it can. */
#define RIG_CAN_MESSAGES "<feature var='urn:xmpp:jingle-message:0'/>" RIG_CAN_JINGLE
#define RIG_CAN_JINGLE	 "<feature var='urn:xmpp:jingle:apps:dtls:0'/>" RIG_CAN_PLAIN
#define RIG_CAN_PLAIN                                                                   \
	"<feature var='urn:xmpp:jingle:1'/><feature var='urn:xmpp:jingle:apps:rtp:1'/>" \
	"<feature var='urn:xmpp:jingle:apps:rtp:audio'/>"                               \
	"<feature var='urn:xmpp:jingle:transports:ice-udp:1'/>"
#define RIG_CAN_CHAT "<feature var='urn:xmpp:receipts'/>"
void rig_comes_online(const char *resource, const char *features);
void rig_goes_offline(const char *resource);
