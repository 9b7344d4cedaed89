/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp-rig.c - see xmpp-rig.h. */
#include "tests/legs/plugin-status.h"
#include "tests/legs/xmpp-rig.h"
#include <string.h>

#define LIMIT (256 * 1024)

Rig rig;

/* --- the telephone: a plugin called "sip" --- */

static void G_GNUC_PRINTF(1, 2) hear(const char *format, ...)
{
	va_list arguments;

	if (rig.heard->len)
		g_string_append_c(rig.heard, ' ');
	va_start(arguments, format);
	g_string_append_vprintf(rig.heard, format, arguments);
	va_end(arguments);
}

static gboolean
start(Gateway *gateway, GError **error)
{
	return TRUE;
}

static void
stop(void)
{
}

static Desc *
phone_desc(void)
{
	g_autoptr(Transport) transport = transport_new(TRANSPORT_RTP);

	g_strlcpy(transport->address, "192.0.2.77", sizeof transport->address);
	transport->port = 5004;
	return desc_offer_all(transport, TRANSPORT_RTP);
}

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	Leg *leg = g_new0(Leg, 1);

	leg_attach(leg, gateway_plugin(rig.gateway, "sip"), call);
	rig.telephone = leg;
	hear("dial");
}

static void
ring(Leg *leg, const Desc *early)
{
	hear("ring");
}

static void
answer(Leg *leg, const Desc *desc)
{
	hear("answer");
}

static void
change(Leg *leg, const Desc *offer)
{
	leg_answered(leg, NULL);
}

static void
hangup(Leg *leg, Reason reason, const char *text)
{
	hear("hangup:%s", reason_name(reason));
	if (rig.telephone == leg)
		rig.telephone = NULL;
	g_free(leg);
}

static const LegVerbs phone_verbs = {
	.dial = dial,
	.ring = ring,
	.answer = answer,
	.change = change,
	.hangup = hangup,
};

static const Plugin phone = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "sip",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_CONTACT | WAY_TRUNK | WAY_URI,
	.start = start,
	.stop = stop,
	.leg = &phone_verbs,
};

void
rig_phone_calls(void)
{
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+15555550123", NULL, NULL);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, RIG_CALLED, NULL, NULL);
	g_autoptr(Desc) offer = phone_desc();
	const Incoming incoming = { .from = from, .to = to, .trunk = "carrier", .offer = offer };
	Leg *leg = g_new0(Leg, 1);

	rig.telephone = leg;
	call_new(rig.gateway, leg, gateway_plugin(rig.gateway, "sip"), &incoming);
}

void
rig_phone_answers(void)
{
	g_autoptr(Desc) desc = phone_desc();

	leg_answered(rig.telephone, desc);
}

void
rig_phone_ends(Reason reason)
{
	Leg *leg = g_steal_pointer(&rig.telephone);

	leg_ended(leg, reason, NULL);
	g_free(leg);
}

/* --- the server --- */

void
rig_say(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	xmpp_server_send(rig.server, text);
}

void
rig_play(const char *text)
{
	GString *filled = g_string_new(text);

	g_string_replace(filled, "$SID", rig.sid ? rig.sid : "", 0);
	rig_say("%s", filled->str);
	g_string_free(filled, TRUE);
}

/* Reads what has been said; FALSE: nothing new. */
static gboolean
read_one(void)
{
	g_autofree char *text = xmpp_server_next(rig.server);

	if (!text)
		return FALSE;
	g_ptr_array_add(rig.said, xml_parse(text, strlen(text), LIMIT, NULL));
	return TRUE;
}

static gboolean
is_named(const xmlNode *stanza, const char *name)
{
	const xmlNode *child = xml_child(stanza, NULL, name);
	const xmlNode *jingle = xml_child(stanza, NS_JINGLE, "jingle");

	return child || g_strcmp0(xml_attribute(jingle, "action"), name) == 0;
}

const xmlNode *
rig_find_said(const char *name)
{
	while (read_one())
		;
	for (guint i = 0; i < rig.said->len; i++)
		if (is_named(rig.said->pdata[i], name))
			return rig.said->pdata[i];
	return NULL;
}

static gboolean
has_said(gpointer name)
{
	return rig_find_said(name) != NULL;
}

const xmlNode *
rig_wait_said(const char *name)
{
	if (!wait_for(has_said, (gpointer)name))
		g_error("the gateway never says %s; the telephone has heard \"%s\"", name,
			rig.heard->str);
	return rig_find_said(name);
}

const xmlNode *
rig_answer_to(const char *id)
{
	while (read_one())
		;
	for (guint i = 0; i < rig.said->len; i++) {
		const xmlNode *stanza = rig.said->pdata[i];
		const char *type = xml_attribute(stanza, "type");

		if (xml_is_stanza(stanza, "iq") &&
		    g_strcmp0(xml_attribute(stanza, "id"), id) == 0 &&
		    (g_strcmp0(type, "result") == 0 || g_strcmp0(type, "error") == 0))
			return stanza;
	}
	return NULL;
}

static gboolean
has_answer(gpointer id)
{
	return rig_answer_to(id) != NULL;
}

void
rig_settle(void)
{
	g_autofree char *id = g_strdup_printf("settle%u", ++rig.number);

	rig_say("<iq type='get' id='%s' from='server.example' to='gw.example.org'>"
		"<ping xmlns='urn:xmpp:ping'/></iq>",
		id);
	if (!wait_for(has_answer, id))
		g_error("the gateway is deaf");
}

void
rig_forget(void)
{
	while (read_one())
		;
	g_ptr_array_set_size(rig.said, 0);
	g_string_truncate(rig.heard, 0);
}

gboolean
rig_hears(const char *word)
{
	g_auto(GStrv) words = g_strsplit(rig.heard->str, " ", -1);

	for (char **one = words; *one; one++)
		if (g_str_equal(*one, word) ||
		    (g_str_has_prefix(*one, word) && (*one)[strlen(word)] == ':'))
			return TRUE;
	return FALSE;
}

static gboolean
hears(gpointer word)
{
	return rig_hears(word);
}

void
rig_wait_heard(const char *word)
{
	if (!wait_for(hears, (gpointer)word))
		g_error("the telephone never hears %s, but \"%s\"", word, rig.heard->str);
}

char *
rig_last_text(void)
{
	while (read_one())
		;
	for (guint i = rig.said->len; i-- > 0;) {
		const xmlNode *stanza = rig.said->pdata[i];
		const xmlNode *body = xml_child(stanza, NULL, "body");

		if (body && g_strcmp0(xml_attribute(stanza, "to"), RIG_USER) == 0)
			return xml_text(body);
	}
	return NULL;
}

static gboolean
no_calls(gpointer user)
{
	return calls_live(rig.gateway) == 0;
}

CallRecord *
rig_last_record(void)
{
	g_autoptr(GPtrArray) records = NULL;

	g_assert_true(wait_for(no_calls, NULL));
	records = store_call_list(rig.store, 1, NULL);
	if (!records || records->len == 0)
		return NULL;
	return store_call_get(rig.store, ((CallRecord *)records->pdata[0])->id, NULL);
}

/* --- clients --- */

void
rig_comes_online(const char *resource, const char *features)
{
	const xmlNode *asked;

	rig_forget();
	rig_say("<presence from='" RIG_USER "/%s' to='gw.example.org'/>", resource);
	asked = rig_wait_said("query");
	if (features)
		rig_say("<iq type='result' id='%s' from='" RIG_USER "/%s' to='gw.example.org'>"
			"<query xmlns='http://jabber.org/protocol/disco#info'>%s</query></iq>",
			xml_attribute(asked, "id"), resource, features);
	rig_settle();
	rig_forget();
}

void
rig_goes_offline(const char *resource)
{
	rig_say("<presence type='unavailable' from='" RIG_USER "/%s' to='gw.example.org'/>",
		resource);
}

/* --- all of it --- */

static gboolean
is_connected(gpointer user)
{
	g_autofree char *status = plugin_status(&xmpp_plugin);

	return xmpp_server_is_connected(rig.server) && strstr(status, "online") != NULL;
}

void
rig_set_up(const char *more)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	g_autoptr(Trunk) trunk = trunk_new("carrier", "192.0.2.77");

	rig = (Rig){ .server = xmpp_server_new("secret"),
		     .heard = g_string_new(NULL),
		     .said = g_ptr_array_new_with_free_func((GDestroyNotify)xml_free) };
	xmpp_server_listen(rig.server);
	text = g_strdup_printf("[xmpp]\ndomain=gw.example.org\nhost=127.0.0.1\nport=%u\n"
			       "secret=secret\n[sip]\naddress=127.0.0.1\n%s",
			       xmpp_server_port(rig.server), more);
	rig.config = config_from_text(text, "test", &error);
	g_assert_no_error(error);
	rig.store = store_open(":memory:", &error);
	g_assert_no_error(error);
	g_assert_true(store_user_add(rig.store, RIG_USER, NULL));
	g_assert_true(store_number_add(rig.store, RIG_CALLED, RIG_USER, NULL));
	g_assert_true(store_trunk_add(rig.store, trunk, &error));
	/* nobody has the numbers called here, so no plan knows them */
	g_assert_true(store_route_del(rig.store, "other", &error));
	rig.gateway = core_new(rig.config, rig.store, NULL);
	g_assert_true(gateway_add_plugin(rig.gateway, &phone, &error));
	g_assert_true(gateway_add_plugin(rig.gateway, &xmpp_plugin, &error));
	g_assert_true(wait_for(is_connected, NULL));
}

void
rig_tear_down(void)
{
	core_free(rig.gateway);
	g_clear_pointer(&rig.telephone, g_free);
	xmpp_server_free(rig.server);
	store_close(rig.store);
	config_free(rig.config);
	g_clear_pointer(&rig.sid, g_free);
	g_string_free(rig.heard, TRUE);
	g_ptr_array_unref(rig.said);
}
