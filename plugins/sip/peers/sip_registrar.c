/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_registrar.c - REGISTER: where the softphones are.
 *
 * Everything of a request is checked before anything of it is written.
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_registrar.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "b2bua/number.h"
#include "b2bua/text.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/shield/sip_source.h"
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#define MAX_CONTACTS	8 /* of one softphone; the oldest makes room */
#define MAX_URI_BYTES	512
#define MAX_PARAM_BYTES 256
#define DEFAULT_EXPIRES 3600 /* RFC 3261 10.2 */

typedef struct {
	SipUa *ua;
	const SipEvent *event;
	const sip_t *sip;
	Softphone *softphone;
	GPtrArray *bound; /* Contact *, as they were before */
	guint failures;	  /* of the store, before it was asked */
	/* the refusal, 0: none */
	guint status;
	const char *phrase;
} Registration;

static gboolean
refuse(Registration *self, guint status, const char *phrase)
{
	self->status = status;
	self->phrase = phrase;
	return FALSE;
}

/* --- reading --- */

/* The address that is registered is the softphone's, or a number of its user. */
static gboolean
check_address(Registration *self)
{
	const url_t *to = self->sip->sip_to->a_url;
	g_autofree char *user = to->url_user ? g_uri_unescape_string(to->url_user, NULL) : NULL;
	g_autofree char *number = NULL;
	g_autoptr(User) owner = NULL;

	if (g_strcmp0(user, self->softphone->username) == 0)
		return TRUE;
	if (user && number_from_carrier(user, NULL, &number))
		owner = store_user_by_number(gateway_store(self->ua->gateway), number, NULL);
	return (owner && strcmp(owner->jid, self->softphone->user) == 0) ||
	       refuse(self, 403, "Not Your Address");
}

/* Sofia lets more pass than may stand in a URI (RFC 3261 25.1). */
static gboolean
uri_is_clean(const char *uri)
{
	for (; *uri; uri++)
		if (!g_ascii_isgraph(*uri) || strchr("<>\"\\^`{|}", *uri))
			return FALSE;
	return TRUE;
}

/* NULL: it is none. */
static char *
uri_text(const url_t *url)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	url_t bare = *url;
	char *text;

	bare.url_headers = NULL;
	su_home_init(home);
	text = g_strdup(url_as_string(home, &bare));
	su_home_deinit(home);
	if (text && !uri_is_clean(text))
		g_clear_pointer(&text, g_free);
	return text;
}

/* In s; what is too long is cut, what is too short is refused. */
static gboolean
read_expires(Registration *self, const sip_contact_t *header, gint64 *expires)
{
	const Config *config = self->ua->config;
	const sip_expires_t *all = self->sip->sip_expires;
	const char *own = header->m_expires;

	*expires = own	 ? (gint64)MIN(g_ascii_strtoull(own, NULL, 10), G_MAXUINT32)
		   : all ? (gint64)all->ex_delta
			 : DEFAULT_EXPIRES;
	if (*expires > 0 && *expires < config->sip_min_expires)
		return refuse(self, SIP_423_INTERVAL_TOO_BRIEF);
	if (config->sip_max_expires)
		*expires = MIN(*expires, config->sip_max_expires);
	return TRUE;
}

/* RFC 5626: a quoted "<urn:uuid:…>". */
static char *
read_instance(const sip_contact_t *header)
{
	const char *value = msg_params_find(header->m_params, "+sip.instance=");
	g_autofree char *bare = NULL;

	if (!value || strlen(value) > MAX_PARAM_BYTES)
		return NULL;
	bare = g_strdelimit(g_strdup(value), "\"\\", ' ');
	return g_strdup(g_strstrip(bare));
}

/* The Path as a Route header: the hop nearest to us comes first in both. */
static gboolean
read_path(Registration *self, char **path)
{
	g_autoptr(GString) route = g_string_new(NULL);

	for (const sip_path_t *hop = self->sip->sip_path; hop; hop = hop->r_next) {
		g_autofree char *url = uri_text(hop->r_url);

		if (!url)
			return refuse(self, 400, "Bad Path");
		g_string_append_printf(route, "%s<%s>", route->len ? ", " : "", url);
	}
	*path = route->len ? g_strdup(route->str) : NULL;
	return TRUE;
}

/* In thousandths; what is no qvalue (RFC 3261 25.1) is none. */
static guint
read_q(const sip_contact_t *header)
{
	double q = header->m_q ? g_ascii_strtod(header->m_q, NULL) : 1;

	return q >= 0 && q <= 1 ? (guint)(q * 1000) : 1000;
}

static const Contact *
find_bound(const Registration *self, const char *uri)
{
	for (guint i = 0; i < self->bound->len; i++) {
		const Contact *contact = self->bound->pdata[i];

		if (strcmp(contact->uri, uri) == 0)
			return contact;
	}
	return NULL;
}

/* RFC 3261 10.3, step 7: an older request that was overtaken. */
static gboolean
check_order(Registration *self, const Contact *was)
{
	return !was || strcmp(was->call_id, self->sip->sip_call_id->i_id) != 0 ||
	       self->sip->sip_cseq->cs_seq > was->cseq || refuse(self, 500, "CSeq Is Not Newer");
}

/* NULL: refused.  Its `expires` counts from now. */
static Contact *
read_contact(Registration *self, const sip_contact_t *header)
{
	const sip_t *sip = self->sip;
	g_autofree char *uri = uri_text(header->m_url);
	g_autoptr(Contact) contact = g_new0(Contact, 1);

	if (header->m_url->url_type == url_any || !header->m_url->url_host || !uri ||
	    strlen(uri) > MAX_URI_BYTES) {
		refuse(self, 400, "Bad Contact");
		return NULL;
	}
	if (!read_expires(self, header, &contact->expires) || !read_path(self, &contact->path) ||
	    !check_order(self, find_bound(self, uri)))
		return NULL;
	contact->softphone = self->softphone->id;
	contact->uri = g_steal_pointer(&uri);
	contact->instance = read_instance(header);
	contact->received = phone_source(self->event->msg, sip);
	contact->call_id = g_strdup(sip->sip_call_id->i_id);
	contact->cseq = sip->sip_cseq->cs_seq;
	contact->q = read_q(header);
	if (sip->sip_user_agent && sip->sip_user_agent->g_string)
		contact->user_agent = g_strndup(sip->sip_user_agent->g_string, MAX_PARAM_BYTES);
	return g_steal_pointer(&contact);
}

static GPtrArray *
read_contacts(Registration *self)
{
	g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func((GDestroyNotify)contact_free);

	for (const sip_contact_t *header = self->sip->sip_contact; header;
	     header = header->m_next) {
		Contact *contact = wanted->len < MAX_CONTACTS ? read_contact(self, header) : NULL;

		if (!contact) {
			if (!self->status)
				refuse(self, 403, "Too Many Contacts");
			return NULL;
		}
		g_ptr_array_add(wanted, contact);
	}
	return g_steal_pointer(&wanted);
}

/* "Contact: *" stands alone and with Expires: 0 (RFC 3261 10.2.2). */
static gboolean
wants_none(Registration *self, gboolean *none)
{
	const sip_contact_t *header = self->sip->sip_contact;
	gboolean star = FALSE;

	for (const sip_contact_t *c = header; c; c = c->m_next)
		star = star || c->m_url->url_type == url_any;
	*none = star;
	if (star && (header->m_next || !self->sip->sip_expires || self->sip->sip_expires->ex_delta))
		return refuse(self, 400, "Bad Contact");
	return TRUE;
}

/* --- writing --- */

static gboolean
forget_all(Registration *self, GError **error)
{
	for (guint i = 0; i < self->bound->len; i++)
		if (!check_order(self, self->bound->pdata[i]))
			return TRUE;
	for (guint i = 0; i < self->bound->len; i++)
		if (!store_contact_del(gateway_store(self->ua->gateway),
				       ((Contact *)self->bound->pdata[i])->id, error))
			return FALSE;
	return TRUE;
}

static gboolean
make_room(Registration *self, GError **error)
{
	Store *store = gateway_store(self->ua->gateway);
	g_autoptr(GPtrArray) all =
		store_contact_list_of_softphone(store, self->softphone->id, error);

	if (!all)
		return FALSE;
	for (guint i = 0; i + MAX_CONTACTS < all->len; i++)
		if (!store_contact_del(store, ((Contact *)all->pdata[i])->id, error))
			return FALSE;
	return TRUE;
}

static gboolean
write_contacts(Registration *self, GPtrArray *wanted, GError **error)
{
	Store *store = gateway_store(self->ua->gateway);

	for (guint i = 0; i < wanted->len; i++) {
		Contact *contact = wanted->pdata[i];
		const Contact *was = find_bound(self, contact->uri);

		if (contact->expires > 0) {
			contact->expires += g_get_real_time() / G_USEC_PER_SEC;
			if (!store_contact_put(store, contact, error))
				return FALSE;
		} else if (was && !store_contact_del(store, was->id, error)) {
			return FALSE;
		}
	}
	return make_room(self, error);
}

static gboolean
apply(Registration *self, GError **error)
{
	g_autoptr(GPtrArray) wanted = NULL;
	gboolean none;

	if (!wants_none(self, &none))
		return TRUE;
	if (none)
		return forget_all(self, error);
	wanted = read_contacts(self);
	return !wanted || write_contacts(self, wanted, error);
}

/* --- answering --- */

static char *
bindings_text(GPtrArray *contacts)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < contacts->len; i++) {
		const Contact *contact = contacts->pdata[i];

		g_string_append_printf(text, "%s<%s>;expires=%" G_GINT64_FORMAT,
				       text->len ? ", " : "", contact->uri,
				       MAX(contact->expires - now, 0));
		if (contact->instance)
			g_string_append_printf(text, ";+sip.instance=\"%s\"", contact->instance);
	}
	return text->len ? g_strdup(text->str) : NULL;
}

/* TRUE: the softphone is registered now. */
static gboolean
answer(Registration *self, const Reply *reply)
{
	g_autoptr(GPtrArray) contacts = store_contact_list_of_softphone(
		gateway_store(self->ua->gateway), self->softphone->id, NULL);
	g_autofree char *text = contacts ? bindings_text(contacts) : NULL;
	g_autofree char *least = g_strdup_printf("%u", self->ua->config->sip_min_expires);

	if (gateway_unread_since(self->ua->gateway, self->failures))
		refuse(self, SIP_503_SERVICE_UNAVAILABLE);
	if (self->status)
		reply_say(reply, (int)self->status, self->phrase,
			  TAG_IF(self->status == 423, SIPTAG_MIN_EXPIRES_STR(least)),
			  TAG_IF(self->status == 503, SIPTAG_RETRY_AFTER_STR(RETRY_READ)),
			  TAG_END());
	else
		reply_say(reply, SIP_200_OK, TAG_IF(text, SIPTAG_CONTACT_STR(text)),
			  TAG_IF(self->sip->sip_path, SIPTAG_PATH(self->sip->sip_path)), TAG_END());
	return !self->status && text;
}

static void
register_softphone(SipUa *ua, const Reply *reply, const SipEvent *event, Softphone *softphone)
{
	Registration self = { .ua = ua,
			      .event = event,
			      .sip = event->sip,
			      .softphone = softphone,
			      .failures = store_failures(gateway_store(ua->gateway)) };
	g_autoptr(GPtrArray) bound = NULL;
	g_autoptr(GError) error = NULL;

	self.bound = bound =
		store_contact_list_of_softphone(gateway_store(ua->gateway), softphone->id, &error);
	if ((!bound || (check_address(&self) && !apply(&self, &error))) &&
	    !gateway_unread_since(ua->gateway, self.failures)) {
		g_warning("sip: a registration of %s cannot be kept: %s", softphone->username,
			  error->message);
		refuse(&self, SIP_500_INTERNAL_SERVER_ERROR);
	}
	if (answer(&self, reply))
		text_way_is_up(ua->gateway, WAY_CONTACT, softphone->username);
}

/* Each Contact stands as this very request, from there, has written it. */
static gboolean
has_been_done(const Registration *self)
{
	const sip_contact_t *header = self->sip->sip_contact;
	g_autofree char *source = phone_source(self->event->msg, self->sip);
	gboolean done = header != NULL;

	for (; done && header; header = header->m_next) {
		g_autofree char *uri = uri_text(header->m_url);
		const Contact *was = uri ? find_bound(self, uri) : NULL;

		done = was && strcmp(was->call_id, self->sip->sip_call_id->i_id) == 0 &&
		       was->cseq == self->sip->sip_cseq->cs_seq &&
		       g_strcmp0(was->received, source) == 0;
	}
	return done;
}

/* Our answer was lost, or late: the request comes again as it was, and there is no transaction
 * that would answer it.  Its count is used up; nothing is written. */
gboolean
registrar_again(SipUa *ua, const Reply *reply, const SipEvent *event)
{
	Store *store = gateway_store(ua->gateway);
	g_autofree char *name = digest_server_username(ua->digest, event->sip);
	g_autoptr(Softphone) softphone = name ? store_softphone_get(store, name, NULL) : NULL;
	g_autoptr(GPtrArray) bound =
		softphone ? store_contact_list_of_softphone(store, softphone->id, NULL) : NULL;
	Registration self = { .ua = ua,
			      .event = event,
			      .sip = event->sip,
			      .softphone = softphone,
			      .bound = bound,
			      .failures = store_failures(store) };

	if (!bound || !has_been_done(&self))
		return FALSE;
	answer(&self, reply);
	return TRUE;
}

void
registrar_register(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender)
{
	Softphone *softphone = sender->phone.softphone;

	if (!sources_take_account(ua->sources, event, softphone->username)) {
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR("10"),
			  TAG_END());
		return;
	}
	sources_proven(ua->sources, event);
	register_softphone(ua, reply, event, softphone);
}
