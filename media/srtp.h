/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* srtp.h - protect and unprotect RTP and RTCP in place.
 *
 * libsrtp2 does the protocol (RFC 3711, RFC 7714: index, replay window, key
 * derivation); AES-CM and HMAC-SHA1 are our own on OpenSSL, registered through
 * its replace functions, because the packaged ones cost several times as much.
 * A Protection is one direction of one port.
 * Thread: the media thread that owns the port.  It makes them too, so that what a
 * packet needs lies close together in that thread's part of the heap.  But
 * protection_free is an ice thread's: it slows down with the number alive.
 */
#pragma once
#include <glib.h>

/* Room that protect needs behind a packet: tag, SRTCP index. */
#define PROTECTION_TRAILER 48

/* Numbers of RFC 5764 4.1.2 and RFC 7714 14.2. */
typedef enum { SRTP_CM_SHA1_80 = 1, SRTP_CM_SHA1_32 = 2, SRTP_AEAD_GCM = 7 } SrtpProfile;
typedef struct {
	SrtpProfile profile;
	guint8 receive[30], send[30]; /* master key, then master salt */
} SrtpKeys;

typedef struct Protection Protection;
typedef enum { PROTECTION_OK, PROTECTION_BAD, PROTECTION_REPLAY } ProtectionResult;

/* Once per process, any number of times. */
gboolean protection_setup(GError **error);

const char *srtp_profile_text(SrtpProfile profile); /* "SRTP_AES128_CM_SHA1_80" */
Protection *protection_new(SrtpProfile profile, const guint8 *key_and_salt, gboolean sending);
/* Each packet that is read with it has those bytes (RFC 3711 3.1). */
Protection *protection_new_with_mki(SrtpProfile profile, const guint8 *key_and_salt,
				    const guint8 *mki, gsize mki_length);
void protection_free(Protection *protection); /* NULL is fine */

/* In place; `length` goes in and out.  The packet is 8-byte aligned and has
 * PROTECTION_TRAILER bytes of room behind it. */
ProtectionResult protection_protect(Protection *protection, guint8 *packet, gsize *length);
ProtectionResult protection_unprotect(Protection *protection, guint8 *packet, gsize *length);
ProtectionResult protection_protect_rtcp(Protection *protection, guint8 *packet, gsize *length);
ProtectionResult protection_unprotect_rtcp(Protection *protection, guint8 *packet, gsize *length);
