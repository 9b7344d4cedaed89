/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* callers.h - the load of bench/setup: what its parts share.
 *
 * One process plays an XMPP server with clients, and a carrier with telephones.  A call is
 * between a client and a telephone, through the gateway; every other one begins at the
 * client.  A call has a slot, and the slot has a telephone number, so that each message
 * of the gateway says which call it belongs to.
 * Thread: one, the default GMainContext.
 */
#pragma once
#include "media/dtls.h"
#include "media/udp.h"

#define SLOTS	    8192
#define USERS	    200
#define USER_DOMAIN "bench.example"
#define CLIENT_PWD  "benchbenchbenchbenchbench"
#define SLOT_PREFIX "+1415" /* then 2,000,000 and the slot: the number of its telephone */
#define USER_PREFIX "+1628" /* the same with the user's number */
#define NUMBER_BASE 2000000

typedef enum { FROM_CLIENT, FROM_TELEPHONE } Origin;
typedef enum { CALL_FREE, CALL_BEGUN, CALL_TALKING, CALL_ENDING } CallState;

typedef struct {
	guint slot, user;
	guint64 serial; /* of the call that has the slot now */
	Origin origin;
	CallState state;
	gboolean rings_only, held;
	gboolean client_up, telephone_up;     /* each hears that the call is answered */
	gboolean client_over, telephone_over; /* and that it has ended */
	gint64 began_us, hang_up_us;
	guint place; /* among those that talk */

	/* XMPP */
	char sid[64];
	/* SIP */
	char call_id[64], *to, *contact; /* of a call of ours, from its 200 */
	guint cseq;
	/* media */
	gboolean controls, offers_dtls;
	NetAddress client_to, telephone_to;
	char *ufrag, *pwd; /* the gateway's */
	gboolean selected; /* ICE has */
	Dtls *dtls;
	Protection *protection;
	guint16 seq;
} Caller;

/* --- callers.c --- */
extern Caller callers[SLOTS];
/* The call that a message with that number belongs to, or NULL. */
Caller *caller_of_number(const char *number);
Caller *caller_at(guint slot); /* NULL: there is none */
/* What a half of the call has come to know. */
void caller_is_up(Caller *caller, gboolean client);
void caller_is_over(Caller *caller, gboolean client);
void caller_rings(Caller *caller);
void caller_is_held(Caller *caller);
void caller_failed(Caller *caller, const char *why);
/* The value of name="…" in text, which ends at `end` (NULL: none); to be freed, or NULL. */
char *text_between(const char *text, const char *end, const char *before, const char *after);

/* --- callers_xmpp.c --- */
guint xmpp_listen(const char *secret); /* its port */
gboolean xmpp_is_there(void);
void xmpp_call(Caller *caller);
void xmpp_hang_up(Caller *caller);
void xmpp_hold(Caller *caller);

/* --- callers_sip.c --- */
guint sip_open(guint16 gateway_port); /* our port */
void sip_call(Caller *caller);
void sip_hang_up(Caller *caller);

/* --- callers_media.c --- */
typedef struct {
	guint64 sent, heard;
} Packets;
extern Packets packets;

void media_open(void);
const char *media_fingerprint(void);
guint16 media_client_port(const Caller *caller);
guint16 media_telephone_port(const Caller *caller);
void media_ufrag(const Caller *caller, char ufrag[16]);
/* What the gateway says of itself to the client; checks begin.  `active`: our part in DTLS. */
void media_connect(Caller *caller, const char *ufrag, const char *pwd, const char *fingerprint,
		   guint16 port, gboolean active);
void media_check(Caller *caller);
void media_send(Caller *caller); /* a packet each way */
void media_close(Caller *caller);

/* --- callers_ng.c: rtpengine in the gateway's place, media alone --- */
void ng_open(guint16 port);
void ng_call(Caller *caller);
void ng_hang_up(Caller *caller);
