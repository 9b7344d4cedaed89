/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* floor.c - the least that forwarding can cost.
 *
 * A thread with an epoll: receive, unprotect or protect, send.  A socket for each
 * side of each call, the gateway's SRTP code, no address looked at, nothing
 * counted, no RTCP, no ICE.
 *
 * A wake-up for many packets costs less than one for each, so there are two: one that
 * answers each packet at once, and one that may sleep for half a millisecond before it looks
 * for the next.
 */
#include "bench/bench.h"
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NAP_NS 500000

typedef struct {
	int socket;
	gboolean sealed; /* SRTP comes in */
	Protection *protection;
	NetAddress to;
} Pipe;

static guint16
open_socket(int *fd)
{
	NetAddress address = { .length = sizeof address.ip4 };

	net_address_parse("127.0.0.1", 0, &address);
	*fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0 || bind(*fd, &address.any, address.length) != 0 ||
	    getsockname(*fd, &address.any, &address.length) != 0)
		exit(1);
	return net_address_port(&address);
}

static void
open_call(Pipe pipes[2], int epoll, Talk *talk, guint call)
{
	g_auto(GStrv) words = hear(talk, 2);
	guint16 ports[2];
	guint8 key[30];

	call_key(call, key);
	for (guint i = 0; i < 2; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &pipes[i] };

		pipes[i].sealed = i == 0;
		pipes[i].protection = protection_new(SRTP_CM_SHA1_80, key, i == 1);
		net_address_parse("127.0.0.1", (guint16)atoi(words[1 - i]), &pipes[i].to);
		ports[i] = open_socket(&pipes[i].socket);
		epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i].socket, &event);
	}
	say(talk, "%u %u", ports[0], ports[1]);
}

static void
pass(Pipe *pipe)
{
	_Alignas(8) guint8 packet[1600 + PROTECTION_TRAILER];
	const ssize_t got = recv(pipe->socket, packet, 1600, 0);
	gsize length = got > 0 ? (gsize)got : 0;

	if (got > 0 &&
	    (pipe->sealed ? protection_unprotect(pipe->protection, packet, &length)
			  : protection_protect(pipe->protection, packet, &length)) == PROTECTION_OK)
		sendto(pipe->socket, packet, length, 0, &pipe->to.any, pipe->to.length);
}

static void
forward(Talk *talk, guint calls, gboolean naps)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	Pipe *pipes = g_new0(Pipe, 2 * calls);
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[256];

	if (!protection_setup(NULL))
		exit(1);
	for (guint i = 0; i < calls; i++)
		open_call(&pipes[2 * i], epoll, talk, i);
	say(talk, "ready %d", (int)getpid());
	for (;;) { /* the generator ends us */
		const int n = epoll_wait(epoll, events, G_N_ELEMENTS(events), -1);

		for (int i = 0; i < n; i++)
			pass(events[i].data.ptr);
		if (naps && n < (int)G_N_ELEMENTS(events))
			clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
}

static void
measured(Talk *talk, guint calls)
{
	forward(talk, calls, FALSE);
}

static void
measured_napping(Talk *talk, guint calls)
{
	prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL); /* as the gateway's media thread */
	forward(talk, calls, TRUE);
}

static void
introduce(Talk *talk, Load *load)
{
	if (!protection_setup(NULL))
		exit(1);
	for (guint i = 0; i < load->calls; i++) {
		g_auto(GStrv) words = NULL;
		guint8 key[30];

		call_key(i, key);
		load->call[i].protection = protection_new(SRTP_CM_SHA1_80, key, TRUE);
		load->call[i].opening = protection_new(SRTP_CM_SHA1_80, key, FALSE);
		say(talk, "%u %u", load_port(load, i, CLIENT), load_port(load, i, TELEPHONE));
		words = hear(talk, 2);
		load_set_to(load, i, CLIENT, (guint16)atoi(words[0]));
		load_set_to(load, i, TELEPHONE, (guint16)atoi(words[1]));
	}
	load->reports = FALSE; /* it has no sockets for them */
}

const Kind floor_kind = { "floor", measured, introduce };
const Kind napping_kind = { "napping", measured_napping, introduce };
