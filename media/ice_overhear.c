/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice_overhear.c - see ice_overhear.h.
 *
 * A source that is never ready: its check comes before the agent's sources are dispatched, and
 * peeks.  Of several datagrams that came at once it sees the first; checks are 20 ms apart.
 */
#include "media/ice_overhear.h"
#include "media/binding.h"
#include <sys/socket.h>

#define MAX_STUN 548 /* RFC 8489 6.1: fits any path */

typedef struct {
	GSource source; /* first */
	GPtrArray *sockets;
	OverhearFunc func;
	gpointer user;
} Overhear;

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
		Binding binding;

		if (length > 0 && binding_parse(data, (gsize)length, &binding) &&
		    binding.type != BINDING_REQUEST)
			self->func(self->user, &from, binding.error);
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
