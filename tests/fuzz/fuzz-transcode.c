/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-transcode.c - any packets made from one codec into another.
 *
 * The first byte says which codecs.  Then, packet after packet: the step of the number, of
 * the timestamp (in 2.5 ms of 48 kHz) and of the clock (in ms), a length, so many bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include "media/transcode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "opus", "G722", "PCMU", "PCMA" };

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const CodecType *from, *to;
	Transcoder *transcoder;
	RtpPacket packet = { .ssrc = 1 };
	gint64 now = 0;

	if (size == 0)
		return 0;
	from = codec_type_named(names[data[0] & 3]);
	to = codec_type_named(names[data[0] >> 2 & 3]);
	transcoder = transcoder_new(to, data[0] >> 4 & 1 ? 60 : 20);
	for (size_t at = 1; at + 4 <= size;) {
		const guint8 *step = data + at;
		const size_t length = MIN((size_t)step[3], size - at - 4);

		packet.seq = (guint16)(packet.seq + (gint8)step[0]);
		packet.timestamp += (guint32)step[1] * 120;
		now += (gint64)step[2] * 1000;
		packet.payload = step + 4;
		packet.payload_size = length;
		if (step[2] & 1)
			transcoder_pass(transcoder, &packet);
		else
			transcoder_push(transcoder, from, &packet, (guint32)step[2] * 100, now);
		transcoder_tick(transcoder, now);
		take(transcoder, to);
		at += 4 + length;
	}
	transcoder_set_loss(transcoder, data[0]);
	transcoder_free(transcoder);
	return 0;
}
