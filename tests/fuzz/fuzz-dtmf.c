/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-dtmf.c - events: records of a timestamp (2 bytes), a marker and a payload. */
#include <stdint.h>
#include <stdlib.h>
#include "media/dtmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DtmfReceiver receiver = { 0 };
	DtmfSender sender;
	DtmfPacket out;
	guint ticks = 0;

	dtmf_sender_init(&sender, 48000);
	for (; size >= 3; data += MIN(size, 7), size -= MIN(size, 7)) {
		RtpPacket packet = {
			.timestamp = (guint32)(data[0] << 8 | data[1]) << 4,
			.marker = data[2] & 1,
			.ssrc = data[2] >> 6,
			.payload = data + 3,
			.payload_size = MIN(size - 3, DTMF_PAYLOAD),
		};
		char digit = dtmf_receive(&receiver, &packet);

		/* what was heard can be said; a letter that is none cannot */
		if (digit && sender.n_queued < DTMF_QUEUE && !dtmf_sender_push(&sender, digit))
			abort();
		dtmf_sender_push(&sender, (char)data[2]);
	}
	while (dtmf_sender_busy(&sender)) {
		dtmf_sender_tick(&sender, ticks * 960, &out);
		if (++ticks > DTMF_QUEUE * 20)
			abort();
	}
	return 0;
}
