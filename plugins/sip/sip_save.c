/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_save.c - what of a dialog survives a crash: enough to say BYE.
 *
 * The text is one line of escaped fields: version, Call-ID, our side (with its
 * tag), theirs, last CSeq of ours, remote target, route set, next hop.  A call
 * that was not answered leaves nothing: without its transaction it can be
 * neither refused nor cancelled, and the peer's own timers end it.
 * Thread: signalling.  RFC 3261 12.
 */
#include "plugins/sip/sip_leg.h"
#include "plugins/sip/sip_header.h"
#include "plugins/sip/sip_reason.h"
#include <string.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>

#define VERSION "1"

enum { VERSION_FIELD, CALL_ID, LOCAL, REMOTE, CSEQ, TARGET, ROUTES, NEXT_HOP, N_FIELDS };

/* Above every CSeq the dead process can have used, and below 2**31. */
#define CSEQ_STEP 1000
#define CSEQ_LAST 2147483646 /* sofia begins at a quarter of the seconds since 1900: over 10**9 */

static void
set(char **field, char *value)
{
	g_free(*field);
	*field = value;
}

static char *
url_text(const url_t *url)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *text;

	su_home_init(home);
	text = g_strdup(url_as_string(home, url));
	su_home_deinit(home);
	return text;
}

/* The route set as a Route header: in order for the side that was called,
 * backwards for the side that called (RFC 3261 12.1). */
static char *
route_text(const sip_record_route_t *first, gboolean backwards)
{
	GString *text = g_string_new(NULL);

	for (const sip_record_route_t *route = first; route; route = route->r_next) {
		g_autofree char *url = url_text(route->r_url);
		g_autofree char *item = g_strdup_printf("<%s>%s", url, text->len ? "," : "");

		if (backwards)
			g_string_prepend(text, item);
		else
			g_string_append_printf(text, "%s<%s>", text->len ? "," : "", url);
	}
	return g_string_free(text, FALSE);
}

static void
learn_target(SipLeg *leg, const sip_t *sip)
{
	if (sip->sip_contact)
		set(&leg->target, url_text(sip->sip_contact->m_url));
}

void
leg_learn_invite(SipLeg *leg, const sip_t *request)
{
	learn_target(leg, request);
	if (leg->call_id)
		return; /* a later one refreshes the target alone */
	leg->call_id = g_strdup(request->sip_call_id->i_id);
	leg->remote_party = header_text((const sip_header_t *)request->sip_from);
	leg->routes = route_text(request->sip_record_route, FALSE);
}

void
leg_learn_ack(SipLeg *leg, const sip_t *ack)
{
	if (ack && ack->sip_to && ack->sip_to->a_tag)
		set(&leg->local, header_text((const sip_header_t *)ack->sip_to));
}

void
leg_learn_answer(SipLeg *leg, const sip_t *response)
{
	if (!response || !response->sip_cseq)
		return;
	leg->cseq = response->sip_cseq->cs_seq;
	if (response->sip_status->st_status >= 300)
		return;
	learn_target(leg, response);
	if (leg->call_id)
		return;
	leg->call_id = g_strdup(response->sip_call_id->i_id);
	leg->local = header_text((const sip_header_t *)response->sip_from);
	leg->remote_party = header_text((const sip_header_t *)response->sip_to);
	leg->routes = route_text(response->sip_record_route, TRUE);
}

char *
leg_saved(const SipLeg *leg)
{
	GString *text = g_string_new(VERSION);
	g_autofree char *cseq = g_strdup_printf("%u", leg->cseq);
	/* the connection that it came by does not outlive us */
	const char *hop = leg->way_back ? leg->way_back : leg->next_hop;
	const char *fields[] = { leg->call_id, leg->local, leg->remote_party, cseq, leg->target,
				 leg->routes,  hop };

	if (!leg->call_id || !leg->local || !leg->remote_party || !leg->target) {
		g_string_free(text, TRUE);
		return NULL;
	}
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree char *escaped =
			g_uri_escape_string(fields[i] ? fields[i] : "", "@:;=<>", FALSE);

		g_string_append_printf(text, " %s", escaped);
	}
	return g_string_free(text, FALSE);
}

/* The handle has no leg: sip_ua.c destroys it with the answer to the BYE. */
static void
send_bye(SipUa *ua, char **field, Reason reason)
{
	guint64 last = g_ascii_strtoull(field[CSEQ], NULL, 10);
	guint64 next = last > 0 && last < CSEQ_LAST - CSEQ_STEP ? last + CSEQ_STEP : CSEQ_LAST;
	g_autofree char *cseq = g_strdup_printf("%" G_GUINT64_FORMAT " BYE", next);
	g_autofree char *header = sip_reason_to_header(reason, NULL);
	nua_handle_t *nh = nua_handle(ua->nua, NULL, NUTAG_URL(field[TARGET]), TAG_END());

	if (!nh) {
		g_warning("cannot end a call left by a crash: its target is %s", field[TARGET]);
		return;
	}
	nua_method(nh, NUTAG_METHOD("BYE"), SIPTAG_CALL_ID_STR(field[CALL_ID]),
		   SIPTAG_FROM_STR(field[LOCAL]), SIPTAG_TO_STR(field[REMOTE]),
		   SIPTAG_CSEQ_STR(cseq), TAG_IF(field[ROUTES][0], SIPTAG_ROUTE_STR(field[ROUTES])),
		   TAG_IF(field[NEXT_HOP][0], NUTAG_PROXY(field[NEXT_HOP])),
		   TAG_IF(header, SIPTAG_REASON_STR(header)), TAG_END());
}

void
leg_bury(SipUa *ua, const char *saved, Reason reason)
{
	g_auto(GStrv) escaped = g_strsplit(saved, " ", -1);
	g_auto(GStrv) field = g_new0(char *, N_FIELDS + 1);

	if (g_strv_length(escaped) != N_FIELDS || strcmp(escaped[VERSION_FIELD], VERSION) != 0) {
		g_warning("a call left by a crash cannot be read and is not ended: %s", saved);
		return;
	}
	for (guint i = 0; i < N_FIELDS; i++) {
		field[i] = g_uri_unescape_string(escaped[i], NULL);
		if (!field[i])
			field[i] = g_strdup("");
	}
	send_bye(ua, field, reason);
}
