/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* allocate.h - what a STUN or TURN server is asked by somebody who wants to know whether it
 * works: Binding, Allocate, and Refresh to give the allocation back.
 *
 * The agents of calls are libnice's and ask by themselves.
 * Thread: any (pure).  RFC 8489, RFC 8656.
 */
#pragma once
#include "media/udp.h"

#define ALLOCATE_MAX	     1500 /* bytes of a message, ours or theirs */
#define ALLOCATE_TRANSACTION 12
#define ALLOCATE_TEXT	     256 /* of a realm, a nonce, a phrase; longer ones are not taken */

typedef enum { STUN_BINDING = 0x0001, STUN_ALLOCATE = 0x0003, STUN_REFRESH = 0x0004 } StunMethod;

typedef struct {
	gboolean success;
	guint error; /* 401; 0: none */
	char phrase[ALLOCATE_TEXT], realm[ALLOCATE_TEXT], nonce[ALLOCATE_TEXT];
	NetAddress mapped, relayed; /* length 0: not said */
} StunAnswer;

typedef struct {
	const char *username, *password, *realm, *nonce;
} StunLogin;

/* What is written; 0: the login is too long.  login NULL: without. */
gsize stun_request(guint8 data[ALLOCATE_MAX], StunMethod method,
		   const guint8 transaction[ALLOCATE_TRANSACTION], const StunLogin *login_or_null);
/* How long the message is that begins so; 0: not known yet; a stream has one after the other. */
gsize stun_length(const guint8 *data, gsize length);
/* FALSE: it is no answer to this. */
gboolean stun_answer_parse(const guint8 *data, gsize length, StunMethod method,
			   const guint8 transaction[ALLOCATE_TRANSACTION], StunAnswer *answer);
