/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fake_media.c - media.h without packets: ports are ready, and up when they are
 * connected, each on a later turn of the main loop, as with the real thing. */
#include "tests/legs/fake_media.h"
#include "media/audio.h"

void (*fake_media_digit)(char digit);
void (*fake_media_candidate)(const Candidate *theirs);

struct Media {
	const MediaListener *listener;
	gpointer user;
	TransportKind kinds[64];
	gboolean clear[64];    /* made for a peer that may be without DTLS */
	guint generations[64]; /* of ICE */
	char *ufrags[64];      /* the peer's */
	PortId last;
	GArray *sources;
};

typedef struct {
	Media *media;
	PortId port;
	MediaStatsFunc stats; /* who wants the counters */
} Later;

static Transport *
make_transport(TransportKind kind, guint generation, gboolean two_components)
{
	Transport *transport = transport_new(kind);
	Candidate candidate = { .foundation = "1",
				.component = 1,
				.priority = 2130706431,
				.address = "198.51.100.20",
				.port = 40010,
				.type = CANDIDATE_HOST,
				.generation = generation };

	if (kind == TRANSPORT_RTP) {
		g_strlcpy(transport->address, "198.51.100.20", sizeof transport->address);
		transport->port = 40020;
		return transport;
	}
	transport->rtcp_mux = TRUE;
	transport->ufrag = generation ? g_strdup_printf("gX%02u", generation) : g_strdup("gW4k");
	transport->pwd =
		g_strdup(generation ? "Zt6LrB3yQm8uWc5kVh1nJs7f" : "4vU1bq0XcYt7mZr2sNwK8dQe");
	transport->fingerprint_hash = g_strdup("sha-256");
	transport->fingerprint = g_strdup("67:75:3C");
	transport->setup = SETUP_ACTPASS;
	transport->candidates_complete = TRUE;
	g_array_append_val(transport->candidates, candidate);
	candidate.priority--;
	candidate.port++;
	if (two_components) {
		Candidate rtcp = candidate;

		rtcp.component = 2;
		g_array_append_val(transport->candidates, rtcp);
	}
	if (generation) /* two, each of which has to be told by itself */
		g_array_append_val(transport->candidates, candidate);
	return transport;
}

static gboolean
say_ready(gpointer data)
{
	Later *later = data;
	g_autoptr(Transport) ours = make_transport(later->media->kinds[later->port],
						   later->media->generations[later->port],
						   later->media->clear[later->port]);

	later->media->listener->ready(later->media->user, later->port, ours);
	return G_SOURCE_REMOVE;
}

static gboolean
say_up(gpointer data)
{
	Later *later = data;

	later->media->listener->up(later->media->user, later->port);
	return G_SOURCE_REMOVE;
}

static gboolean
say_stats(gpointer data)
{
	const Later *later = data;

	later->stats(later->media->user, later->port, &(PortStats){ 0 });
	return G_SOURCE_REMOVE;
}

static Later *
do_later(Media *media, PortId port, GSourceFunc func)
{
	Later *later = g_new0(Later, 1);
	GSource *source = g_idle_source_new();

	later->media = media;
	later->port = port;
	g_source_set_callback(source, func, later, g_free);
	g_source_attach(source, NULL);
	g_array_append_val(media->sources, source);
	return later;
}

Media *
media_open(Workers *workers, const MediaListener *listener, gpointer user)
{
	Media *media = g_new0(Media, 1);

	media->listener = listener;
	media->user = user;
	media->sources = g_array_new(FALSE, FALSE, sizeof(GSource *));
	return media;
}

void
media_use_reserve(Media *media)
{
}

guint
media_load(const Media *media)
{
	return 0;
}

void
media_stay_near(Media *media, const Media *near)
{
}

PortId
media_take_port(Media *media, Media *from, PortId port)
{
	media->kinds[++media->last % 64] = from->kinds[port];
	return media->last;
}

PortId
media_add_port(Media *media, Side side, TransportKind kind)
{
	media->kinds[++media->last % 64] = kind;
	do_later(media, media->last, say_ready);
	return media->last;
}

PortId
media_add_rtp_port(Media *media, Side side, const char *address)
{
	return media_add_port(media, side, TRANSPORT_RTP);
}

PortId
media_add_clear_port(Media *media, Side side)
{
	media->clear[(media->last + 1) % 64] = TRUE;
	return media_add_port(media, side, TRANSPORT_WEBRTC);
}

void
media_play_to(Media *media, PortId port, AudioSource *source)
{
	audio_source_free(source);
}

void
media_drop_port(Media *media, PortId port)
{
}

void
media_connect(Media *media, PortId port, const Desc *local, const Desc *remote)
{
	const char *ufrag = desc_audio(remote)->transport->ufrag;

	if (media->ufrags[port] && g_strcmp0(media->ufrags[port], ufrag) != 0) {
		media->generations[port]++;
		do_later(media, port, say_ready);
	}
	g_free(media->ufrags[port]);
	media->ufrags[port] = g_strdup(ufrag);
	do_later(media, port, say_up);
}

void
media_join(Media *media, PortId one, PortId other)
{
}

void
media_add_candidate(Media *media, PortId port, const Candidate *theirs)
{
	if (fake_media_candidate)
		fake_media_candidate(theirs);
}

void
media_send_dtmf(Media *media, PortId port, char digit)
{
	if (fake_media_digit)
		fake_media_digit(digit);
}

void
media_query(Media *media, PortId port, MediaStatsFunc func)
{
	do_later(media, port, say_stats)->stats = func;
}

PortStats
media_last_stats(const Media *media, PortId port)
{
	return (PortStats){ 0 };
}

MediaPath
media_path(const Media *media, PortId port)
{
	return (MediaPath){ 0 };
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
	for (guint i = 0; i < media->sources->len; i++) {
		GSource *source = g_array_index(media->sources, GSource *, i);

		g_source_destroy(source);
		g_source_unref(source);
	}
	g_array_unref(media->sources);
	for (guint i = 0; i < G_N_ELEMENTS(media->ufrags); i++)
		g_free(media->ufrags[i]);
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
	(void)workers;
	return 0;
}

guint
workers_load(const Workers *workers, guint thread)
{
	(void)workers, (void)thread;
	return 0;
}
