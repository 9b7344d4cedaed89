/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcoding.h - when audio is made into another codec, and when a device is given Opus
 * although both sides have G.711: the policy, and nothing else.
 *
 * Opus hides lost packets and takes a quarter of the bits; G.711 that passes through costs no
 * processor time.  call/call_sound.c knows the facts of a call.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>
#include "b2bua/reason.h"
#include "db/store.h"

typedef enum {
	TRANSCODE_NEEDED,   /* where the two sides share no codec */
	TRANSCODE_ADAPTIVE, /* and for a device that loses packets, or asks for Opus */
	TRANSCODE_ALWAYS,   /* every device is given Opus first */
	TRANSCODE_NEVER,
	N_TRANSCODE_POLICIES
} TranscodePolicy;

const char *transcode_policy_name(TranscodePolicy policy); /* "needed" … */
/* NULL is fine.  FALSE: no such policy; `policy` is left as it is. */
gboolean transcode_policy_find(const char *name, TranscodePolicy *policy);

#define TRANSCODE_LOSS	    DEVICE_LOSS_BAD
#define TRANSCODE_LOSS_DAYS 7  /* that a call of a device is remembered */
#define TRANSCODE_LOAD_OPUS 70 /* percent of a media thread: nobody is given Opus for quality */
#define TRANSCODE_LOAD_MOST 85 /* and nothing new is transcoded at all */

/* Of one side of a call. */
typedef struct {
	TranscodePolicy policy;
	gboolean emergency; /* the call is for help */
	gboolean device;    /* a user's, not a telephone behind a trunk */
	gboolean asks;	    /* its client asks for few bits */
	guint loss;	    /* of its last calls, of 10,000 packets */
	guint load;	    /* of the call's media thread, percent */
} TranscodeFacts;

typedef struct {
	gboolean may;	     /* its audio may be made into another codec */
	gboolean opus_first; /* it is given Opus, whether or not the other side has it */
	Reason refusal;	     /* of a call that cannot do without: not NONE when it may not */
} TranscodeChoice;

TranscodeChoice transcode_choose(const TranscodeFacts *facts);

/* What the calls of a device have lost on the average, of 10,000 packets; calls from before
 * `since` do not count. */
guint transcode_mean_loss(const DeviceLoss *device, gint64 since);
