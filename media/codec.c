/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* codec.c - the table of codecs. */
#include <config.h>
#include "media/codec.h"

/* RFC 7587 6.1: what is not said of Opus is mono, or stereo, as the sender likes; a
 * telephone has one ear.  In-band FEC costs nothing to take. */
#define OPUS_PARAMS   "minptime=10;useinbandfec=1"
#define EVENTS_PARAMS "0-15"
#define G729_PARAMS   "annexb=no" /* RFC 4856 2.1.9: no silence is to be left out */
/* RFC 4867 8.1: modes may have to wait for every second frame. */
#define AMR_PARAMS    "mode-change-capability=2"
#define OCTETS_PARAMS "octet-align=1;" AMR_PARAMS
#define AMR_MS	      20

#define USUAL	     FALSE, FALSE, 0
#define NAMED	     TRUE, FALSE
#define NAMED_OCTETS TRUE, TRUE

static const CodecType types[] = {
	{ CODEC_OPUS, "opus", 48000, 2, 48000, 111, TRUE, OPUS_PARAMS, USUAL },
	{ CODEC_G722, "G722", 8000, 1, 16000, 9, FALSE, NULL, USUAL }, /* RFC 3551 4.5.2 */
#if HAVE_AMR_WB
	{ CODEC_AMR_WB, "AMR-WB", 16000, 1, 16000, 104, FALSE, AMR_PARAMS, NAMED, AMR_MS },
	{ CODEC_AMR_WB, "AMR-WB", 16000, 1, 16000, 105, FALSE, OCTETS_PARAMS, NAMED_OCTETS,
	  AMR_MS },
#endif
	{ CODEC_PCMU, "PCMU", 8000, 1, 8000, 0, TRUE, NULL, USUAL },
	{ CODEC_PCMA, "PCMA", 8000, 1, 8000, 8, TRUE, NULL, USUAL },
#if HAVE_AMR
	{ CODEC_AMR, "AMR", 8000, 1, 8000, 102, FALSE, AMR_PARAMS, NAMED, AMR_MS },
	{ CODEC_AMR, "AMR", 8000, 1, 8000, 103, FALSE, OCTETS_PARAMS, NAMED_OCTETS, AMR_MS },
#endif
#if HAVE_G729
	{ CODEC_G729, "G729", 8000, 1, 8000, 18, FALSE, G729_PARAMS, NAMED, 10 },
#endif
	{ CODEC_EVENT, "telephone-event", 48000, 1, 0, 110, FALSE, EVENTS_PARAMS, USUAL },
	{ CODEC_EVENT, "telephone-event", 16000, 1, 0, 109, FALSE, EVENTS_PARAMS, USUAL },
	{ CODEC_EVENT, "telephone-event", 8000, 1, 0, 101, TRUE, EVENTS_PARAMS, USUAL },
};

static const CodecType linear = { CODEC_LINEAR, "L16", 16000, 1, 16000, 96, FALSE, NULL, USUAL };

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

char *
codec_names(void)
{
	GString *names = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
		if (types[i].kind == CODEC_EVENT || (i && types[i].kind == types[i - 1].kind))
			continue;
		g_string_append_printf(names, "%s%s", names->len ? " " : "", types[i].name);
	}
	return g_string_free(names, FALSE);
}
