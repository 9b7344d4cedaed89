/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* stun_answer.h - what a STUN Binding response says.
 * Thread: any (pure).  RFC 8489 sections 5 and 14.8.
 */
#pragma once
#include <glib.h>

/* 0: a success, else the error code (300 to 799); -1: it is no such response. */
int stun_answer(const guint8 *data, gsize length);
