/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* leg.h - the one interface: a side of a call, and what its protocol implements.
 *
 * A plugin knows one protocol and no call.  Commands go down through its table
 * LegVerbs, events come up through the functions below it; the verbs are pairs
 * (call_new → dial, leg_ringing → ring, leg_answered → answer, leg_changed →
 * change, leg_ended → hangup).  Three rules make it safe:
 *
 *  1. Commands never fail.  A leg that cannot obey says leg_ended().
 *  2. Run to completion.  An event raised inside a command is queued and
 *     handled next, never from inside.
 *  3. The last word hands the leg back.  After hangup() or leg_ended() the core
 *     has forgotten the leg (leg->call is NULL); the plugin frees it when its
 *     protocol is done.  Plugins allocate legs, plugins free them.
 *
 * This is the installed header for somebody else's plugin.
 * Thread: signalling, all of it.
 */
#pragma once
#include <gmodule.h>
#include "b2bua/address.h"
#include "b2bua/counters.h"
#include "b2bua/number.h"
#include "b2bua/reason.h"
#include "media/desc.h"
#include "media/side.h"

#define PLUGIN_INTERFACE_VERSION 9

typedef struct Call Call;
typedef struct Gateway Gateway;
typedef struct Plugin Plugin;
typedef struct Charge Charge; /* who pays: route/meter.h */

/* How somebody is reached.  A plugin says which of these it can (flags); the gateway
 * looks for one that can, and knows no plugin by its name. */
typedef enum {
	WAY_ACCOUNT = 1 << 0, /* the devices of an account, which its own network knows */
	WAY_CONTACT = 1 << 1, /* a softphone that is registered in the store */
	WAY_TRUNK = 1 << 2,   /* a number, by a trunk */
	WAY_URI = 1 << 3,     /* an address at a host outside */
	WAY_SERVICE = 1 << 4, /* the plugin answers by itself, at its own name in our domain */
} WayKind;

/* First member of a plugin's own leg, which the plugin allocates and frees. */
typedef struct {
	const Plugin *plugin;
	Call *call; /* NULL once the core has let go */
	Side side;
} Leg;

/* By which way a target is called: the plugin asks no further. */
typedef struct {
	WayKind kind;
	char *trunk;	/* of WAY_TRUNK: its name; otherwise NULL */
	gint64 contact; /* of WAY_CONTACT: of the registration in the store; otherwise 0 */
} Way;

/* By whom a call was sent on. */
typedef struct {
	char *who;     /* of a Target: the number of ours that sends it on; otherwise NULL */
	Reason as;     /* of a Target: BUSY, NO_ANSWER, UNREACHABLE; NONE: always */
	char **before; /* those before, the first one first, as they are written; or NULL */
	guint n;       /* of an Incoming: how often, perhaps more than are known */
} Diversion;

/* A call for help. */
typedef struct {
	char *location; /* where the caller is, a URI; NULL: he has not said */
} Emergency;

/* Who is to be rung, made by route_incoming().  Borrowed during dial(). */
typedef struct {
	const Plugin *plugin;
	char *account; /* whose device it is: a bare JID; NULL: a telephone's */
	Address *from; /* as the callee shall see the caller */
	Address *to;
	Way way;
	Charge *charge;	       /* what it counts as, and for whom; or NULL */
	gboolean accept_early; /* a client is answered when early media begins: he hears it */
	gboolean withheld;     /* his number is the carrier's to know, not the callee's */
	Diversion *diversion;  /* somebody sends it on to this target; or NULL */
	Emergency *emergency;  /* or NULL */
	char *device;	       /* which of the account's devices: a softphone's name; NULL: any */
} Target;

/* An address whose requests fail; everything borrowed. */
typedef struct {
	const char *address;
	guint failures;
	const char *last;  /* what it tried, for a person */
	const char *state; /* "counted", "slowed", "ignored" */
	gint64 until;	   /* seconds since 1970 */
} HostileSource;

typedef void (*HostileSourceFunc)(gpointer user, const HostileSource *source);

/* A line of `tandemctl status`; everything borrowed. */
typedef struct {
	const char *trunk; /* the trunk it is about; NULL: the plugin itself */
	const char *key;   /* unique beside its trunk */
	const char *text;  /* NULL: `number` is the value */
	guint64 number;
	gboolean quiet; /* for what measures: people are not shown the row.  The row "up" says
			 * whether the plugin, or its trunk, can take a call */
} StatusRow;

typedef void (*StatusFunc)(gpointer user, const StatusRow *row);

/* What has become of leg_transfer(). */
typedef enum {
	TRANSFER_RINGING,
	TRANSFER_DONE,	/* the leg is hung up next */
	TRANSFER_FAILED /* so, and the call goes on as it was */
} TransferState;

/* What an admin has changed, and of whom: the key of changed(). */
typedef enum {
	CHANGE_USER,	  /* bare JID: made, deleted, switched on or off */
	CHANGE_NUMBER,	  /* E.164: made, deleted, of somebody else */
	CHANGE_TRUNK,	  /* name */
	CHANGE_SOFTPHONE, /* name */
	CHANGE_ROUTES,	  /* NULL */
	CHANGE_SETTINGS,  /* bare JID: what he has of his own */
	CHANGE_CONFIG	  /* NULL: anything; SIGHUP and `tandemctl reload` */
} Change;

/* --- down: what the core tells a plugin; in each table NULL means "has none" --- */

/* To a leg.  Descriptions, addresses and texts are borrowed.  `text` is one line for a
 * person, or NULL. */
typedef struct {
	/* A new leg, to be attached first thing.  NULL: this plugin calls nobody. */
	void (*dial)(Call *call, const Target *target, const Desc *offer);
	void (*ring)(Leg *leg, const Desc *early); /* early may be NULL */
	/* A caller's leg: the callee has answered and can be heard.  When the
	 * caller made no offer, `answer` is an offer of ours and leg_answered()
	 * follows with his answer.  After leg_changed(): the answer to that, or
	 * NULL to refuse the change. */
	void (*answer)(Leg *leg, const Desc *answer);
	/* Answered by leg_answered().  NULL: what is agreed cannot be changed. */
	void (*change)(Leg *leg, const Desc *offer);
	void (*candidate)(Leg *leg, const Candidate *ours); /* hold back until it can be sent */
	void (*hangup)(Leg *leg, Reason reason, const char *text); /* never NULL */
	/* After leg_transfer(); the last is DONE or FAILED, unless it ends before. */
	void (*transferring)(Leg *leg, TransferState state, Reason reason, const char *text);
	/* A key was pressed on the other side and this peer takes no telephone-event. */
	void (*dtmf)(Leg *leg, char digit);

	/* Across a crash: what is needed to end this leg later, as text for the
	 * call record; and, after a restart, ending it from that text alone.
	 * save() may return NULL while there is nothing to end. */
	char *(*save)(const Leg *leg);
	void (*bury)(const char *saved, Reason reason);
} LegVerbs;

/* To a person who has an account, beside calls. */
typedef struct {
	/* A line to read, from `number` (as he would dial it).  Kept for him when he is away. */
	void (*notice)(const char *account, const Address *number, const char *text);
	/* Some device of his may be one without DTLS, and is called all the same.  NULL: none. */
	gboolean (*unencrypted)(const char *account);
	/* All his devices that are there and could ring say that he is not to be disturbed.
	 * NULL: nothing is known of it. */
	gboolean (*undisturbed)(const char *account);
} AccountVerbs;

typedef struct TextVerbs TextVerbs; /* what carries text messages: text.h */

/* A STUN or TURN server that users are told of by the server of their account (XEP-0215). */
typedef struct {
	char *type, *transport, *host; /* "turn", "udp"; never NULL */
	char *username, *password;     /* NULL: none are shown */
	guint16 port;
} AnnouncedServer;
typedef enum {
	ANNOUNCED_LIST,	  /* these, or none of them */
	ANNOUNCED_NONE,	  /* that server does not tell of any */
	ANNOUNCED_HIDDEN, /* it tells its own users alone */
	ANNOUNCED_UNKNOWN /* it has not answered, or is not reached */
} Announced;
/* `servers`: AnnouncedServer, empty but for ANNOUNCED_LIST; nobody changes it, and who needs it for
 * longer takes a reference. */
typedef void (*AnnouncedFunc)(gpointer user, Announced what, GPtrArray *servers);

/* For whoever runs the gateway. */
typedef struct {
	/* What `tandemctl status` shows of this protocol. */
	void (*status)(StatusFunc func, gpointer user);
	/* `tandemctl sources` and `sources lift`.  lift() says how many were in the list;
	 * address NULL: all. */
	void (*sources)(HostileSourceFunc func, gpointer user);
	guint (*lift)(const char *address);
	/* Whether calls through a trunk have a chance now: one that is down is tried
	 * after all others.  NULL: always. */
	gboolean (*available)(const char *trunk);
	/* What the server of `domain` tells its users; `func` comes once, later, at the latest when
	 * the plugin stops.  NULL: such a thing is not known. */
	void (*announced)(const char *domain, AnnouncedFunc func, gpointer user);
} OperatorVerbs;

struct Plugin {
	guint interface_version;    /* PLUGIN_INTERFACE_VERSION */
	const char *name;	    /* of its file, its section of the configuration, its records */
	TransportKind transport;    /* what its legs speak when we call them */
	guint reaches;		    /* WayKind flags: whom its dial() can call */
	const CounterSet *counters; /* what it counts of its own; or NULL */

	gboolean (*start)(Gateway *gateway, GError **error);
	void (*stop)(void); /* every leg is gone; free everything */
	/* The store has changed, there alone: what else is known stays.  May be NULL. */
	void (*changed)(Change what, const char *key);

	/* NULL: none of it. */
	const LegVerbs *leg;
	const AccountVerbs *account;
	const TextVerbs *text;
	const OperatorVerbs *operators;
};

/* The symbol a loadable module exports: const Plugin tandem_plugin. */

/* What the configuration says: in the section that has the plugin's name, where any key is
 * the plugin's own, or in another, its default included.  New; NULL: nothing. */
char *gateway_config_text(const Gateway *gateway, const char *section, const char *key);

/* --- up: what a leg tells the core; any of these may be the last use of the leg --- */

/* What a peer asks for; everything borrowed. */
typedef struct {
	const Address *from, *to;
	const char *trunk; /* the trunk it came by, already authenticated; or NULL */
	const Desc *offer; /* NULL when it comes later (a Jingle propose, an INVITE without SDP) */
	/* Who an anonymous caller is, when his trunk has told us: nobody is shown it. */
	const Address *hidden;
	/* All that a trunk calls him, for lists of blocked callers; Address *, or NULL. */
	const GPtrArray *identities;
	/* What a user asks for this call alone: whether he is shown, and with which of his
	 * numbers; NULL: the one of his account. */
	NumberPrivacy privacy;
	const char *preferred;
	const Diversion *diversion; /* it was sent on before it came here; or NULL */
	const char *device;	    /* which of the account's: a full JID, a softphone's name */
	const char *post_dial; /* keys to press when it is answered, as for leg_digits(); or NULL */
} Incoming;

/* A new call from a peer: `leg` is the caller's, embedded in the plugin's own
 * allocation; this sets its three members. */
void call_new(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming);
/* The same for one that the plugin itself cannot take: it has a record, and its caller is
 * told why.  The leg is hung up at once. */
void call_refused(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
		  Reason reason, const char *words);
/* The same for one who takes the place of `replaced`, another device of the same
 * account, in its answered call. */
void call_take_over(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
		    Leg *replaced);
void leg_attach(Leg *leg, const Plugin *plugin, Call *call); /* first thing in dial() */
/* The callee's network, a trunk, sends the call to this number, as the trunk writes it (NULL: to
 * what is no number).  It is judged as if who pays for the call had dialled it, and counts as that
 * from now on.  TRUE: it may be called there, by the same trunk.  FALSE: leg_failed() follows, for
 * this reason, in these words (new, or NULL). */
gboolean leg_redirected(Leg *leg, const char *number, Reason *reason, char **words);
/* The callee's network has the call.  Silence from now on counts as a telephone that is
 * not answered: no other way is tried because of it. */
void leg_trying(Leg *leg);
void leg_ringing(Leg *leg, const Desc *early);
/* Which of the account's devices has taken the call: a name that it has in the next call as well,
 * such as a full JID. */
void leg_device(Leg *leg, const char *device);
/* No device is known behind this leg.  The call does not wait for it when another device
 * declines.  Ends with leg_ringing(). */
void leg_unattended(Leg *leg);
void leg_answered(Leg *leg, const Desc *answer);
void leg_changed(Leg *leg, const Desc *offer);
void leg_candidate(Leg *leg, const Candidate *theirs);
/* Keys: 0-9 * # A-D.  The second presses one after the other; "," is a pause of
 * 2 s, ";" ends them, anything else is skipped. */
void leg_dtmf(Leg *leg, char digit);
void leg_digits(Leg *leg, const char *digits);
/* This peer wants the other side to talk to somebody else: to `target`, or, when it
 * is NULL, to the other side of the call of `with`, a leg of the same account. */
void leg_transfer(Leg *leg, const Address *target, const Leg *with);
/* `text` is what the peer has said, in its own words, which the other side may read; or NULL. */
void leg_ended(Leg *leg, Reason reason, const char *text);
/* The same, when it was not the peer who ended it: his protocol has got nowhere. */
void leg_failed(Leg *leg, Reason reason, const char *text);

/* What a leg knows of why it ends, besides what the peer says.  None of it is heard by
 * anybody but the operator; the sentences that follow from it stand in one catalogue. */
typedef enum {
	LEG_NO_FAULT,	      /* the peer has spoken for itself */
	LEG_NO_NAME,	      /* its host name is not found */
	LEG_NOT_REACHED,      /* no connection, or refused; `error` may say why */
	LEG_BAD_TLS,	      /* its certificate, or ours, is not accepted */
	LEG_NO_RESPONSE,      /* it never answered */
	LEG_GONE,	      /* it answers no more, or has gone off line */
	LEG_NOT_REGISTERED,   /* a softphone that was there is not any more */
	LEG_CODECS_FORBIDDEN, /* none of the codecs offered may be used with it */
	LEG_SERVER_AWAY,      /* its XMPP server is not connected */
	LEG_NO_SESSION,	      /* it was let begin the session, and did not */
	LEG_NO_ACCEPT,	      /* it took the call, and did not accept the session */
	LEG_NO_CLIENT,	      /* no client of the account that is on line takes calls */
	LEG_UNENCRYPTED,      /* it cannot encrypt audio */
	LEG_BAD_DESCRIPTION,  /* its description cannot be used */
	LEG_NO_DESCRIPTION,   /* it answered without one */
	LEG_NO_AUDIO,	      /* without audio */
	LEG_NOT_SECURE,	      /* without SRTP, or with it, against what the operator says */
	LEG_NO_ACK,	      /* it never confirmed the answer */
	LEG_NO_CODEC,	      /* it shares no codec with the gateway */
	N_LEG_FAULTS
} LegFault;

/* Borrowed; NULL or 0: not known. */
typedef struct {
	LegFault fault;
	int error;	    /* errno */
	const char *hop;    /* the address that was tried, or has spoken */
	const char *detail; /* what was seen; for the operator */
} LegFacts;

/* Before leg_ended(). */
void leg_explain(Leg *leg, const LegFacts *facts);

/* The peer's person has turned the microphone off, as its client says: silence is no fault. */
void leg_muted(Leg *leg, gboolean muted);
/* The text of save() has changed: it is written before the next command. */
void leg_save(Leg *leg);
/* Beside calls: the person of an enabled account has written this in the chat with `chat` (a
 * number, or the domain without a user), and nobody else can have.  FALSE: it answers no
 * question that has been asked there since `since_us` (monotonic; 0: ever). */
gboolean account_answers(Gateway *gateway, const char *account, const Address *chat,
			 const char *text, gint64 since_us);

/* --- the flight recorder, see trace.h --- */
typedef enum { TRACE_IN, TRACE_OUT, TRACE_NOTE } TraceKind;
/* IN: the peer said this to us; OUT: we said it; NOTE: beside the arrows.  One
 * line, no secrets.  A leg without a call is fine: the line is dropped. */
void leg_trace(const Leg *leg, TraceKind kind, const char *format, ...) G_GNUC_PRINTF(3, 4);
