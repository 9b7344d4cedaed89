/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fake_media.h - what a test hears of the media that has no packets. */
#pragma once
#include "media/media.h"

extern void (*fake_media_digit)(char digit); /* media_send_dtmf(); NULL: nobody listens */
extern void (*fake_media_candidate)(const Candidate *theirs); /* likewise */
