/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_datagram.c - see sip_datagram.h. */
#include "plugins/sip/stack/sip_datagram.h"
#include <dlfcn.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/tport.h>
#include <string.h>
#include <sys/ioctl.h>

#define BURST_US	   5000 /* of one turn of the loop */
#define LOOKED_AT	   256	/* bytes: the first line, or enough of it */
#define STUN_HAS_BEEN_READ 3	/* what tport_recv_event() wants to be told */

/* What sofia calls instead of its own. */
void tport_recv_event(tport_t *transport);
int tport_recv_stun_dgram(tport_t const *transport, msg_t **message, su_sockaddr_t *from,
			  socklen_t length);

typedef void (*ReceiveEventFunc)(tport_t *transport);

static DatagramAskFunc ask;
static gpointer ask_user;
static guint64 n_dropped, n_stun;
static gboolean reading; /* a datagram, and not a stream */
static int last = -1;	 /* the socket that was read last; -1: none in this turn */

void
datagram_ask(DatagramAskFunc func, gpointer user)
{
	ask = func;
	ask_user = user;
}

gboolean
datagram_is_admitted(void)
{
	return reading;
}

guint64
datagram_n_dropped(void)
{
	return n_dropped;
}

guint64
datagram_n_stun(void)
{
	return n_stun;
}

static gssize
n_waiting(int socket)
{
	int waiting = 0;

	return ioctl(socket, FIONREAD, &waiting) == 0 ? waiting : -1;
}

static gboolean
admits_next(int socket)
{
	char text[LOOKED_AT + 1];
	su_sockaddr_t from = { 0 };
	socklen_t size = sizeof from;
	ssize_t length =
		ask ? recvfrom(socket, text, LOOKED_AT, MSG_PEEK | MSG_DONTWAIT, &from.su_sa, &size)
		    : -1;
	const char *line = text;

	if (length < 0)
		return TRUE;
	text[length] = '\0';
	line += strspn(line, "\r\n"); /* RFC 3261 7.5 */
	return ask(ask_user, &from, line);
}

/* Asked by sofia before it reads.  Of a datagram without a byte it makes nothing, and takes it
 * away: so for one that is not admitted. */
issize_t
su_getmsgsize(su_socket_t socket)
{
	gssize waiting = n_waiting(socket);

	if (!reading)
		return waiting;
	last = socket;
	if (waiting <= 0 || admits_next(socket))
		return waiting;
	n_dropped++;
	return 0;
}

void
tport_recv_event(tport_t *transport)
{
	static ReceiveEventFunc original;
	gint64 until = g_get_monotonic_time() + BURST_US;

	if (!original)
		original = (ReceiveEventFunc)dlsym(RTLD_NEXT, "tport_recv_event");
	if (!tport_is_udp(transport)) {
		original(transport);
		return;
	}
	reading = TRUE;
	do {
		last = -1;
		original(transport);
	} while (last >= 0 && n_waiting(last) > 0 && g_get_monotonic_time() < until);
	reading = FALSE;
}

int
tport_recv_stun_dgram(tport_t const *transport, msg_t **message, su_sockaddr_t *from,
		      socklen_t length)
{
	(void)transport;
	(void)from;
	(void)length;
	n_stun++;
	msg_destroy(*message);
	*message = NULL;
	return STUN_HAS_BEEN_READ;
}
