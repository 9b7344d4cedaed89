/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* stun.h - STUN messages of a peer that is not libnice.
 *
 * Enough for connectivity checks; what comes in is trusted to be well formed.
 * RFC 8445, RFC 8489; attribute 0xC001 is draft-thatcher-ice-renomination.
 */
#pragma once
#include "media/udp.h"

#define STUN_MAGIC		0x2112a442
#define STUN_HEADER		20
#define STUN_BINDING_REQUEST	0x0001
#define STUN_BINDING_INDICATION 0x0011 /* keeps a NAT's hole open; nobody answers */
#define STUN_BINDING_SUCCESS	0x0101
#define STUN_BINDING_ERROR	0x0111
#define STUN_USERNAME		0x0006
#define STUN_INTEGRITY		0x0008
#define STUN_ERROR		0x0009
#define STUN_XOR_MAPPED		0x0020
#define STUN_PRIORITY		0x0024
#define STUN_USE		0x0025
#define STUN_FINGER		0x8028
#define STUN_CONTROLLED		0x8029
#define STUN_CONTROLS		0x802a
#define STUN_NOMINATION		0xc001

/* `transaction`: of the request that is answered, or NULL for a new one. */
GByteArray *stun_new(guint type, const guint8 *transaction);
void stun_put(GByteArray *message, guint type, const void *value, guint length);
void stun_put_number(GByteArray *message, guint type, guint32 value);
void stun_put_mapped(GByteArray *message, const NetAddress *from);
void stun_seal(GByteArray *message, const char *key); /* the last thing */

guint stun_type(const guint8 *data);
const guint8 *stun_find(const guint8 *data, gsize length, guint type, guint *size);
gboolean stun_is_sealed(const guint8 *data, gsize length, const char *key);
