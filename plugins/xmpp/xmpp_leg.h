/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_leg.h - a Jingle session, with its XEP-0353 prelude, as a Leg.
 *
 *   xmpp_plugin.c   what comes in: whose is it?  The Plugin table; all below know nothing of it
 *   xmpp_ring.c     he calls: propose, ringing, proceed
 *   xmpp_called.c   he is called: the propose, and the devices that may ring
 *   xmpp_session.c  the session: initiate, accept, what happens in between
 *   xmpp_hold.c     hold and resume
 *   xmpp_move.c     a call moves to another device, or to somebody else
 *   xmpp_digits.c   keys as chat messages
 *   xmpp_text.c     chat with a number: what is a text, and what is none
 *   xmpp_outbox.c   texts to the clients of an account
 *   xmpp_desk.c     chat with the gateway itself, and its commands
 *   xmpp_find.c     which call is meant
 *   xmpp_clear.c    who may call, and be called, without encryption
 *   xmpp_leg.c      what both need: looking up, sending, ending, surviving a crash
 *   xmpp_name.c     who calls: the JID of ours that stands for a number, and its name
 *   xmpp_notice.c   what a person should read of a call
 *   xmpp_welcome.c  what a person should read of the account
 *   xmpp_prompt.c   the address of a number, for clients that add a contact
 *
 *   caller, messages  PROPOSED ─proceed→ PROCEEDED ─initiate, accept→ TALKING
 *   caller, direct    OFFERED ─accept→ TALKING
 *   callee            RINGING ─proceed→ INITIATED ─accept→ TALKING
 *                             └─accept of a device that takes no messages─┘
 *   all               any ─→ OVER, which answers strays for a while
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"
#include "b2bua/timer.h"
#include "plugins/xmpp/jingle.h"
#include "plugins/xmpp/jmi.h"
#include "plugins/xmpp/xmpp_account.h"
#include "plugins/xmpp/xmpp_stream.h"

typedef struct XmppForkEvents XmppForkEvents;
typedef struct XmppTexts XmppTexts;   /* xmpp_text.h */
typedef struct XmppOutbox XmppOutbox; /* xmpp_outbox.h */

/* Whose audio may go without DTLS between client and gateway. */
typedef enum { CLEAR_NO, CLEAR_LOCAL, CLEAR_YES } XmppClear;

/* The plugin: one per process. */
typedef struct {
	Gateway *gateway;
	const Plugin *plugin;
	const XmppForkEvents *fork_events;
	char *domain;
	gsize max_stanza_bytes;
	const MediaOptions *media; /* of the configuration */
	XmppClear clear;
	char *local_domain; /* of CLEAR_LOCAL */
	XmppStream *stream;
	XmppIq *iq;
	XmppDisco *disco;
	XmppAccounts *accounts;
	XmppTexts *texts;
	XmppOutbox *outbox;
	GHashTable *legs;     /* XmppLeg, a set */
	GHashTable *names;    /* bare JID of ours → the caller's name; NULL before the first */
	GHashTable *sessions; /* "jid\nsid" → XmppLeg; several keys each */
	GHashTable *live;     /* see xmpp_find.c → GPtrArray of XmppLeg */
	GHashTable *commands; /* a set: those of xmpp_desk.c that are not answered yet; or NULL */
	guint n_live;	      /* legs that are not over */
	GQueue news;	      /* char *: bare JIDs of users who are to be told something */
	char *news_after;     /* see xmpp_welcome.c; NULL: the round is at its end */
	gboolean news_again;  /* something has changed behind it */
	guint news_timer;
	guint outage; /* timer: the stream is away, and may soon be back; 0: not so */
} Xmpp;

typedef enum {
	XMPP_PROPOSED,
	XMPP_PROCEEDED,
	XMPP_OFFERED,
	XMPP_RINGING,
	XMPP_INITIATED,
	XMPP_TALKING,
	XMPP_OVER
} XmppState;

typedef struct XmppLeg XmppLeg;

/* A device called by session-initiate at once, since it takes no messages. */
typedef struct {
	XmppLeg *leg;
	char *jid, *sid;
	gboolean clear; /* what it was offered says nothing of DTLS */
	gboolean dead;
} XmppFork;

/* What a device does that was called directly: the session knows it, the call acts on it. */
struct XmppForkEvents {
	void (*rings)(XmppLeg *leg, XmppFork *fork);
	void (*takes)(XmppLeg *leg, XmppFork *fork);
	void (*ends)(XmppLeg *leg, XmppFork *fork, const Jingle *jingle);
};

/* What each side wants of the audio, see xmpp_hold.c. */
typedef struct {
	Direction own, asked;	    /* his wish; what the telephone last asked of him */
	Direction proposed, agreed; /* his wish: on its way to the telephone, taken by it */
	gboolean busy;		    /* on its way */
	guint tries;
	Timer *timer;
} XmppHold;

struct XmppLeg {
	Leg leg;
	Xmpp *xmpp;
	XmppState state;
	gboolean jmi; /* the session was, or is being, set up by messages */
	char *sid;    /* Jingle sid and JMI id */
	char *local;  /* our one full JID in this session */
	char *peer;   /* his full JID; NULL while we ring */
	char *peer_bare;
	const Desc *ours;     /* what we offered or answered; NULL before */
	const Desc *theirs;   /* what he offered or answered; NULL before */
	Jingle *request;      /* his session-initiate */
	char *content;	      /* name of the audio content; NULL before */
	GArray *late;	      /* Candidate of ours that cannot be sent yet */
	GPtrArray *forks;     /* XmppFork */
	GPtrArray *keys;      /* in Xmpp.sessions */
	GPtrArray *live_keys; /* in Xmpp.live, until it is over */
	GPtrArray
		*may_ring; /* char *: full JIDs that our propose may ring at, as far as is known */
	char *only;	   /* the one device that is called, a full JID; NULL: all of the account */
	Timer *timer;	   /* one; what it means depends on the state */
	gint64 began_us;
	XmppHold hold;
	gboolean rang;	     /* ringing was said (caller), or is told of (callee) */
	gboolean heard;	     /* a device has said itself that it rings */
	gboolean hoped;	     /* there was one that might ring: `may_ring`, or called directly */
	gboolean clear;	     /* of a callee: the device that takes it was offered no DTLS */
	gboolean no_propose; /* none to retract: it came back, was rejected, or was not sent */
	const char *refusal; /* Jingle's word for why, when a Reason has none; static, or NULL */
	Transport *fresh;    /* an ICE restart of his that waits for the change under way */
	char *past_ufrag;    /* of his before the last restart: what still comes for it is late */
	gboolean restarting; /* the change the core thinks about is his ICE restart */
	Reason end_reason;   /* OVER: for strays */
	char *migrated;	     /* the session that goes on with it, see xmpp_move.c; NULL */
};

extern const Plugin xmpp_plugin;

/* --- xmpp_leg.c --- */
XmppLeg *xmpp_leg_new(Xmpp *xmpp, const char *local, const char *sid);
void xmpp_leg_free(XmppLeg *leg);
XmppFork *xmpp_leg_fork(const XmppLeg *leg, const char *jid, const char *sid);
void xmpp_leg_set_peer(XmppLeg *leg, const char *jid);
void xmpp_leg_set_timer(XmppLeg *leg, guint ms, TimerFunc func);
char *xmpp_new_sid(void);

/* The stream has been away for longer than a server takes to start again. */
gboolean xmpp_is_cut_off(const Xmpp *xmpp);

/* In the ladder: we say this; an arrow only when the stream is there to take it. */
void xmpp_leg_out(const XmppLeg *leg, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Stanzas out; each takes what it is given. */
void xmpp_component_send(Xmpp *xmpp, xmlNode *stanza);
void xmpp_send_sure(Xmpp *xmpp, xmlNode *stanza);
void xmpp_send_whenever(Xmpp *xmpp, xmlNode *stanza);
void xmpp_send_end(Xmpp *xmpp, xmlNode *stanza);
typedef struct {
	const char *from, *to;
	XmppIqDone done; /* NULL: nobody waits for the answer */
	gpointer user;
} XmppRequest;
void xmpp_request(Xmpp *xmpp, const XmppRequest *request, xmlNode *jingle);
void xmpp_leg_request(XmppLeg *leg, xmlNode *jingle);
typedef struct {
	JmiKind kind;
	const char *to;
	const char *reason, *text; /* NULL: none */
	const char *nick;	   /* a propose: the caller's name; NULL: none */
	const char *migrated;	   /* a finish: the session that goes on; NULL: none */
} XmppSay;
/* To whom a propose goes, and what takes it back. */
const char *xmpp_leg_called(const XmppLeg *leg);
void xmpp_leg_say(XmppLeg *leg, const XmppSay *what);
void xmpp_terminate(Xmpp *xmpp, const XmppRequest *whom, const char *sid, Reason reason,
		    const char *text);

/* Says what the peer must hear for the state the leg is in; then it is OVER. */
void xmpp_leg_goodbye(XmppLeg *leg, Reason reason, const char *text);
/* The peer ended it: nothing to say to him. */
void xmpp_leg_over(XmppLeg *leg, Reason reason, const char *text);
/* He ended it, and there is something to say all the same, to him or to others. */
void xmpp_leg_part(XmppLeg *leg, Reason reason, const char *text);
/* We must end it ourselves: goodbye, and the core is told.  `detail` is about what the peer itself
 * has sent; or NULL. */
void xmpp_leg_fail(XmppLeg *leg, Reason reason, LegFault fault, const char *detail);

char *xmpp_leg_save(const Leg *leg);
void xmpp_leg_bury(Xmpp *xmpp, const char *saved, Reason reason);

/* A description of one audio stream like the one of `desc`, with another
 * direction and the given transport (copied). */
Desc *xmpp_desc_like(const Desc *desc, Direction direction, const Transport *transport);

/* --- xmpp_clear.c --- */
/* FALSE: the configuration cannot be meant. */
gboolean xmpp_clear_init(Xmpp *xmpp, const Config *config, GError **error);
/* An account whose devices may do without DTLS, as far as they have none. */
gboolean xmpp_clear_may(const Xmpp *xmpp, const char *bare);
/* Some device of the account is without DTLS, or it is not known what there is. */
gboolean xmpp_clear_needed(const Xmpp *xmpp, const char *bare);
/* This device may begin a session without DTLS: it has never said that it can do better. */
gboolean xmpp_clear_may_call(const Xmpp *xmpp, const Address *device);
/* The offer of `leg` can be told to a device without DTLS. */
gboolean xmpp_clear_can_be_offered(const XmppLeg *leg);
/* `desc`, told to a device without DTLS. */
Desc *xmpp_clear_desc(const Desc *desc);

/* --- xmpp_find.c --- */
void xmpp_leg_register(XmppLeg *leg, const char *jid, const char *sid);
/* By (jid, sid); NULL is fine for both and finds nothing. */
XmppLeg *xmpp_leg_find(const Xmpp *xmpp, const char *jid, const char *sid);
/* It is alive, its `local` and `peer_bare` are known; and it is over (twice is fine). */
void xmpp_find_add(XmppLeg *leg);
void xmpp_find_remove(XmppLeg *leg);
/* The live legs of an account, and of it with one number of ours: free the array, whose
 * legs may be over by the time they are looked at, but not freed. */
GPtrArray *xmpp_find_account(const Xmpp *xmpp, const char *bare);
GPtrArray *xmpp_find_with(const Xmpp *xmpp, const char *bare, const Address *number);
/* His session with that number, or NULL; whether he is in any. */
XmppLeg *xmpp_find_talking(const Xmpp *xmpp, const char *bare, const Address *number);
gboolean xmpp_find_talks(const Xmpp *xmpp, const char *bare);
guint64 xmpp_find_visits(void); /* legs looked at since the start, for tests */

/* --- xmpp_ring.c --- */
typedef struct {
	const Address *from, *to;
	const char *from_text;
	const Jmi *jmi;
} XmppMessage;

/* One who is no user tries to call: counted, and with a short record. */
void xmpp_note_stranger(Xmpp *xmpp, const Address *from, const Address *to);

#define XMPP_MAX_AGE_S 30	    /* what was kept longer on its way is of the past */
gint64 xmpp_ring_age(gint64 stamp); /* of xml_delay(), in s; 0 when a clock is ahead */
/* Of a caller: a new call, what is said in one that there is, what of ours came back, an end
 * that names no call. */
void xmpp_ring_propose(Xmpp *xmpp, const XmppMessage *message);
void xmpp_ring_message(XmppLeg *leg, const XmppMessage *message);
void xmpp_ring_bounced(XmppLeg *leg, const Address *from, JmiKind kind);
void
xmpp_ring_end_without_id(Xmpp *xmpp, const xmlNode *stanza, const Address *from, const Address *to);
/* The receipt that the message asks for, if it does. */
void xmpp_ring_confirm(Xmpp *xmpp, const XmppMessage *message, const char *local);
void xmpp_ring_ring(XmppLeg *leg);
void xmpp_ring_proceed(XmppLeg *leg, const Desc *offer);
/* His device has gone off line: he cannot be setting up a call. */
void xmpp_ring_gone(XmppLeg *leg);
/* The one call that this device is setting up with that number; NULL: none, or several. */
XmppLeg *xmpp_ring_only_one(Xmpp *xmpp, const Address *from, const Address *to);

/* --- xmpp_called.c --- */
void xmpp_called_dial(Xmpp *xmpp, Call *call, const Target *target, const Desc *offer);
void xmpp_called_message(XmppLeg *leg, const XmppMessage *message);
void xmpp_called_bounced(XmppLeg *leg, const Address *from, const xmlNode *stanza);
void xmpp_called_receipt(XmppLeg *leg, const char *device);
/* Presence has come, or what a device can has become known; the stream is up again. */
void xmpp_called_device(XmppLeg *leg, const char *device);
void xmpp_called_gone(XmppLeg *leg, const char *device); /* of a callee's leg */
void xmpp_called_link_is_up(XmppLeg *leg);
extern const XmppForkEvents xmpp_called_fork_events;

/* --- xmpp_desk.c --- */
/* TRUE: it is for the gateway itself, and has been or will be answered. */
gboolean
xmpp_desk_message(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to);
gboolean xmpp_desk_iq(Xmpp *xmpp, const xmlNode *iq, const Address *from, const Address *to);
void xmpp_desk_stop(Xmpp *xmpp); /* nobody is answered any more */

/* --- xmpp_plugin.c --- */
/* How long the stream may be away before xmpp_is_cut_off(), for tests; 0: as always. */
void xmpp_set_outage_ms(guint ms);

/* --- xmpp_move.c --- */
/* XEP-0251: the other side shall talk to somebody else. */
void xmpp_move_asked(XmppLeg *leg, const Jingle *jingle);

/* --- xmpp_notice.c --- */
/* A chat message for the person of an account, from the number. */
void xmpp_notice(Xmpp *xmpp, const char *account, const Address *number, const char *text);

/* --- xmpp_session.c --- */
void xmpp_session_iq(Xmpp *xmpp, const xmlNode *iq, const Address *from, const Address *to,
		     const xmlNode *jingle);
/* Our session-initiate to the device that proceeded. */
void xmpp_session_initiate(XmppLeg *leg);
xmlNode *xmpp_session_build_initiate(XmppLeg *leg, const char *sid, gboolean clear);
void xmpp_session_answer(XmppLeg *leg, const Desc *answer);
void xmpp_session_candidate(XmppLeg *leg, const Candidate *ours);

/* --- xmpp_digits.c --- */
char *xmpp_digits_read(const char *text);
/* TRUE when it was keys for a call, which have been pressed. */
gboolean
xmpp_digits_message(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to);

/* A key that was pressed at the telephone, to a client without telephone-event. */
void xmpp_digits_send(XmppLeg *leg, char key);

/* --- xmpp_name.c --- */
/* The bare JID of ours that stands for somebody elsewhere. */
char *xmpp_local_of(const Xmpp *xmpp, const Address *from);
/* How callers call themselves, by the bare JID that calls. */
void xmpp_names_remember(Xmpp *xmpp, const char *bare, const Address *caller);
/* Puts the name of the number into available presence: some clients show that. */
void xmpp_names_show(Xmpp *xmpp, xmlNode *presence);
/* The answer to a vcard-temp request for something of ours, or NULL when it is none. */
xmlNode *xmpp_names_answer(Xmpp *xmpp, const xmlNode *iq, const Address *to);

/* --- xmpp_welcome.c --- */

/* Everybody is told what the store has for him: the stream is up, or something has changed. */
void xmpp_welcome(Xmpp *xmpp);
void xmpp_welcome_stop(Xmpp *xmpp);

/* --- xmpp_prompt.c --- */

/* The answer to jabber:iq:gateway and jabber:iq:register; NULL: it is neither. */
xmlNode *xmpp_prompt_answer(Xmpp *xmpp, const xmlNode *iq, const Address *from, const Address *to);

/* --- xmpp_hold.c --- */
void xmpp_hold_wish(XmppLeg *leg, Direction own);
void xmpp_hold_info(XmppLeg *leg, JingleInfo info);
void xmpp_hold_modify(XmppLeg *leg, const Jingle *jingle);
gboolean xmpp_hold_answered(XmppLeg *leg, const Desc *answer);
void xmpp_hold_stop(XmppLeg *leg);
void xmpp_hold_change(XmppLeg *leg, const Desc *offer); /* the telephone's */
