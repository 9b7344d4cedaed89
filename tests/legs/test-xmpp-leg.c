/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-leg.c - conversations: the real plugin, core and store; a server of
 * our own on one side, a telephone that does what the script says on the other.
 *
 * Each file in tests/legs/xmpp is one conversation, of paragraphs that begin with
 *   >  the server hands this stanza to the gateway
 *   <  the gateway sends this next
 *   !  the telephone, or the test: ring | answer | end REASON [TEXT] | dial NUMBER [NAME] |
 *      hold | resume | inactive | refuse (the next change) | plain (it takes no events from
 *      now on) | key K | texts (its trunk takes them from now on) | restart (another gateway
 *      on the same store)
 *   ?  the telephone hears this next: dial | ring | answer | hangup REASON [TEXT] |
 *      change DIRECTION | event K (RFC 4733) | key K (its own word for it) | text BODY
 *   +  the paragraphs of NAME.part
 * and lines of "#".  Stanzas are compared as trees; "*" is anything, "$NAME" in an
 * attribute is anything the first time and the same ever after.
 */
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/core.h"
#include "b2bua/text.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "tests/legs/plugin-status.h"
#include "tests/legs/fake_media.h"
#include "tests/legs/xmpp_server.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
	Leg leg;
} Telephone;

static struct {
	XmppServer *server;
	Config *config;
	Store *store;
	Gateway *gateway;
	Telephone *telephone;
	GQueue heard; /* char *: what the telephone was told */
	gboolean plain;
	gboolean refuses;    /* the next change */
	Direction direction; /* the telephone's own wish */
	GHashTable *names;   /* $NAME → value */
	const char *file;
	guint line;
} test;

/* --- the telephone: a plugin called "sip" --- */

static void
hear(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_queue_push_tail(&test.heard, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static gboolean
phone_start(Gateway *gateway, GError **error)
{
	return TRUE;
}

static void
phone_stop(void)
{
}

static void
phone_dial(Call *call, const Target *target, const Desc *offer)
{
	g_assert_null(test.telephone);
	test.telephone = g_new0(Telephone, 1);
	leg_attach(&test.telephone->leg, gateway_plugin(test.gateway, "sip"), call);
	hear("dial %s", target->to->user);
}

static void
phone_ring(Leg *leg, const Desc *early)
{
	hear("ring");
}

static void
phone_answer(Leg *leg, const Desc *answer)
{
	const Stream *audio = answer ? desc_audio(answer) : NULL;

	if (audio && audio->direction != DIRECTION_SENDRECV)
		hear("answer %s", direction_name(audio->direction));
	else
		hear("%s", answer ? "answer" : "refuse");
}

static Desc *phone_desc(Direction direction);

static void
phone_change(Leg *leg, const Desc *offer)
{
	Direction asked = desc_audio(offer)->direction;
	g_autoptr(Desc) answer = phone_desc(direction_answer(asked, test.direction));

	hear("change %s", direction_name(asked));
	leg_answered(leg, test.refuses ? NULL : answer);
	test.refuses = FALSE;
}

static void
phone_dtmf(Leg *leg, char digit)
{
	hear("key %c", digit);
}

static void
on_digit(char digit)
{
	hear("event %c", digit);
}

static void
phone_hangup(Leg *leg, Reason reason, const char *text)
{
	hear("hangup %s", reason_name(reason));
	if (test.telephone == (Telephone *)leg)
		test.telephone = NULL;
	g_free(leg); /* the first of two, it may be */
}

static char *
phone_save(const Leg *leg)
{
	return NULL;
}

static void
phone_bury(const char *saved, Reason reason)
{
}

static void
phone_candidate(Leg *leg, const Candidate *ours)
{
}

static const LegVerbs phone_verbs = {
	.dial = phone_dial,
	.ring = phone_ring,
	.answer = phone_answer,
	.change = phone_change,
	.candidate = phone_candidate,
	.hangup = phone_hangup,
	.save = phone_save,
	.bury = phone_bury,
	.dtmf = phone_dtmf,
};

static void
phone_text(const Text *text)
{
	hear("text %s", text->body);
	text_sent(test.gateway, text->id);
}

static const TextVerbs phone_texts = { .carries = WAY_TRUNK, .send = phone_text };

static const Plugin phone = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "sip",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_CONTACT | WAY_TRUNK | WAY_URI,
	.start = phone_start,
	.stop = phone_stop,
	.leg = &phone_verbs,
	.text = &phone_texts,
};

static Desc *
phone_desc(Direction direction)
{
	Transport *transport = transport_new(TRANSPORT_RTP);
	Desc *desc;

	g_strlcpy(transport->address, "192.0.2.77", sizeof transport->address);
	transport->port = 5004;
	desc = desc_offer_all(transport, TRANSPORT_RTP);
	((Stream *)desc->streams->pdata[0])->direction = direction;
	if (test.plain)
		g_ptr_array_remove_index(((Stream *)desc->streams->pdata[0])->codecs, 2);
	transport_free(transport);
	return desc;
}

static void
phone_calls(const char *to)
{
	const char *name = strchr(to, ' ');
	g_autofree char *number = g_strndup(to, strcspn(to, " "));
	g_autoptr(Address) nobody = address_new(ADDRESS_NUMBER, "+15555550123", NULL, NULL);
	g_autoptr(Address) from = address_with_name(nobody, name ? name + 1 : NULL);
	g_autoptr(Address) callee = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = phone_desc(DIRECTION_SENDRECV);
	Incoming incoming = { .from = from, .to = callee, .trunk = "carrier", .offer = offer };

	test.telephone = g_new0(Telephone, 1);
	call_new(test.gateway, &test.telephone->leg, gateway_plugin(test.gateway, "sip"),
		 &incoming);
}

/* --- comparing --- */

static char *
substituted(const char *text)
{
	GString *result = g_string_new(text);
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, test.names);
	while (g_hash_table_iter_next(&iter, &name, &value))
		g_string_replace(result, name, value, 0);
	return g_string_free(result, FALSE);
}

static gboolean
value_fits(const char *expected, const char *found)
{
	const char *known;

	if (g_str_equal(expected, "*"))
		return TRUE;
	if (*expected != '$')
		return g_str_equal(expected, found);
	known = g_hash_table_lookup(test.names, expected);
	if (known)
		return g_str_equal(known, found);
	g_hash_table_insert(test.names, g_strdup(expected), g_strdup(found));
	return TRUE;
}

static guint
n_attributes(const xmlNode *node)
{
	guint n = 0;

	for (const xmlAttr *a = node->properties; a; a = a->next)
		n++;
	return n;
}

static gboolean
tree_fits(const xmlNode *expected, const xmlNode *found)
{
	g_autofree char *text = xml_text(expected), *other = xml_text(found);
	const xmlNode *e, *f;

	if (!xml_is(found, xml_ns(expected), xml_name(expected)) || !value_fits(text, other))
		return FALSE;
	for (const xmlAttr *a = expected->properties; a; a = a->next) {
		const char *value = xml_attribute(found, (const char *)a->name);

		if (!value || !value_fits(xml_attribute(expected, (const char *)a->name), value))
			return FALSE;
	}
	if (n_attributes(expected) != n_attributes(found))
		return FALSE;
	e = xml_child(expected, NULL, NULL);
	f = xml_child(found, NULL, NULL);
	for (; e && f; e = xml_next(e, NULL, NULL), f = xml_next(f, NULL, NULL))
		if (!tree_fits(e, f))
			return FALSE;
	return !e && !f;
}

/* --- one paragraph --- */

static G_GNUC_NORETURN void
fail(const char *what, const char *expected, const char *found)
{
	g_printerr("%s:%u: %s\n  expected %s\n  found    %s\n", test.file, test.line, what,
		   expected ? expected : "nothing", found ? found : "nothing");
	exit(1);
}

static gboolean
has_stanza(gpointer user)
{
	return xmpp_server_waiting(test.server) > 0;
}

static gboolean
has_heard(gpointer user)
{
	return test.heard.length > 0;
}

static void
expect_stanza(const char *text)
{
	g_autoptr(xmlNode) expected = xml_parse(text, strlen(text), 1 << 20, NULL), found = NULL;
	g_autofree char *said = NULL;

	if (!expected)
		fail("the script is not XML", text, NULL);
	if (!wait_for(has_stanza, NULL))
		fail("the gateway says nothing", text, NULL);
	said = xmpp_server_next(test.server);
	found = xml_parse(said, strlen(said), 1 << 20, NULL);
	if (!tree_fits(expected, found))
		fail("the gateway says something else", text, said);
}

static void
expect_heard(const char *text)
{
	g_autofree char *found = NULL;

	if (!wait_for(has_heard, NULL))
		fail("the telephone hears nothing", text, NULL);
	found = g_queue_pop_head(&test.heard);
	if (!g_str_equal(text, found))
		fail("the telephone hears something else", text, found);
}

static void
phone_ends(const char *arguments)
{
	g_auto(GStrv) words = g_strsplit(arguments, " ", 2);
	Telephone *telephone = g_steal_pointer(&test.telephone);

	leg_ended(&telephone->leg, reason_from_name(words[0]), words[1]);
	g_free(telephone);
}

static void
phone_changes(Direction direction)
{
	g_autoptr(Desc) desc = phone_desc(direction);

	test.direction = direction;
	leg_changed(&test.telephone->leg, desc);
}

static gboolean
is_connected(gpointer user)
{
	g_autofree char *status = plugin_status(&xmpp_plugin);

	return xmpp_server_is_connected(test.server) && strstr(status, "online") != NULL;
}

static void
start_gateway(void)
{
	GError *error = NULL;

	test.gateway = core_new(test.config, test.store, NULL);
	g_assert_true(gateway_add_plugin(test.gateway, &phone, &error));
	g_assert_true(gateway_add_plugin(test.gateway, &xmpp_plugin, &error));
	g_assert_true(wait_for(is_connected, NULL));
}

static void
restart(void)
{
	core_free(test.gateway);
	start_gateway();
}

static void
take_texts(void)
{
	g_autoptr(Trunk) trunk = store_trunk_get(test.store, "carrier", NULL);

	g_free(trunk->text);
	trunk->text = g_strdup("message");
	g_assert_true(store_trunk_update(test.store, trunk, NULL));
}

static void
do_command(const char *command)
{
	g_autoptr(Desc) desc = phone_desc(DIRECTION_SENDRECV);

	if (g_str_equal(command, "ring"))
		leg_ringing(&test.telephone->leg, NULL);
	else if (g_str_equal(command, "answer"))
		leg_answered(&test.telephone->leg, desc);
	else if (g_str_equal(command, "hold"))
		phone_changes(DIRECTION_SENDONLY);
	else if (g_str_equal(command, "inactive"))
		phone_changes(DIRECTION_INACTIVE);
	else if (g_str_equal(command, "resume"))
		phone_changes(DIRECTION_SENDRECV);
	else if (g_str_equal(command, "plain"))
		test.plain = TRUE;
	else if (g_str_has_prefix(command, "key "))
		leg_dtmf(&test.telephone->leg, command[4]);
	else if (g_str_equal(command, "refuse"))
		test.refuses = TRUE;
	else if (g_str_equal(command, "texts"))
		take_texts();
	else if (g_str_equal(command, "restart"))
		restart();
	else if (g_str_has_prefix(command, "end "))
		phone_ends(command + 4);
	else if (g_str_has_prefix(command, "dial "))
		phone_calls(command + 5);
	else
		fail("no such command", command, NULL);
}

static void play(const char *text);

static void
include(const char *name)
{
	g_autofree char *file = g_strconcat(name, ".part", NULL);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "legs", "xmpp", file, NULL);
	g_autofree char *text = NULL;
	GError *error = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, &error));
	play(text);
}

static void
do_paragraph(const char *paragraph)
{
	g_autofree char *text = g_strstrip(g_strdup(paragraph + 1));
	g_autofree char *filled = substituted(text);

	switch (*paragraph) {
	case '>':
		xmpp_server_send(test.server, filled);
		break;
	case '<':
		expect_stanza(text);
		break;
	case '?':
		expect_heard(text);
		break;
	case '!':
		do_command(text);
		break;
	case '+':
		include(text);
		break;
	default:
		fail("no such paragraph", paragraph, NULL);
	}
}

static gboolean
is_mark(const char *line)
{
	return *line && strchr("<>!?+", *line) && (line[1] == ' ' || line[1] == '\0');
}

static void
play(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GString) paragraph = g_string_new(NULL);

	for (guint i = 0; lines[i]; i++) {
		if (*lines[i] == '#')
			continue;
		if (is_mark(lines[i])) {
			if (paragraph->len)
				do_paragraph(paragraph->str);
			g_string_truncate(paragraph, 0);
			test.line = i + 1;
		}
		g_string_append_printf(paragraph, "%s\n", lines[i]);
	}
	if (paragraph->len > 1)
		do_paragraph(paragraph->str);
}

/* --- one conversation --- */

static void
set_up(void)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	Trunk *trunk = trunk_new("carrier", "192.0.2.77");

	test.server = xmpp_server_new("secret");
	xmpp_server_listen(test.server);
	text = g_strdup_printf("[xmpp]\ndomain=gw.example.org\nhost=127.0.0.1\nport=%u\n"
			       "secret=secret\n[sip]\naddress=127.0.0.1\n",
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
	test.plain = FALSE;
	fake_media_digit = on_digit;
	test.refuses = FALSE;
	test.direction = DIRECTION_SENDRECV;
	test.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	start_gateway();
}

static void
tear_down(void)
{
	core_free(test.gateway);
	g_clear_pointer(&test.telephone, g_free);
	xmpp_server_free(test.server);
	store_close(test.store);
	config_free(test.config);
	g_hash_table_unref(test.names);
	g_queue_clear_full(&test.heard, g_free);
}

static void
test_conversation(gconstpointer data)
{
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "legs", "xmpp", (const char *)data, NULL);
	g_autofree char *text = NULL;
	GError *error = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, &error));
	test.file = data;
	set_up();
	play(text);
	tear_down();
}

/* --- what no script says --- */

/* A crash: what was saved of a call is enough to end it on the wire. */
static void
test_bury(void)
{
	set_up();
	xmpp_plugin.leg->bury(
		"terminate,%2B15555550123@gw.example.org/gw,alice@example.com/a%20b,sid1;"
		"finish,%2B15555550123@gw.example.org/gw,alice@example.com/a%20b,sid1;"
		"nonsense;reject,,",
		REASON_CRASHED);
	expect_stanza("<iq xmlns='jabber:component:accept' type='set' id='*' "
		      "from='+15555550123@gw.example.org/gw' to='alice@example.com/a b'>"
		      "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='sid1'>"
		      "<reason><general-error/></reason></jingle></iq>");
	expect_stanza("<message xmlns='jabber:component:accept' type='chat' "
		      "from='+15555550123@gw.example.org/gw' to='alice@example.com/a b' id='*'>"
		      "<finish xmlns='urn:xmpp:jingle-message:0' id='sid1'>"
		      "<reason xmlns='urn:xmpp:jingle:1'><general-error/></reason></finish>"
		      "<store xmlns='urn:xmpp:hints'/></message>");
	tear_down();
}

static void
test_status(void)
{
	g_autofree char *status = NULL;

	set_up();
	status = plugin_status(&xmpp_plugin);
	g_assert_nonnull(strstr(status, "stream: online\n"));
	g_assert_nonnull(strstr(status, "connections: 1\n"));
	tear_down();
}

static gint
by_name(gconstpointer one, gconstpointer other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

int
main(int argc, char **argv)
{
	g_autofree char *folder = NULL;
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	GDir *dir;

	g_test_init(&argc, &argv, NULL);
	folder = g_test_build_filename(G_TEST_DIST, "legs", "xmpp", NULL);
	dir = g_dir_open(folder, 0, NULL);
	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".txt"))
			g_ptr_array_add(files, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(files, by_name);
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *path = g_strconcat("/xmpp-leg/", files->pdata[i], NULL);

		g_test_add_data_func(path, files->pdata[i], test_conversation);
	}
	g_test_add_func("/xmpp-leg/bury", test_bury);
	g_test_add_func("/xmpp-leg/status", test_status);
	return g_test_run();
}
