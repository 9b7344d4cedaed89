/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fake-media.h - all of media.h without a packet, for the tests of the core.
 *
 * Asynchronous like the real one: what comes of a command waits until the test
 * has it delivered.  Ports are numbered through all calls; their transports
 * follow from the number, so a transcript is the same at every run.
 */
#pragma once
#include "media/media.h"

typedef struct {
	guint load;			  /* of every media thread, percent */
	gboolean hold_up;		  /* connected ports are not up by themselves */
	void (*say)(const char *command); /* told of every command; may be NULL */
	guint open, ports;		  /* how many there are */
	guint reserved;			  /* that could take what is kept back, ever */
} FakeMedia;
extern FakeMedia fake_media;

/* Delivers what waits: `ready` of new ports, `up` of connected ones, counters.
 * FALSE when there was nothing. */
gboolean fake_media_deliver_one(void);
void fake_media_deliver(void);

/* Lets a port of `media` say this, now. */
void fake_media_up(Media *media, PortId port);
void fake_media_lost(Media *media, PortId port, MediaLoss why, const char *text);
void fake_media_one_way(Media *media, PortId port, const MediaSilence *silence, const char *text);
void fake_media_candidate(Media *media, PortId port);
void fake_media_note(Media *media, PortId port, const char *text);
void fake_media_reset(void); /* numbers begin again at 1 */
