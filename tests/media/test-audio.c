/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-audio.c - a port whose far side is us, and a telephone with sockets of its own.
 *
 * What is played is heard whole in each codec, and what the telephone says is recorded beside
 * it.  The telephone has no clock: it says a frame for each that it hears.
 */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include "media/audio.h"
#include "media/coder.h"
#include "media/rtp.h"
#include "tests/media/media-peer.h"

#define ENOUGH	   20000
#define NOTE_MS	   100
#define NOTES	   20
#define SECONDS	   (NOTES * NOTE_MS / 1000)
#define SPOKEN_HZ  1000
#define MOST	   (10 * AUDIO_RATE)
#define LOOPBACK   "127.0.0.1"
#define WIDE(rate) ((rate) >= AUDIO_RATE)

typedef struct {
	const CodecType *type;
	guint rate;
	guint8 pt;
	UdpPair sockets;
	Decoder *decoder;
	Encoder *encoder;
	NetAddress gateway;
	double phase;
	RtpPacket next; /* that it will say */
	gboolean silent;
	/* what it has heard */
	guint packets;
	guint16 seq;
	guint32 timestamp;
	gint16 pcm[MOST];
	guint n;
} Telephone;

typedef struct {
	Workers *workers;
	Peer *gateway;
	PortId port, audio;
	Telephone *telephone;
	char *codecs;
} Call;

static Telephone *
telephone_new(const CodecType *type)
{
	Telephone *telephone = g_new0(Telephone, 1);

	telephone->type = type;
	telephone->rate = WIDE(type->rate) ? AUDIO_RATE : 8000;
	telephone->pt = type->pt;
	g_assert_true(udp_pair_open(LOOPBACK, 20000, 59999, &telephone->sockets, NULL));
	telephone->decoder = decoder_new(type, telephone->rate);
	telephone->encoder = encoder_new(type, telephone->rate);
	telephone->next.ssrc = 7;
	telephone->next.pt = type->pt;
	return telephone;
}

static void
telephone_free(Telephone *telephone)
{
	close(telephone->sockets.rtp);
	close(telephone->sockets.rtcp);
	decoder_free(telephone->decoder);
	encoder_free(telephone->encoder);
	g_free(telephone);
}

static void
say(Telephone *telephone)
{
	const guint samples = telephone->rate / 50;
	guint8 data[RTP_HEADER + CODER_MAX_PAYLOAD];
	gint16 pcm[CODER_MAX_SAMPLES];
	gsize size;

	for (guint i = 0; i < samples; i++) {
		pcm[i] = (gint16)lrint(8000 * sin(telephone->phase));
		telephone->phase += 2 * G_PI * SPOKEN_HZ / telephone->rate;
	}
	telephone->next.seq++;
	telephone->next.timestamp += telephone->type->clock / 50;
	rtp_write_header(data, &telephone->next);
	size = encoder_encode(telephone->encoder, pcm, samples, data + RTP_HEADER);
	g_assert_cmpint(sendto(telephone->sockets.rtp, data, RTP_HEADER + size, 0,
			       &telephone->gateway.any, telephone->gateway.length),
			>, 0);
}

/* One stream: nothing is missing in its numbers, and its time is that of its audio. */
static void
hear(Telephone *telephone, const guint8 *data, gsize length)
{
	gint16 pcm[CODER_MAX_SAMPLES];
	RtpPacket packet;
	guint samples;

	g_assert_true(rtp_parse(data, length, &packet));
	g_assert_cmpuint(packet.pt, ==, telephone->pt);
	if (telephone->packets++) {
		g_assert_cmpuint(packet.seq, ==, (guint16)(telephone->seq + 1));
		g_assert_cmpuint(packet.timestamp, ==,
				 telephone->timestamp + telephone->type->clock / 50);
	} else {
		g_assert_true(packet.marker);
	}
	telephone->seq = packet.seq;
	telephone->timestamp = packet.timestamp;
	samples = decoder_decode(telephone->decoder, packet.payload, packet.payload_size, pcm);
	g_assert_cmpuint(samples, ==, telephone->rate / 50);
	if (telephone->n + samples <= MOST) {
		memcpy(telephone->pcm + telephone->n, pcm, samples * sizeof *pcm);
		telephone->n += samples;
	}
}

static void
listen_to_gateway(Telephone *telephone)
{
	guint8 data[2048];
	ssize_t length;

	while ((length = recv(telephone->sockets.rtp, data, sizeof data, MSG_DONTWAIT)) > 0) {
		hear(telephone, data, (gsize)length);
		if (!telephone->silent)
			say(telephone);
	}
}

/* --- a call --- */

/* It takes linear samples as well, and is not told that we do. */
static Desc *
telephone_desc(const Call *call)
{
	g_autofree char *codecs = g_strconcat(call->codecs, ", 97 L16/16000", NULL);
	g_autoptr(Transport) transport = transport_new(TRANSPORT_RTP);

	g_strlcpy(transport->address, LOOPBACK, sizeof transport->address);
	transport->port = call->telephone->sockets.port;
	return desc_for_test(transport, codecs);
}

static void
connect_telephone(Call *call, Direction remote)
{
	Transport *ours = call->gateway->ports[call->port].ours;
	g_autoptr(Desc) local = desc_for_test(ours, call->codecs);
	g_autoptr(Desc) told = telephone_desc(call);
	g_autoptr(Desc) theirs = desc_turned(told, remote);

	media_connect(call->gateway->media, call->port, local, theirs);
	g_assert_true(net_address_parse(LOOPBACK, ours->port, &call->telephone->gateway));
}

static Call *
call_new(const char *codec)
{
	MediaOptions options = options_for_test();
	Call *call = g_new0(Call, 1);
	const CodecType *type = codec_type_named(codec);

	options.transcode = FALSE; /* that is about peers */
	call->workers = workers_with(&options);
	call->gateway = peer_new(call->workers);
	call->telephone = telephone_new(type);
	call->codecs =
		g_strdup_printf("%u %s/%u/%u", type->pt, type->name, type->clock, type->channels);
	call->port = peer_add(call->gateway, SIDE_CALLER, TRANSPORT_RTP);
	call->audio = peer_add(call->gateway, SIDE_CALLEE, TRANSPORT_NONE);
	peer_wait_up(call->gateway, call->audio);
	return call;
}

static void
call_free(Call *call)
{
	telephone_free(call->telephone);
	peer_free(call->gateway);
	workers_free(call->workers);
	g_free(call->codecs);
	g_free(call);
}

static gboolean
is_played(gpointer user)
{
	Call *call = user;

	listen_to_gateway(call->telephone);
	return call->gateway->ports[call->audio].played > 0;
}

static gboolean
has_heard(gpointer user)
{
	Call *call = user;

	listen_to_gateway(call->telephone);
	return call->telephone->n >= (NOTES * NOTE_MS + 200) * call->telephone->rate / 1000;
}

/* --- a tune: a note of its own each 100 ms, none of them twice in a row --- */

static double
note_hz(guint note)
{
	return 400 + 130.0 * (note * 7 % NOTES);
}

static Sound *
tune(void)
{
	const guint samples = NOTES * NOTE_MS * AUDIO_RATE / 1000;
	guint8 header[] =
		"RIFF....WAVEfmt \20\0\0\0\1\0\1\0\200\76\0\0\0\175\0\0\2\0\20\0data\377\377"
		"\377\377";
	g_autoptr(GByteArray) file = g_byte_array_new();
	Sound *sound;

	g_byte_array_append(file, header, sizeof header - 1);
	for (guint i = 0; i < samples; i++) {
		const double hz = note_hz(i * 1000 / AUDIO_RATE / NOTE_MS);
		const gint16 value = (gint16)lrint(8000 * sin(2 * G_PI * hz * i / AUDIO_RATE));

		g_byte_array_append(file, (const guint8 *)&value, 2);
	}
	sound = sound_parse(file->data, file->len, NULL);
	g_assert_nonnull(sound);
	g_assert_cmpuint(sound_ms(sound), ==, NOTES * NOTE_MS);
	return sound;
}

/* The share of a frequency in `n` samples. */
static double
share(const gint16 *pcm, guint n, guint rate, double hz)
{
	double re = 0, im = 0, all = 1;

	for (guint i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * G_PI * hz * i / rate);
		im += pcm[i] * sin(2 * G_PI * hz * i / rate);
		all += (double)pcm[i] * pcm[i];
	}
	return 2 * (re * re + im * im) / n / all;
}

/* Every note in its place, where the first sound of it is. */
static void
check_tune(const gint16 *pcm, guint n, guint rate)
{
	const guint length = rate * NOTE_MS / 1000;
	guint begin = 0;

	while (begin < n && ABS(pcm[begin]) < 500)
		begin++;
	for (guint note = 0; note < NOTES; note++) {
		/* the middle of it: a coder has a delay and an edge */
		const guint at = begin + note * length + length / 4;

		g_assert_cmpuint(at + length / 2, <=, n);
		g_assert_cmpfloat(share(pcm + at, length / 2, rate, note_hz(note)), >, 0.9);
	}
}

static void
test_played(gconstpointer codec)
{
	Call *call = call_new(codec);
	g_autoptr(Sound) sound = tune();

	call->telephone->silent = TRUE;
	connect_telephone(call, DIRECTION_SENDRECV);
	media_play(call->gateway->media, call->audio, audio_player(sound));
	media_join(call->gateway->media, call->port, call->audio);
	g_assert_true(wait_for(is_played, call, ENOUGH));
	/* then silence goes on */
	g_assert_true(wait_for(has_heard, call, ENOUGH));
	check_tune(call->telephone->pcm, call->telephone->n, call->telephone->rate);
	g_assert_cmpuint(call->gateway->ports[call->audio].played, ==, 1);
	g_assert_cmpuint(peer_query(call->gateway, call->port).packets_out, >=, SECONDS * 50);
	call_free(call);
}

/* --- what is recorded --- */

/* A recorder that is only memory. */
typedef struct {
	AudioSink sink; /* first */
	GArray *heard, *said;
	gint *freed;
} Tape;

static void
tape_push(AudioSink *sink, const gint16 *heard, const gint16 *said)
{
	Tape *tape = (Tape *)sink;

	g_array_append_vals(tape->heard, heard, AUDIO_FRAME);
	g_array_append_vals(tape->said, said, AUDIO_FRAME);
}

static void
tape_free(AudioSink *sink)
{
	g_atomic_int_inc(((Tape *)sink)->freed);
}

static void
tape_init(Tape *tape, gint *freed)
{
	tape->sink = (AudioSink){ tape_push, tape_free };
	tape->heard = g_array_new(FALSE, FALSE, sizeof(gint16));
	tape->said = g_array_new(FALSE, FALSE, sizeof(gint16));
	tape->freed = freed;
}

static void
tape_clear(Tape *tape)
{
	g_array_free(tape->heard, TRUE);
	g_array_free(tape->said, TRUE);
}

/* The share of 20 ms frames that are the telephone's tone, from when it is first heard. */
static double
share_of_tone(const GArray *heard)
{
	const gint16 *pcm = (const gint16 *)heard->data;
	guint at = 0, frames = 0, good = 0;

	while (at < heard->len && ABS(pcm[at]) < 2000)
		at++;
	for (; at + AUDIO_FRAME <= heard->len; at += AUDIO_FRAME, frames++)
		good += share(pcm + at, AUDIO_FRAME, AUDIO_RATE, SPOKEN_HZ) > 0.9;
	g_assert_cmpuint(frames, >=, SECONDS * 50 / 2);
	return (double)good / frames;
}

static void
test_recorded(gconstpointer codec)
{
	Call *call = call_new(codec);
	g_autoptr(Sound) sound = tune();
	gint freed = 0;
	Tape tape;

	tape_init(&tape, &freed);
	connect_telephone(call, DIRECTION_SENDRECV);
	media_play(call->gateway->media, call->audio, audio_player(sound));
	media_record(call->gateway->media, call->audio, &tape.sink);
	media_join(call->gateway->media, call->port, call->audio);
	g_assert_true(wait_for(is_played, call, ENOUGH));
	media_record(call->gateway->media, call->audio, NULL);
	peer_query(call->gateway, call->audio); /* it has come there */
	g_assert_cmpint(freed, ==, 1);
	g_assert_cmpuint(tape.heard->len, ==, tape.said->len);
	/* what was said is what was played, sample by sample */
	check_tune((const gint16 *)tape.said->data, tape.said->len, AUDIO_RATE);
	g_assert_cmpuint(tape.said->len / (AUDIO_RATE / 1000), >=, NOTES * NOTE_MS);
	/* a busy machine may have been late now and then, and has then heard a pause */
	g_assert_cmpfloat(share_of_tone(tape.heard), >, 0.8);
	tape_clear(&tape);
	call_free(call);
}

/* --- who cannot hear has missed nothing --- */

static gboolean
has_ticked(gpointer user)
{
	const Tape *tape = user;

	return g_atomic_int_get(tape->freed) > 0;
}

/* A tape that is full after so many frames. */
static void
full_push(AudioSink *sink, const gint16 *heard, const gint16 *said)
{
	Tape *tape = (Tape *)sink;

	tape_push(sink, heard, said);
	if (tape->said->len == 10 * AUDIO_FRAME)
		g_atomic_int_inc(tape->freed);
}

static void
test_waits(void)
{
	Call *call = call_new("PCMU");
	g_autoptr(Sound) sound = tune();
	gint full = 0, freed = 0;
	Tape tape;

	tape_init(&tape, &full);
	tape.sink.push = full_push;
	call->telephone->silent = TRUE;
	connect_telephone(call, DIRECTION_INACTIVE);
	media_play(call->gateway->media, call->audio, audio_player(sound));
	media_record(call->gateway->media, call->audio, &tape.sink);
	media_join(call->gateway->media, call->port, call->audio);
	/* ten frames have passed, and nobody could hear them */
	g_assert_true(wait_for(has_ticked, &tape, ENOUGH));
	tape.freed = &freed;
	media_record(call->gateway->media, call->audio, NULL);
	listen_to_gateway(call->telephone);
	g_assert_cmpuint(call->telephone->packets, ==, 0);
	connect_telephone(call, DIRECTION_SENDRECV);
	g_assert_true(wait_for(is_played, call, ENOUGH));
	g_assert_true(wait_for(has_heard, call, ENOUGH));
	check_tune(call->telephone->pcm, call->telephone->n, call->telephone->rate);
	for (guint i = 0; i < tape.said->len; i++)
		g_assert_cmpint(g_array_index(tape.said, gint16, i), ==, 0);
	tape_clear(&tape);
	call_free(call);
}

/* --- who is joined with somebody else hears no more of it, and it costs nothing --- */

static gboolean
hears_ten(gpointer user)
{
	Call *call = user;

	listen_to_gateway(call->telephone);
	return call->telephone->packets >= 10;
}

static void
test_parted(void)
{
	Call *call = call_new("PCMA");
	const PortId other = peer_add(call->gateway, SIDE_CALLEE, TRANSPORT_RTP);
	guint64 said;

	call->telephone->silent = TRUE;
	connect_telephone(call, DIRECTION_SENDRECV);
	media_play(call->gateway->media, call->audio, audio_tone(TONE_RINGBACK, "DE"));
	media_join(call->gateway->media, call->port, call->audio);
	g_assert_true(wait_for(hears_ten, call, ENOUGH));
	media_join(call->gateway->media, call->port, other);
	said = peer_query(call->gateway, call->audio).packets_in;
	listen_to_gateway(call->telephone);
	g_assert_cmpuint(call->telephone->packets, ==, said);
	/* a tone goes on for ever, but for nobody it does not */
	g_assert_cmpuint(peer_query(call->gateway, call->audio).packets_in, ==, said);
	media_drop_port(call->gateway->media, call->audio);
	call_free(call);
}

/* A tone for one port alone, until it is joined with somebody. */
static void
test_played_to(void)
{
	Call *call = call_new("PCMA");
	const PortId other = peer_add(call->gateway, SIDE_CALLEE, TRANSPORT_RTP);
	const guint window = 8000 / 10;
	guint heard;

	call->telephone->silent = TRUE;
	connect_telephone(call, DIRECTION_SENDRECV);
	media_play_to(call->gateway->media, 7, audio_tone(TONE_BUSY, NULL)); /* to nobody */
	media_play_to(call->gateway->media, call->port, audio_tone(TONE_BUSY, NULL));
	media_play_to(call->gateway->media, call->port, audio_tone(TONE_RINGBACK, "US"));
	g_assert_true(wait_for(hears_ten, call, ENOUGH));
	g_assert_cmpfloat(share(call->telephone->pcm + 400, window, 8000, 440), >, 0.4);
	g_assert_cmpfloat(share(call->telephone->pcm + 400, window, 8000, 480), >, 0.4);
	media_join(call->gateway->media, call->port, other);
	heard = (guint)peer_query(call->gateway, call->port).packets_out;
	listen_to_gateway(call->telephone);
	g_assert_cmpuint(call->telephone->packets, ==, heard);
	g_assert_cmpuint(peer_query(call->gateway, call->port).packets_out, ==, heard);
	/* nobody has been told of the ports that it was played from */
	g_assert_cmpuint(call->gateway->ports[call->port].losses, ==, 0);
	call_free(call);
}

/* What comes too early, too late, twice or to no port is freed all the same. */
static void
test_owned(void)
{
	Call *call = call_new("PCMU");
	gint freed = 0;
	Tape tapes[4];

	for (guint i = 0; i < G_N_ELEMENTS(tapes); i++)
		tape_init(&tapes[i], &freed);
	media_record(call->gateway->media, 7, &tapes[0].sink);		/* no such port */
	media_record(call->gateway->media, call->port, &tapes[1].sink); /* one with a peer */
	media_record(call->gateway->media, call->audio, &tapes[2].sink);
	media_record(call->gateway->media, call->audio, &tapes[3].sink);
	media_play(call->gateway->media, call->port, audio_tone(TONE_BUSY, NULL));
	media_play(call->gateway->media, 7, audio_tone(TONE_BUSY, NULL));
	peer_query(call->gateway, call->audio);
	g_assert_cmpint(g_atomic_int_get(&freed), ==, 3);
	call_free(call);
	g_assert_cmpint(freed, ==, 4);
	for (guint i = 0; i < G_N_ELEMENTS(tapes); i++)
		tape_clear(&tapes[i]);
}

int
main(int argc, char **argv)
{
	static const char *const codecs[] = { "PCMU", "PCMA", "G722", "opus" };

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(codecs); i++) {
		g_autofree char *played = g_strconcat("/audio/played/", codecs[i], NULL);
		g_autofree char *recorded = g_strconcat("/audio/recorded/", codecs[i], NULL);

		g_test_add_data_func(played, codecs[i], test_played);
		g_test_add_data_func(recorded, codecs[i], test_recorded);
	}
	g_test_add_func("/audio/waits", test_waits);
	g_test_add_func("/audio/parted", test_parted);
	g_test_add_func("/audio/played-to", test_played_to);
	g_test_add_func("/audio/owned", test_owned);
	return g_test_run();
}
