/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* binding.h - STUN Binding messages, as far as consent needs them.
 *
 * Connectivity checks are the agent's.  Once a pair is selected its relay asks for consent and
 * gives it (RFC 7675) with these, since a turn of the agent costs ten times as much.
 * Thread: any (pure).  RFC 8489, RFC 8445 section 7.
 */
#pragma once
#include "media/udp.h"

#define BINDING_MAX	    800 /* bytes of a message of ours: two fragments of a user name */
#define BINDING_TRANSACTION 12

typedef enum {
	BINDING_REQUEST = 0x0001,
	BINDING_SUCCESS = 0x0101,
	BINDING_ERROR = 0x0111
} BindingType;

/* Both sides of a session, RFC 8445 5.3.  Owned texts. */
typedef struct {
	char *local_ufrag, *local_pwd, *remote_ufrag, *remote_pwd;
	guint32 priority; /* of a peer-reflexive candidate of ours (RFC 8445 7.1.1) */
	gboolean controlling;
} ConsentKeys;

void consent_keys_free(ConsentKeys *keys); /* NULL is fine */

typedef struct {
	BindingType type;
	const guint8 *transaction;
	const char *username; /* not terminated; NULL: none */
	gsize username_length;
	guint error; /* 403; 0: none */
	gboolean controlling, controlled;
	gboolean unknown; /* has an attribute that must be understood and is not */
	gsize integrity;  /* where MESSAGE-INTEGRITY begins; 0: none */
} Binding;

/* FALSE: it is none, or malformed. */
gboolean binding_parse(const guint8 *data, gsize length, Binding *binding);
/* Was it made by who knows the password? */
gboolean binding_is_sealed(const guint8 *data, const Binding *binding, const char *password);

/* Both return the length; 0: the names are too long. */
gsize binding_request(guint8 data[BINDING_MAX], const guint8 transaction[BINDING_TRANSACTION],
		      const ConsentKeys *keys, guint64 tie_breaker);
gsize binding_answer(guint8 data[BINDING_MAX], const guint8 transaction[BINDING_TRANSACTION],
		     const ConsentKeys *keys, const NetAddress *from);
