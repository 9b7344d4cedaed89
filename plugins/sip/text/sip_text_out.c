/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_out.c - see sip_text_out.h. */
#include "plugins/sip/text/sip_text_out.h"
#include "b2bua/gateway.h"
#include "b2bua/timer.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_way.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/text/sip_text_body.h"
#include "plugins/sip/text/sip_text_name.h"
#include "plugins/sip/stack/sip_message.h"
#include <string.h>
#include "plugins/sip/stack/sip_tel.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_time.h>

#define FIND_MS	     8000 /* until the name servers have answered */
#define MAX_WAIT_S   3600 /* of a Retry-After */
#define MAX_PROGRAM  200  /* bytes of a User-Agent */
#define MAX_PROGRAMS 10000
/* Bytes of a MESSAGE by UDP (RFC 3428 8), and of what is not its body: the request as we make
 * it, without the names in it; credentials without those. */
#define UDP_BYTES      1300
#define PHONE_BYTES    3500 /* to a softphone: PJSIP reads 4000 and no more */
#define ENVELOPE_BYTES 400
#define HEAD_BYTES     580
#define PROOF_BYTES    330
#define LEAST_ROOM     160

/* --- what is on its way --- */

/* A text.  It lives until each of its requests has an end. */
typedef struct {
	gint64 id;
	gint64 written;
	char *account; /* whose text it is */
	TextBody body;
	guint open;	/* requests without an end */
	gboolean told;	/* the core knows that it was taken */
	gboolean again; /* of those that have failed */
	Reason reason;
	char *words;
} Sending;

/* A request: to the trunk, or to a registration of the softphone. */
typedef struct {
	Sending *sending;
	SipWay *way;
	char *call_id, *from;
	const char *hop; /* the way's */
	nua_handle_t *nh;
	guint challenged;
	guint32 cseq;	/* nua counts no CSeq that it was given */
	gboolean plain; /* it does not take the envelope */
	Timer *timer;
} Request;

/* A trunk that does not want to hear from us for a while. */
typedef struct {
	char *trunk;
	Timer *timer;
} Pause;

static SipUa *ua;	       /* NULL: not started */
static GHashTable *requests;   /* set of Request * */
static GHashTable *by_handle;  /* nua_handle_t * → Request * */
static GHashTable *enveloping; /* set of program_key() */
static GHashTable *pauses;     /* trunk → Pause * */

static void
pause_free(gpointer data)
{
	Pause *pause = data;

	timer_clear(&pause->timer);
	g_free(pause->trunk);
	g_free(pause);
}

static void
sending_free(Sending *sending)
{
	text_body_clear(&sending->body);
	g_free(sending->account);
	g_free(sending->words);
	g_free(sending);
}

static void
drop_handle(Request *request)
{
	timer_clear(&request->timer);
	if (!request->nh)
		return;
	g_hash_table_remove(by_handle, request->nh);
	nua_handle_destroy(request->nh);
	request->nh = NULL;
}

static void
request_free(gpointer data)
{
	Request *request = data;

	drop_handle(request);
	way_free(request->way);
	g_free(request->call_id);
	g_free(request->from);
	if (--request->sending->open == 0)
		sending_free(request->sending);
	g_free(request);
}

void
text_out_start(SipUa *self)
{
	ua = self;
	requests = g_hash_table_new_full(NULL, NULL, request_free, NULL);
	by_handle = g_hash_table_new(NULL, NULL);
	enveloping = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	pauses = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, pause_free);
}

void
text_out_stop(void)
{
	if (!ua)
		return;
	ua = NULL;
	g_clear_pointer(&requests, g_hash_table_unref);
	g_clear_pointer(&by_handle, g_hash_table_unref);
	g_clear_pointer(&enveloping, g_hash_table_unref);
	g_clear_pointer(&pauses, g_hash_table_unref);
}

/* One softphone's name and password may be in several programs. */
static char *
program_key(const char *softphone, const char *program)
{
	return g_strdup_printf("%s\n%.*s", softphone, MAX_PROGRAM, program ? program : "");
}

void
text_out_takes_envelopes(const char *softphone, const char *program)
{
	g_autofree char *key = program_key(softphone, program);

	if (!enveloping || g_hash_table_contains(enveloping, key))
		return;
	if (g_hash_table_size(enveloping) >= MAX_PROGRAMS)
		g_hash_table_remove_all(enveloping);
	g_hash_table_add(enveloping, g_steal_pointer(&key));
}

static gboolean
takes_envelopes(const Contact *contact)
{
	g_autofree char *key = program_key(contact->username, contact->user_agent);

	return g_hash_table_contains(enveloping, key);
}

/* --- how it went --- */

/* The core may give the next text from inside, so its word comes last.  One word is one row in
 * the database: a gateway that dies between two would never say that the text has arrived. */
static void
taken(Request *request, gboolean delivered)
{
	Sending *sending = request->sending;
	gboolean first = !sending->told;
	gint64 id = sending->id;

	sending->told = TRUE;
	g_hash_table_remove(requests, request);
	if (delivered)
		text_delivered(ua->gateway, id);
	else if (first)
		text_sent(ua->gateway, id);
}

static void
failed(Request *request, gboolean again, Reason reason, const char *words)
{
	Sending *sending = request->sending;
	gboolean tell = sending->open == 1 && !sending->told;
	gint64 id = sending->id;
	g_autofree char *said = NULL;

	if (!sending->again) {
		sending->again = again;
		sending->reason = reason;
		g_free(sending->words);
		sending->words = g_strdup(words);
	}
	again = sending->again;
	reason = sending->reason;
	said = g_strdup(sending->words);
	g_hash_table_remove(requests, request);
	if (tell)
		text_failed(ua->gateway, id, again, reason, said);
}

/* --- sending --- */

static gboolean try_next_hop(Request *request);

static void
on_silence(gpointer user)
{
	Request *request = user;

	if (try_next_hop(request))
		return;
	way_note_reached(request->way, FALSE);
	failed(request, TRUE, way_unreachable(request->way, REASON_TIMEOUT),
	       "nobody answered the text");
}

/* RFC 3428 4: no Contact.  The Allow is a short one: all of it counts for what UDP may carry.  The
 * last hop may be silent for as long as the transaction lasts. */
static void
send_message(Request *request)
{
	const SipWay *way = request->way;
	const TextBody *body = &request->sending->body;
	gboolean envelope = body->envelope && !request->plain;
	g_autofree char *to = g_strdup_printf("<%s>", way->to ? way->to : way->request_uri);
	g_autofree char *cseq = g_strdup_printf("%u MESSAGE", request->cseq);
	sip_date_t date[1];

	sip_date_init(date);
	date->d_time = (sip_time_t)(request->sending->written + (gint64)SU_TIME_EPOCH);
	request->nh = nua_handle(ua->nua, NULL, NUTAG_URL(way->request_uri),
				 SIPTAG_FROM_STR(request->from), SIPTAG_TO_STR(to), TAG_END());
	if (!request->nh) {
		failed(request, FALSE, REASON_PROTOCOL_ERROR,
		       "the number cannot be written as a SIP address");
		return;
	}
	request->challenged = 0;
	g_hash_table_insert(by_handle, request->nh, request);
	nua_message(
		request->nh, NUTAG_PROXY(request->hop), SIPTAG_CALL_ID_STR(request->call_id),
		SIPTAG_CSEQ_STR(cseq), SIPTAG_DATE(date), SIPTAG_ALLOW_STR("MESSAGE"),
		SIPTAG_CONTENT_TYPE_STR(envelope ? CPIM_TYPE : body->type),
		SIPTAG_PAYLOAD_STR(envelope ? body->envelope : body->text),
		TAG_IF(body->language && !envelope, SIPTAG_CONTENT_LANGUAGE_STR(body->language)),
		TAG_IF(way->route, SIPTAG_ROUTE_STR(way->route)),
		TAG_IF(way->identity, SIPTAG_HEADER_STR(way->identity)),
		TAG_IF(way->anonymous, SIPTAG_PRIVACY_STR("id")), TAG_END());
	if (way_is_phone(way) || way_has_next_hop(way))
		timer_set(&request->timer, way->response_ms, on_silence, request);
}

static gboolean
try_next_hop(Request *request)
{
	const char *hop = way_next_hop(request->way);

	if (!hop)
		return FALSE;
	request->hop = hop;
	request->cseq = 1;
	drop_handle(request);
	send_message(request);
	return TRUE;
}

static void
on_not_found(gpointer user)
{
	Request *request = user;

	failed(request, TRUE, way_unreachable(request->way, REASON_NETWORK_ERROR),
	       "the name servers do not answer");
}

static void
on_found(gpointer user, GPtrArray *hops, Reason reason, const char *text)
{
	Request *request = user;

	timer_clear(&request->timer);
	if (!hops) {
		failed(request, TRUE, reason, text);
		return;
	}
	request->hop = way_first_hop(request->way, hops);
	send_message(request);
}

/* --- answers --- */

static void
on_pause_over(gpointer user)
{
	Pause *pause = user;
	g_autofree char *trunk = g_strdup(pause->trunk);

	g_hash_table_remove(pauses, trunk);
	text_way_is_up(ua->gateway, WAY_TRUNK, trunk);
}

/* Of the trunk itself, not of one number of its. */
static void
pause_trunk(const Request *request, const SipEvent *event)
{
	const char *trunk = way_trunk(request->way);
	const char *after = guard_kept(event->sip, GUARD_RETRY);
	guint64 seconds = after ? g_ascii_strtoull(after, NULL, 10) : 0;
	Pause *pause;

	if (!trunk || event->status != 503 || !seconds)
		return;
	pause = g_new0(Pause, 1);
	pause->trunk = g_strdup(trunk);
	timer_set(&pause->timer, (guint)MIN(seconds, MAX_WAIT_S) * 1000, on_pause_over, pause);
	g_hash_table_replace(pauses, pause->trunk, pause);
}

static gboolean
prove(Request *request, const SipEvent *event)
{
	g_autofree char *auth = NULL, *cseq = NULL;

	if (event->status != 401 && event->status != 407)
		return FALSE;
	auth = way_credentials(request->way, (guint)event->status, event->sip,
			       &request->challenged);
	if (!auth)
		return FALSE;
	cseq = g_strdup_printf("%u MESSAGE", ++request->cseq);
	nua_authenticate(request->nh, NUTAG_AUTH(auth), SIPTAG_CSEQ_STR(cseq), TAG_END());
	return TRUE;
}

/* As with a call: only where the admin says so, by the same hop, and where the core lets it. */
static gboolean
follow_redirect(Request *request, const SipEvent *event)
{
	const char *uri = way_redirected_to(request->way, event->status, event->sip);
	g_autofree char *number = NULL, *words = NULL;
	Reason reason;

	if (!uri)
		return FALSE;
	number = tel_of_uri(uri);
	if (!text_redirected(ua->gateway, request->sending->account, way_trunk(request->way),
			     number, &reason, &words)) {
		failed(request, reason == REASON_NETWORK_ERROR, reason, words);
		return TRUE;
	}
	request->cseq++;
	way_redirect(request->way, uri);
	drop_handle(request);
	send_message(request);
	return TRUE;
}

/* nua's own word: nothing listens there, or nobody has answered. */
static void
on_unreached(Request *request, const SipEvent *event)
{
	const char *problem = way_problem(request->way, request->hop);
	gboolean silent = event->status == 408;
	Reason reason = silent ? REASON_TIMEOUT : REASON_NETWORK_ERROR;

	if (try_next_hop(request))
		return;
	way_note_reached(request->way, FALSE);
	failed(request, TRUE, way_unreachable(request->way, reason),
	       problem	? problem
	       : silent ? "nobody answered the text"
			: "the next server cannot be reached");
}

static void
on_refused(Request *request, const SipEvent *event)
{
	const TextBody *body = &request->sending->body;
	gboolean later = guard_kept(event->sip, GUARD_RETRY) != NULL;
	g_autofree char *text = NULL;
	Reason reason = header_refusal((guint)event->status, event->phrase, event->sip, &text);

	if (event->status == 415 && body->envelope && body->text && !request->plain) {
		request->plain = TRUE;
		request->cseq++;
		drop_handle(request);
		send_message(request);
		return;
	}
	if (event->status == 503 && try_next_hop(request))
		return;
	pause_trunk(request, event);
	failed(request, message_outcome((guint)event->status, later) == OUTCOME_AGAIN, reason,
	       text);
}

/* A 200 says that it was delivered; to a report that was asked for it leaves that word. */
static void
on_final(Request *request, const SipEvent *event)
{
	Outcome outcome = message_outcome((guint)event->status, FALSE);
	gboolean reports =
		request->sending->body.envelope && !request->plain && request->sending->body.asks;

	timer_clear(&request->timer);
	if (!event->sip) {
		on_unreached(request, event);
		return;
	}
	if (prove(request, event) || follow_redirect(request, event))
		return;
	way_note_reached(request->way, TRUE);
	if (outcome > OUTCOME_SENT)
		on_refused(request, event);
	else
		taken(request, outcome == OUTCOME_DELIVERED && !reports);
}

gboolean
text_out_event(nua_handle_t *nh, const SipEvent *event)
{
	Request *request = by_handle ? g_hash_table_lookup(by_handle, nh) : NULL;

	if (request && event->event == nua_r_message && event->status >= 200)
		on_final(request, event);
	return request != NULL;
}

/* --- where to --- */

static Request *
add_request(Sending *sending, const Text *text, gint64 contact)
{
	Request *request = g_new0(Request, 1);
	const char *domain = outside_domain(ua->outside);
	g_autofree char *tag = text_tag(text);
	Target target = { .plugin = ua->plugin,
			  .from = (Address *)text->from,
			  .to = (Address *)text->to,
			  .way = { text->way.kind, text->way.trunk, contact } };

	request->sending = sending;
	request->cseq = 1;
	sending->open++;
	request->way = way_to(ua, &target);
	request->call_id = text_call_id(text, contact, domain);
	request->from =
		g_strdup_printf("%s;tag=%s", request->way->from ? request->way->from : "", tag);
	g_hash_table_add(requests, request);
	return request;
}

static void
start(Request *request)
{
	timer_set(&request->timer, FIND_MS, on_not_found, request);
	way_find(request->way, on_found, request);
}

static void
send_to_trunk(Sending *sending, const Text *text)
{
	if (g_hash_table_contains(pauses, text->way.trunk)) {
		sending_free(sending);
		text_failed(ua->gateway, text->id, TRUE, REASON_OVERLOAD,
			    "the carrier takes no texts for a while");
		return;
	}
	start(add_request(sending, text, 0));
}

/* Its registrations; NULL: there is no such softphone any more. */
static GPtrArray *
contacts_of(const char *name, Softphone **softphone)
{
	Store *store = gateway_store(ua->gateway);

	*softphone = name ? store_softphone_get(store, name, NULL) : NULL;
	return *softphone ? store_contact_list_of_softphone(store, (*softphone)->id, NULL) : NULL;
}

static gboolean
some_take_envelopes(const GPtrArray *contacts)
{
	for (guint i = 0; contacts && i < contacts->len; i++)
		if (takes_envelopes(contacts->pdata[i]))
			return TRUE;
	return FALSE;
}

/* What is known to take no envelope gets the text alone, and of a report nothing, where another
 * can read it. */
static void
send_to_softphone(Sending *sending, const Text *text, const GPtrArray *contacts)
{
	gboolean words = sending->body.text != NULL, some = some_take_envelopes(contacts);
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	for (guint i = 0; contacts && i < contacts->len; i++) {
		const Contact *contact = contacts->pdata[i];
		gboolean plain = some && !takes_envelopes(contact);
		Request *request;

		if (plain && !words)
			continue;
		request = add_request(sending, text, contact->id);
		request->plain = plain;
		g_ptr_array_add(all, request);
	}
	if (all->len == 0) {
		sending_free(sending);
		text_failed(ua->gateway, text->id, TRUE, REASON_UNREACHABLE,
			    "the softphone is not registered");
		return;
	}
	/* one that ends at once may end the sending with the last */
	for (guint i = 0; i < all->len && ua; i++)
		start(all->pdata[i]);
}

void
text_out_send(SipUa *self, const Text *text)
{
	gboolean to_phone = text->way.kind == WAY_CONTACT;
	g_autoptr(Softphone) softphone = NULL;
	g_autoptr(GPtrArray) contacts = to_phone ? contacts_of(text->device, &softphone) : NULL;
	g_autofree char *id =
		some_take_envelopes(contacts) ? text_imdn_id(text->id, softphone) : NULL;
	Sending *sending = g_new0(Sending, 1);

	sending->id = text->id;
	sending->account = g_strdup(text->account);
	sending->written = text->written;
	text_body_make(text, id, outside_domain(ua->outside), &sending->body);
	if (!sending->body.text && !sending->body.envelope) { /* nobody wants to hear of it */
		sending_free(sending);
		text_delivered(self->gateway, text->id);
	} else if (to_phone) {
		send_to_softphone(sending, text, contacts);
	} else {
		send_to_trunk(sending, text);
	}
}

static gsize
length_of(const char *text)
{
	return text ? strlen(text) : 0;
}

static guint
room_beside(gsize head, gsize bytes)
{
	return (guint)MAX(bytes - MIN(head, bytes), LEAST_ROOM);
}

/* By UDP, where one registration of it is so, or there is none yet.  Its calls come by as long
 * datagrams as are sent here; what is longer yet would never come, and hold up all behind it. */
static guint
room_of_phone(const char *name, gsize head)
{
	g_autoptr(Softphone) phone = NULL;
	g_autoptr(GPtrArray) contacts = contacts_of(name, &phone);
	gboolean udp = !contacts || contacts->len == 0;
	gsize longest = 0;

	for (guint i = 0; contacts && i < contacts->len; i++) {
		const Contact *contact = contacts->pdata[i];

		udp = udp || !contact->received || g_str_has_prefix(contact->received, "udp");
		longest = MAX(longest, length_of(contact->uri) + length_of(contact->path));
	}
	return udp ? room_beside(head + ENVELOPE_BYTES + longest, PHONE_BYTES) : 0;
}

/* By a trunk that might be reached by UDP.  The numbers of both are long ones, each is written
 * twice at the most. */
guint
text_out_room(SipUa *self, const Way *way, const char *device)
{
	const Trunk *trunk = way->kind == WAY_TRUNK ? trunks_find(self->trunks, way->trunk) : NULL;
	gsize head = HEAD_BYTES + 3 * length_of(outside_domain(self->outside));

	if (way->kind == WAY_CONTACT)
		return room_of_phone(device, head);
	if (!trunk || g_str_equal(trunk->transport, "tcp") || g_str_equal(trunk->transport, "tls"))
		return 0;
	head += 2 * length_of(trunk->host) + length_of(trunk->account);
	if (trunk->username)
		head += PROOF_BYTES + length_of(trunk->username) + length_of(trunk->host);
	return room_beside(head, UDP_BYTES);
}
