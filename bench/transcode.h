/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcode.h - what the parts of bench/transcode share. */
#pragma once
#include "bench/bench.h"
#include "bench/voice.h"

/* Each side of a call has one codec. */
typedef struct {
	const CodecType *type[SIDES];
	guint8 pt[SIDES];
	guint calls, seconds;
	gboolean sends[SIDES];
	guint complexity; /* of Opus, in the gateway; 0: its own choice */
} TranscodeJob;

typedef struct {
	double us;		/* CPU by packet that came out */
	double lost;		/* per cent of what was sent */
	double bits[SIDES];	/* a second, of what a side hears: payload alone */
	double shift_ms[SIDES]; /* of the voice a side hears, above what both codecs need */
	double load;		/* of one processor, by the process measured */
} TranscodeFigure;

typedef struct TranscodeLoad TranscodeLoad;
guint16 transcode_port(const TranscodeLoad *load, guint call, LoadSide side);
void transcode_set_to(TranscodeLoad *load, guint call, LoadSide side, guint16 port);
TranscodeLoad *transcode_load_new(const TranscodeJob *job);
TranscodeFigure transcode_load_run(TranscodeLoad *load, pid_t measured);

typedef struct {
	const char *name;
	void (*measured)(Talk *talk, const TranscodeJob *job);
	void (*introduce)(Talk *talk, const TranscodeJob *job, TranscodeLoad *load);
} TranscodeKind;

extern const TranscodeKind transcode_gateway, transcode_rtpengine;
