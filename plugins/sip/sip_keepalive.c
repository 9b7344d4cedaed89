/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "plugins/sip/sip_keepalive.h"
#include "plugins/sip/peers/sip_outside.h"
#include "b2bua/timer.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/stack/sip_stack.h"

/* The contacts of a second are read at once, and asked in so many slices. */
#define SLICES	 20
#define SLICE_US (G_USEC_PER_SEC / SLICES)

struct KeepAlive {
	SipUa *ua;
	Timer *timer;
	gint64 due_us;	     /* monotonic: of the slice; so that lateness does not add up */
	guint round;	     /* seconds until all have been asked */
	guint second;	     /* of the round; a contact has always the same one */
	guint slice;	     /* of the second */
	GPtrArray *contacts; /* of the second; NULL: the store could not be read */
};

static void
ask(const SipUa *ua, const Contact *contact)
{
	g_autofree char *hop = phone_next_hop(contact->received);
	g_autofree char *from = g_strdup_printf("<sip:%s>", outside_domain(ua->outside));

	stack_ask(contact->uri, from, contact->path, hop);
}

static void
begin_second(KeepAlive *self)
{
	self->slice = 0;
	self->second = (self->second + 1) % self->round;
	g_clear_pointer(&self->contacts, g_ptr_array_unref);
	self->contacts = store_contact_list_part(gateway_store(self->ua->gateway), self->second,
						 self->round, NULL);
}

static void on_slice(gpointer user);

static void
wait_for_slice(KeepAlive *self)
{
	const gint64 now = g_get_monotonic_time();

	self->due_us = MAX(self->due_us + SLICE_US, now); /* after a pause nothing is made up for */
	timer_set(&self->timer, (guint)((self->due_us - now) / 1000), on_slice, self);
}

/* Whether there is a NAT cannot be told: a phone that has learnt from the Via of our
 * answer what its address looks like from here (RFC 3581) writes that in its Contact,
 * some in their Via too.  So by UDP all are asked. */
static void
on_slice(gpointer user)
{
	KeepAlive *self = user;
	guint from, to;

	if (self->slice == SLICES)
		begin_second(self);
	from = self->contacts ? self->contacts->len * self->slice / SLICES : 0;
	to = self->contacts ? self->contacts->len * (self->slice + 1) / SLICES : 0;
	for (; from < to; from++) {
		const Contact *contact = self->contacts->pdata[from];

		if (contact->received && g_str_has_prefix(contact->received, "udp:"))
			ask(self->ua, contact);
	}
	self->slice++;
	wait_for_slice(self);
}

KeepAlive *
keepalive_new(SipUa *ua)
{
	KeepAlive *self;

	if (ua->config->sip_keepalive_s == 0)
		return NULL;
	self = g_new0(KeepAlive, 1);
	self->ua = ua;
	self->round = (ua->config->sip_keepalive_s + 1) / 2;
	self->slice = SLICES;
	self->due_us = g_get_monotonic_time();
	wait_for_slice(self);
	return self;
}

void
keepalive_free(KeepAlive *self)
{
	if (!self)
		return;
	timer_clear(&self->timer);
	g_clear_pointer(&self->contacts, g_ptr_array_unref);
	g_free(self);
}
