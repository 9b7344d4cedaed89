/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-live.c - every stanza a client sends, whole and broken in every place,
 * in a session that lives.
 *
 * The real plugin, core and store; a telephone that takes every call and change.
 * After each stanza the session is asked whether it is there: it is, or it has
 * ended by its own word and another is begun.  Every IQ has exactly one answer.
 */
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/core.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "tests/legs/plugin-status.h"
#include "tests/legs/xmpp_server.h"
#include <string.h>

#define CLIENT "alice@example.com/web"
#define NUMBER "+15555550123@gw.example.org"
#define US     NUMBER "/gw"
#define LIMIT  (256 * 1024)
#define DESCRIPTION                                                                              \
	"<content creator='initiator' name='0' senders='both'>"                                  \
	"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"                         \
	"<payload-type id='0' name='PCMU' clockrate='8000'/><rtcp-mux/></description>"           \
	"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='n8Lw' "                  \
	"pwd='8cM4pXb2Qf6hYt1vKz9sDj3r'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' "       \
	"hash='sha-256' setup='active'>67:75:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10" \
	":11:12:13:14:15:16:17:18:19:1A:1B:1C:3C</fingerprint></transport></content>"

static const char *const values[] = {
	"", "0", "-1", "4294967296", "none", "\xef\xbf\xbd", "button-down",
};

typedef struct {
	Leg leg;
} Telephone;

static struct {
	XmppServer *server;
	Config *config;
	Store *store;
	Gateway *gateway;
	GHashTable *done; /* char *: places that have been broken in that way */
	char *sid;	  /* of the session that lives */
	gboolean called;  /* the telephone called, not the client */
	guint number, sent, sessions;
} test;

/* --- the telephone --- */

static gboolean
phone_start(Gateway *gateway, GError **error)
{
	return TRUE;
}

static void
phone_stop(void)
{
}

static Desc *
phone_desc(Direction direction)
{
	g_autoptr(Transport) transport = transport_new(TRANSPORT_RTP);
	Desc *desc;

	g_strlcpy(transport->address, "192.0.2.77", sizeof transport->address);
	transport->port = 5004;
	desc = desc_offer_all(transport, TRANSPORT_RTP);
	((Stream *)desc->streams->pdata[0])->direction = direction;
	return desc;
}

static void
phone_dial(Call *call, const Target *target, const Desc *offer)
{
	Telephone *telephone = g_new0(Telephone, 1);
	g_autoptr(Desc) answer = phone_desc(DIRECTION_SENDRECV);

	leg_attach(&telephone->leg, gateway_plugin(test.gateway, "sip"), call);
	leg_answered(&telephone->leg, answer);
}

static void
phone_ring(Leg *leg, const Desc *early)
{
}

static void
phone_answer(Leg *leg, const Desc *answer)
{
}

static void
phone_change(Leg *leg, const Desc *offer)
{
	g_autoptr(Desc) answer =
		phone_desc(direction_answer(desc_audio(offer)->direction, DIRECTION_SENDRECV));

	leg_answered(leg, answer);
}

static void
phone_hangup(Leg *leg, Reason reason, const char *text)
{
	g_free(leg);
}

static const LegVerbs phone_verbs = {
	.dial = phone_dial,
	.ring = phone_ring,
	.answer = phone_answer,
	.change = phone_change,
	.hangup = phone_hangup,
};

static const Plugin phone = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "sip",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_CONTACT | WAY_TRUNK | WAY_URI,
	.start = phone_start,
	.stop = phone_stop,
	.leg = &phone_verbs,
};

/* --- what the gateway says --- */

static gboolean
has_stanza(gpointer user)
{
	return xmpp_server_waiting(test.server) > 0;
}

static xmlNode *
next_stanza(void)
{
	g_autofree char *text = NULL;

	if (!wait_for(has_stanza, NULL))
		g_error("the gateway says nothing any more");
	text = xmpp_server_next(test.server);
	return xml_parse(text, strlen(text), LIMIT, NULL);
}

/* Reads until the IQ of that action, or the message of that name, of session `sid`
 * (NULL: any), and takes its id. */
static char *
wait_id(const char *name, const char *sid)
{
	for (;;) {
		g_autoptr(xmlNode) stanza = next_stanza();
		const xmlNode *jingle = xml_child(stanza, NS_JINGLE, "jingle");
		const xmlNode *jmi = xml_child(stanza, NS_JMI, name);

		const char *id = jmi ? xml_attribute(jmi, "id") : xml_attribute(jingle, "sid");

		if ((jmi || g_strcmp0(xml_attribute(jingle, "action"), name) == 0) &&
		    (!sid || g_strcmp0(id, sid) == 0))
			return g_strdup(id);
	}
}

/* --- the session --- */

static void G_GNUC_PRINTF(1, 2) say(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	xmpp_server_send(test.server, text);
}

static void
client_calls(void)
{
	g_autofree char *accepted = NULL;

	test.sid = g_strdup_printf("S%u", ++test.number);
	say("<iq type='set' id='s%u' from='" CLIENT "' to='" US "'><jingle xmlns='" NS_JINGLE
	    "' action='session-initiate' sid='%s'>" DESCRIPTION "</jingle></iq>",
	    test.number, test.sid);
	accepted = wait_id("session-accept", test.sid);
}

static void
client_is_called(void)
{
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+15555550123", NULL, NULL);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+15555550199", NULL, NULL);
	g_autoptr(Desc) offer = phone_desc(DIRECTION_SENDRECV);
	const Incoming incoming = { .from = from, .to = to, .trunk = "carrier", .offer = offer };
	Telephone *telephone = g_new0(Telephone, 1);
	g_autofree char *initiated = NULL;

	call_new(test.gateway, &telephone->leg, gateway_plugin(test.gateway, "sip"), &incoming);
	test.sid = wait_id("propose", NULL);
	say("<message from='" CLIENT "' to='" US "'><proceed xmlns='" NS_JMI
	    "' id='%s'/></message>",
	    test.sid);
	initiated = wait_id("session-initiate", test.sid);
	say("<iq type='set' id='s%u' from='" CLIENT "' to='" US "'><jingle xmlns='" NS_JINGLE
	    "' action='session-accept' sid='%s'>" DESCRIPTION "</jingle></iq>",
	    ++test.number, test.sid);
}

static void
begin(void)
{
	test.sessions++;
	g_clear_pointer(&test.sid, g_free);
	if (test.called)
		client_is_called();
	else
		client_calls();
}

/* Sends the stanza and asks whether the session is there; how many answers there were
 * to `id` before that one.  In one write: two would wait for each other's ACK. */
static gboolean
is_alive_after(const char *stanza, const char *id, guint *answers)
{
	g_autofree char *ping = g_strdup_printf("p%u", ++test.number);

	*answers = 0;
	say("%s<iq type='set' id='%s' from='" CLIENT "' to='" US "'><jingle xmlns='" NS_JINGLE
	    "' action='session-info' sid='%s'/></iq>",
	    stanza, ping, test.sid);
	for (;;) {
		g_autoptr(xmlNode) answer = next_stanza();
		const char *type = xml_attribute(answer, "type");
		const char *said = xml_attribute(answer, "id");
		gboolean is_answer =
			xml_is_stanza(answer, "iq") &&
			(g_strcmp0(type, "result") == 0 || g_strcmp0(type, "error") == 0);

		if (is_answer && g_strcmp0(said, id) == 0)
			++*answers;
		if (is_answer && g_strcmp0(said, ping) == 0)
			return g_strcmp0(type, "result") == 0;
	}
}

/* --- one stanza --- */

/* Of this session, whatever it was when it was written down. */
static void
retarget(xmlNode *stanza)
{
	for (xmlNode *child = xml_child(stanza, NULL, NULL); child;
	     child = xml_next(child, NULL, NULL)) {
		if (xml_is(child, NS_JINGLE, "jingle") && xml_attribute(child, "sid"))
			xml_set(child, "sid", test.sid);
		if (xml_is(child, NS_JMI, NULL))
			xml_set(child, "id", test.sid);
	}
	xml_set(stanza, "from", CLIENT);
	xml_set(stanza, "to", US);
}

static void
try_stanza(const xmlNode *stanza, const char *file)
{
	g_autofree char *id = g_strdup_printf("m%u", ++test.number), *text = NULL;
	g_autoptr(xmlNode) copy = xml_copy(stanza);
	const char *type = xml_attribute(copy, "type");
	gboolean asks = xml_is_stanza(copy, "iq") &&
			(g_strcmp0(type, "set") == 0 || g_strcmp0(type, "get") == 0);
	gboolean alive;
	guint answers;

	xml_set(copy, "id", id);
	text = xml_print(copy);
	test.sent++;
	alive = is_alive_after(text, id, &answers);
	if (answers != (asks ? 1 : 0))
		g_error("%s: %u answers to %s", file, answers, text);
	if (!alive)
		begin();
}

/* --- breaking it --- */

static gboolean
is_new(const xmlNode *node, const char *attribute, guint how)
{
	GString *key = g_string_new(NULL);

	g_string_printf(key, "%d %u %s", test.called, how, attribute);
	for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
		const char *action = xml_attribute(node, "action");

		g_string_append_printf(key, " %s %s", xml_name(node), action ? action : "");
	}
	return g_hash_table_add(test.done, g_string_free(key, FALSE));
}

static xmlNode *
nth_element(xmlNode *node, guint *n)
{
	xmlNode *found = NULL;

	if ((*n)-- == 0)
		return node;
	for (xmlNode *child = xml_child(node, NULL, NULL); child && !found;
	     child = xml_next(child, NULL, NULL))
		found = nth_element(child, n);
	return found;
}

enum { REMOVE, DOUBLE, RENAME, MOVE, N_CHANGES };

static void
change_element(xmlNode *node, guint change)
{
	if (change == REMOVE) {
		xmlUnlinkNode(node);
		xmlFreeNode(node);
	} else if (change == DOUBLE) {
		xml_add_copy(node->parent, node);
	} else if (change == RENAME) {
		xmlNodeSetName(node, BAD_CAST "zzz");
	} else {
		node->ns = xmlNewNs(node, BAD_CAST "urn:other", BAD_CAST "q");
	}
}

static void
change_attribute(xmlNode *node, const char *name, guint how)
{
	g_autofree char *twice =
		g_strconcat(xml_attribute(node, name), xml_attribute(node, name), NULL);

	if (how < G_N_ELEMENTS(values))
		xml_set(node, name, values[how]);
	else if (how == G_N_ELEMENTS(values))
		xml_set(node, name, twice);
	else
		xmlUnsetProp(node, BAD_CAST name);
}

static void
break_attributes(const xmlNode *stanza, guint element, const char *file)
{
	guint down = element;
	const xmlNode *original = nth_element((xmlNode *)stanza, &down);

	for (const xmlAttr *a = original->properties; a; a = a->next)
		for (guint how = 0; how <= G_N_ELEMENTS(values) + 1; how++) {
			g_autoptr(xmlNode) copy = xml_copy(stanza);
			xmlNode *node;

			/* who began it makes little difference to what is in it */
			if ((test.called && how < G_N_ELEMENTS(values)) ||
			    !is_new(original, (const char *)a->name, 100 + how))
				continue;
			retarget(copy);
			down = element;
			node = nth_element(copy, &down);
			change_attribute(node, (const char *)a->name, how);
			try_stanza(copy, file);
		}
}

static void
break_elements(const xmlNode *stanza, const char *file)
{
	for (guint element = 1;; element++) { /* the top one is the server's */
		guint down = element;
		const xmlNode *original = nth_element((xmlNode *)stanza, &down);

		if (!original)
			return;
		for (guint change = 0; change < N_CHANGES; change++) {
			g_autoptr(xmlNode) copy = xml_copy(stanza);

			if (!is_new(original, "", change))
				continue;
			retarget(copy);
			down = element;
			change_element(nth_element(copy, &down), change);
			try_stanza(copy, file);
		}
		break_attributes(stanza, element, file);
	}
}

/* --- all of them --- */

static void
try_file(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
	g_autoptr(xmlNode) stanza = NULL, copy = NULL;
	gsize length;

	g_assert_true(g_file_get_contents(path, &text, &length, NULL));
	stanza = xml_parse(text, length, LIMIT, NULL);
	g_assert_nonnull(stanza);
	copy = xml_copy(stanza);
	retarget(copy);
	try_stanza(copy, name);
	break_elements(stanza, name);
}

static gboolean
is_connected(gpointer user)
{
	g_autofree char *status = plugin_status(&xmpp_plugin);

	return xmpp_server_is_connected(test.server) && strstr(status, "online") != NULL;
}

static void
set_up(gboolean called)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	Trunk *trunk = trunk_new("carrier", "192.0.2.77");

	test.called = called;
	test.server = xmpp_server_new("secret");
	xmpp_server_listen(test.server);
	text = g_strdup_printf("[xmpp]\ndomain=gw.example.org\nhost=127.0.0.1\nport=%u\n"
			       "secret=secret\n[sip]\naddress=127.0.0.1\n"
			       "[limits]\nmax_setup_per_second=100000\nmax_calls_per_user=1000\n"
			       "[guard]\npremium_calls=100000\npremium_at_once=100000\n",
			       xmpp_server_port(test.server));
	test.config = config_from_text(text, "test", &error);
	g_assert_no_error(error);
	test.store = store_open(":memory:", &error);
	g_assert_no_error(error);
	g_assert_true(store_user_add(test.store, "alice@example.com", NULL));
	g_assert_true(store_number_add(test.store, "+15555550199", "alice@example.com", NULL));
	g_assert_true(store_trunk_add(test.store, trunk, &error));
	/* nobody has the numbers called here, so no plan knows them */
	g_assert_true(store_route_del(test.store, "other", &error));
	trunk_free(trunk);
	test.done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	test.gateway = core_new(test.config, test.store, NULL);
	g_assert_true(gateway_add_plugin(test.gateway, &phone, &error));
	g_assert_true(gateway_add_plugin(test.gateway, &xmpp_plugin, &error));
	g_assert_true(wait_for(is_connected, NULL));
}

static void
tear_down(void)
{
	core_free(test.gateway);
	xmpp_server_free(test.server);
	store_close(test.store);
	config_free(test.config);
	g_hash_table_unref(test.done);
	g_clear_pointer(&test.sid, g_free);
}

static void
be_quiet(const char *domain, GLogLevelFlags level, const char *message, gpointer user)
{
}

static void
test_live(gconstpointer data)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data", "stanzas", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint quiet =
		g_log_set_handler("tandem", G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO, be_quiet, NULL);
	const char *name;

	g_assert_nonnull(dir);
	test.sent = test.sessions = 0;
	set_up(GPOINTER_TO_INT(data));
	begin();
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".xml") && strstr(name, "-c-"))
			try_file(folder, name);
	g_test_message("%u stanzas, %u sessions", test.sent, test.sessions);
	g_assert_cmpuint(test.sent, >, 500);
	tear_down();
	g_log_remove_handler("tandem", quiet);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/xmpp-live/client calls", GINT_TO_POINTER(FALSE), test_live);
	g_test_add_data_func("/xmpp-live/client is called", GINT_TO_POINTER(TRUE), test_live);
	return g_test_run();
}
