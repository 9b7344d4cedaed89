/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_save.c - what of a dialog survives a crash: enough to say BYE, or CANCEL.
 *
 * The text is one line of escaped fields: version, what it is of, Call-ID, our side (with its
 * tag), theirs, CSeq, target, route set, next hop, Via.  Of an answered call, from the 200 on,
 * they are the dialog's; of one that rings out there they are those of the INVITE, for the
 * CANCEL has to repeat them (RFC 3261 9.1).  A call in that was not answered leaves nothing:
 * without its transaction it cannot be refused, and the peer's own timers end it.
 * Version 1, which is still read, knew answered calls alone and had no field for what it is
 * of and no Via.
 * Thread: signalling.  RFC 3261 9, 12.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_names.h"
#include "plugins/sip/stack/sip_reason.h"
#include "plugins/sip/stack/sip_stack.h"
#include <string.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>

#define VERSION	    "2"
#define OLD_VERSION "1"

/* What it is of. */
#define CALL "call"
#define RING "ring"

enum { WHAT, CALL_ID, LOCAL, REMOTE, CSEQ, TARGET, ROUTES, NEXT_HOP, VIA, N_FIELDS };

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
sip_leg_learn_invite(SipLeg *leg, const sip_t *request)
{
	learn_target(leg, request);
	leg->call_id = g_strdup(request->sip_call_id->i_id);
	leg->called = header_text((const sip_header_t *)request->sip_to);
	leg->remote_party = header_text((const sip_header_t *)request->sip_from);
	leg->routes = route_text(request->sip_record_route, FALSE);
}

void
sip_leg_learn_request(SipLeg *leg, const sip_t *request)
{
	learn_target(leg, request);
}

void
sip_leg_learn_ack(SipLeg *leg, const sip_t *ack)
{
	if (ack && ack->sip_to && ack->sip_to->a_tag)
		set(&leg->local, header_text((const sip_header_t *)ack->sip_to));
}

void
sip_leg_learn_answer(SipLeg *leg, const sip_t *response)
{
	if (!response || !response->sip_cseq)
		return;
	leg->cseq = response->sip_cseq->cs_seq;
	if (response->sip_status->st_status >= 300)
		return;
	learn_target(leg, response);
}

/* The one that answers in the end may be another than the one that rang. */
void
sip_leg_learn_dialog(SipLeg *leg, const sip_t *response)
{
	if (!response || !response->sip_cseq)
		return;
	sip_leg_learn_answer(leg, response);
	set(&leg->call_id, g_strdup(response->sip_call_id->i_id));
	set(&leg->local, header_text((const sip_header_t *)response->sip_from));
	set(&leg->remote_party, header_text((const sip_header_t *)response->sip_to));
	set(&leg->routes, route_text(response->sip_record_route, TRUE));
}

void
sip_leg_forget_dialog(SipLeg *leg)
{
	g_clear_pointer(&leg->call_id, g_free);
	g_clear_pointer(&leg->local, g_free);
	g_clear_pointer(&leg->remote_party, g_free);
	g_clear_pointer(&leg->routes, g_free);
	g_clear_pointer(&leg->target, g_free);
}

/* The tag that ours has in the 200, before an ACK repeats it. */
void
sip_leg_learn_tag(SipLeg *leg)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_replaces_t *ours;

	su_home_init(home);
	ours = nua_handle_make_replaces(leg->nh, home, FALSE);
	if (ours && ours->rp_from_tag && leg->called)
		set(&leg->local, g_strdup_printf("%s;tag=%s", leg->called, ours->rp_from_tag));
	su_home_deinit(home);
}

static char *
text_of(const char *const *fields)
{
	GString *text = g_string_new(VERSION);

	for (guint i = 0; i < N_FIELDS; i++) {
		g_autofree char *escaped =
			g_uri_escape_string(fields[i] ? fields[i] : "", "@:;=<>", FALSE);

		g_string_append_printf(text, " %s", escaped);
	}
	return g_string_free(text, FALSE);
}

gboolean
sip_leg_learn_ringing(SipLeg *leg, const sip_t *response)
{
	const sip_via_t *via = response->sip_via;
	g_autofree char *local = header_text((const sip_header_t *)response->sip_from);
	g_autofree char *cseq = g_strdup_printf("%u", response->sip_cseq->cs_seq);
	g_autofree char *to =
		g_strdup_printf("<%s>", leg->way->to ? leg->way->to : leg->way->request_uri);
	g_autofree char *port =
		via && via->v_port ? g_strdup_printf(":%s", via->v_port) : g_strdup("");
	g_autofree char *sent_by =
		via && via->v_branch ? g_strdup_printf("%s %s%s;branch=%s;rport", via->v_protocol,
						       via->v_host, port, via->v_branch)
				     : NULL;
	const char *fields[N_FIELDS] = { [WHAT] = RING,
					 [CALL_ID] = response->sip_call_id->i_id,
					 [LOCAL] = local,
					 [REMOTE] = to,
					 [CSEQ] = cseq,
					 [TARGET] = leg->way->request_uri,
					 [ROUTES] = leg->way->route,
					 [NEXT_HOP] = leg->next_hop,
					 [VIA] = sent_by };
	g_autofree char *text = sent_by ? text_of(fields) : NULL;

	if (!text || g_strcmp0(text, leg->ringing) == 0)
		return FALSE;
	set(&leg->ringing, g_steal_pointer(&text));
	return TRUE;
}

char *
sip_leg_saved(const SipLeg *leg)
{
	g_autofree char *cseq = g_strdup_printf("%u", leg->cseq);
	const char *fields[N_FIELDS] = { [WHAT] = CALL,
					 [CALL_ID] = leg->call_id,
					 [LOCAL] = leg->local,
					 [REMOTE] = leg->remote_party,
					 [CSEQ] = cseq,
					 [TARGET] = leg->target,
					 [ROUTES] = leg->routes,
					 /* the connection that it came by does not outlive us */
					 [NEXT_HOP] =
						 leg->way_back ? leg->way_back : leg->next_hop };

	if (leg->state == STATE_CALLING)
		return g_strdup(leg->ringing);
	if (!leg->call_id || !leg->local || !leg->remote_party || !leg->target)
		return NULL;
	return text_of(fields);
}

/* --- after the crash --- */

typedef struct {
	SipUa *ua;
	GStrv field;
	Reason reason;
	HopFacts facts;
} Burial;

static void
burial_free(Burial *burial)
{
	g_strfreev(burial->field);
	g_free(burial);
}

/* RFC 3261 12.2.1.1: a strict router is the Request-URI, and the target comes last. */
static char *
go_strictly(char **field)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_route_t *first;
	char *uri = NULL;

	su_home_init(home);
	first = field[ROUTES][0] ? sip_route_make(home, field[ROUTES]) : NULL;
	if (first && !url_has_param(first->r_url, "lr")) {
		const char *rest = strstr(field[ROUTES], ">,");

		uri = url_text(first->r_url);
		set(&field[ROUTES], g_strdup_printf("%s%s<%s>", rest ? rest + 2 : "",
						    rest ? "," : "", field[TARGET]));
	}
	su_home_deinit(home);
	return uri ? uri : g_strdup(field[TARGET]);
}

/* The handle has no leg: sip_ua.c destroys it with the answer to the BYE. */
static void
send_bye(SipUa *ua, char **field, Reason reason)
{
	guint64 last = g_ascii_strtoull(field[CSEQ], NULL, 10);
	guint64 next = last > 0 && last < CSEQ_LAST - CSEQ_STEP ? last + CSEQ_STEP : CSEQ_LAST;
	g_autofree char *cseq = g_strdup_printf("%" G_GUINT64_FORMAT " BYE", next);
	g_autofree char *header = sip_reason_to_header(reason, NULL);
	g_autofree char *uri = go_strictly(field);
	nua_handle_t *nh = nua_handle(ua->nua, NULL, NUTAG_URL(uri), TAG_END());

	if (!nh) {
		g_warning("cannot end a call left by a crash: its target is %s", uri);
		return;
	}
	nua_method(nh, NUTAG_METHOD("BYE"), SIPTAG_CALL_ID_STR(field[CALL_ID]),
		   SIPTAG_FROM_STR(field[LOCAL]), SIPTAG_TO_STR(field[REMOTE]),
		   SIPTAG_CSEQ_STR(cseq), TAG_IF(field[ROUTES][0], SIPTAG_ROUTE_STR(field[ROUTES])),
		   NUTAG_PROXY(field[NEXT_HOP]), TAG_IF(header, SIPTAG_REASON_STR(header)),
		   TAG_END());
}

/* Where a 200 has crossed it, that call is ended by its peer, which never sees an ACK. */
static void
send_cancel(char **field, Reason reason)
{
	g_autofree char *line = g_strdup_printf("CANCEL %s SIP/2.0", field[TARGET]);
	g_autofree char *why = sip_reason_to_header(reason, NULL);
	g_autofree char *headers = g_strdup_printf(
		"Via: %s\r\n%s%s%sMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %s CANCEL\r\n%s%s%sContent-Length: 0\r\n",
		field[VIA], field[ROUTES][0] ? "Route: " : "", field[ROUTES],
		field[ROUTES][0] ? "\r\n" : "", field[LOCAL], field[REMOTE], field[CALL_ID],
		field[CSEQ], why ? "Reason: " : "", why ? why : "", why ? "\r\n" : "");

	if (!stack_send(line, headers, field[NEXT_HOP]))
		g_warning("cannot cancel a call left by a crash to %s", field[TARGET]);
}

static void
on_name(gpointer user, GPtrArray *hops)
{
	Burial *burial = user;
	const char *hop = hop_pick(&burial->facts, hops);

	if (hop) {
		set(&burial->field[NEXT_HOP], g_strdup(hop));
		send_bye(burial->ua, burial->field, burial->reason);
	} else
		g_warning("cannot end a call left by a crash: the address of %s is not known",
			  burial->field[TARGET]);
	burial_free(burial);
}

/* Of a text that does not say where it is to be sent. */
static void
find_hop(SipUa *ua, GStrv field, Reason reason)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	Burial *burial = g_new0(Burial, 1);
	const sip_route_t *route;
	g_auto(HopChoice) choice = { 0 };

	*burial = (Burial){ ua, field, reason, hop_facts(ua) };
	su_home_init(home);
	route = field[ROUTES][0] ? sip_route_make(home, field[ROUTES]) : NULL;
	burial->facts.route = route ? route->r_url : NULL;
	burial->facts.target = url_make(home, field[TARGET]);
	hop_choose(&burial->facts, &choice);
	burial->facts.route = burial->facts.target = NULL;
	su_home_deinit(home);
	if (choice.name) {
		ResolveQuery query = { choice.name, choice.port, choice.transport,
				       burial->facts.family, burial->facts.tls };

		names_ask(ua->names, &query, on_name, burial);
		return;
	}
	set(&field[NEXT_HOP], g_strdup(choice.hop ? choice.hop : ""));
	if (choice.hop)
		send_bye(ua, field, reason);
	else
		g_warning("cannot end a call left by a crash: its target is %s", field[TARGET]);
	burial_free(burial);
}

/* NULL: it cannot be read. */
static GStrv
read_fields(const char *saved)
{
	g_auto(GStrv) escaped = g_strsplit(saved, " ", -1);
	gboolean old = escaped[0] && strcmp(escaped[0], OLD_VERSION) == 0;
	guint n = g_strv_length(escaped), first = old ? 0 : 1;
	g_auto(GStrv) field = g_new0(char *, N_FIELDS + 1);

	if (!(old && n == VIA) &&
	    !(escaped[0] && strcmp(escaped[0], VERSION) == 0 && n == N_FIELDS + 1))
		return NULL;
	for (guint i = 0; i < N_FIELDS; i++) {
		if (first + i < n)
			field[i] = g_uri_unescape_string(escaped[first + i], NULL);
		if (!field[i])
			field[i] = g_strdup("");
	}
	if (old)
		set(&field[WHAT], g_strdup(CALL));
	return g_steal_pointer(&field);
}

void
sip_leg_bury(SipUa *ua, const char *saved, Reason reason)
{
	g_auto(GStrv) field = read_fields(saved);

	if (!field) {
		g_warning("a call left by a crash cannot be read and is not ended: %s", saved);
		return;
	}
	if (strcmp(field[WHAT], RING) == 0)
		send_cancel(field, reason);
	else if (field[NEXT_HOP][0])
		send_bye(ua, field, reason);
	else
		find_hop(ua, g_steal_pointer(&field), reason);
}
