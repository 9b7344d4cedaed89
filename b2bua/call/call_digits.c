/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_digits.c - keys that are pressed during a call, whatever way they come.
 *
 *   RFC 4733          the media relays it and tells us
 *   leg_dtmf()        one key: SIP INFO, a session-info
 *   leg_digits()      several, with pauses: a chat message
 *   post-dial digits  several, when the call has been answered
 *
 * They reach the other side as RFC 4733, or by its protocol's own word where the
 * peer takes no telephone-event.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include <string.h>

#define KEY_MS	    300 /* a tone and the pause after it, see media/dtmf.h */
#define PAUSE_MS    2000
#define MAX_KEYS    100	 /* waiting */
#define USUAL_CLOCK 8000 /* of events beside audio of any clock, see media/relay */

/* Events have the clock of the audio they interrupt (RFC 4733 2.1): that of the first codec
 * the party has agreed to. */
static gboolean
takes_events(const Party *party)
{
	const Stream *audio = party->remote ? desc_audio(party->remote) : NULL;
	const Stream *told = party->local ? desc_audio(party->local) : NULL;
	const Codec *spoken = audio ? stream_spoken(told, audio) : NULL;

	return spoken && (stream_find_codec(audio, "telephone-event", spoken->rate) ||
			  stream_find_codec(audio, "telephone-event", USUAL_CLOCK));
}

void
call_press(Call *call, Party *from, char key, gboolean relayed)
{
	Party *to = call_other_party(call, from);
	char shown[] = { key, '\0' };

	if (!to || (call->state != CALL_ACTIVE && call->state != CALL_CHANGING))
		return;
	call_note(call, "%s" TRACE_PRESSES "%s", from->lane,
		  gateway_config(call->gateway)->hide_digits ? "***" : shown);
	if (takes_events(to)) {
		if (!relayed && party_has_port(to))
			media_send_dtmf(call->media, to->port, key);
	} else if (to->leg && to->leg->plugin->leg->dtmf) {
		to->leg->plugin->leg->dtmf(to->leg, key);
	} else {
		call_note(call, "%s takes no keys", to->lane);
	}
}

static void
on_key(gpointer user)
{
	Call *call = user;
	char key = call->keys->len ? call->keys->str[0] : '\0';

	if (key == '\0')
		return;
	g_string_erase(call->keys, 0, 1);
	timer_set(&call->key_timer, key == ',' ? PAUSE_MS : KEY_MS, on_key, call);
	if (key != ',')
		call_press(call, call->presser, key, FALSE);
}

void
call_press_all(Call *call, Party *from, const char *keys)
{
	if (!call->keys)
		call->keys = g_string_new(NULL);
	call->presser = from;
	/* what is not waited for is not dialled: there is nobody to say when */
	for (; *keys && *keys != ';' && call->keys->len < MAX_KEYS; keys++)
		if (strchr("0123456789*#ABCDabcd,", *keys))
			g_string_append_c(call->keys, g_ascii_toupper(*keys));
	if (!call->key_timer)
		on_key(call);
}

void
call_stop_keys(Call *call)
{
	timer_clear(&call->key_timer);
	if (call->keys)
		g_string_free(g_steal_pointer(&call->keys), TRUE);
}
