/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fmtp.c - the parameters of a codec, read. */
#include "media/fmtp.h"
#include <string.h>

#define MODE_SET "mode-set"

/* NULL: not said. */
static const char *
param(const Codec *codec, const char *name)
{
	for (guint i = 0; i < codec->params->len; i++) {
		const CodecParam *one = g_ptr_array_index(codec->params, i);

		if (g_ascii_strcasecmp(one->name, name) == 0)
			return one->value;
	}
	return NULL;
}

static guint
number(const Codec *codec, const char *name)
{
	const char *value = param(codec, name);

	return value ? (guint)MIN(g_ascii_strtoull(value, NULL, 10), 255) : 0;
}

static gboolean
is_amr(const CodecType *type)
{
	return type->kind == CODEC_AMR || type->kind == CODEC_AMR_WB;
}

const CodecType *
codec_type_of(const Codec *codec)
{
	const CodecType *type = codec_type(codec->name, codec->rate, codec->channels);
	const CodecType *types;
	guint n;

	if (!type || !is_amr(type))
		return type;
	if (number(codec, "crc") || number(codec, "robust-sorting") || param(codec, "interleaving"))
		return NULL;
	types = codec_types(&n);
	for (guint i = 0; i < n; i++)
		if (types[i].kind == type->kind &&
		    types[i].octet_aligned == (number(codec, "octet-align") == 1))
			return &types[i];
	return NULL;
}

void
codec_modes_of(const Codec *codec, CodecModes *modes)
{
	const char *set = param(codec, MODE_SET);
	g_auto(GStrv) each = g_strsplit(set ? set : "", ",", -1);

	*modes = (CodecModes){ .period = (guint8)CLAMP(number(codec, "mode-change-period"), 1, 2),
			       .neighbor = number(codec, "mode-change-neighbor") == 1,
			       .dtx = number(codec, "usedtx") == 1 };
	for (char **mode = each; *mode; mode++) {
		const char *digit = g_strstrip(*mode);

		if (g_ascii_isdigit(digit[0]) && !digit[1])
			modes->set |= (guint16)(1 << (digit[0] - '0'));
	}
}

void
codec_repeat_modes(Codec *answer, const Codec *offered)
{
	const char *set = param(offered, MODE_SET);

	if (set)
		codec_add_param(answer, MODE_SET, set);
}
