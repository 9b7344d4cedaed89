/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* recorder.h - a sink that writes an Ogg Opus file.
 *
 * The media thread puts what it is given into blocks and posts them to the files worker, which
 * encodes and writes.  So many blocks may wait and no more: a disk that is slower loses some.
 */
#pragma once
#include "media/audio.h"
#include "media/worker.h"

/* As audio_recorder(); `done` runs on `signalling`.  Thread: signalling. */
AudioSink *recorder_new(Worker *files, Worker *signalling, const char *path, RecordTracks tracks,
			RecordingFunc done, gpointer user);
