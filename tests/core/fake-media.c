/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fake-media.c - see fake-media.h. */
#include "tests/core/fake-media.h"
#include "media/audio.h"
#include <string.h>

typedef struct {
	PortId id;
	TransportKind kind;
	guint restarts;
	char peer[32]; /* his ufrag; "" before media_connect() */
} Port;

struct Media {
	const MediaListener *listener;
	gpointer user;
	GArray *ports; /* Port */
};

typedef enum { PENDING_READY, PENDING_UP, PENDING_STATS } PendingKind;

typedef struct {
	PendingKind kind;
	Media *media;
	PortId port;
	MediaStatsFunc func;
} Pending;

FakeMedia fake_media;
static GQueue pending = G_QUEUE_INIT;
static PortId last_port;

static void G_GNUC_PRINTF(1, 2) say(const char *format, ...)
{
	g_autofree char *line = NULL;
	va_list arguments;

	if (!fake_media.say)
		return;
	va_start(arguments, format);
	line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	fake_media.say(line);
}

static Port *
find(const Media *media, PortId port)
{
	for (guint i = 0; i < media->ports->len; i++) {
		Port *candidate = &g_array_index(media->ports, Port, i);

		if (candidate->id == port)
			return candidate;
	}
	return NULL;
}

static void
later(PendingKind kind, Media *media, PortId port, MediaStatsFunc func)
{
	Pending one = { kind, media, port, func };

	g_queue_push_tail(&pending, g_memdup2(&one, sizeof(one)));
}

static void
move_pending(Media *from, Media *to, PortId port)
{
	for (GList *item = pending.head; item; item = item->next) {
		Pending *one = item->data;

		if (one->media == from && one->port == port)
			one->media = to;
	}
}

static Transport *
transport_of(const Port *port)
{
	Transport *transport = transport_new(port->kind);

	if (port->kind == TRANSPORT_RTP) {
		g_snprintf(transport->address, sizeof(transport->address), "192.0.2.1");
		transport->port = (guint16)(4000 + 2 * port->id);
		return transport;
	}
	transport->ufrag = g_strdup_printf("ufrag%u-%u", port->id, port->restarts);
	transport->pwd = g_strdup("0123456789012345678901");
	transport->fingerprint_hash = g_strdup("sha-256");
	transport->fingerprint = g_strdup("AA:BB");
	transport->setup = SETUP_ACTPASS;
	transport->rtcp_mux = TRUE;
	/* as many as there were restarts, so that a description shows whose it is */
	g_array_set_size(transport->candidates, port->restarts);
	return transport;
}

gboolean
fake_media_deliver_one(void)
{
	g_autofree Pending *one = g_queue_pop_head(&pending);
	g_autoptr(Transport) ours = NULL;
	PortStats stats = { .packets_in = 100, .packets_out = 99 };
	Port *port;

	if (!one)
		return FALSE;
	port = find(one->media, one->port);
	g_assert(port); /* what was dropped waits for nothing */
	switch (one->kind) {
	case PENDING_READY:
		ours = transport_of(port);
		one->media->listener->ready(one->media->user, one->port, ours);
		break;
	case PENDING_UP:
		one->media->listener->up(one->media->user, one->port);
		break;
	case PENDING_STATS:
		one->func(one->media->user, one->port, &stats);
		break;
	}
	return TRUE;
}

void
fake_media_deliver(void)
{
	while (fake_media_deliver_one())
		;
}

static void
forget(const Media *media, PortId port_or_0)
{
	GList *next;

	for (GList *item = pending.head; item; item = next) {
		Pending *one = item->data;

		next = item->next;
		if (one->media == media && (port_or_0 == 0 || one->port == port_or_0)) {
			g_free(one);
			g_queue_delete_link(&pending, item);
		}
	}
}

void
fake_media_up(Media *media, PortId port)
{
	media->listener->up(media->user, port);
}

void
fake_media_lost(Media *media, PortId port, MediaLoss why, const char *text)
{
	media->listener->lost(media->user, port, why, text);
}

void
fake_media_one_way(Media *media, PortId port, const MediaSilence *silence, const char *text)
{
	media->listener->one_way(media->user, port, silence, text);
}

void
fake_media_candidate(Media *media, PortId port)
{
	Candidate candidate = { .foundation = "1", .component = 1, .priority = 1, .port = 9 };

	g_snprintf(candidate.address, sizeof(candidate.address), "192.0.2.9");
	media->listener->candidate(media->user, port, &candidate);
}

void
fake_media_note(Media *media, PortId port, const char *text)
{
	media->listener->note(media->user, port, text);
}

void
fake_media_reset(void)
{
	last_port = 0;
	g_assert(fake_media.open == 0 && g_queue_is_empty(&pending));
}

/* --- media.h --- */

Workers *
workers_new(const MediaOptions *options, GError **error)
{
	return (Workers *)&fake_media;
}

void
workers_free(Workers *workers)
{
}

Media *
media_open(Workers *workers, const MediaListener *listener, gpointer user)
{
	Media *media = g_new0(Media, 1);

	media->listener = listener;
	media->user = user;
	media->ports = g_array_new(FALSE, TRUE, sizeof(Port));
	fake_media.open++;
	return media;
}

void
media_stay_near(Media *media, const Media *near)
{
	g_assert_cmpuint(media->ports->len, ==, 0);
}

void
media_use_reserve(Media *media)
{
	g_assert_cmpuint(media->ports->len, ==, 0);
	fake_media.reserved++;
}

guint
media_load(const Media *media)
{
	return fake_media.load;
}

/* Numbers are unique in all media here, so it keeps its own. */
PortId
media_take_port(Media *media, Media *from, PortId port)
{
	Port taken = *find(from, port);

	say("take port %u over", port);
	move_pending(from, media, port);
	g_array_remove_index(from->ports,
			     (guint)(find(from, port) - (Port *)(void *)from->ports->data));
	g_array_append_val(media->ports, taken);
	return port;
}

PortId
media_add_port(Media *media, Side side, TransportKind kind)
{
	Port port = { .id = ++last_port, .kind = kind };

	g_array_append_val(media->ports, port);
	fake_media.ports++;
	g_assert(kind == TRANSPORT_RTP || kind == TRANSPORT_WEBRTC);
	say("port %u for the %s, %s", port.id, side == SIDE_CALLER ? "caller" : "callee",
	    kind == TRANSPORT_RTP ? "RTP" : "WebRTC");
	later(PENDING_READY, media, port.id, NULL);
	return port.id;
}

PortId
media_add_rtp_port(Media *media, Side side, const char *address)
{
	return media_add_port(media, side, TRANSPORT_RTP);
}

PortId
media_add_clear_port(Media *media, Side side)
{
	return media_add_port(media, side, TRANSPORT_WEBRTC);
}

void
media_drop_port(Media *media, PortId port)
{
	Port *found = find(media, port);

	g_assert(found);
	say("drop port %u", port);
	forget(media, port);
	g_array_remove_index(media->ports, (guint)(found - (Port *)(void *)media->ports->data));
	fake_media.ports--;
}

/* Other credentials than before are a restart: ours are new as well. */
static void
note_peer(Media *media, PortId id, const Transport *theirs)
{
	Port *port = find(media, id);

	if (port->kind != TRANSPORT_WEBRTC)
		return;
	if (*port->peer && strcmp(port->peer, theirs->ufrag) != 0) {
		port->restarts++;
		say("restart ICE of port %u", id);
		later(PENDING_READY, media, id, NULL);
	}
	g_strlcpy(port->peer, theirs->ufrag, sizeof(port->peer));
}

void
media_connect(Media *media, PortId port, const Desc *local, const Desc *remote)
{
	g_autofree char *told = desc_summary(local), *heard = desc_summary(remote);

	g_assert(find(media, port) && desc_audio(local) && desc_audio(remote));
	say("connect port %u: %s; peer: %s", port, told, heard);
	note_peer(media, port, desc_audio(remote)->transport);
	if (!fake_media.hold_up)
		later(PENDING_UP, media, port, NULL);
}

void
media_join(Media *media, PortId one, PortId other)
{
	g_assert(find(media, one) && find(media, other));
	say("join ports %u and %u", one, other);
}

/* What it is cannot be seen from outside: a tone begins at once. */
void
media_play_to(Media *media, PortId port, AudioSource *source)
{
	gint16 pcm[AUDIO_FRAME];

	g_assert(find(media, port));
	say("play to port %u: %s", port,
	    source->pull(source, pcm) == AUDIO_FRAME ? "audio" : "nothing");
	audio_source_free(source);
}

void
media_add_candidate(Media *media, PortId port, const Candidate *theirs)
{
	g_assert(find(media, port));
	say("candidate for port %u", port);
}

void
media_send_dtmf(Media *media, PortId port, char digit)
{
	g_assert(find(media, port));
	say("digit %c to port %u", digit, port);
}

void
media_query(Media *media, PortId port, MediaStatsFunc func)
{
	g_assert(find(media, port));
	later(PENDING_STATS, media, port, func);
}

PortStats
media_last_stats(const Media *media, PortId port)
{
	PortStats stats = { .packets_in = port * 100 };

	return stats;
}

MediaPath
media_path(const Media *media, PortId port)
{
	return (MediaPath){ TRUE, CANDIDATE_HOST, CANDIDATE_SRFLX };
}

const SeriesPoint *
media_series(const Media *media, PortId port, guint *n_points)
{
	*n_points = 0;
	return NULL;
}

void
media_close(Media *media)
{
	if (!media)
		return;
	say("close");
	forget(media, 0);
	fake_media.ports -= media->ports->len;
	fake_media.open--;
	g_array_unref(media->ports);
	g_free(media);
}

void
workers_move(Workers *workers, const char *before, const char *now)
{
	(void)workers, (void)before, (void)now;
}

guint
workers_media_threads(const Workers *workers)
{
	return 0;
}

guint
workers_load(const Workers *workers, guint thread)
{
	return 0;
}
