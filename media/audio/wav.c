/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* wav.c - a WAV file, chunk after chunk. */
#include "media/audio/wav.h"
#include <gio/gio.h>
#include <string.h>
#include "media/g711.h"

#define HEADER	     12
#define CHUNK	     8
#define FMT	     16 /* of its chunk, the least */
#define FMT_EXTENDED 26 /* the first two bytes of its sub-format included */
#define MAX_CHANNELS 8
#define BLOCK	     512 /* samples of each channel */

enum { WAV_PCM = 1, WAV_ALAW = 6, WAV_ULAW = 7, WAV_EXTENDED = 0xfffe };

typedef struct {
	guint format, channels, rate, bits;
} WavFormat;

/* Of little end. */
static guint
le16(const guint8 *at)
{
	return (guint)at[0] | (guint)at[1] << 8;
}

static guint32
le32(const guint8 *at)
{
	return le16(at) | (guint32)le16(at + 2) << 16;
}

gboolean
wav_is(const guint8 *data, gsize size)
{
	return size >= HEADER && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WAVE", 4) == 0;
}

static gboolean
refuse(GError **error, const char *why)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s", why);
	return FALSE;
}

static gboolean
read_format(const guint8 *data, gsize size, WavFormat *format, GError **error)
{
	if (size < FMT)
		return refuse(error, "the WAV file does not say what it is made of");
	format->format = le16(data);
	format->channels = le16(data + 2);
	format->rate = le32(data + 4);
	format->bits = le16(data + 14);
	if (format->format == WAV_EXTENDED && size >= FMT_EXTENDED)
		format->format = le16(data + 24);
	if (format->channels == 0 || format->channels > MAX_CHANNELS)
		return refuse(error, "a WAV file must have 1 to 8 channels");
	if (format->rate < GATHER_MIN_RATE || format->rate > GATHER_MAX_RATE)
		return refuse(error, "a WAV file must have 4000 to 192000 samples a second");
	if ((format->format == WAV_PCM && format->bits == 16) ||
	    ((format->format == WAV_ALAW || format->format == WAV_ULAW) && format->bits == 8))
		return TRUE;
	return refuse(error, "a WAV file must be of 16 bits linear, A-law or mu-law");
}

static gint16
read_sample(const WavFormat *format, const guint8 *at)
{
	if (format->format == WAV_PCM)
		return (gint16)le16(at);
	return law_decode(format->format == WAV_ULAW ? LAW_U : LAW_A, *at);
}

static gboolean
read_samples(Gather *gather, const WavFormat *format, const guint8 *data, gsize size)
{
	const gsize width = format->bits / 8, step = width * format->channels;
	gint16 pcm[BLOCK];
	guint n = 0;

	for (gsize at = 0; at + step <= size; at += step) {
		gint sum = 0;

		for (guint i = 0; i < format->channels; i++)
			sum += read_sample(format, data + at + i * width);
		pcm[n++] = (gint16)(sum / (gint)format->channels);
		if (n < BLOCK)
			continue;
		if (!gather_add(gather, pcm, n))
			return FALSE;
		n = 0;
	}
	return gather_add(gather, pcm, n);
}

Gather *
wav_gather(const guint8 *data, gsize size, GError **error)
{
	WavFormat format = { 0 };
	Gather *gather = NULL;
	gsize length;

	for (gsize at = HEADER; at + CHUNK <= size && !gather; at += length + (length & 1)) {
		const guint8 *chunk = data + at;

		at += CHUNK;
		length = MIN((gsize)le32(chunk + 4), size - at);
		if (memcmp(chunk, "fmt ", 4) == 0 &&
		    !read_format(data + at, length, &format, error))
			return NULL;
		if (memcmp(chunk, "data", 4) != 0)
			continue;
		if (!format.rate) {
			refuse(error, "the WAV file does not say what it is made of");
			return NULL;
		}
		gather = gather_new(format.rate);
		if (gather && read_samples(gather, &format, data + at, length))
			return gather;
		g_clear_pointer(&gather, gather_free);
		refuse(error, "the WAV file is too long");
		return NULL;
	}
	refuse(error, "the WAV file has no audio");
	return NULL;
}
