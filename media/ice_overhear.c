/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice_overhear.c - see ice_overhear.h.
 *
 * A source that is never ready: its check comes before the agent's sources are dispatched, and
 * peeks.  Of several datagrams that came at once it sees the first; checks are 20 ms apart.
 */
#include "media/ice_overhear.h"
#include <sys/socket.h>

#define STUN_HEADER	 20
#define BINDING_SUCCESS	 0x0101
#define BINDING_ERROR	 0x0111
#define MAGIC		 0x2112a442
#define ATTRIBUTE_HEADER 4
#define ERROR_CODE	 0x0009
#define MAX_STUN	 548 /* RFC 8489 6.1: fits any path */

typedef struct {
	GSource source; /* first */
	GPtrArray *sockets;
	OverhearFunc func;
	gpointer user;
} Overhear;

static guint
get(const guint8 *data, guint bytes)
{
	guint value = 0;

	while (bytes-- > 0)
		value = value << 8 | *data++;
	return value;
}

static int
error_code(const guint8 *data, gsize length)
{
	gsize at = STUN_HEADER;

	while (length - at >= ATTRIBUTE_HEADER) {
		const guint type = get(data + at, 2), size = get(data + at + 2, 2);

		at += ATTRIBUTE_HEADER;
		if (size > length - at)
			return -1;
		if (type == ERROR_CODE)
			return size >= 4 && (data[at + 2] & 7) >= 3 && data[at + 3] < 100
				       ? (data[at + 2] & 7) * 100 + data[at + 3]
				       : -1;
		at += MIN((size + 3) / 4 * 4, length - at);
	}
	return -1;
}

int
stun_answer(const guint8 *data, gsize length)
{
	guint type;

	if (length < STUN_HEADER || get(data + 4, 4) != MAGIC)
		return -1;
	type = get(data, 2);
	if (type == BINDING_SUCCESS)
		return 0;
	return type == BINDING_ERROR ? error_code(data, length) : -1;
}

static gboolean
look(GSource *source)
{
	const Overhear *self = (Overhear *)source;
	guint8 data[MAX_STUN];

	for (guint i = 0; i < self->sockets->len; i++) {
		int fd = g_socket_get_fd(g_ptr_array_index(self->sockets, i));
		NetAddress from = { .length = sizeof from.ip6 };
		ssize_t length = recvfrom(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT, &from.any,
					  &from.length);
		int answer = length > 0 ? stun_answer(data, (gsize)length) : -1;

		if (answer >= 0)
			self->func(self->user, &from, answer);
	}
	return FALSE;
}

static gboolean
wait(GSource *source, gint *timeout)
{
	*timeout = -1;
	return FALSE;
}

static gboolean
never(GSource *source, GSourceFunc func, gpointer user)
{
	return G_SOURCE_CONTINUE;
}

GSource *
ice_overhear(GMainContext *loop, GPtrArray *sockets, OverhearFunc func, gpointer user)
{
	static GSourceFuncs funcs = { .prepare = wait, .check = look, .dispatch = never };
	GSource *source = g_source_new(&funcs, sizeof(Overhear));
	Overhear *self = (Overhear *)source;

	self->sockets = sockets;
	self->func = func;
	self->user = user;
	g_source_attach(source, loop);
	return source;
}
