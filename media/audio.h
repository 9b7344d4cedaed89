/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* audio.h - audio that is ours: what is played to a peer, and where what he says goes.
 *
 * A source is asked for 20 ms at a time, a sink is given 20 ms at a time, both by the media
 * thread of the call, which owns them from the moment they are handed over: they must not
 * wait, read or write files there.  Files are read as a whole before (a Sound, of bounded
 * length, shared by all who play it), and written by the files thread of the process.
 * All samples are mono, 16 bits, 16000 a second.
 * Thread: each function says which.  ITU-T E.180, RFC 7845.
 */
#pragma once
#include <glib.h>

typedef struct Workers Workers;

#define AUDIO_RATE	16000
#define AUDIO_FRAME_MS	20
#define AUDIO_FRAME	(AUDIO_RATE / 1000 * AUDIO_FRAME_MS) /* samples */
#define AUDIO_LONGEST_S 600				     /* of a Sound and of a recording */

/* --- what is played --- */

/* First member of every source. */
typedef struct AudioSource AudioSource;
struct AudioSource {
	/* At most AUDIO_FRAME samples to `pcm`; fewer: that was the end.  Thread: media. */
	guint (*pull)(AudioSource *source, gint16 *pcm);
	/* Thread: any. */
	void (*free)(AudioSource *source);
};

/* NULL is fine. */
static inline void
audio_source_free(AudioSource *source)
{
	if (source)
		source->free(source);
}

/* What an exchange says to callers. */
typedef enum {
	TONE_RINGBACK,
	TONE_BUSY,
	TONE_CONGESTION,
	TONE_BEEP, /* once: a recording begins */
	N_TONES
} Tone;

/* As it is heard in `country`, two letters of ISO 3166; NULL, or one whose tones are not
 * known: as in most of Europe.  Thread: any. */
AudioSource *audio_tone(Tone tone, const char *country);

/* A file in memory.  Counted; nobody changes it.  Thread: any. */
typedef struct Sound Sound;
Sound *sound_ref(Sound *sound);
void sound_unref(Sound *sound); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sound, sound_unref)
guint sound_ms(const Sound *sound);
/* A stranger's bytes are welcome: a WAV file (16 bits linear, A-law or mu-law) or an Ogg file
 * with Opus, any rate, any channels (which are mixed).  NULL, and why, for anything else and
 * for more than AUDIO_LONGEST_S. */
Sound *sound_parse(const guint8 *data, gsize size, GError **error);
/* Reads the file; for who may wait. */
Sound *sound_read(const char *path, GError **error);
/* Plays it once. */
AudioSource *audio_player(Sound *sound);

/* --- what is heard --- */

/* First member of every sink. */
typedef struct AudioSink AudioSink;
struct AudioSink {
	/* AUDIO_FRAME samples each of the same 20 ms: what the peer said and what was played to
	 * him.  Thread: media. */
	void (*push)(AudioSink *sink, const gint16 *heard, const gint16 *said);
	/* Thread: any. */
	void (*free)(AudioSink *sink);
};

/* NULL is fine. */
static inline void
audio_sink_free(AudioSink *sink)
{
	if (sink)
		sink->free(sink);
}

/* What of the two directions a recording has. */
typedef enum {
	RECORD_HEARD, /* what the peer said */
	RECORD_MIXED, /* both in one channel */
	RECORD_APART  /* what was heard is left, what was said is right */
} RecordTracks;

/* What has become of one. */
typedef struct {
	guint ms;	   /* that the file has */
	guint dropped_ms;  /* that are missing in between: the disk was too slow */
	const char *error; /* it ended early, in words; NULL: it is whole */
} Recording;
typedef void (*RecordingFunc)(gpointer user, const Recording *recording);

/* --- with the threads of the process; thread: signalling --- */

/* sound_read() on the files thread; `done` is called back on the signalling thread, once:
 * with a reference of its own, or NULL and the reason. */
typedef void (*SoundFunc)(gpointer user, Sound *sound, const GError *error);
void sound_load(Workers *workers, const char *path, SoundFunc done, gpointer user);

/* Writes a new Ogg Opus file at `path`; one that is there already is left as it is, and is an
 * error.  Ends when it is freed, after AUDIO_LONGEST_S, or when a write fails: whoever records
 * goes on.  `done` is called back on the signalling thread when the file is on the disk. */
AudioSink *audio_recorder(Workers *workers, const char *path, RecordTracks tracks,
			  RecordingFunc done, gpointer user);
