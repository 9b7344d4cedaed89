/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* udp.c - UDP sockets and addresses for RTP. */
#include "media/udp.h"
#include "media/bytes.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define DSCP_EF 0xb8 /* RFC 3246: what routers expect of telephony */

/* --- addresses --- */

gboolean
net_address_parse(const char *text, guint16 port, NetAddress *address)
{
	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, text, &address->ip4.sin_addr) == 1) {
		address->any.sa_family = AF_INET;
		address->length = sizeof address->ip4;
	} else if (inet_pton(AF_INET6, text, &address->ip6.sin6_addr) == 1) {
		address->any.sa_family = AF_INET6;
		address->length = sizeof address->ip6;
	} else {
		return FALSE;
	}
	net_address_set_port(address, port);
	return TRUE;
}

gboolean
net_address_any(const NetAddress *address)
{
	if (address->any.sa_family == AF_INET)
		return address->ip4.sin_addr.s_addr == INADDR_ANY;
	return address->length == 0 || IN6_IS_ADDR_UNSPECIFIED(&address->ip6.sin6_addr);
}

guint16
net_address_port(const NetAddress *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->ip4.sin_port
						       : address->ip6.sin6_port);
}

void
net_address_set_port(NetAddress *address, guint16 port)
{
	if (address->any.sa_family == AF_INET)
		address->ip4.sin_port = htons(port);
	else
		address->ip6.sin6_port = htons(port);
}

void
net_address_host_text(const NetAddress *address, char text[46])
{
	text[0] = '\0';
	if (address->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->ip4.sin_addr, text, 46);
	else if (address->length)
		inet_ntop(AF_INET6, &address->ip6.sin6_addr, text, 46);
}

const char *
net_address_text(const NetAddress *address, char text[NET_ADDRESS_TEXT])
{
	char host[46];

	net_address_host_text(address, host);
	g_snprintf(text, NET_ADDRESS_TEXT, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		   net_address_port(address));
	return text;
}

gboolean
net_address_same_host(const NetAddress *one, const NetAddress *other)
{
	if (one->length != other->length || one->any.sa_family != other->any.sa_family)
		return FALSE;
	if (one->any.sa_family == AF_INET)
		return one->ip4.sin_addr.s_addr == other->ip4.sin_addr.s_addr;
	return one->length > 0 && IN6_ARE_ADDR_EQUAL(&one->ip6.sin6_addr, &other->ip6.sin6_addr);
}

gboolean
net_address_near(const NetAddress *one, const NetAddress *other)
{
	if (one->length == 0 || one->any.sa_family != AF_INET6 || other->any.sa_family != AF_INET6)
		return net_address_same_host(one, other);
	return memcmp(&one->ip6.sin6_addr, &other->ip6.sin6_addr, 8) == 0;
}

static gboolean
from_interface(const struct ifaddrs *interface, NetAddress *address)
{
	const struct sockaddr *any = interface->ifa_addr;

	if (!any || !(interface->ifa_flags & IFF_UP))
		return FALSE;
	memset(address, 0, sizeof *address);
	if (any->sa_family == AF_INET)
		address->length = sizeof address->ip4;
	else if (any->sa_family == AF_INET6)
		address->length = sizeof address->ip6;
	else
		return FALSE;
	memcpy(&address->any, any, address->length);
	return any->sa_family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&address->ip6.sin6_addr);
}

char **
udp_local_addresses(void)
{
	GPtrArray *found = g_ptr_array_new();
	struct ifaddrs *interfaces = NULL;

	if (getifaddrs(&interfaces) != 0)
		interfaces = NULL;
	for (struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
		NetAddress address;
		char text[46];

		if ((each->ifa_flags & IFF_LOOPBACK) || !from_interface(each, &address))
			continue;
		net_address_host_text(&address, text);
		g_ptr_array_add(found, g_strdup(text));
	}
	if (interfaces)
		freeifaddrs(interfaces);
	if (found->len == 0)
		g_ptr_array_add(found, g_strdup("127.0.0.1"));
	g_ptr_array_add(found, NULL);
	return (char **)g_ptr_array_free(found, FALSE);
}

/* --- sockets --- */

static int
open_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int tos = DSCP_EF, one = 1;

	if (fd < 0)
		return -1;
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
	} else {
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	}
	return fd;
}

int
udp_open(const NetAddress *address)
{
	int fd = open_socket(address->any.sa_family);
	int why;

	if (fd < 0 || bind(fd, &address->any, address->length) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static gboolean
try_pair(NetAddress *address, guint16 port, UdpPair *pair)
{
	int why;

	net_address_set_port(address, port);
	pair->rtp = udp_open(address);
	if (pair->rtp < 0)
		return FALSE;
	net_address_set_port(address, port + 1);
	pair->rtcp = udp_open(address);
	if (pair->rtcp >= 0) {
		pair->port = port;
		return TRUE;
	}
	why = errno;
	close(pair->rtp);
	errno = why;
	return FALSE;
}

/* By errno, for the operator: what it is set by and what would help. */
static void
set_open_error(GError **error, const char *address, guint16 port_min, guint16 port_max)
{
	const int why = errno;

	if (why == EADDRINUSE || why == EACCES)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(why),
			    "no free pair of ports %u-%u on %s for RTP: widen [media] port_min and "
			    "port_max (a call needs four ports), or find out what else uses them",
			    port_min, port_max, address);
	else if (why == EADDRNOTAVAIL)
		g_set_error(
			error, G_FILE_ERROR, g_file_error_from_errno(why),
			"%s is not an address of this host: set [media] rtp_address to one that "
			"is, and public_address to what the world sees",
			address);
	else
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(why),
			    "no sockets for RTP on %s: %s", address, g_strerror(why));
}

gboolean
udp_pair_open(const char *text, guint16 port_min, guint16 port_max, UdpPair *pair, GError **error)
{
	guint first = (port_min + 1u) & ~1u; /* RFC 3550 11: RTP is even */
	guint pairs = port_max > first ? (port_max - first + 1) / 2 : 0;
	guint start = pairs ? (guint)g_random_int_range(0, (gint32)pairs) : 0;
	NetAddress address;

	if (!net_address_parse(text, 0, &address)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "\"%s\" is not a numeric address to bind RTP to", text);
		return FALSE;
	}
	errno = EADDRINUSE;
	for (guint i = 0; i < pairs; i++) {
		if (try_pair(&address, (guint16)(first + 2 * ((start + i) % pairs)), pair))
			return TRUE;
		if (errno != EADDRINUSE && errno != EACCES)
			break;
	}
	set_open_error(error, text, port_min, port_max);
	return FALSE;
}

/* --- the kernel's split --- */

#define MAX_FILTER   64
#define OURS	     1 /* our socket joined as the second */
#define AGENTS	     0
#define IP(offset)   ((guint32)(SKF_NET_OFF + (offset)))
#define REQUEST	     0x0001
#define SUCCESS	     0x0101
#define ERROR	     0x0111
#define IP4_NO_EXTRA 0x45 /* version 4, a header of 20 bytes */

typedef struct {
	struct sock_filter code[MAX_FILTER];
	guint16 length;
} Filter;

static void
add(Filter *filter, guint16 code, guint32 k, guint8 jt, guint8 jf)
{
	g_assert(filter->length < MAX_FILTER);
	filter->code[filter->length++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

/* The packet is the agent's, unless `size` bytes at that place are this number. */
static void
require(Filter *filter, guint16 size, guint32 at, guint32 number)
{
	add(filter, BPF_LD | size | BPF_ABS, at, 0, 0);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, number, 1, 0);
	add(filter, BPF_RET | BPF_K, AGENTS, 0, 0);
}

static void
require_peer(Filter *filter, const NetAddress *peer)
{
	const gboolean ip6 = peer->any.sa_family == AF_INET6;
	const guint8 *address =
		ip6 ? (const guint8 *)&peer->ip6.sin6_addr : (const guint8 *)&peer->ip4.sin_addr;

	if (ip6)
		require(filter, BPF_B, IP(6), IPPROTO_UDP);
	else
		require(filter, BPF_B, IP(0), IP4_NO_EXTRA);
	for (guint i = 0; i < (ip6 ? 16 : 4); i += 4)
		require(filter, BPF_W, IP((ip6 ? 8 : 12) + i), get32(address + i));
	require(filter, BPF_H, IP(ip6 ? 40 : 20), net_address_port(peer));
}

/* RFC 7983 section 7: the first byte tells RTP and RTCP from STUN and DTLS.  What is too short
 * for a look is the agent's. */
gboolean
udp_split_set(int fd, const UdpSplit *split)
{
	Filter filter = { 0 };
	struct sock_fprog program = { .filter = filter.code };

	add(&filter, BPF_LD | BPF_B | BPF_ABS, 0, 0, 0);
	add(&filter, BPF_JMP | BPF_JGE | BPF_K, 128, 0, 3);
	add(&filter, BPF_JMP | BPF_JGT | BPF_K, 191, 1, 0);
	add(&filter, BPF_RET | BPF_K, OURS, 0, 0);
	add(&filter, BPF_RET | BPF_K, AGENTS, 0, 0);
	if (!split) {
		add(&filter, BPF_RET | BPF_K, AGENTS, 0, 0);
	} else {
		add(&filter, BPF_LD | BPF_H | BPF_ABS, 0, 0, 0);
		add(&filter, BPF_JMP | BPF_JEQ | BPF_K, SUCCESS, 1, 0);
		add(&filter, BPF_JMP | BPF_JEQ | BPF_K, ERROR, 0, 4);
		require(&filter, BPF_W, 8, split->transaction);
		add(&filter, BPF_RET | BPF_K, OURS, 0, 0);
		add(&filter, BPF_JMP | BPF_JEQ | BPF_K, REQUEST, split->requests ? 1 : 0, 0);
		add(&filter, BPF_RET | BPF_K, AGENTS, 0, 0);
		require_peer(&filter, &split->peer);
		add(&filter, BPF_RET | BPF_K, OURS, 0, 0);
	}
	program.len = filter.length;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

int
udp_split_open(int agent_fd)
{
	NetAddress address = { .length = sizeof(struct sockaddr_in6) };
	const int one = 1, zero = 0;
	int fd, why;

	if (getsockname(agent_fd, &address.any, &address.length) != 0 ||
	    setsockopt(agent_fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0)
		return -1;
	fd = open_socket(address.any.sa_family);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 &&
	    bind(fd, &address.any, address.length) == 0 && udp_split_set(fd, NULL))
		return fd;
	why = errno;
	if (fd >= 0)
		close(fd);
	setsockopt(agent_fd, SOL_SOCKET, SO_REUSEPORT, &zero, sizeof zero);
	errno = why;
	return -1;
}
