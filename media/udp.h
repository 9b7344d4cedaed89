/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* udp.h - UDP sockets and addresses for RTP.
 *
 * A plain port has an even numbered socket for RTP and the next one for RTCP
 * (RFC 3550 section 11).  A WebRTC port shares its number with libnice: the
 * kernel gives RTP and RTCP to our socket and everything else to libnice's.
 * Thread: any.
 */
#pragma once
#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef struct {
	union {
		struct sockaddr any;
		struct sockaddr_in ip4;
		struct sockaddr_in6 ip6;
	};
	socklen_t length; /* 0: none */
} NetAddress;

#define NET_ADDRESS_TEXT 56 /* "[…]:65535" */

gboolean net_address_parse(const char *text, guint16 port, NetAddress *address);
gboolean net_address_any(const NetAddress *address); /* 0.0.0.0 or :: */
guint16 net_address_port(const NetAddress *address);
void net_address_set_port(NetAddress *address, guint16 port);
void net_address_host_text(const NetAddress *address, char text[46]);
const char *net_address_text(const NetAddress *address, char text[NET_ADDRESS_TEXT]);
/* Of IPv4 the host, of IPv6 the /64. */
gboolean net_address_near(const NetAddress *one, const NetAddress *other);
gboolean net_address_same_host(const NetAddress *one, const NetAddress *other);

static inline gboolean
net_address_equal(const NetAddress *one, const NetAddress *other)
{
	if (one->length != other->length || one->any.sa_family != other->any.sa_family)
		return FALSE;
	if (one->any.sa_family == AF_INET)
		return one->ip4.sin_port == other->ip4.sin_port &&
		       one->ip4.sin_addr.s_addr == other->ip4.sin_addr.s_addr;
	return one->length > 0 && one->ip6.sin6_port == other->ip6.sin6_port &&
	       IN6_ARE_ADDR_EQUAL(&one->ip6.sin6_addr, &other->ip6.sin6_addr);
}

/* The addresses of this host that are worth offering: not loopback, unless there
 * is nothing else; not link-local.  NULL-terminated, to be freed. */
char **udp_local_addresses(void);

/* A socket as those of RTP, which does not wait.  -1 and errno. */
int udp_open(const NetAddress *address);

typedef struct {
	int rtp, rtcp;
	guint16 port;
} UdpPair;

/* Two sockets on an even port of the range and the one above, from a random
 * start. */
gboolean udp_pair_open(const char *address, guint16 port_min, guint16 port_max, UdpPair *pair,
		       GError **error);

/* A socket on the same address and port as `agent_fd` to which the kernel gives
 * what begins like RTP or RTCP (RFC 7983: 128 to 191).  -1 and errno when it
 * refuses.  To be closed before `agent_fd`, or it gets everything. */
int udp_split_open(int agent_fd);

/* What such a socket has besides RTP and RTCP. */
typedef struct {
	guint32 transaction; /* Binding responses whose transaction begins so */
	gboolean requests;   /* Binding requests from `peer` */
	NetAddress peer;
} UdpSplit;

/* NULL: nothing.  FALSE and errno when the kernel refuses; then all is as before. */
gboolean udp_split_set(int fd, const UdpSplit *split);
