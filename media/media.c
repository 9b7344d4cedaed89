/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* media.c - the packets of one call, as the signalling thread sees them.
 *
 * A Media is counted: its ports hold a reference each, and whatever is on its way
 * between threads holds its port.  media_close() lets go of the ports; from then
 * on news that still arrive are dropped here.
 */
#include "media/media.h"
#include "media/audio.h"
#include "media/port.h"
#include "media/relay/relay.h"
#include "media/series.h"
#include "media/tls_memory.h"
#include <dlfcn.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define MIN_RANGE_RESERVED 24 /* in fewer ports nothing can be kept back */
#define MIN_PORTS_RESERVED 8
#define MAX_PORTS_RESERVED 64

struct Media {
	gint references;
	Workers *workers;
	const MediaListener *listener;
	gpointer user;
	gboolean closed;
	gboolean reserve; /* it may take the last ports */
	guint ice, media; /* which workers */
	GArray *ports;	  /* Slot, by id - 1 */
};

typedef struct {
	Port *port; /* NULL once dropped, or taken over */
	gboolean lost;
	PortStats stats;
	MediaPath path;
	Series series;
	PortId player;	 /* the port of media_play_to(); 0: none */
	Media *taken_by; /* counted; NULL: by nobody */
	PortId taken_as;
} Slot;

/* --- the process --- */

void
media_prepare_process(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which would not see what is used after it was freed */
	tls_memory_use();
#endif
}

/* sofia-sip exports a function of the same name, and libnice calls whichever
 * comes first: with sofia's every STUN message is empty and every call fails. */
static gboolean
check_link_order(GError **error)
{
	Dl_info info = { 0 };
	void *symbol = dlsym(RTLD_DEFAULT, "stun_message_length");

	if (symbol && dladdr(symbol, &info) && info.dli_fname && strstr(info.dli_fname, "libnice"))
		return TRUE;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
		    "libnice must be linked before sofia-sip: stun_message_length comes from %s",
		    info.dli_fname ? info.dli_fname : "nowhere");
	return FALSE;
}

static gboolean
check_options(const MediaOptions *options, GError **error)
{
	NetAddress address;

	if (options->port_min < 1024 || options->port_max <= options->port_min) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "the media's ports %u-%u are no range above 1023", options->port_min,
			    options->port_max);
		return FALSE;
	}
	if (options->rtp_address && !net_address_parse(options->rtp_address, 0, &address)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "the RTP address \"%s\" is not numeric", options->rtp_address);
		return FALSE;
	}
	if (options->public_address && !net_address_parse(options->public_address, 0, &address)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "the public address \"%s\" is not numeric", options->public_address);
		return FALSE;
	}
	return TRUE;
}

/* Not more threads than may run: a unit or container may be held to a few. */
static guint
usable_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		return (guint)MAX(1, CPU_COUNT(&set));
	return g_get_num_processors();
}

static void
copy_options(const MediaOptions *from, MediaOptions *to)
{
	const guint processors = usable_processors();

	*to = *from;
	to->n_ice = from->n_ice ? from->n_ice : processors;
	to->n_media = from->n_media ? from->n_media : processors;
	to->consent_timeout_s = from->consent_timeout_s ? from->consent_timeout_s : 30;
	to->local_addresses = from->local_addresses && from->local_addresses[0]
				      ? g_strdupv(from->local_addresses)
				      : udp_local_addresses();
	to->rtp_address = g_strdup(from->rtp_address ? from->rtp_address : to->local_addresses[0]);
	to->public_address = g_strdup(from->public_address);
	to->stun.host = g_strdup(from->stun.host);
	to->turn.host = g_strdup(from->turn.host);
	to->turn_secret = g_strdup(from->turn_secret);
	to->second_ms = from->second_ms ? from->second_ms : 1000;
}

Workers *
workers_new(const MediaOptions *options, GError **error)
{
	Workers *workers;
	DtlsContext *dtls;

	if (!check_link_order(error) || !check_options(options, error) || !protection_setup(error))
		return NULL;
	dtls = dtls_context_new(error);
	if (!dtls)
		return NULL;
	workers = g_new0(Workers, 1);
	workers->dtls = dtls;
	copy_options(options, &workers->options);
	workers->signalling = worker_new(WORKER_SIGNALLING, 0, NULL, NULL);
	workers->files = worker_new(WORKER_FILES, 0, NULL, NULL);
	workers->ice = g_new0(Worker *, workers->options.n_ice);
	workers->media = g_new0(Worker *, workers->options.n_media);
	workers->relays = g_new0(RelaySet *, workers->options.n_media);
	for (guint i = 0; i < workers->options.n_ice; i++)
		workers->ice[i] = worker_new(WORKER_ICE, i, NULL, NULL);
	for (guint i = 0; i < workers->options.n_media; i++) {
		workers->relays[i] = relay_set_new();
		workers->media[i] = worker_new(WORKER_MEDIA, i, relay_set_tick, workers->relays[i]);
	}
	return workers;
}

void
workers_move(Workers *workers, const char *before, const char *now)
{
	MediaOptions *options = &workers->options;

	ASSERT_SIGNALLING();
	if (g_strcmp0(options->public_address, before) != 0)
		return;
	g_free(options->public_address);
	options->public_address = g_strdup(now);
}

guint
workers_media_threads(const Workers *workers)
{
	return workers->options.n_media;
}

guint
workers_load(const Workers *workers, guint thread)
{
	return worker_load(workers->media[thread]);
}

static gboolean
drain_all(Workers *workers)
{
	gboolean any = FALSE;

	for (guint i = 0; i < workers->options.n_media; i++)
		any |= worker_drain(workers->media[i]);
	for (guint i = 0; i < workers->options.n_ice; i++)
		any |= worker_drain(workers->ice[i]);
	any |= worker_drain(workers->files);
	any |= worker_drain(workers->signalling);
	return any;
}

void
workers_free(Workers *workers)
{
	if (!workers)
		return;
	ASSERT_SIGNALLING();
	/* the end of a port goes from media to ice */
	for (guint i = 0; i < workers->options.n_media; i++)
		worker_stop(workers->media[i]);
	for (guint i = 0; i < workers->options.n_ice; i++)
		worker_stop(workers->ice[i]);
	worker_stop(workers->files);
	while (drain_all(workers))
		;
	for (guint i = 0; i < workers->options.n_media; i++) {
		worker_free(workers->media[i]);
		relay_set_free(workers->relays[i]);
	}
	for (guint i = 0; i < workers->options.n_ice; i++)
		worker_free(workers->ice[i]);
	worker_free(workers->files);
	worker_free(workers->signalling);
	dtls_context_free(workers->dtls);
	g_free(workers->ice);
	g_free(workers->media);
	g_free(workers->relays);
	g_strfreev(workers->options.local_addresses);
	g_free(workers->options.rtp_address);
	g_free(workers->options.public_address);
	g_free(workers->options.stun.host);
	g_free(workers->options.turn.host);
	g_free(workers->options.turn_secret);
	g_free(workers);
}

/* --- one call --- */

static Slot *
find_slot(const Media *media, PortId id)
{
	if (id == 0 || id > media->ports->len)
		return NULL;
	return &g_array_index(media->ports, Slot, id - 1);
}

static Port *
find_port(const Media *media, PortId id)
{
	Slot *slot = find_slot(media, id);

	return slot ? slot->port : NULL;
}

static void
media_unref(gpointer argument)
{
	Media *media = argument;

	if (!g_atomic_int_dec_and_test(&media->references))
		return;
	for (guint i = 0; i < media->ports->len; i++) {
		Slot *slot = find_slot(media, i + 1);

		if (slot->taken_by)
			media_unref(slot->taken_by);
		series_clear(&slot->series);
	}
	g_array_free(media->ports, TRUE);
	g_free(media);
}

Media *
media_open(Workers *workers, const MediaListener *listener, gpointer user)
{
	Media *media = g_new0(Media, 1);

	ASSERT_SIGNALLING();
	media->references = 1;
	media->workers = workers;
	media->listener = listener;
	media->user = user;
	media->ice = workers->next % workers->options.n_ice;
	media->media = workers->next % workers->options.n_media;
	workers->next++;
	media->ports = g_array_new(FALSE, TRUE, sizeof(Slot));
	return media;
}

void
media_stay_near(Media *media, const Media *near)
{
	ASSERT_SIGNALLING();
	g_assert(media->ports->len == 0);
	media->ice = near->ice;
	media->media = near->media;
}

void
media_use_reserve(Media *media)
{
	ASSERT_SIGNALLING();
	g_assert(media->ports->len == 0);
	media->reserve = TRUE;
}

guint
media_load(const Media *media)
{
	return workers_load(media->workers, media->media);
}

/* The last eighth of the range, but what two calls need, and no more than sixteen do. */
static guint16
last_port(const Media *media)
{
	const MediaOptions *options = &media->workers->options;
	guint range = options->port_max - options->port_min + 1u;
	guint kept = range < MIN_RANGE_RESERVED
			     ? 0
			     : CLAMP(range / 8, MIN_PORTS_RESERVED, MAX_PORTS_RESERVED) & ~1u;

	return (guint16)(options->port_max - (media->reserve ? 0 : kept));
}

static void
on_stats(Media *media, PortId id, const PortNews *news)
{
	Slot *slot = find_slot(media, id);

	slot->stats = news->stats;
	series_add(&slot->series, g_get_monotonic_time(), &news->stats);
	if (news->asked)
		news->asked(media->user, id, &news->stats);
}

static void
on_news(gpointer owner, Port *port, const PortNews *news)
{
	Media *media = owner;
	PortId id = port_options(port)->id;
	Slot *slot = find_slot(media, id);

	while (slot->taken_by) {
		media = slot->taken_by;
		id = slot->taken_as;
		slot = find_slot(media, id);
	}
	if (media->closed || slot->port != port)
		return;
	switch (news->kind) {
	case NEWS_READY:
		media->listener->ready(media->user, id, news->transport);
		break;
	case NEWS_CANDIDATE:
		media->listener->candidate(media->user, id, &news->candidate);
		break;
	case NEWS_UP:
		if (!slot->lost)
			media->listener->up(media->user, id);
		break;
	case NEWS_LOST:
		if (slot->lost)
			break;
		slot->lost = TRUE; /* one reason is enough: the first */
		media->listener->lost(media->user, id, news->loss, news->text);
		break;
	case NEWS_NOTE:
		media->listener->note(media->user, id, news->text);
		break;
	case NEWS_PATH:
		slot->path = news->path;
		break;
	case NEWS_ONE_WAY:
		if (media->listener->one_way)
			media->listener->one_way(media->user, id, &news->silence, news->text);
		break;
	case NEWS_DTMF:
		media->listener->dtmf(media->user, id, news->digit);
		break;
	case NEWS_PLAYED:
		if (media->listener->played)
			media->listener->played(media->user, id);
		break;
	case NEWS_STATS:
		on_stats(media, id, news);
		break;
	}
}

/* Ours of the peer's IP version, or else the usual one. */
static const char *
rtp_address_for(const MediaOptions *options, const char *peer)
{
	gboolean six = peer ? strchr(peer, ':') != NULL : FALSE;

	if (!peer || (strchr(options->rtp_address, ':') != NULL) == six)
		return options->rtp_address;
	for (char **each = options->local_addresses; *each; each++)
		if ((strchr(*each, ':') != NULL) == six)
			return *each;
	return options->rtp_address;
}

static PortId
add_port(Media *media, Side side, TransportKind kind, const char *peer, gboolean may_be_clear)
{
	Workers *workers = media->workers;
	PortOptions options = {
		.workers = workers,
		.ice = workers->ice[media->ice],
		.media = workers->media[media->media],
		.relays = workers->relays[media->media],
		.id = media->ports->len + 1,
		.side = side,
		.kind = kind,
		.may_be_clear = may_be_clear,
		.port_max = last_port(media),
		.rtp_address = rtp_address_for(&workers->options, peer),
		.news = on_news,
		.owner = media,
		.owner_unref = media_unref,
	};
	Slot slot = { 0 };

	ASSERT_SIGNALLING();
	if (workers->options.public_address)
		g_strlcpy(options.public_address, workers->options.public_address,
			  sizeof options.public_address);
	g_atomic_int_inc(&media->references);
	slot.port = port_new(&options);
	g_array_append_val(media->ports, slot);
	return options.id;
}

PortId
media_add_port(Media *media, Side side, TransportKind kind)
{
	return add_port(media, side, kind, NULL, FALSE);
}

PortId
media_add_clear_port(Media *media, Side side)
{
	return add_port(media, side, TRANSPORT_WEBRTC, NULL, TRUE);
}

PortId
media_add_rtp_port(Media *media, Side side, const char *address)
{
	return add_port(media, side, TRANSPORT_RTP, address, FALSE);
}

void
media_play(Media *media, PortId id, AudioSource *source)
{
	Port *port = find_port(media, id);

	if (port)
		port_play(port, source);
	else
		audio_source_free(source);
}

void
media_record(Media *media, PortId id, AudioSink *sink)
{
	Port *port = find_port(media, id);

	if (port)
		port_record(port, sink);
	else
		audio_sink_free(sink);
}

static void
drop_player(Media *media, PortId id)
{
	Slot *slot = find_slot(media, id);
	const PortId player = slot ? slot->player : 0;

	if (player == 0)
		return;
	slot->player = 0;
	media_drop_port(media, player);
}

void
media_drop_port(Media *media, PortId id)
{
	Slot *slot = find_slot(media, id);

	ASSERT_SIGNALLING();
	if (slot && slot->port)
		port_close(g_steal_pointer(&slot->port));
	drop_player(media, id);
}

PortId
media_take_port(Media *media, Media *from, PortId id)
{
	Slot *slot = find_slot(from, id);
	Slot taken = { 0 };

	ASSERT_SIGNALLING();
	if (!slot || !slot->port || media->media != from->media)
		return 0;
	drop_player(from, id);
	taken.port = g_steal_pointer(&slot->port);
	taken.lost = slot->lost;
	taken.stats = slot->stats;
	taken.path = slot->path;
	taken.series = slot->series;
	slot->series = (Series){ 0 };
	slot->taken_as = media->ports->len + 1;
	slot->taken_by = media;
	g_atomic_int_inc(&media->references);
	g_array_append_val(media->ports, taken);
	return slot->taken_as;
}

void
media_connect(Media *media, PortId id, const Desc *local, const Desc *remote)
{
	Port *port = find_port(media, id);

	if (port)
		port_connect(port, local, remote);
}

void
media_join(Media *media, PortId one, PortId other)
{
	Port *port = find_port(media, one), *twin = find_port(media, other);

	if (port && twin)
		port_join(port, twin);
	drop_player(media, one);
	drop_player(media, other);
}

void
media_play_to(Media *media, PortId id, AudioSource *source)
{
	Port *port = find_port(media, id);
	PortId player;

	if (!port) {
		audio_source_free(source);
		return;
	}
	drop_player(media, id);
	player = media_add_port(media, SIDE_CALLEE, TRANSPORT_NONE);
	find_slot(media, id)->player = player;
	media_play(media, player, source);
	port_join(port, find_port(media, player));
}

void
media_add_candidate(Media *media, PortId id, const Candidate *theirs)
{
	Port *port = find_port(media, id);

	if (port)
		port_add_candidate(port, theirs);
}

void
media_send_dtmf(Media *media, PortId id, char digit)
{
	Port *port = find_port(media, id);

	if (port)
		port_send_dtmf(port, digit);
}

void
media_query(Media *media, PortId id, MediaStatsFunc func)
{
	Port *port = find_port(media, id);

	if (port)
		port_query(port, func);
}

PortStats
media_last_stats(const Media *media, PortId id)
{
	const Slot *slot = find_slot(media, id);

	return slot ? slot->stats : (PortStats){ 0 };
}

MediaPath
media_path(const Media *media, PortId id)
{
	const Slot *slot = find_slot(media, id);

	return slot ? slot->path : (MediaPath){ 0 };
}

const SeriesPoint *
media_series(const Media *media, PortId id, guint *n_points)
{
	const Slot *slot = find_slot(media, id);
	const GArray *points = slot ? slot->series.points : NULL;

	*n_points = points ? points->len : 0;
	return points ? (const SeriesPoint *)(gconstpointer)points->data : NULL;
}

void
media_close(Media *media)
{
	if (!media)
		return;
	ASSERT_SIGNALLING();
	media->closed = TRUE;
	for (guint i = 0; i < media->ports->len; i++)
		media_drop_port(media, i + 1);
	media_unref(media);
}
