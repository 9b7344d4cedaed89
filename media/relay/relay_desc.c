/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_desc.c - what the descriptions say about a port: codecs, directions,
 * addresses; and which port is its twin.
 *
 * RFC 3264, RFC 4733.
 */
#include "media/relay/relay_private.h"
#include <string.h>

static gboolean
is_event(const Codec *codec)
{
	return g_ascii_strcasecmp(codec->name, "telephone-event") == 0;
}

/* Events are taken in the clocks that `told`, what we told the peer, has; NULL: in any. */
static void
learn_codecs(Relay *relay, const Stream *stream, const Stream *told)
{
	for (guint i = 0; stream && i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);
		RelayType *type;

		if (codec->pt > 127)
			continue;
		type = &relay->types[codec->pt];
		type->rate = codec->rate ? MIN(codec->rate, MAX_RATE) : DEFAULT_RATE;
		type->event = is_event(codec) &&
			      (!told || stream_find_codec(told, codec->name, codec->rate));
	}
}

const RelayEvent *
relay_event(const Relay *relay)
{
	const RelayEvent *usual = NULL;

	for (guint i = 0; i < relay->n_events; i++) {
		if (relay->events[i].rate == relay->out_rate)
			return &relay->events[i];
		if (relay->events[i].rate == DEFAULT_RATE)
			usual = &relay->events[i];
	}
	return usual;
}

/* RFC 3264 6.1: we send what both have named. */
static void
learn_events(Relay *relay, const Stream *local, const Stream *remote)
{
	relay->n_events = 0;
	for (guint i = 0; i < remote->codecs->len && relay->n_events < MAX_EVENTS; i++) {
		const Codec *codec = g_ptr_array_index(remote->codecs, i);

		if (!is_event(codec) ||
		    (local && !stream_find_codec(local, codec->name, codec->rate)))
			continue;
		relay->events[relay->n_events].rate = codec->rate;
		relay->events[relay->n_events++].pt = codec->pt;
	}
}

/* The clock of what goes to the peer is that of the last packet; before the first, and when
 * the peer no longer takes that codec, that of the codec he speaks. */
static void
learn_out_rate(Relay *relay, const Stream *local, const Stream *remote)
{
	const Codec *spoken = stream_spoken(local, remote);

	for (guint i = 0; relay->stats.packets_out && i < remote->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(remote->codecs, i);

		if (!is_event(codec) && codec->rate == relay->out_rate &&
		    (!local || stream_find_codec(local, codec->name, codec->rate)))
			return;
	}
	relay->out_rate = spoken ? spoken->rate : DEFAULT_RATE;
}

static void
learn_direction(Relay *relay, const Stream *local, const Stream *remote)
{
	Direction ours = local ? local->direction : DIRECTION_SENDRECV;
	Direction theirs = remote->direction;

	relay->may_send = (ours == DIRECTION_SENDRECV || ours == DIRECTION_SENDONLY) &&
			  (theirs == DIRECTION_SENDRECV || theirs == DIRECTION_RECVONLY);
	relay->may_receive = (ours == DIRECTION_SENDRECV || ours == DIRECTION_RECVONLY) &&
			     (theirs == DIRECTION_SENDRECV || theirs == DIRECTION_SENDONLY);
}

static void
learn_address(Relay *relay, const Transport *theirs)
{
	NetAddress signalled;

	if (theirs->kind != TRANSPORT_RTP || !theirs->port ||
	    !net_address_parse(theirs->address, theirs->port, &signalled)) {
		relay->may_send = FALSE;
		return;
	}
	media_sources_unref(relay->sources);
	relay->sources = media_sources_ref(theirs->sources);
	if (net_address_any(&signalled)) { /* hold as RFC 2543 had it: the peer is where it was */
		relay->may_send = FALSE;
		if (relay->signalled.length)
			return;
	}
	if (net_address_equal(&signalled, &relay->signalled))
		return;
	relay->signalled = relay->peer = relay->rtcp_peer = signalled;
	net_address_set_port(&relay->rtcp_peer,
			     theirs->rtcp_port ? theirs->rtcp_port : theirs->port + 1);
	relay->latched = FALSE;
	relay->error_noted = FALSE;
}

static Protection *
receive_with(const SdesKey *key)
{
	guint8 mki[SDES_MAX_MKI] = { 0 };

	if (!key->profile)
		return NULL;
	if (!key->mki_length)
		return protection_new(key->profile, key->key, FALSE);
	for (guint i = 0; i < MIN(key->mki_length, sizeof key->mki); i++)
		mki[key->mki_length - 1 - i] = (guint8)(key->mki >> (8 * i));
	return protection_new_with_mki(key->profile, key->key, mki, key->mki_length);
}

/* A key that is said again goes on where it is, a new one begins at rollover 0.  Ours
 * never begins again: its keystream would be the same once more. */
static void
learn_keys(Relay *relay, const Transport *ours, const Transport *theirs)
{
	const gboolean first = !relay->sdes_out.profile;
	SdesKey own = ours->sdes;

	/* Our key may have been told with several suites, the peer has chosen one of them. */
	if (!own.profile)
		own.profile = theirs->sdes.profile;
	if (!relay->secure && !own.profile)
		return;
	relay->secure = TRUE;
	if (!sdes_same(&relay->sdes_in, &theirs->sdes)) {
		relay_free_protection(relay, relay->receive);
		relay->receive = receive_with(&theirs->sdes);
		relay->sdes_in = theirs->sdes;
		relay->n_ssrcs = 0;
		relay_note(relay, "srtp: %s",
			   relay->receive ? srtp_profile_text(theirs->sdes.profile)
					  : "the peer has no key, nothing is taken");
	}
	if (first && own.profile) {
		relay->send = protection_new(own.profile, own.key, TRUE);
		relay->sdes_out = own;
	} else if (!first && !sdes_same(&relay->sdes_out, &own)) {
		relay->may_send = FALSE;
		relay_note(relay, "srtp: the suite cannot change in a call, nothing is sent");
	}
}

static void
remap(Relay *relay)
{
	const Relay *twin = relay->twin;
	guint8 map[128];

	relay_look(relay);
	memset(map, NO_PT, sizeof map);
	if (twin && relay->remote && twin->remote)
		desc_pt_map(relay->local ? relay->local : relay->remote, relay->remote,
			    twin->remote, map);
	for (guint pt = 0; pt < G_N_ELEMENTS(map); pt++)
		relay->types[pt].map = map[pt];
	relay_convert_learn(relay);
	if (relay->audio)
		relay_audio_joined(relay);
}

void
relay_connect(Relay *relay, const Desc *local, const Desc *remote)
{
	const Stream *ours = local ? desc_audio(local) : NULL, *theirs = desc_audio(remote);
	gint64 now = worker_now(relay->worker);

	if (relay->closed)
		return;
	desc_unref(relay->local);
	desc_unref(relay->remote);
	relay->local = local ? desc_ref(local) : NULL;
	relay->remote = desc_ref(remote);
	for (guint pt = 0; pt < G_N_ELEMENTS(relay->types); pt++)
		relay->types[pt] = (RelayType){ .map = relay->types[pt].map };
	relay->may_send = relay->may_receive = FALSE;
	if (theirs) {
		learn_codecs(relay, theirs, ours);
		learn_codecs(relay, ours, ours); /* has the last word: RFC 3264 6.1 */
		learn_events(relay, ours, theirs);
		learn_out_rate(relay, ours, theirs);
		learn_direction(relay, ours, theirs);
		if (!relay->webrtc && !relay->audio)
			learn_address(relay, theirs->transport);
		if (!relay->webrtc && ours)
			learn_keys(relay, ours->transport, theirs->transport);
	}
	if (!relay->connected) {
		relay->connected = TRUE;
		relay->started_at = now;
		relay->next_rtcp = now + relay_span(relay, RTCP_FIRST_US);
	}
	remap(relay);
	if (relay->twin)
		remap(relay->twin);
}

void
relay_part(Relay *relay)
{
	Relay *twin = relay->twin;

	relay->twin = NULL;
	remap(relay);
	if (twin && twin->twin == relay) {
		twin->twin = NULL;
		remap(twin);
	}
}

void
relay_join(Relay *one, Relay *other)
{
	if (one->closed || other->closed)
		return;
	relay_part(one);
	relay_part(other);
	rtp_rewriter_forget(&one->out);
	rtp_rewriter_forget(&other->out);
	one->twin = other;
	other->twin = one;
	remap(one);
	remap(other);
}
