/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* browser.h - a WebRTC peer whose every packet the test decides.
 *
 * ICE, DTLS and SRTP are the library's, on the default main context; the streams,
 * their numbers and what is protected with what are the caller's.
 */
#pragma once
#include "media/media.h"

typedef struct Browser Browser;

/* What came, unprotected. */
typedef void (*BrowserHeard)(gpointer user, const guint8 *data, gsize length, gboolean rtcp);

/* Controls ICE, is the DTLS client: for a gateway's port of SIDE_CALLER. */
Browser *browser_new(BrowserHeard heard, gpointer user);
void browser_free(Browser *browser);
const Transport *browser_transport(const Browser *browser);
void browser_connect(Browser *browser, const Transport *theirs);
gboolean browser_up(const Browser *browser);
/* Protects a packet of at most 1500 bytes and sends it.  FALSE: SRTP refused. */
gboolean browser_send(Browser *browser, const void *data, gsize length, gboolean rtcp);
/* As it is. */
void browser_send_raw(Browser *browser, const void *data, gsize length);
/* Protects in place; `data` has room for PROTECTION_TRAILER. */
void browser_protect(Browser *browser, guint8 *data, gsize *length);
guint browser_refused(const Browser *browser); /* packets that SRTP did not take */
