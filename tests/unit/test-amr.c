/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-amr.c - payloads of AMR and AMR-WB, their parameters, and which mode is sent next. */
#include "media/amr.h"
#include "media/fmtp.h"
#include <string.h>

static Codec *
codec_with(Stream *stream, const char *name, guint32 clock, const char *params)
{
	g_auto(GStrv) each = g_strsplit(params, ";", -1);
	Codec *codec = stream_add_codec(stream, 96, name, clock, 1);

	for (char **one = each; *one; one++) {
		g_auto(GStrv) half = g_strsplit(*one, "=", 2);

		codec_add_param(codec, half[0], half[1]);
	}
	return codec;
}

static const CodecType *
type_with(const char *name, guint32 clock, const char *params)
{
	g_autoptr(Desc) desc = desc_new();

	return codec_type_of(
		codec_with(desc_add_stream(desc, STREAM_AUDIO, NULL), name, clock, params));
}

static const CodecType *
narrow(gboolean octets)
{
	return type_with("AMR", 8000, octets ? "octet-align=1" : "");
}

static const CodecType *
wide(gboolean octets)
{
	return type_with("AMR-WB", 16000, octets ? "octet-align=1" : "");
}

/* --- the payloads of RFC 4867 4.3.5.1, 4.3.5.2, 4.4.5.1 and 4.4.5.2, with bits of our own --- */

typedef struct {
	const char *name;
	gboolean is_wide, octets;
	guint8 request, n;
	guint8 types[4];
	gsize size;
	guint8 head[6]; /* what a reader of the RFC gets by hand */
} Example;

static const Example examples[] = {
	/* one frame of 7.4 kbit/s, no request: 4 + 6 + 148 bits */
	{ "/amr/single-bits", FALSE, FALSE, 15, 1, { 4 }, 20, { 0xf2, 0x7f } },
	/* WB, 6.6 and 8.85 kbit/s, asked for 8.85: 4 + 2 * 6 + 132 + 177 bits, 3 of padding */
	{ "/amr/several-bits", TRUE, FALSE, 1, 2, { 0, 1 }, 41, { 0x18, 0x43, 0xff } },
	/* 6 asked for; 5.9, then nothing, then comfort noise */
	{ "/amr/sid-octets",
	  FALSE,
	  TRUE,
	  6,
	  3,
	  { 2, 15, 8 },
	  1 + 3 + 15 + 5,
	  { 0x60, 0x94, 0xfc, 0x44 } },
	{ "/amr/single-octets", TRUE, TRUE, 15, 1, { 8 }, 1 + 1 + 60, { 0xf0, 0x44, 0xff } },
	{ "/amr/lost-wide", TRUE, FALSE, 15, 2, { 14, 9 }, 7, { 0xff, 0x53, 0xff } },
};

static void
fill(const CodecType *type, AmrFrame *frame, guint8 frame_type)
{
	static const guint bits[2][16] = {
		{ 95, 103, 118, 134, 148, 159, 204, 244, 39 },
		{ 132, 177, 253, 285, 317, 365, 397, 461, 477, 40 },
	};
	const guint n = bits[type->kind == CODEC_AMR_WB][frame_type];

	memset(frame, 0, sizeof *frame);
	frame->bytes[0] = (guint8)(frame_type << 3 | 1 << 2);
	for (guint i = 0; i < n; i++)
		frame->bytes[1 + i / 8] |= (guint8)(0x80 >> i % 8);
	g_assert_cmpuint(amr_frame_size(type, frame_type), ==, 1 + (n + 7) / 8);
}

static void
test_example(gconstpointer data)
{
	const Example *example = data;
	const CodecType *type = example->is_wide ? wide(example->octets) : narrow(example->octets);
	AmrPayload amr = { .request = example->request, .n = example->n }, back;
	guint8 payload[1 + AMR_MAX_FRAMES * AMR_MAX_FRAME];

	g_assert_nonnull(type);
	for (guint i = 0; i < amr.n; i++)
		fill(type, &amr.frames[i], example->types[i]);
	g_assert_cmpuint(amr_write(type, &amr, payload), ==, example->size);
	for (guint i = 0; i < sizeof example->head && example->head[i]; i++)
		g_assert_cmphex(payload[i], ==, example->head[i]);
	g_assert_true(amr_read(type, payload, example->size, &back));
	g_assert_cmpmem(&back, sizeof back, &amr, sizeof amr);
	g_assert_false(amr_read(type, payload, example->size - 1, &back));
	g_assert_true(amr_frame_is_sid(type, &amr.frames[amr.n - 1]) ==
		      (example->types[amr.n - 1] == (example->is_wide ? 9 : 8)));
}

/* Reserved types make the packet unreadable; a reserved request says nothing. */
static void
test_reserved(void)
{
	AmrPayload amr;
	const guint8 reserved[] = { 0xf0, 0x4c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }; /* 9 */
	const guint8 request[] = { 0xa0, 0x7c };
	const guint8 many[] = { 0xf0, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
				0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0x7c };
	const guint8 damaged[] = { 0xf0, 0x40, 1, 2, 3, 4, 5 };

	g_assert_false(amr_read(narrow(TRUE), reserved, sizeof reserved, &amr));
	g_assert_true(amr_read(narrow(TRUE), request, sizeof request, &amr));
	g_assert_cmpuint(amr.request, ==, AMR_NO_REQUEST);
	g_assert_cmpuint(amr_frame_type(&amr.frames[0]), ==, AMR_NO_DATA);
	g_assert_false(amr_read(narrow(TRUE), many, sizeof many, &amr));
	g_assert_true(amr_read(narrow(TRUE), many + 1, sizeof many - 1, &amr));
	g_assert_cmpuint(amr.n, ==, AMR_MAX_FRAMES);
	g_assert_false(amr_read(narrow(TRUE), NULL, 0, &amr));
	g_assert_true(amr_read(narrow(TRUE), damaged, sizeof damaged, &amr));
	g_assert_cmphex(amr.frames[0].bytes[0], ==, 8 << 3);
}

/* --- parameters --- */

static void
test_formats(void)
{
	g_assert_nonnull(narrow(FALSE));
	g_assert_true(narrow(FALSE) != narrow(TRUE));
	g_assert_true(narrow(FALSE) == type_with("amr", 8000, "octet-align=0;mode-set=7"));
	g_assert_true(narrow(FALSE) == codec_type_named("AMR"));
	g_assert_true(wide(TRUE)->octet_aligned);
	g_assert_null(type_with("AMR", 16000, ""));
	/* what we do not read is left out of every answer */
	g_assert_null(type_with("AMR", 8000, "octet-align=1;crc=1"));
	g_assert_null(type_with("AMR", 8000, "octet-align=1;robust-sorting=1"));
	g_assert_null(type_with("AMR-WB", 16000, "interleaving=8"));
	g_assert_true(wide(FALSE) == type_with("AMR-WB", 16000, "crc=0;robust-sorting=0"));
	g_assert_nonnull(type_with("telephone-event", 16000, ""));
}

static void
test_modes(void)
{
	g_autoptr(Desc) desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, NULL);
	CodecModes modes;

	codec_modes_of(codec_with(stream, "AMR", 8000,
				  "mode-set=0,2, 5,7;mode-change-period=2;mode-change-neighbor=1"),
		       &modes);
	g_assert_cmphex(modes.set, ==, 0xa5);
	g_assert_cmpuint(modes.period, ==, 2);
	g_assert_true(modes.neighbor);
	codec_modes_of(codec_with(stream, "AMR", 8000, "mode-set=x,77,-1;mode-change-period=99"),
		       &modes);
	g_assert_cmphex(modes.set, ==, 0);
	codec_modes_of(codec_with(stream, "AMR", 8000, ""), &modes);
	g_assert_cmphex(modes.set, ==, 0);
	g_assert_cmpuint(modes.period, ==, 1);
	g_assert_false(modes.neighbor);
}

/* --- the mode that is sent --- */

static void
assert_sends(AmrSender *sender, const char *wanted)
{
	g_autoptr(GString) sent = g_string_new(NULL);

	for (gsize i = 0; i < strlen(wanted); i++)
		g_string_append_printf(sent, "%u", amr_sender_next(sender));
	g_assert_cmpstr(sent->str, ==, wanted);
}

static void
test_sender(void)
{
	AmrSender sender;
	CodecModes modes = { 0 };

	amr_sender_init(&sender, narrow(FALSE), &modes);
	assert_sends(&sender, "77");
	amr_sender_ask(&sender, 2);
	assert_sends(&sender, "22");
	amr_sender_init(&sender, wide(FALSE), &modes);
	assert_sends(&sender, "88");
	/* from the set alone: the best that is not above */
	modes.set = 1 << 0 | 1 << 2 | 1 << 5;
	amr_sender_init(&sender, narrow(FALSE), &modes);
	assert_sends(&sender, "55");
	amr_sender_ask(&sender, 4);
	assert_sends(&sender, "22");
	modes.set = 1 << 3 | 1 << 4;
	amr_sender_init(&sender, narrow(FALSE), &modes);
	amr_sender_ask(&sender, 1);
	assert_sends(&sender, "33");
	modes.set = 1 << 8; /* of AMR-WB: none of AMR */
	amr_sender_init(&sender, narrow(FALSE), &modes);
	assert_sends(&sender, "77");
}

static void
test_sender_slow(void)
{
	AmrSender sender;
	const CodecModes neighbor = { 1 << 0 | 1 << 2 | 1 << 5 | 1 << 7, 1, TRUE, FALSE };
	const CodecModes second = { 0, 2, FALSE, FALSE };
	const CodecModes both = { 0xff, 2, TRUE, FALSE };

	amr_sender_init(&sender, narrow(FALSE), &neighbor);
	amr_sender_ask(&sender, 0);
	assert_sends(&sender, "5200");
	amr_sender_ask(&sender, 7);
	assert_sends(&sender, "2577");
	amr_sender_init(&sender, narrow(FALSE), &second);
	assert_sends(&sender, "77");
	amr_sender_ask(&sender, 1);
	assert_sends(&sender, "7111");
	amr_sender_init(&sender, narrow(FALSE), &both);
	amr_sender_ask(&sender, 4);
	assert_sends(&sender, "7665544");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	if (!codec_type_named("AMR") || !codec_type_named("AMR-WB")) {
		g_print("1..0 # SKIP built without AMR\n");
		return 0;
	}
	for (guint i = 0; i < G_N_ELEMENTS(examples); i++)
		g_test_add_data_func(examples[i].name, &examples[i], test_example);
	g_test_add_func("/amr/reserved", test_reserved);
	g_test_add_func("/amr/formats", test_formats);
	g_test_add_func("/amr/modes", test_modes);
	g_test_add_func("/amr/sender", test_sender);
	g_test_add_func("/amr/sender-slow", test_sender_slow);
	return g_test_run();
}
