/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_out.c - what the other files of the relay stand on. */
#include "media/relay/relay_private.h"

/* --- telling --- */

void
relay_note(Relay *relay, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	relay->options.events->note(relay->options.owner, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

void
relay_note_error(Relay *relay, const NetAddress *to, int why)
{
	char text[NET_ADDRESS_TEXT];

	if (relay->error_noted || why == EAGAIN)
		return;
	relay->error_noted = TRUE;
	relay_note(relay, "rtp: cannot send to %s: %s", net_address_text(to, text),
		   g_strerror(why));
}

void
relay_note_first_out(Relay *relay, guint8 pt)
{
	char text[NET_ADDRESS_TEXT];

	relay->out_noted = TRUE;
	relay_note(relay, "rtp: first packet to %s, payload type %u",
		   net_address_text(&relay->peer, text), pt);
}

/* --- keys --- */

static void
free_protection(gpointer protection)
{
	protection_free(protection);
}

void
relay_free_protection(const Relay *relay, Protection *protection)
{
	if (protection)
		worker_post(relay->options.ice, free_protection, protection);
}

void
relay_prove(Relay *relay)
{
	relay->proven = TRUE;
	if (relay->webrtc)
		relay->options.events->proven(relay->options.owner);
}

/* --- now and then --- */

void
relay_hurry(Relay *relay, gboolean more)
{
	relay->hurries += more ? 1 : -1;
	if (relay->hurries != (more ? 1 : 0))
		return; /* it did already, or does still */
	worker_hurry(relay->worker, more);
	relay_look(relay);
	relay_set_hurry(relay, more);
}

/* Whoever holds often sends nothing, whatever he said, and so does the one held. */
gboolean
relay_expects_rtp(const Relay *relay)
{
	const Relay *twin = relay->twin;

	return relay->connected && twin && twin->connected && relay_talks(relay) &&
	       relay_talks(twin) && relay_is_set_up(relay) && relay_is_set_up(twin);
}
