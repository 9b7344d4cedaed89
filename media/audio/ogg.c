/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ogg.c - an Ogg file with Opus in it, by libopusfile. */
#include "media/audio/ogg.h"
#include <gio/gio.h>
#include <opusfile.h>
#include <string.h>

#define RATE  48000 /* of whatever libopusfile gives */
#define BLOCK (RATE / 1000 * 120)
#define HOLES 100 /* damages, before it is given up */

gboolean
ogg_is(const guint8 *data, gsize size)
{
	return size >= 4 && memcmp(data, "OggS", 4) == 0;
}

/* As two channels, then as one. */
static gboolean
read_all(OggOpusFile *file, Gather *gather, GError **error)
{
	gint16 pcm[2 * BLOCK];
	guint holes = 0;
	int n;

	while ((n = op_read_stereo(file, pcm, 2 * BLOCK)) != 0) {
		if (n == OP_HOLE && ++holes < HOLES)
			continue;
		if (n < 0) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
				    "the Ogg file is damaged");
			return FALSE;
		}
		for (int i = 0; i < n; i++)
			pcm[i] = (gint16)((pcm[2 * i] + pcm[2 * i + 1]) / 2);
		if (!gather_add(gather, pcm, (guint)n)) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
				    "the Ogg file is too long");
			return FALSE;
		}
	}
	return TRUE;
}

Gather *
ogg_gather(const guint8 *data, gsize size, GError **error)
{
	int why = 0;
	OggOpusFile *file = op_open_memory(data, size, &why);
	Gather *gather;

	if (!file) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			    why == OP_ENOTFORMAT || why == OP_EBADHEADER
				    ? "the Ogg file has no Opus in it"
				    : "the Ogg file is damaged");
		return NULL;
	}
	gather = gather_new(RATE);
	if (gather && !read_all(file, gather, error))
		g_clear_pointer(&gather, gather_free);
	op_free(file);
	return gather;
}
