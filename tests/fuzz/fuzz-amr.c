/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-amr.c - a payload of AMR or AMR-WB, in one of its two formats.
 *
 * The first byte says which.  What is read is written, and read again the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "media/amr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const CodecType types[] = {
		{ .kind = CODEC_AMR },
		{ .kind = CODEC_AMR, .octet_aligned = TRUE },
		{ .kind = CODEC_AMR_WB },
		{ .kind = CODEC_AMR_WB, .octet_aligned = TRUE },
	};
	guint8 written[1 + AMR_MAX_FRAMES * AMR_MAX_FRAME];
	const CodecType *type;
	AmrPayload amr, again;
	AmrSender sender;
	gsize length;

	if (size == 0)
		return 0;
	type = &types[data[0] & 3];
	if (!amr_read(type, data + 1, size - 1, &amr))
		return 0;
	length = amr_write(type, &amr, written);
	if (amr.n == 0 || amr.n > AMR_MAX_FRAMES || length > size - 1 ||
	    !amr_read(type, written, length, &again) || memcmp(&amr, &again, sizeof amr) != 0)
		abort();
	amr_sender_init(
		&sender, type,
		&(CodecModes){ .set = (guint16)(data[0] << 2), .period = 2, .neighbor = TRUE });
	amr_sender_ask(&sender, amr.request);
	for (guint i = 0; i < 20; i++)
		if (amr_frame_size(type, amr_sender_next(&sender)) < 13)
			abort();
	return 0;
}
