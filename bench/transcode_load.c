/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcode_load.c - a client and a telephone for each call, each with a voice in its own
 * codec, 50 packets a second; and what the first call hears.
 */
#include "bench/transcode.h"
#include "media/demux.h"
#include "media/rtp.h"
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_US	   1000
#define TICKS	   20 /* of a packet */
#define WARM_S	   1
#define KEPT	   VOICE_FRAMES
#define FRAME	   (VOICE_RATE / 50)
#define VOICES	   4
#define LISTENS_AT 100 /* packets of the first call, before its voice is kept */

typedef struct {
	int socket;
	guint16 port;
	NetAddress to;
	RtpPacket next;
	guint number;
} Side;

typedef struct {
	gint64 at_us;
	guint32 timestamp;
	gsize size;
	guint8 payload[VOICE_PAYLOAD];
} HeardPacket;

struct TranscodeLoad {
	const TranscodeJob *job;
	Side (*call)[SIDES];
	Voice *voice[SIDES][VOICES];
	guint64 sent, heard[SIDES], bytes[SIDES];
	gint64 began_us[SIDES]; /* the first call's packet 0 was sent, or would have been */
	HeardPacket kept[SIDES][KEPT];
	guint n_kept[SIDES], listened[SIDES];
};

TranscodeLoad *
transcode_load_new(const TranscodeJob *job)
{
	TranscodeLoad *load = g_new0(TranscodeLoad, 1);

	load->job = job;
	load->call = g_malloc0_n(job->calls, sizeof *load->call);
	for (LoadSide side = CLIENT; side < SIDES; side++) {
		for (guint i = 0; i < VOICES; i++)
			load->voice[side][i] = voice_new(job->type[side], i);
		for (guint i = 0; i < job->calls; i++) {
			UdpPair pair;
			g_autoptr(GError) error = NULL;

			if (!udp_pair_open("127.0.0.1", 20000, 29999, &pair, &error))
				g_error("%s", error->message);
			load->call[i][side].socket =
				pair.rtp; /* the other is not closed: no ICMP */
			load->call[i][side].port = pair.port;
		}
	}
	return load;
}

guint16
transcode_port(const TranscodeLoad *load, guint call, LoadSide side)
{
	return load->call[call][side].port;
}

void
transcode_set_to(TranscodeLoad *load, guint call, LoadSide side, guint16 port)
{
	net_address_parse("127.0.0.1", port, &load->call[call][side].to);
}

/* --- out and in --- */

static void
send_one(TranscodeLoad *load, guint call, LoadSide which)
{
	_Alignas(8) guint8 data[RTP_HEADER + VOICE_PAYLOAD];
	Side *side = &load->call[call][which];
	const Voice *voice = load->voice[which][call % VOICES];
	const guint frame = side->number % VOICE_FRAMES;

	if (call == 0 && side->number == 0)
		load->began_us[which] = g_get_monotonic_time();
	side->next.pt = load->job->pt[which];
	side->next.ssrc = 1000 + 2 * call + which;
	rtp_write_header(data, &side->next);
	memcpy(data + RTP_HEADER, voice->payload[frame], voice->size[frame]);
	load->sent += sendto(side->socket, data, RTP_HEADER + voice->size[frame], 0, &side->to.any,
			     side->to.length) > 0;
	side->number++;
	side->next.seq++;
	side->next.timestamp += voice->type->clock / 50;
}

static void
keep(TranscodeLoad *load, LoadSide side, const RtpPacket *packet, gint64 now)
{
	HeardPacket *kept = &load->kept[side][load->n_kept[side]];

	if (load->listened[side]++ < LISTENS_AT || load->n_kept[side] == KEPT ||
	    packet->payload_size > VOICE_PAYLOAD)
		return;
	kept->at_us = now;
	kept->timestamp = packet->timestamp;
	kept->size = packet->payload_size;
	memcpy(kept->payload, packet->payload, packet->payload_size);
	load->n_kept[side]++;
}

static void
receive_all(TranscodeLoad *load)
{
	_Alignas(8) guint8 data[2048];

	for (guint i = 0; i < load->job->calls; i++)
		for (LoadSide side = CLIENT; side < SIDES; side++) {
			ssize_t length;
			RtpPacket packet;

			while ((length = recv(load->call[i][side].socket, data, sizeof data,
					      MSG_DONTWAIT)) > 0) {
				if (packet_kind(data, (gsize)length) != PACKET_RTP ||
				    !rtp_parse(data, (gsize)length, &packet))
					continue;
				load->heard[side]++;
				load->bytes[side] += packet.payload_size;
				if (i == 0)
					keep(load, side, &packet, g_get_monotonic_time());
			}
		}
}

/* --- how late the first call's voice was --- */

static double
shift_of(const TranscodeLoad *load, LoadSide side)
{
	const HeardPacket *kept = load->kept[side];
	const guint n = load->n_kept[side];
	const CodecType *type = load->job->type[side];
	g_autofree Voice *made = NULL, *heard = g_new0(Voice, 1);
	g_autofree gint16 *source = NULL, *expected = NULL, *got = NULL, *turned = NULL;
	gint64 earliest = G_MAXINT64;
	guint first;
	double codecs, whole;

	if (n < KEPT)
		return NAN;
	/* the loop's place at which a packet would be heard that takes no time */
	for (guint i = 0; i < n; i++) {
		const gint64 due =
			(gint64)((guint64)(guint32)(kept[i].timestamp - kept[0].timestamp) *
				 G_USEC_PER_SEC / type->clock);

		earliest = MIN(earliest, kept[i].at_us - due);
	}
	heard->type = type;
	for (guint i = 0; i < VOICE_FRAMES; i++) {
		memcpy(heard->payload[i], kept[i].payload, kept[i].size);
		heard->size[i] = kept[i].size;
	}
	source = voice_played(load->voice[!side][0]);
	made = voice_through(load->voice[!side][0], type);
	expected = voice_played(made);
	got = voice_played(heard);
	codecs = voice_shift(source, expected, VOICE_FRAMES * FRAME);
	/* what was heard begins `first` samples into the loop, if nothing took any time */
	first = (guint)((earliest - load->began_us[!side]) * VOICE_RATE / G_USEC_PER_SEC) %
		(VOICE_FRAMES * FRAME);
	turned = g_new(gint16, VOICE_FRAMES * FRAME);
	for (guint i = 0; i < VOICE_FRAMES * FRAME; i++)
		turned[(i + first) % (VOICE_FRAMES * FRAME)] = got[i];
	whole = voice_shift(source, turned, VOICE_FRAMES * FRAME);
	return whole - codecs;
}

/* --- a run --- */

static void
tick(TranscodeLoad *load, guint number)
{
	for (guint i = number % TICKS; i < load->job->calls; i += TICKS)
		for (LoadSide side = CLIENT; side < SIDES; side++)
			if (load->job->sends[side])
				send_one(load, i, side);
	receive_all(load);
}

TranscodeFigure
transcode_load_run(TranscodeLoad *load, pid_t measured)
{
	const guint ticks = (WARM_S + load->job->seconds) * 1000;
	TranscodeFigure figure = { 0 };
	struct timespec next;
	gint64 began = 0, ended;
	guint64 heard = 0, sent = 0, bytes[SIDES] = { 0 };
	double cpu = 0;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (guint i = 0; i < ticks; i++) {
		if (i == WARM_S * 1000) {
			cpu = load_cpu_us(measured);
			began = g_get_monotonic_time();
			heard = load->heard[CLIENT] + load->heard[TELEPHONE];
			sent = load->sent;
			memcpy(bytes, load->bytes, sizeof bytes);
		}
		tick(load, i);
		next.tv_nsec += TICK_US * 1000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	cpu = load_cpu_us(measured) - cpu;
	ended = g_get_monotonic_time();
	heard = load->heard[CLIENT] + load->heard[TELEPHONE] - heard;
	sent = load->sent - sent;
	figure.us = cpu / (double)MAX(heard, 1);
	figure.lost = 100.0 * (1 - (double)MIN(heard, sent) / (double)MAX(sent, 1));
	figure.load = cpu / (double)(ended - began);
	for (LoadSide side = CLIENT; side < SIDES; side++) {
		figure.bits[side] = 8.0 * (double)(load->bytes[side] - bytes[side]) * 1e6 /
				    (double)(ended - began) / load->job->calls;
		figure.shift_ms[side] = load->job->sends[!side] ? shift_of(load, side) : NAN;
	}
	return figure;
}
