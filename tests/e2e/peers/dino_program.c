/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dino_program.c - a plugin of Dino that does what a user does with the mouse, and tells what
 * Dino's windows are told: lines in (a verb, a JID, words), lines of JSON out.
 *
 * Built by dino_program.py, loaded by DINO_PLUGIN_DIR for its functions and by LD_PRELOAD for some
 * more: the certificate of the test's server is taken, and the audio processing of a laptop, which
 * takes coded tones for noise, leaves the samples alone.  Dino has no header for plugins in C: what
 * is used is declared here as Vala exports it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gio/gio.h>
#include <gmodule.h>
#include <stdio.h>
#include <string.h>
#include "dino_windows.h"

typedef struct {
	GTypeInterface parent;
	void (*registered)(gpointer self, gpointer app);
	void (*shutdown)(gpointer self);
} RootInterface;

GType dino_plugins_root_interface_get_type(void);
gpointer dino_application_get_stream_interactor(gpointer app);
gpointer dino_application_get_db(gpointer app);
gpointer dino_stream_interactor_get_module(gpointer self, GType type, GBoxedCopyFunc copy,
					   GDestroyNotify free, gpointer identity);
void dino_stream_interactor_connect_account(gpointer self, gpointer account);
gpointer dino_entities_account_new(gpointer jid, const char *resource, const char *password,
				   const char *alias);
void dino_entities_account_set_enabled(gpointer account, gboolean enabled);
void dino_entities_account_persist(gpointer account, gpointer db);
gpointer xmpp_jid_new(const char *jid, GError **error);
char *xmpp_jid_to_string(gpointer jid);
gpointer dino_conversation_manager_create_conversation(gpointer self, gpointer jid,
						       gpointer account, gpointer type);
void dino_conversation_manager_start_conversation(gpointer self, gpointer conversation);
gpointer dino_message_processor_send_text(gpointer self, const char *text, gpointer conversation);
const char *dino_entities_message_get_body(gpointer message);
const char *dino_entities_message_get_stanza_id(gpointer message);
gpointer dino_entities_message_get_counterpart(gpointer message);
void dino_calls_initiate_call(gpointer self, gpointer conversation, gboolean video,
			      GAsyncReadyCallback done, gpointer user);
void dino_call_state_accept(gpointer state);
void dino_call_state_reject(gpointer state);
void dino_call_state_end(gpointer state, const char *reason);
int dino_entities_call_get_state(gpointer call);
gpointer dino_entities_call_get_counterpart(gpointer call);
void dino_roster_manager_add_jid(gpointer self, gpointer account, gpointer jid, const char *name);
void dino_presence_manager_request_subscription(gpointer self, gpointer account, gpointer jid);
GType dino_calls_get_type(void), dino_message_processor_get_type(void),
	dino_conversation_manager_get_type(void), dino_roster_manager_get_type(void),
	dino_presence_manager_get_type(void);

gboolean dino_calls_has_jmi_resources(gpointer self, gpointer jid);

static gpointer application, streams, account, call_state;
static gboolean ended_by_us;

/* --- what is loaded before Dino's own --- */

gboolean
dino_connection_manager_on_invalid_certificate(const char *domain, gpointer certificate, int flags)
{
	return TRUE;
}

void
dino_plugins_rtp_voice_processor_process_stream(gpointer native, gpointer info, gpointer buffer)
{
}

void
dino_plugins_rtp_voice_processor_analyze_reverse_stream(gpointer native, gpointer info,
							gpointer buffer)
{
}

static void say(const char *event, ...);

/* Dino puts the pipeline together while it runs, and in a call of some ten its microphone stops
 * at its first word for good. */
#define FIRST_WORDS   50 /* buffers */
#define DUMB_MS	      2500
#define PROBE_BUFFER  (1 << 4)
#define PROBE_GOES_ON 1

gpointer gst_device_create_element(gpointer device, const char *name);
gpointer gst_element_get_static_pad(gpointer element, const char *name);
gulong gst_pad_add_probe(gpointer pad, int mask, int (*callback)(gpointer, gpointer, gpointer),
			 gpointer user, GDestroyNotify free);

static int
on_buffer(gpointer pad, gpointer info, gpointer n_buffers)
{
	g_atomic_int_inc((gint *)n_buffers);
	return PROBE_GOES_ON;
}

static gboolean
hear_microphone(gpointer n_buffers)
{
	if (g_atomic_int_get((gint *)n_buffers) < FIRST_WORDS)
		say("dumb", NULL);
	return G_SOURCE_REMOVE;
}

gpointer
gst_device_create_element(gpointer device, const char *name)
{
	gpointer (*original)(gpointer, const char *) =
		dlsym(RTLD_NEXT, "gst_device_create_element");
	gpointer element = original(device, name);
	gpointer pad = element ? gst_element_get_static_pad(element, "src") : NULL;

	if (pad) {
		gint *n_buffers = g_new0(gint, 1); /* as long as the program */

		gst_pad_add_probe(pad, PROBE_BUFFER, on_buffer, n_buffers, NULL);
		g_timeout_add(DUMB_MS, hear_microphone, n_buffers);
		g_object_unref(pad);
	}
	return element;
}

/* --- what is told --- */

char *
quoted(const char *text)
{
	GString *json = g_string_new("\"");

	for (const char *c = text ? text : ""; *c; c++) {
		if (strchr("\"\\", *c))
			g_string_append_c(json, '\\');
		if ((guchar)*c < ' ')
			g_string_append_printf(json, "\\u%04x", *c);
		else
			g_string_append_c(json, *c);
	}
	return g_string_free(g_string_append_c(json, '"'), FALSE);
}

static void
say(const char *event, ...)
{
	va_list pairs;
	const char *key;

	va_start(pairs, event);
	printf("{\"at\": %.3f, \"event\": \"%s\"", (double)g_get_real_time() / G_USEC_PER_SEC,
	       event);
	while ((key = va_arg(pairs, const char *))) {
		char *value = quoted(va_arg(pairs, const char *));

		printf(", \"%s\": %s", key, value);
		g_free(value);
	}
	va_end(pairs);
	puts("}");
	fflush(stdout);
}

/* By name: the helpers of GStreamer are started with this library, and without Dino's. */
static gpointer
identity(const char *name)
{
	gpointer *found = dlsym(RTLD_DEFAULT, name);

	return found ? *found : NULL;
}

#define MODULE(name)                                                                    \
	dino_stream_interactor_get_module(streams, dino_##name##_get_type(),            \
					  (GBoxedCopyFunc)g_object_ref, g_object_unref, \
					  identity("dino_" #name "_IDENTITY"))

static void
on_message(gpointer processor, gpointer message, gpointer conversation, gpointer user)
{
	char *from = xmpp_jid_to_string(dino_entities_message_get_counterpart(message));

	say("chat", "from", from, "body", dino_entities_message_get_body(message), "id",
	    dino_entities_message_get_stanza_id(message), NULL);
	g_free(from);
}

static void
on_marked(GObject *message, GParamSpec *spec, gpointer user)
{
	static const char *const names[] = { "none",	     "received", "read",
					     "acknowledged", "unsent",	 "wontsend",
					     "sending",	     "sent",	 "error" };
	int marked = 0;

	g_object_get(message, "marked", &marked, NULL);
	say("marked", "id", dino_entities_message_get_stanza_id(message), "as",
	    marked >= 0 && marked < (int)G_N_ELEMENTS(names) ? names[marked] : "?", "body",
	    dino_entities_message_get_body(message), NULL);
}

static void
on_call_state(GObject *call, GParamSpec *spec, gpointer user)
{
	static const char *const names[] = { "ringing", "establishing", "up",	  "other",
					     "over",	"declined",	"missed", "failed" };
	int state = dino_entities_call_get_state(call);

	say(state == 2 ? "up" : "state", "state",
	    state >= 0 && state < (int)G_N_ELEMENTS(names) ? names[state] : "?", NULL);
}

static void
keep(gpointer call, gpointer state)
{
	g_set_object((GObject **)&call_state, state);
	g_signal_connect(call, "notify::state", G_CALLBACK(on_call_state), NULL);
}

static void
on_incoming(gpointer calls, gpointer call, gpointer state, gpointer conversation, gboolean video,
	    gboolean several, gpointer user)
{
	char *from = xmpp_jid_to_string(dino_entities_call_get_counterpart(call));

	keep(call, state);
	say("incoming", "from", from, NULL);
	g_free(from);
}

static void
on_outgoing(gpointer calls, gpointer call, gpointer state, gpointer conversation, gpointer user)
{
	keep(call, state);
	say("dialled", NULL);
}

static void
on_terminated(gpointer calls, gpointer call, const char *reason, const char *text, gpointer user)
{
	say("ended", "by", ended_by_us ? "us" : "peer", "reason", reason, "text", text, NULL);
	ended_by_us = FALSE;
	g_clear_object((GObject **)&call_state);
}

static void
on_negotiated(gpointer from, gpointer whose, gpointer stream, gpointer user)
{
	say("online", "jid", g_getenv("DINO_TEST_JID"), NULL);
}

/* --- what is done --- */

static gpointer
chat_with(gpointer jid)
{
	int type = 0; /* CHAT */
	gpointer manager = MODULE(conversation_manager);
	gpointer conversation =
		dino_conversation_manager_create_conversation(manager, jid, account, &type);

	dino_conversation_manager_start_conversation(manager, conversation);
	return conversation;
}

/* Dino knows now that the contact can be called. */
static gboolean
look(gpointer jid)
{
	char *to;

	if (!dino_calls_has_jmi_resources(MODULE(calls), jid))
		return G_SOURCE_CONTINUE;
	to = xmpp_jid_to_string(jid);
	say("presence", "from", to, NULL);
	g_free(to);
	return G_SOURCE_REMOVE;
}

static void
obey(const char *verb, const char *to, const char *words)
{
	gpointer jid;

	if (windows_obey(verb, to, words))
		return;
	jid = to && *to ? xmpp_jid_new(to, NULL) : NULL;
	if (strcmp(verb, "open") == 0)
		g_action_group_activate_action(G_ACTION_GROUP(application), words, NULL);
	else if (strcmp(verb, "say") == 0) {
		gpointer message = dino_message_processor_send_text(MODULE(message_processor),
								    words, chat_with(jid));

		g_signal_connect(message, "notify::marked", G_CALLBACK(on_marked), NULL);
		say("said", "id", dino_entities_message_get_stanza_id(message), "body", words,
		    NULL);
	} else if (strcmp(verb, "call") == 0) {
		dino_calls_initiate_call(MODULE(calls), chat_with(jid), FALSE, NULL, NULL);
	} else if (strcmp(verb, "subscribe") == 0) {
		dino_roster_manager_add_jid(MODULE(roster_manager), account, jid, "");
		dino_presence_manager_request_subscription(MODULE(presence_manager), account, jid);
		g_timeout_add(100, look, jid);
	} else if (strcmp(verb, "answer") == 0 && call_state) {
		g_object_set(call_state, "we-should-send-audio", TRUE,
			     NULL); /* as its button does */
		dino_call_state_accept(call_state);
		say("answered", NULL);
	} else if (strcmp(verb, "reject") == 0 && call_state) {
		ended_by_us = TRUE;
		dino_call_state_reject(call_state);
	} else if (strcmp(verb, "hangup") == 0 && call_state) {
		ended_by_us = TRUE;
		dino_call_state_end(call_state, NULL);
	} else if (strcmp(verb, "quit") == 0) {
		g_application_quit(application);
	} else {
		say("error", "what", verb, NULL);
	}
}

static gboolean
on_line(GIOChannel *channel, GIOCondition condition, gpointer user)
{
	char *line = NULL;

	if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
		g_application_quit(application);
		return G_SOURCE_REMOVE;
	}
	g_strchomp(line);
	char **words = g_strsplit(line, "\t", 3);

	if (words[0])
		obey(words[0], words[1], words[0] && words[1] ? words[2] : NULL);
	g_strfreev(words);
	g_free(line);
	return G_SOURCE_CONTINUE;
}

static void
on_startup(gpointer app, gpointer user)
{
	gpointer jid = xmpp_jid_new(g_getenv("DINO_TEST_JID"), NULL);

	account = dino_entities_account_new(jid, g_getenv("DINO_TEST_RESOURCE"),
					    g_getenv("DINO_TEST_PASSWORD"), NULL);
	dino_entities_account_set_enabled(account, TRUE);
	dino_entities_account_persist(account, dino_application_get_db(app));
	g_signal_connect(streams, "stream-negotiated", G_CALLBACK(on_negotiated), NULL);
	g_signal_connect(MODULE(message_processor), "message-received", G_CALLBACK(on_message),
			 NULL);
	g_signal_connect(MODULE(calls), "call-incoming", G_CALLBACK(on_incoming), NULL);
	g_signal_connect(MODULE(calls), "call-outgoing", G_CALLBACK(on_outgoing), NULL);
	g_signal_connect(MODULE(calls), "call-terminated", G_CALLBACK(on_terminated), NULL);
	dino_stream_interactor_connect_account(streams, account);
	g_io_add_watch(g_io_channel_unix_new(0), G_IO_IN | G_IO_HUP, on_line, NULL);
}

static void
registered(gpointer self, gpointer app)
{
	application = app;
	streams = dino_application_get_stream_interactor(app);
	g_signal_connect_after(app, "startup", G_CALLBACK(on_startup), NULL);
}

static void
shut_down(gpointer self)
{
}

static void
implement(gpointer iface, gpointer data)
{
	((RootInterface *)iface)->registered = registered;
	((RootInterface *)iface)->shutdown = shut_down;
}

G_MODULE_EXPORT GType
register_plugin(GModule *module)
{
	static const GInterfaceInfo info = { implement, NULL, NULL };
	GType type = g_type_register_static_simple(
		G_TYPE_OBJECT, "TestPlugin", sizeof(GObjectClass), NULL, sizeof(GObject), NULL, 0);

	g_type_add_interface_static(type, dino_plugins_root_interface_get_type(), &info);
	return type;
}
