/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-phone.h - a softphone of alice's, played by a test over a Peer. */
#pragma once
#include "tests/legs/sip-rig.h"

#define ALICE  "alice@example.org"
#define GW     "sip:gw.example.org"
#define NUMBER "sip:+12125550199@gw.example.org" /* outside */

typedef struct {
	Peer *peer; /* owned */
	const char *name, *password;
	GChecksumType hash;
	char *nonce;
	guint count; /* nc */
	guint cseq;
	char *from; /* user part; NULL: the name */
} Phone;

Phone phone_new(const char *name, Peer *peer);
void phone_clear(Phone *phone);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Phone, phone_clear)

/* rig_start(), with alice, her number and the phones "alice" and "desk" in the store. */
void phone_start(void);

char *phone_request(Phone *phone, const char *method, const char *uri, const char *extra,
		    const char *body);
char *phone_credentials(Phone *phone, const char *header, const char *method, const char *uri);
void phone_take_nonce(Phone *phone, const char *challenged);
char *phone_contact_line(const Phone *phone, const char *params);
/* The answer to a REGISTER with these lines; the second answers a challenge. */
char *phone_send_register(Phone *phone, const char *extra);
char *phone_do_register(Phone *phone, const char *extra);
void phone_register(Phone *phone, const char *params);
/* The answer to an INVITE, "100 Trying" apart. */
char *phone_send_invite(Phone *phone, const char *uri);
void phone_assert_status(const char *response, const char *status);

GPtrArray *phone_contacts(void); /* Contact *, all there are */
void phone_assert_contacts(guint n);
gint64 phone_only_contact(void);
