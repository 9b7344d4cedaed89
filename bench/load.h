/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* load.h - the generator: RTP of many calls, and what came back of it.
 *
 * A client and a telephone for each call, 50 packets a second each, their
 * departures spread evenly over the 20 ms.  The clients share a few sockets and so
 * do the telephones: each call is told by the port it talks to.  What comes in is
 * read every 2 ms and never wakes anybody, so that whoever is measured pays for
 * sending and not for us.  Reports (RTCP) go every 5 s each way.
 *
 * The delay of a packet is from our sendmmsg() to the kernel's time stamp of what comes
 * back: when we read does not matter.  A packet is told by its RTP time stamp, which who
 * forwards may move by the same number for all.  The payload tells which it was: the
 * telephone compares that of every packet, a client (who has to decrypt) one in 50.
 */
#pragma once
#include "media/srtp.h"
#include "media/udp.h"
#include <sys/types.h>

#define LOAD_SOCKETS 20	 /* of each side */
#define LOAD_KEPT    256 /* packets of a call on their way: 5 s */

typedef enum { CLIENT, TELEPHONE, SIDES } LoadSide;

typedef struct {
	NetAddress to[SIDES], rtcp[SIDES];
	Protection *protection; /* of what the client sends */
	Protection *opening;	/* of what it hears; NULL: that is counted and not looked at */
	guint16 seq;
	guint32 timestamp;
	guint32 number;			    /* of the packets that are sent next, from 0 on */
	gint64 sent_ns[SIDES][LOAD_KEPT];   /* real time, by number */
	guint32 moved[SIDES], heard[SIDES]; /* RTP time stamp of packet 0 as a side hears it */
} LoadCall;

typedef struct Load Load;

/* Not RTP, on a client's socket. */
typedef void (*LoadOtherFunc)(gpointer user, guint call, guint8 *data, gsize length);
/* Once in 5 s for each call: a consent check. */
typedef void (*LoadCheckFunc)(gpointer user, guint call);

struct Load {
	guint calls;
	LoadCall *call;
	UdpPair sockets[SIDES][LOAD_SOCKETS];
	guint16 call_at[65536]; /* by the port measured; 1 is the first call */
	LoadOtherFunc other;
	LoadCheckFunc check;
	gpointer user;
	gboolean reports; /* RTCP is sent */
	gboolean steady;  /* delays count */
	GArray *delays;	  /* guint32, us */
	guint64 sent, heard, wrong;
};

typedef struct {
	double us;	 /* CPU by packet, while the load was steady */
	double calls;	 /* the load, in calls' worth of packets sent */
	double lost;	 /* per cent of the packets sent: not forwarded */
	double p50, p99; /* us between arrival and departure, and what the two kernels' ways take */
	guint64 wrong;	 /* with another payload than was sent */
} Figure;

Load *load_new(guint calls);
guint16 load_port(const Load *load, guint call, LoadSide side);
/* Where a side of the call sends to; RTCP one port above for a telephone. */
void load_set_to(Load *load, guint call, LoadSide side, guint16 port);
void load_send(Load *load, guint call, const guint8 *data, gsize length); /* the client */
void load_receive(Load *load);	   /* what is there now, of all sockets */
double load_cpu_us(pid_t process); /* user and system, so far */
/* One second and then `seconds` that count, of process `measured`. */
Figure load_run(Load *load, guint seconds, pid_t measured);
