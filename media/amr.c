/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amr.c - payloads of AMR and AMR-WB read and written; which mode is next. */
#include "media/amr.h"
#include <string.h>

#define N_TYPES	     16
#define RESERVED     0xffff
#define HEADER_BITS  6 /* of a frame: follows, type, quality */
#define REQUEST_BITS 4
#define MODES	     8 /* of AMR */
#define WIDE_MODES   9

/* Speech bits by frame type: 3GPP TS 26.101 table 1, TS 26.201 table 2. */
static const guint16 narrow_bits[N_TYPES] = {
	95,	    103,      118,	134,	  148,	    159,      204,	244,
	39 /*SID*/, RESERVED, RESERVED, RESERVED, RESERVED, RESERVED, RESERVED, 0,
};
static const guint16 wide_bits[N_TYPES] = {
	132, 177,	 253,	   285,	     317,      365,	 397, 461,
	477, 40 /*SID*/, RESERVED, RESERVED, RESERVED, RESERVED, 0,   0,
};

static gboolean
is_wide(const CodecType *type)
{
	return type->kind == CODEC_AMR_WB;
}

static guint
bits_of(const CodecType *type, guint8 frame_type)
{
	return (is_wide(type) ? wide_bits : narrow_bits)[frame_type % N_TYPES];
}

guint8
amr_frame_type(const AmrFrame *frame)
{
	return frame->bytes[0] >> 3 & 0xf;
}

gboolean
amr_frame_is_sid(const CodecType *type, const AmrFrame *frame)
{
	return amr_frame_type(frame) == (is_wide(type) ? WIDE_MODES : MODES);
}

gsize
amr_frame_size(const CodecType *type, guint8 frame_type)
{
	const guint bits = bits_of(type, frame_type);

	return bits == RESERVED ? 0 : 1 + (bits + 7) / 8;
}

/* --- bits --- */

typedef struct {
	const guint8 *bytes;
	gsize n_bits, at;
	gboolean short_of; /* more was read than there is */
} Reader;

static guint8
read_bits(Reader *reader, guint n)
{
	guint8 value = 0;

	if (reader->at + n > reader->n_bits) {
		reader->short_of = TRUE;
		return 0;
	}
	for (guint i = 0; i < n; i++, reader->at++)
		value = (guint8)(value << 1 |
				 (reader->bytes[reader->at / 8] >> (7 - reader->at % 8) & 1));
	return value;
}

typedef struct {
	guint8 *bytes;
	gsize at;
} Writer;

static void
write_bits(Writer *writer, guint value, guint n)
{
	for (guint i = n; i-- > 0; writer->at++) {
		const guint8 bit = (guint8)(0x80 >> writer->at % 8);

		if (writer->at % 8 == 0)
			writer->bytes[writer->at / 8] = 0;
		if (value >> i & 1)
			writer->bytes[writer->at / 8] |= bit;
	}
}

/* --- payloads --- */

static guint8
read_request(const CodecType *type, guint8 value)
{
	/* RFC 4867 4.3.1: one that is reserved must be ignored */
	return value < (is_wide(type) ? WIDE_MODES : MODES) ? value : AMR_NO_REQUEST;
}

/* RFC 4867 4.3.2: a reserved type makes what follows unreadable. */
static gboolean
read_contents(const CodecType *type, Reader *reader, AmrPayload *amr)
{
	guint8 header;

	do {
		header = read_bits(reader, HEADER_BITS);
		if (type->octet_aligned)
			read_bits(reader, 8 - HEADER_BITS);
		if (reader->short_of || amr->n == AMR_MAX_FRAMES ||
		    bits_of(type, header >> 1 & 0xf) == RESERVED)
			return FALSE;
		amr->frames[amr->n++].bytes[0] = (guint8)((header & 0x1f) << 2);
	} while (header & 0x20);
	return TRUE;
}

static void
read_speech(const CodecType *type, Reader *reader, AmrFrame *frame)
{
	const guint bits = bits_of(type, amr_frame_type(frame));

	for (guint done = 0; done < bits; done += 8) {
		const guint part = MIN(8, bits - done);

		frame->bytes[1 + done / 8] = (guint8)(read_bits(reader, part) << (8 - part));
	}
	if (type->octet_aligned && bits % 8)
		read_bits(reader, 8 - bits % 8);
}

gboolean
amr_read(const CodecType *type, const guint8 *payload, gsize size, AmrPayload *amr)
{
	Reader reader = { .bytes = payload, .n_bits = size * 8 };

	memset(amr, 0, sizeof *amr);
	amr->request = read_request(type, read_bits(&reader, REQUEST_BITS));
	if (type->octet_aligned)
		read_bits(&reader, 8 - REQUEST_BITS);
	if (!read_contents(type, &reader, amr))
		return FALSE;
	for (guint i = 0; i < amr->n; i++)
		read_speech(type, &reader, &amr->frames[i]);
	return !reader.short_of;
}

static void
write_speech(const CodecType *type, Writer *writer, const AmrFrame *frame)
{
	const guint bits = bits_of(type, amr_frame_type(frame));

	for (guint done = 0; bits != RESERVED && done < bits; done += 8) {
		const guint part = MIN(8, bits - done);

		write_bits(writer, frame->bytes[1 + done / 8] >> (8 - part), part);
	}
	if (type->octet_aligned && writer->at % 8)
		write_bits(writer, 0, 8 - writer->at % 8);
}

gsize
amr_write(const CodecType *type, const AmrPayload *amr, guint8 *payload)
{
	Writer writer = { .bytes = payload };

	write_bits(&writer, amr->request, REQUEST_BITS);
	if (type->octet_aligned)
		write_bits(&writer, 0, 8 - REQUEST_BITS);
	for (guint i = 0; i < amr->n; i++) {
		const guint header = amr->frames[i].bytes[0] >> 2 & 0x1f;

		write_bits(&writer, (i + 1 < amr->n ? 0x20 : 0) | header, HEADER_BITS);
		if (type->octet_aligned)
			write_bits(&writer, 0, 8 - HEADER_BITS);
	}
	for (guint i = 0; i < amr->n; i++)
		write_speech(type, &writer, &amr->frames[i]);
	return (writer.at + 7) / 8;
}

/* --- the mode of what is sent --- */

/* The best of `set` that is not above `most`; where that is none, the least. */
static guint8
best_mode(guint16 set, guint8 most)
{
	guint8 found = AMR_NO_REQUEST;

	for (guint8 mode = 0; mode < WIDE_MODES; mode++)
		if (set >> mode & 1 && (mode <= most || found == AMR_NO_REQUEST))
			found = mode;
	return found;
}

void
amr_sender_init(AmrSender *sender, const CodecType *type, const CodecModes *modes)
{
	const guint16 all = (guint16)((1 << (is_wide(type) ? WIDE_MODES : MODES)) - 1);

	memset(sender, 0, sizeof *sender);
	sender->modes = *modes;
	sender->modes.set &= all;
	if (!sender->modes.set)
		sender->modes.set = all;
	sender->mode = sender->wanted = best_mode(sender->modes.set, AMR_NO_REQUEST);
}

void
amr_sender_ask(AmrSender *sender, guint8 request)
{
	sender->wanted = best_mode(sender->modes.set, request);
}

/* The next of the set, upwards or downwards. */
static guint8
neighbor(guint16 set, guint8 mode, guint8 wanted)
{
	while (mode != wanted) {
		mode = (guint8)(mode < wanted ? mode + 1 : mode - 1);
		if (set >> mode & 1)
			break;
	}
	return mode;
}

guint8
amr_sender_next(AmrSender *sender)
{
	const CodecModes *modes = &sender->modes;

	sender->frames++;
	if (sender->mode == sender->wanted || (modes->period > 1 && sender->frames % modes->period))
		return sender->mode;
	sender->mode = modes->neighbor ? neighbor(modes->set, sender->mode, sender->wanted)
				       : sender->wanted;
	return sender->mode;
}
