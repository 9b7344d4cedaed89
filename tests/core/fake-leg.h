/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fake-leg.h - two plugins whose legs do what the test says.
 *
 * "sip" speaks plain RTP and "xmpp" WebRTC; beyond that they are the same.  A
 * leg is freed the moment it is let go, so a sanitizer sees any later use.
 */
#pragma once
#include "b2bua/call/call_bury.h"
#include "b2bua/call/call_private.h"
#include "b2bua/call/admission.h"
#include "b2bua/call/call_stop.h"
#include "b2bua/call/core.h"

typedef struct {
	Leg leg;       /* first */
	guint number;  /* in the order they were made */
	char name[16]; /* "caller", "callee", "callee2" */
	char *save;
} FakeLeg;

typedef struct {
	/* Called inside of each command, before it returns; `leg` may be ended in it
	 * (then FALSE is returned and the leg is gone).  May be NULL. */
	void (*in_command)(FakeLeg *leg, const char *command, const char *what);
	/* "xmpp" is told something for a person to read.  May be NULL. */
	void (*in_notice)(const char *account, const Address *number, const char *text);
	GPtrArray *legs; /* FakeLeg *, alive */
	guint made;	 /* since the last reset */
	guint buried;
	char *last_buried;
} FakeLegs;
extern FakeLegs fake_legs;

extern const Plugin fake_sip, fake_xmpp;

void fake_legs_reset(void);
FakeLeg *fake_leg_new(const char *name);
FakeLeg *fake_leg_find(const char *name); /* NULL: there is none of that name */
void fake_leg_end(FakeLeg *leg, Reason reason, const char *text); /* and frees it */
void fake_leg_fail(FakeLeg *leg, Reason reason, const char *text);

/* A gateway of a store in memory, with both plugins, fresh fakes and the trunk "carrier".  The
 * caller frees the three. */
Gateway *fake_gateway_new(const char *settings, Config **config, Store **store);

/* A description of the given kind: codecs "PCMU PCMA event", from a peer at `port`. */
Desc *fake_desc(TransportKind kind, const char *codecs, Direction direction, guint16 port);
