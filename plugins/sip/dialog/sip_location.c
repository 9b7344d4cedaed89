/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_location.c - where the caller of an emergency call is, in its INVITE. */
#include "plugins/sip/dialog/sip_location.h"
#include "plugins/sip/peers/sip_outside.h"
#include "b2bua/location.h"

/* By value in the body, or by reference. */
void
location_set(SipLeg *leg, const Target *target)
{
	const char *domain = outside_domain(leg->ua->outside);
	const char *where = target->emergency ? target->emergency->location : NULL;
	g_autofree char *entity = NULL, *id = NULL, *uri = NULL;

	if (!where)
		return;
	entity = target->from->scheme == ADDRESS_NUMBER
			 ? g_strdup_printf("sip:%s@%s", target->from->user, domain)
			 : g_strdup_printf("sip:%s", domain);
	leg->pidf = location_pidf(where, entity, g_get_real_time() / G_USEC_PER_SEC);
	if (leg->pidf) {
		id = g_uuid_string_random();
		leg->pidf_id = g_strdup_printf("%s@%s", id, domain);
		uri = g_strdup_printf("cid:%s", leg->pidf_id);
	}
	leg->where = g_strdup_printf("Geolocation: <%s>\r\nGeolocation-Routing: yes\r\n",
				     uri ? uri : where);
}

/* The location itself, or a body with two parts. */
static gboolean
may_be_about_it(guint status)
{
	return status == 400 || status == 406 || status == 415 || status == 424 || status == 488 ||
	       status == 513 || status == 606;
}

gboolean
location_leave(SipLeg *leg, guint status)
{
	if (!leg->where || !may_be_about_it(status))
		return FALSE;
	leg_trace(&leg->leg, TRACE_NOTE, "once more without the location");
	g_clear_pointer(&leg->where, g_free);
	g_clear_pointer(&leg->pidf, g_free);
	return TRUE;
}

void
location_body(const SipLeg *leg, const char *sdp, LocationBody *body)
{
	g_autofree char *boundary = g_uuid_string_random();

	body->type = g_strdup_printf("multipart/mixed;boundary=%s", boundary);
	/* optional: who does not know it goes on without (RFC 3261 20.11) */
	body->text = g_strdup_printf("--%s\r\nContent-Type: application/sdp\r\n\r\n%s\r\n"
				     "--%s\r\nContent-Type: application/pidf+xml\r\n"
				     "Content-ID: <%s>\r\n"
				     "Content-Disposition: by-reference;handling=optional\r\n\r\n"
				     "%s\r\n--%s--\r\n",
				     boundary, sdp, boundary, leg->pidf_id, leg->pidf, boundary);
}

void
location_body_clear(LocationBody *body)
{
	g_clear_pointer(&body->type, g_free);
	g_clear_pointer(&body->text, g_free);
}
