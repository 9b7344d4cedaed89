/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_guard.c - what sofia-sip must never see.
 *
 * Three hooks.  The classes of Contact, Record-Route, Route, Path and Via get a parse
 * function that is stricter: a bad one is unparsable, so a request is answered
 * 400 and a response dropped; a telephone number for a Contact there becomes where it came from.
 * Those of CSeq, Privacy, From, To and Contact are more lenient (sip_lenient.h), and what no call
 * needs refuses none.  It cannot be left to the second,
 * mc_extract_body, where the message is seen whole: a datagram that ends with its headers, without
 * the empty line, is complete to sofia and never comes there.  sofia finds the class of a header to
 * parse by name and of one to store by pointer, so both classes stand in the table, ours first. The
 * third is the parse function of a request's first line: nothing is spent on a source that is to be
 * ignored. Thread: signalling.
 */
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_credentials.h"
#include "plugins/sip/stack/sip_datagram.h"
#include "plugins/sip/stack/sip_lenient.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/url.h>

/* More Route or Via headers than any real network adds; each costs memory for
 * the life of a dialog.  RFC 4475 3.1.1.7 has 34. */
#define MAX_LIST 40

static guint64 refused, stripped;
static issize_t (*extract_body)(msg_t *msg, msg_pub_t *pub, char b[], isize_t size, int eos);

static gboolean
url_is_routable(const url_t *url)
{
	return (url->url_type == url_sip || url->url_type == url_sips) && url->url_host &&
	       url->url_host[0];
}

/* "*" is for REGISTER, where Contact is no target (RFC 3261 10.2.2). */
static gboolean
contacts_are_sane(const msg_header_t *header)
{
	guint n = 0;

	for (const sip_contact_t *c = (const sip_contact_t *)header; c; c = c->m_next)
		if ((c->m_url->url_type != url_any && !url_is_routable(c->m_url)) || ++n > MAX_LIST)
			return FALSE;
	return TRUE;
}

static gboolean
routes_are_sane(const msg_header_t *header)
{
	guint n = 0;

	for (const sip_route_t *r = (const sip_route_t *)header; r; r = r->r_next)
		if (!url_is_routable(r->r_url) || ++n > MAX_LIST)
			return FALSE;
	return TRUE;
}

/* A response goes back where the request came from, never to a name or an
 * address that a stranger wrote into it (RFC 3261 18.2.2). */
static gboolean
vias_are_sane(const msg_header_t *header)
{
	guint n = 0;

	for (const sip_via_t *v = (const sip_via_t *)header; v; v = v->v_next)
		if (v->v_maddr || ++n > MAX_LIST)
			return FALSE;
	return TRUE;
}

/* --- the classes --- */

typedef struct {
	msg_hclass_t *original;
	gboolean (*is_sane)(const msg_header_t *header);
	msg_parse_f *parse;
	struct msg_hclass_s strict;
} StrictClass;

static issize_t
parse_strictly(const StrictClass *class, su_home_t *home, msg_header_t *header, char *text,
	       isize_t length)
{
	issize_t result = class->original->hc_parse(home, header, text, length);

	if (result < 0 || class->is_sane(header))
		return result;
	refused++;
	return -1;
}

static issize_t parse_contact(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_record_route(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_route(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_via(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_path(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_cseq(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_privacy(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_call_id(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_from(su_home_t *, msg_header_t *, char *, isize_t);
static issize_t parse_to(su_home_t *, msg_header_t *, char *, isize_t);

static StrictClass classes[] = {
	{ sip_contact_class, contacts_are_sane, parse_contact, { 0 } },
	{ sip_record_route_class, routes_are_sane, parse_record_route, { 0 } },
	{ sip_route_class, routes_are_sane, parse_route, { 0 } },
	{ sip_via_class, vias_are_sane, parse_via, { 0 } },
	{ sip_path_class, routes_are_sane, parse_path, { 0 } },
	{ sip_cseq_class, NULL, parse_cseq, { 0 } },
	{ sip_privacy_class, NULL, parse_privacy, { 0 } },
	{ sip_call_id_class, NULL, parse_call_id, { 0 } },
	{ sip_from_class, NULL, parse_from, { 0 } },
	{ sip_to_class, NULL, parse_to, { 0 } },
};

/* The home of a header that is parsed in a message is the message. */
static gboolean
is_register(su_home_t *home)
{
	const sip_t *sip = sip_object((msg_t *)home);

	return sip && sip->sip_request && sip->sip_request->rq_method == sip_method_register;
}

static gboolean
is_response(su_home_t *home)
{
	const sip_t *sip = sip_object((msg_t *)home);

	return sip && sip->sip_status != NULL;
}

/* Once more, from what can be gone on with; what the first reading has left is not kept. */
static issize_t
parse_again(const StrictClass *class, su_home_t *home, msg_header_t *header, char *text)
{
	gsize size = (gsize) class->original->hc_size;

	if (!text)
		return -1;
	memset((char *)header + sizeof(msg_common_t), 0, size - sizeof(msg_common_t));
	if (class->is_sane)
		return parse_strictly(class, home, header, text, (issize_t)strlen(text));
	return class->original->hc_parse(home, header, text, strlen(text));
}

/* The headers in a URI, "sip:x@h?Subject=y", are for who dials it by hand (RFC 3261 19.1.1).
 * Where it is a target sofia writes them into each request: one that cannot be written is
 * never sent, and its own BYE recurses until the stack is gone. */
static issize_t
without_headers(msg_header_t *header, issize_t result)
{
	/* a Contact and a Route begin as an address does */
	for (sip_addr_t *each = (sip_addr_t *)header; result >= 0 && each;
	     each = (sip_addr_t *)each->a_next)
		each->a_url->url_headers = NULL;
	return result;
}

/* From and To, which have one address each. */
static issize_t
parse_address(const StrictClass *class, su_home_t *home, msg_header_t *header, char *text,
	      isize_t length)
{
	char *copy = su_strndup(home, text, length);
	issize_t result = class->original->hc_parse(home, header, text, length);

	if (result < 0 && copy)
		result = parse_again(class, home, header, lenient_name_addr(home, copy));
	return without_headers(header, result);
}

static issize_t
parse_route_of(const StrictClass *class, su_home_t *home, msg_header_t *header, char *text,
	       isize_t length)
{
	return without_headers(header, parse_strictly(class, home, header, text, length));
}

static issize_t
parse_from(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	return parse_address(&classes[8], home, header, text, length);
}

static issize_t
parse_to(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	return parse_address(&classes[9], home, header, text, length);
}

static issize_t
parse_contact(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	/* One that follows a comma is chained to the one before it. */
	gboolean first = !header->sh_common->h_prev;
	char *copy = first ? su_strndup(home, text, length) : NULL;
	issize_t result = parse_strictly(&classes[0], home, header, text, length);
	gboolean is_number = ((sip_contact_t *)header)->m_url->url_type == url_tel;
	gboolean any = FALSE;

	for (const sip_contact_t *c = (sip_contact_t *)header; result >= 0 && c; c = c->m_next)
		any = any || c->m_url->url_type == url_any;
	if (any && !is_register(home)) {
		refused++;
		result = -1;
	}
	if (result < 0 && copy && !any && !is_number)
		result = parse_again(&classes[0], home, header, lenient_name_addr(home, copy));
	/* A gateway's answer to a call may have a number there. */
	if (result < 0 && copy && is_number && is_response(home))
		result = parse_again(&classes[0], home, header,
				     lenient_contact(home, copy, msg_addr((msg_t *)home)));
	return is_register(home) ? result : without_headers(header, result);
}

static issize_t
parse_record_route(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	return parse_route_of(&classes[1], home, header, text, length);
}

static issize_t
parse_route(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	return parse_route_of(&classes[2], home, header, text, length);
}

static issize_t
parse_via(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	const su_sockaddr_t *from = msg_addr((msg_t *)home);
	sip_t *sip = sip_object((msg_t *)home);
	/* One that follows a comma is chained to the one before it. */
	gboolean top = sip && sip->sip_request && !sip->sip_via && !header->sh_common->h_prev;
	char *copy = top ? su_strndup(home, text, length) : NULL;
	issize_t result = parse_strictly(&classes[3], home, header, text, length);

	if (result >= 0 && top)
		lenient_received(home, (sip_via_t *)header, from);
	/* Not among the lines of the message: it is there for the answer alone. */
	if (result < 0 && copy && (sip->sip_via = lenient_via(home, copy)))
		lenient_received(home, sip->sip_via, from);
	return result;
}

static issize_t
parse_path(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	return parse_route_of(&classes[4], home, header, text, length);
}

static issize_t
parse_cseq(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	char *copy = su_strndup(home, text, length);
	issize_t result = sip_cseq_class->hc_parse(home, header, text, length);

	if (result < 0 && copy && lenient_cseq((sip_cseq_t *)header, copy))
		return 0;
	return result;
}

/* Its values stand between semicolons (RFC 3323 4.2), in every other list between commas. */
static issize_t
parse_privacy(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	return sip_privacy_class->hc_parse(home, header, g_strdelimit(text, ",", ';'), length);
}

static GuardDialogFunc ask_dialog;
static gpointer ask_dialog_user;

void
guard_ask_dialog(GuardDialogFunc func, gpointer user)
{
	ask_dialog = func;
	ask_dialog_user = user;
}

/* sofia finds dialogs and transactions by this hash first: with another it finds none,
 * and answers what it was sent as it was sent. */
static issize_t
parse_call_id(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	issize_t result = sip_call_id_class->hc_parse(home, header, text, length);
	const sip_t *sip = sip_object((msg_t *)home);
	sip_call_id_t *call_id = (sip_call_id_t *)header;

	if (result >= 0 && ask_dialog && sip && sip->sip_request && call_id->i_id &&
	    !ask_dialog(ask_dialog_user, msg_addr((msg_t *)home), sip->sip_request->rq_method,
			call_id->i_id))
		call_id->i_hash = ~call_id->i_hash;
	return result;
}

gboolean
guard_let_in(const sip_call_id_t *call_id)
{
	return call_id->i_hash == msg_hash_string(call_id->i_id);
}

static void
insert_class(msg_mclass_t *mclass, StrictClass *class)
{
	guint size = (guint)mclass->mc_hash_size;
	msg_href_t *slot = mclass->mc_hash, *free_slot;
	msg_href_t *brief = (msg_href_t *)mclass->mc_short; /* the clone's own */

	class->strict = *class->original;
	class->strict.hc_parse = class->parse;
	while (slot->hr_class != class->original)
		slot++;
	/* Open addressing: the original moves on to the next free slot. */
	for (free_slot = slot; free_slot->hr_class;)
		free_slot = mclass->mc_hash + (free_slot - mclass->mc_hash + 1) % size;
	*free_slot = *slot;
	slot->hr_class = &class->strict;
	mclass->mc_hash_used++;
	for (guint letter = 0; letter <= 'z' - 'a'; letter++)
		if (brief[letter].hr_class == class->original)
			brief[letter].hr_class = &class->strict;
}

/* A bad one of these is as none: no request is refused for it, no answer dropped. */
static msg_hclass_t *const spare[] = {
	sip_content_disposition_class,
	sip_event_class,
	sip_expires_class,
	sip_min_se_class,
	sip_rack_class,
	sip_rseq_class,
	sip_session_expires_class,
	sip_etag_class,
	sip_if_match_class,
	sip_subscription_state_class,
};

static void
weigh_slots(msg_href_t *slots, guint n)
{
	for (guint i = 0; i < n; i++) {
		for (guint k = 0; k < G_N_ELEMENTS(spare); k++)
			if (slots[i].hr_class == spare[k])
				slots[i].hr_flags = 0;
		if (slots[i].hr_class == &classes[0].strict ||
		    slots[i].hr_class == &classes[1].strict)
			slots[i].hr_flags = GUARD_WAY_ERROR;
	}
}

/* --- the first line --- */

static GuardAskFunc ask;
static gpointer ask_user;
static struct msg_hclass_s request_class;

void
guard_ask(GuardAskFunc func, gpointer user)
{
	ask = func;
	ask_user = user;
	datagram_ask(func, user);
}

/* The lines that have come after this one. */
static void
clean_rest(msg_t *msg, char *rest)
{
	char *start = msg_buf_committed_data(msg);
	char *end = start ? start + msg_buf_committed(msg) : NULL;

	if (start && rest > start && rest < end)
		lenient_nuls(rest, (gsize)(end - rest));
}

/* A message without so much as a first line is not answered. */
static issize_t
parse_request(su_home_t *home, msg_header_t *header, char *text, isize_t length)
{
	char *copy;
	issize_t result;

	if (!datagram_is_admitted() && ask && !ask(ask_user, msg_addr((msg_t *)home), text))
		return -1;
	clean_rest((msg_t *)home, text + length + 1);
	copy = su_strndup(home, text, length);
	result = sip_request_class->hc_parse(home, header, text, length);
	if (result < 0 && copy && lenient_request((sip_request_t *)header, copy))
		return 0;
	return result;
}

/* --- the whole message --- */

static void
strip(msg_t *msg, sip_t *sip, msg_header_t **list)
{
	while (*list) {
		msg_header_remove(msg, (msg_pub_t *)sip, *list);
		stripped++;
	}
}

/* nua would wait for ever at a challenge that cannot be answered. */
static void
strip_challenges(msg_t *msg, sip_t *sip, sip_www_authenticate_t **list)
{
	for (sip_www_authenticate_t *next, *challenge = *list; challenge; challenge = next) {
		next = challenge->au_next;
		if (credentials_can_answer(challenge))
			continue;
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)challenge);
		stripped++;
	}
}

/* Read through the list alone, so it need not stand among the message's lines. */
static void
keep(sip_t *sip, sip_unknown_t *header)
{
	if (!header)
		return;
	header->un_next = sip->sip_unknown;
	sip->sip_unknown = header;
}

/* What only we may say: a line of theirs by that name would be taken for ours. */
static void
strip_forged(msg_t *msg, sip_t *sip)
{
	for (sip_unknown_t *next, *header = sip->sip_unknown; header; header = next) {
		next = header->un_next;
		if (!header->un_common
			     ->h_prev || /* ours, kept when the head came before its body */
		    (g_strcmp0(header->un_name, GUARD_REDIRECT) != 0 &&
		     g_strcmp0(header->un_name, GUARD_RETRY) != 0 &&
		     g_strcmp0(header->un_name, GUARD_SESSION_TIMER) != 0))
			continue;
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)header);
		stripped++;
	}
}

const char *
guard_kept(const sip_t *sip, const char *name)
{
	for (const sip_unknown_t *header = sip ? sip->sip_unknown : NULL; header;
	     header = header->un_next)
		if (g_strcmp0(header->un_name, name) == 0)
			return header->un_value;
	return NULL;
}

static void
keep_redirect(msg_t *msg, sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;
	char *uri;

	if (!contact ||
	    (contact->m_url->url_type != url_sip && contact->m_url->url_type != url_sips))
		return;
	uri = url_as_string(msg_home(msg), contact->m_url);
	if (uri && strlen(uri) < 256)
		keep(sip, sip_unknown_format(msg_home(msg), GUARD_REDIRECT ": %s", uri));
}

/* nua would run a session timer of its own beside ours, and refuse what requires
 * one: it is not shown what is said of them (sip_timer.h). */
static void
hide_session_timer(msg_t *msg, sip_t *sip)
{
	const sip_session_expires_t *expires = sip_session_expires(sip);
	const sip_min_se_t *min = sip_min_se(sip);
	sip_unknown_t *kept;

	if (sip->sip_require && sip->sip_require->k_items)
		msg_params_remove((msg_param_t *)sip->sip_require->k_items, "timer");
	if (sip->sip_require && (!sip->sip_require->k_items || !sip->sip_require->k_items[0]))
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_require);
	if (!expires && !min)
		return;
	kept = sip_unknown_format(msg_home(msg), GUARD_SESSION_TIMER ": %lu %lu %s",
				  expires ? expires->x_delta : 0, min ? min->min_delta : 0,
				  expires && expires->x_refresher &&
						  strlen(expires->x_refresher) == 3
					  ? expires->x_refresher
					  : "-");
	while (sip_session_expires(sip))
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip_session_expires(sip));
	while (sip_min_se(sip))
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip_min_se(sip));
	keep(sip, kept);
}

/* Whether it is where its sender, or who stands between, is reached. */
static gboolean
is_of_way(const sip_header_t *header)
{
	const char *name = header->sh_class == sip_error_class ? header->sh_error->er_name
							       : header->sh_class->hc_name;

	return name && (g_ascii_strcasecmp(name, "Contact") == 0 ||
			g_ascii_strcasecmp(name, "Record-Route") == 0);
}

gboolean
guard_way_is_bad(const sip_t *answer)
{
	const sip_header_t *header = (const sip_header_t *)answer->sip_error;

	while (header && !is_of_way(header))
		header = header->sh_next;
	return header != NULL;
}

static void
guard_message(msg_t *msg, sip_t *sip)
{
	const sip_content_type_t *type = sip->sip_content_type;
	guint status = sip->sip_status ? sip->sip_status->st_status : 0;

	/* A multipart type without a body is followed into nothing. */
	if (type && type->c_type && g_ascii_strncasecmp(type->c_type, "multipart/", 10) == 0 &&
	    !(sip->sip_content_length && sip->sip_content_length->l_length))
		strip(msg, sip, (msg_header_t **)&sip->sip_content_type);
	strip_forged(msg, sip);
	hide_session_timer(msg, sip);
	if (!status)
		return;
	/* nua follows a 302 to wherever it points; the core decides who is called. */
	if (status >= 300 && status < 400) {
		keep_redirect(msg, sip);
		strip(msg, sip, (msg_header_t **)&sip->sip_contact);
	}
	if (sip->sip_retry_after)
		keep(sip, sip_unknown_format(msg_home(msg), GUARD_RETRY ": %lu",
					     sip->sip_retry_after->af_delta));
	/* nua would repeat the request by itself after so many seconds. */
	strip(msg, sip, (msg_header_t **)&sip->sip_retry_after);
	strip_challenges(msg, sip, &sip->sip_www_authenticate);
	strip_challenges(msg, sip, (sip_www_authenticate_t **)&sip->sip_proxy_authenticate);
}

static issize_t
guard_extract_body(msg_t *msg, msg_pub_t *pub, char b[], isize_t size, int eos)
{
	guard_message(msg, (sip_t *)pub);
	return extract_body(msg, pub, b, size, eos);
}

msg_mclass_t const *
guard_mclass(void)
{
	static msg_mclass_t *mclass;

	if (!mclass) {
		mclass = msg_mclass_clone(sip_default_mclass(), 0, 0);
		extract_body = mclass->mc_extract_body;
		mclass->mc_extract_body = guard_extract_body;
		request_class = *sip_request_class;
		request_class.hc_parse = parse_request;
		mclass->mc_request->hr_class = &request_class;
		for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
			insert_class(mclass, &classes[i]);
		weigh_slots(mclass->mc_hash, (guint)mclass->mc_hash_size);
		weigh_slots((msg_href_t *)mclass->mc_short, 'z' - 'a' + 1);
	}
	return mclass;
}

guint64
guard_refused(void)
{
	return refused;
}
