/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-transcode.c - any packets made from some codecs into another.
 *
 * The first byte says into which codec, and 20 ms or 60.  Then, packet after packet: which codec
 * it is of and what is done with it, the step of its number (two bytes) and of its timestamp
 * (four), that of the clock (in ms), a length, so many bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include "media/bytes.h"
#include "media/transcode.h"

#define HEADER	     9
#define MAX_CONCEALS (8 * 10) /* so many wait behind gaps, of 100 ms each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the first byte of a packet says beside its codec. */
enum { REST = 0x10, PASS = 0x20, MODES = 0x40, ASK = 0x80 };

/* Those that were left out when this was built are another. */
static const CodecType *
codec(guint number)
{
	static const char *const names[] = {
		"opus", "G722", "PCMU", "PCMA", "G729", "AMR", "AMR-WB"
	};
	const CodecType *type = codec_type_named(names[number % G_N_ELEMENTS(names)]);

	return type ? type : codec_type_named("PCMU");
}

/* What comes out is never longer than what there was time for, twice over. */
static void
take(Transcoder *transcoder, const CodecType *to)
{
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;

	while (transcoder_pull(transcoder, payload, &frame))
		if (frame.size == 0 || frame.size > sizeof payload || frame.units == 0 ||
		    frame.units > to->clock)
			abort();
}

/* No packet is worth more than so much work. */
static void
push(Transcoder *transcoder, const CodecType *from, const RtpPacket *packet, gint64 now)
{
	TranscoderStats before, after;

	transcoder_stats(transcoder, &before);
	transcoder_push(transcoder, from, packet, packet->payload_size * 100, now);
	transcoder_stats(transcoder, &after);
	if (after.concealed - before.concealed > MAX_CONCEALS)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RtpPacket packet = { .ssrc = 1 };
	Transcoder *transcoder;
	const CodecType *to;
	gint64 now = 0;

	if (size == 0)
		return 0;
	to = codec(data[0] & 0xf);
	transcoder = transcoder_new(to, data[0] >> 4 & 1 ? 60 : 20);
	for (size_t at = 1; at + HEADER <= size;) {
		const guint8 *head = data + at, what = head[0];
		const size_t length = MIN((size_t)head[8], size - at - HEADER);

		packet.seq = (guint16)(packet.seq + get16(head + 1));
		packet.timestamp += get32(head + 3);
		now += (gint64)head[7] * 1000;
		packet.payload = head + HEADER;
		packet.payload_size = length;
		if (what & REST)
			transcoder_rest(transcoder);
		if (what & MODES)
			transcoder_set_modes(transcoder, &(CodecModes){ .set = head[2],
									.period = what & 3,
									.neighbor = what & 1,
									.dtx = what & 2 });
		if (what & ASK)
			transcoder_ask(transcoder, transcoder_asked(transcoder));
		if (what & PASS)
			transcoder_pass(transcoder, &packet);
		else
			push(transcoder, codec(what & 0xf), &packet, now);
		transcoder_tick(transcoder, now);
		take(transcoder, to);
		at += HEADER + length;
	}
	transcoder_set_loss(transcoder, data[0]);
	transcoder_free(transcoder);
	return 0;
}
