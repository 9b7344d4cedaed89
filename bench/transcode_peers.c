/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcode_peers.c - the gateway's media library and rtpengine: two plain ports for each
 * call, a codec on each.
 */
#include "bench/ng.h"
#include "bench/transcode.h"
#include "tests/media/media-peer.h"
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the gateway --- */

static Desc *
describe(const Transport *transport, const TranscodeJob *job, LoadSide side)
{
	const CodecType *type = job->type[side];
	Desc *desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, NULL);

	stream_add_codec(stream, job->pt[side], type->name, type->clock, type->channels);
	transport_free(stream->transport);
	stream->transport = transport_copy(transport);
	return desc;
}

static void
open_call(Peer *peer, const TranscodeJob *job, Talk *talk)
{
	PortId port[SIDES];
	g_auto(GStrv) words = NULL;

	for (LoadSide side = CLIENT; side < SIDES; side++)
		port[side] =
			peer_add(peer, side == CLIENT ? SIDE_CALLER : SIDE_CALLEE, TRANSPORT_RTP);
	say(talk, "%u %u", peer->ports[port[CLIENT]].ours->port,
	    peer->ports[port[TELEPHONE]].ours->port);
	words = hear(talk, SIDES);
	for (LoadSide side = CLIENT; side < SIDES; side++) {
		g_autoptr(Transport) theirs = transport_new(TRANSPORT_RTP);
		g_autoptr(Desc) local = describe(peer->ports[port[side]].ours, job, side);
		g_autoptr(Desc) remote = NULL;

		g_strlcpy(theirs->address, "127.0.0.1", sizeof theirs->address);
		theirs->port = (guint16)atoi(words[side]);
		remote = describe(theirs, job, side);
		media_connect(peer->media, port[side], local, remote);
	}
	media_join(peer->media, port[CLIENT], port[TELEPHONE]);
	peer_wait_up(peer, port[TELEPHONE]);
}

static gboolean
on_closed(int fd, GIOCondition condition, gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static void
gateway_measured(Talk *talk, const TranscodeJob *job)
{
	MediaOptions options = options_for_test();
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	Workers *workers;

	options.transcode = TRUE;
	options.opus_complexity = job->complexity;
	workers = workers_with(&options);
	for (guint i = 0; i < job->calls; i++)
		open_call(peer_new(workers), job, talk);
	say(talk, "ready %d", (int)getpid());
	g_unix_fd_add(fileno(talk->in), G_IO_IN | G_IO_HUP, on_closed, loop);
	g_main_loop_run(loop);
	exit(0);
}

static void
gateway_introduce(Talk *talk, const TranscodeJob *job, TranscodeLoad *load)
{
	for (guint i = 0; i < job->calls; i++) {
		g_auto(GStrv) words = hear(talk, SIDES);

		for (LoadSide side = CLIENT; side < SIDES; side++)
			transcode_set_to(load, i, side, (guint16)atoi(words[side]));
		say(talk, "%u %u", transcode_port(load, i, CLIENT),
		    transcode_port(load, i, TELEPHONE));
	}
}

const TranscodeKind transcode_gateway = { "gateway", gateway_measured, gateway_introduce };

/* --- rtpengine --- */

static void
rtpengine_measured(Talk *talk, const TranscodeJob *job)
{
	rtpengine_kind.measured(talk, job->calls);
}

static char *
codec_text(const CodecType *type)
{
	return type->channels > 1
		       ? g_strdup_printf("%s/%u/%u", type->name, type->clock, type->channels)
		       : g_strdup_printf("%s/%u", type->name, type->clock);
}

static char *
sdp_of(const TranscodeJob *job, LoadSide side, guint16 port)
{
	g_autofree char *codec = codec_text(job->type[side]);

	return g_strdup_printf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			       "t=0 0\r\nm=audio %u RTP/AVP %u\r\na=rtpmap:%u %s\r\na=ptime:20\r\n",
			       port, job->pt[side], job->pt[side], codec);
}

static void
put_codec(GString *request, const char *what, const CodecType *type)
{
	g_string_append_printf(request, "%u:%sl%u:%se", (guint)strlen(what), what,
			       (guint)strlen(type->name), type->name);
}

static guint16
port_of(GString *request)
{
	g_autofree char *sdp = ng_ask(request);
	const char *media = sdp ? strstr(sdp, "m=audio ") : NULL;

	if (!media)
		g_error("rtpengine says %s", sdp ? sdp : "nothing");
	return (guint16)atoi(media + strlen("m=audio "));
}

static void
introduce_call(const TranscodeJob *job, TranscodeLoad *load, guint call)
{
	g_autofree char *id = g_strdup_printf("call%u", call);
	g_autofree char *client = sdp_of(job, CLIENT, transcode_port(load, call, CLIENT));
	g_autofree char *telephone = sdp_of(job, TELEPHONE, transcode_port(load, call, TELEPHONE));
	GString *request = ng_request("offer", id);

	ng_put(request, "from-tag", "client");
	ng_put(request, "sdp", client);
	ng_put(request, "ICE", "remove");
	g_string_append(request, "5:codecd");
	put_codec(request, "mask", job->type[CLIENT]);
	put_codec(request, "transcode", job->type[TELEPHONE]);
	g_string_append_c(request, 'e');
	transcode_set_to(load, call, TELEPHONE, port_of(request));
	request = ng_request("answer", id);
	ng_put(request, "from-tag", "client");
	ng_put(request, "to-tag", "telephone");
	ng_put(request, "sdp", telephone);
	transcode_set_to(load, call, CLIENT, port_of(request));
}

static void
rtpengine_introduce(Talk *talk, const TranscodeJob *job, TranscodeLoad *load)
{
	g_auto(GStrv) words = hear(talk, 1);

	ng_connect((guint16)atoi(words[0]));
	for (guint i = 0; i < job->calls; i++)
		introduce_call(job, load, i);
}

const TranscodeKind transcode_rtpengine = { "rtpengine", rtpengine_measured, rtpengine_introduce };
