/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* codec.c - the table of codecs. */
#include "media/codec.h"

/* RFC 7587 6.1: what is not said of Opus is mono, or stereo, as the sender likes; a
 * telephone has one ear.  In-band FEC costs nothing to take. */
#define OPUS_PARAMS   "minptime=10;useinbandfec=1"
#define EVENTS_PARAMS "0-15"

static const CodecType types[] = {
	{ CODEC_OPUS, "opus", 48000, 2, 48000, 111, TRUE, OPUS_PARAMS },
	{ CODEC_G722, "G722", 8000, 1, 16000, 9, FALSE, NULL }, /* RFC 3551 4.5.2 */
	{ CODEC_PCMU, "PCMU", 8000, 1, 8000, 0, TRUE, NULL },
	{ CODEC_PCMA, "PCMA", 8000, 1, 8000, 8, TRUE, NULL },
	{ CODEC_EVENT, "telephone-event", 48000, 1, 0, 110, FALSE, EVENTS_PARAMS },
	{ CODEC_EVENT, "telephone-event", 8000, 1, 0, 101, TRUE, EVENTS_PARAMS },
};

static const CodecType linear = { CODEC_LINEAR, "L16", 16000, 1, 16000, 96, FALSE, NULL };

static gboolean
is_type(const CodecType *type, const char *name, guint32 clock, guint8 channels)
{
	return type->clock == clock && type->channels == channels &&
	       g_ascii_strcasecmp(type->name, name) == 0;
}

const CodecType *
codec_type(const char *name, guint32 clock, guint8 channels)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (is_type(&types[i], name, clock, channels))
			return &types[i];
	return is_type(&linear, name, clock, channels) ? &linear : NULL;
}

const CodecType *
codec_type_named(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_ascii_strcasecmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

const CodecType *
codec_types(guint *n)
{
	*n = G_N_ELEMENTS(types);
	return types;
}
