/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-stream.c - the component stream against a server of our own: that it
 * comes up, comes back, and that each trap of libstrophe is closed. */
#include "plugins/xmpp/xmpp_stream.h"
#include "tests/legs/xmpp_server.h"
#include <dirent.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE "<message from='alice@example.com' to='gw.example.org'><body>%s</body></message>"

typedef struct {
	XmppServer *server;
	XmppStream *stream;
	GPtrArray *heard; /* stanzas the stream gave us */
	guint ups, downs;
	gboolean quiet;
	guint streams_wanted, heard_wanted, refused_wanted, said_wanted;
	guint ping_s;
	guint kept_ms;
	const char *host;
} Fixture;

static GPtrArray *log_lines; /* warnings and messages */

static GLogWriterOutput
keep_log(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	for (gsize i = 0; i < n; i++)
		if (g_str_equal(fields[i].key, "MESSAGE"))
			g_ptr_array_add(log_lines, g_strdup(fields[i].value));
	return G_LOG_WRITER_HANDLED;
}

static guint
logged(const char *part)
{
	guint n = 0;

	for (guint i = 0; i < log_lines->len; i++)
		n += strstr(log_lines->pdata[i], part) != NULL;
	return n;
}

static void
on_up(gpointer user)
{
	((Fixture *)user)->ups++;
}

static void
on_down(gpointer user)
{
	((Fixture *)user)->downs++;
}

static void
on_stanza(gpointer user, const char *text, gsize length)
{
	g_assert_cmpuint(strlen(text), ==, length);
	g_ptr_array_add(((Fixture *)user)->heard, g_strdup(text));
}

static gboolean
is_quiet(gpointer user)
{
	return ((Fixture *)user)->quiet;
}

static const XmppStreamListener listener = { on_up, on_down, on_stanza, is_quiet };

static void
open_stream(Fixture *f, guint port)
{
	XmppStreamOptions options = { .domain = "gw.example.org",
				      .host = f->host ? f->host : "127.0.0.1",
				      .ping_s = f->ping_s,
				      .secret = "secret",
				      .port = port,
				      .max_stanza_bytes = 20000,
				      .kept_ms = f->kept_ms,
				      .max_name_bytes = 20000 };

	f->stream = xmpp_stream_new(&options, &listener, f);
}

static void
set_up(Fixture *f, gconstpointer data)
{
	g_ptr_array_set_size(log_lines, 0);
	f->server = xmpp_server_new("secret");
	f->heard = g_ptr_array_new_with_free_func(g_free);
	f->quiet = TRUE;
	xmpp_server_listen(f->server);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	xmpp_stream_free(f->stream);
	xmpp_server_free(f->server);
	g_ptr_array_unref(f->heard);
}

static gboolean
is_up(gpointer user)
{
	Fixture *f = user;

	return xmpp_server_streams(f->server) >= f->streams_wanted &&
	       xmpp_server_is_connected(f->server) && xmpp_stream_is_up(f->stream);
}

static gboolean
has_heard(gpointer user)
{
	Fixture *f = user;

	return f->heard->len >= f->heard_wanted;
}

static gboolean
has_said(gpointer user)
{
	Fixture *f = user;

	return xmpp_server_waiting(f->server) >= f->said_wanted;
}

static gboolean
is_refused(gpointer user)
{
	Fixture *f = user;

	return xmpp_server_refused(f->server) >= f->refused_wanted;
}

static gboolean
is_down(gpointer user)
{
	return !xmpp_stream_is_up(((Fixture *)user)->stream);
}

static void
wait_up(Fixture *f, guint streams)
{
	f->streams_wanted = streams;
	g_assert_true(wait_for(is_up, f));
}

static void
say(Fixture *f, const char *text)
{
	g_autofree char *stanza = g_strdup_printf(MESSAGE, text);

	xmpp_server_send(f->server, stanza);
}

static void
expect_said(Fixture *f, const char *stanza)
{
	g_autofree char *said = NULL;

	f->said_wanted = 1;
	g_assert_true(wait_for(has_said, f));
	said = xmpp_server_next(f->server);
	g_assert_cmpstr(said, ==, stanza);
}

/* The first stanza of all follows a pointer that libstrophe leaves NULL. */
static void
test_first_stanza(Fixture *f, gconstpointer data)
{
	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	say(f, "first");
	f->heard_wanted = 1;
	g_assert_true(wait_for(has_heard, f));
	g_assert_nonnull(strstr(f->heard->pdata[0], "jabber:component:accept"));
	g_assert_nonnull(strstr(f->heard->pdata[0], "first"));
	xmpp_stream_send(f->stream, "<message to='a@b'/>");
	expect_said(f, "<message to='a@b'/>");
	g_assert_cmpuint(xmpp_stream_status(f->stream).stanzas_in, ==, 1);
	g_assert_cmpuint(xmpp_stream_status(f->stream).stanzas_out, ==, 1);
	g_assert_cmpuint(f->ups, ==, 1);
}

/* Many stanzas in one read, and in many: none is late, none is lost. */
static void
test_bulk(Fixture *f, gconstpointer data)
{
	g_autoptr(GString) bulk = g_string_new(NULL);

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	for (guint i = 0; i < 2000; i++)
		g_string_append_printf(bulk, MESSAGE, "bulk");
	xmpp_server_send(f->server, bulk->str);
	f->heard_wanted = 2000;
	g_assert_true(wait_for(has_heard, f));
	for (guint i = 0; i < 2000; i++)
		xmpp_stream_send(f->stream, "<message to='a@b'/>");
	f->said_wanted = 2000;
	g_assert_true(wait_for(has_said, f));
}

static void
test_too_long(Fixture *f, gconstpointer data)
{
	g_autofree char *blanks = g_strnfill(30000, 'x');

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	say(f, blanks);
	say(f, "after it");
	f->heard_wanted = 1;
	g_assert_true(wait_for(has_heard, f));
	g_assert_nonnull(strstr(f->heard->pdata[0], "after it"));
	g_assert_cmpuint(xmpp_stream_status(f->stream).dropped_in, ==, 1);
}

/* What libstrophe wants to say after reading waits, invisible, for its next turn:
 * the stream header and the handshake would come with the timers of the source,
 * 20 ms to a second late.  The best of some streams tells that from a busy machine. */
static void
test_no_wait(Fixture *f, gconstpointer data)
{
	gint64 best = G_MAXINT64;

	for (guint i = 1; i <= 12; i++) {
		gint64 begun = g_get_monotonic_time();

		open_stream(f, xmpp_server_port(f->server));
		wait_up(f, i);
		best = MIN(best, g_get_monotonic_time() - begun);
		g_clear_pointer(&f->stream, xmpp_stream_free);
	}
	g_test_message("up in %" G_GINT64_FORMAT " us", best);
	g_assert_cmpint(best, <, 18000);
	open_stream(f, xmpp_server_port(f->server));
}

static gboolean
set_true(gpointer data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_REMOVE;
}

/* A writable socket is no event: an idle stream lets the process sleep. */
static void
test_idle(Fixture *f, gconstpointer data)
{
	gboolean over = FALSE;
	guint turns = 0;

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	g_timeout_add(400, set_true, &over);
	while (!over) {
		g_main_context_iteration(NULL, TRUE);
		turns++;
	}
	g_assert_cmpuint(turns, <, 40);
}

static int
descriptor_to(guint16 port)
{
	for (int fd = 0; fd < 4096; fd++) {
		struct sockaddr_in peer;
		socklen_t length = sizeof peer;

		if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
		    peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
			return fd;
	}
	return -1;
}

static void
test_keepalive(Fixture *f, gconstpointer data)
{
	int on = 0;
	socklen_t length = sizeof on;

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	g_assert_cmpint(getsockopt(descriptor_to(xmpp_server_port(f->server)), SOL_SOCKET,
				   SO_KEEPALIVE, &on, &length),
			==, 0);
	g_assert_cmpint(on, ==, 1);
}

/* The one that libstrophe has: its peer is a socket of ours as well. */
static int
descriptor_of_libstrophe(void)
{
	for (int fd = 0; fd < 4096; fd++) {
		struct sockaddr_in peer, own;
		socklen_t length = sizeof peer, own_length = sizeof own;

		if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0 ||
		    getsockname(fd, (struct sockaddr *)&own, &own_length) < 0 ||
		    peer.sin_family != AF_INET)
			continue;
		/* libstrophe's is the one that was made first: its number is in the reserve */
		if (descriptor_to(ntohs(own.sin_port)) > fd)
			return fd;
	}
	return -1;
}

/* libstrophe waits with select(): a socket of 1,024 or more aborts the process. */
static void
test_many_descriptors(Fixture *f, gconstpointer data)
{
	struct rlimit limit;
	g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(int));
	int fd = -1;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = MIN(limit.rlim_max, 4096);
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 1200) {
		g_test_skip("not allowed to open 1,200 files");
		return;
	}
	xmpp_server_kill(f->server);
	open_stream(f, xmpp_server_port(f->server)); /* takes its reserve, as at start-up */
	while (fd < 1100) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		g_array_append_val(taken, fd);
	}
	xmpp_server_listen(f->server);
	for (guint i = 1; i <= 12; i++) {
		wait_up(f, i);
		g_assert_cmpint(descriptor_of_libstrophe(), >=, 0);
		g_assert_cmpint(descriptor_of_libstrophe(), <, 1024);
		xmpp_server_kill(f->server);
		g_assert_true(wait_for(is_down, f));
		xmpp_server_listen(f->server);
	}
	wait_up(f, 13);
	for (guint i = 0; i < taken->len; i++)
		close(g_array_index(taken, int, i));
}

/* One line with the remedy, however often the server refuses. */
static void
test_wrong_secret(Fixture *f, gconstpointer data)
{
	xmpp_server_set_secret(f->server, "another");
	open_stream(f, xmpp_server_port(f->server));
	f->refused_wanted = 3;
	g_assert_true(wait_for(is_refused, f));
	g_assert_cmpuint(logged("refuses the secret of component gw.example.org"), ==, 1);
	g_assert_cmpuint(logged("component_secret"), ==, 1);
	xmpp_server_set_secret(f->server, "secret");
	wait_up(f, 1);
	/* A server that comes back with another secret is not taken for one that is away. */
	xmpp_server_kill(f->server);
	g_assert_true(wait_for(is_down, f));
	xmpp_server_set_secret(f->server, "another");
	xmpp_server_listen(f->server);
	f->refused_wanted += 2;
	g_assert_true(wait_for(is_refused, f));
	g_assert_cmpuint(logged("refuses the secret"), ==, 2);
}

/* What ends or makes calls is kept; the rest is dropped and counted. */
static void
test_comes_back(Fixture *f, gconstpointer data)
{
	gint64 returned;

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	xmpp_stream_send_sure(f->stream, "<message id='said'/>");
	xmpp_stream_send_end(f->stream, "<message id='in-flight'/>");
	expect_said(f, "<message id='said'/>");
	expect_said(f, "<message id='in-flight'/>");
	xmpp_server_kill(f->server);
	g_assert_true(wait_for(is_down, f));
	g_assert_cmpuint(f->downs, ==, 1);
	xmpp_stream_send(f->stream, "<presence/>");
	xmpp_stream_send_sure(f->stream, "<message id='kept'/>");
	g_assert_cmpuint(xmpp_stream_status(f->stream).dropped_out, ==, 1);
	g_assert_cmpuint(xmpp_stream_status(f->stream).waiting, ==, 2);
	returned = g_get_monotonic_time();
	xmpp_server_listen(f->server);
	wait_up(f, 2);
	g_assert_cmpint(g_get_monotonic_time() - returned, <, 5 * G_USEC_PER_SEC);
	/* Once more the end that may have died with the socket, then what was kept. */
	expect_said(f, "<message id='in-flight'/>");
	expect_said(f, "<message id='kept'/>");
	g_assert_cmpuint(f->ups, ==, 2);
}

static gboolean
on_later(gpointer data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_REMOVE;
}

static gboolean
is_later(gpointer data)
{
	return *(gboolean *)data;
}

/* A propose that is sent when nobody waits for it any more would ring for nobody. */
static void
test_too_old(Fixture *f, gconstpointer data)
{
	gboolean later = FALSE;

	f->kept_ms = 50;
	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	xmpp_server_kill(f->server);
	g_assert_true(wait_for(is_down, f));
	xmpp_stream_send_sure(f->stream, "<message id='propose'/>");
	xmpp_stream_send_end(f->stream, "<message id='end'/>");
	xmpp_stream_send_whenever(f->stream, "<message id='notice'/>");
	g_timeout_add(60, on_later, &later);
	g_assert_true(wait_for(is_later, &later));
	xmpp_server_listen(f->server);
	wait_up(f, 2);
	expect_said(f, "<message id='end'/>");
	expect_said(f, "<message id='notice'/>");
	g_assert_cmpuint(xmpp_stream_status(f->stream).dropped_out, ==, 1);
}

/* A parser keeps every name it ever saw: it is replaced, at a quiet moment. */
static void
test_names(Fixture *f, gconstpointer data)
{
	g_autoptr(GString) text = g_string_new(NULL);

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	f->quiet = FALSE;
	for (guint i = 0; i < 300; i++) {
		g_autofree char *name = g_strnfill(100, 'a');

		g_string_append_printf(text, "<message from='a@b' to='c@d'><%s%u/></message>", name,
				       i);
	}
	xmpp_server_send(f->server, text->str);
	f->heard_wanted = 300;
	g_assert_true(wait_for(has_heard, f));
	g_assert_true(is_up(f)); /* a call is going on */
	f->quiet = TRUE;
	wait_up(f, 2);
	/* The same names again are a new parser's to learn, so not at once again. */
	say(f, "still here");
	f->heard_wanted = 301;
	g_assert_true(wait_for(has_heard, f));
	g_assert_cmpuint(xmpp_server_streams(f->server), ==, 2);
}

/* What libstrophe would take seconds for does not reach it, and who asked is told. */
static void
test_over_the_limits(Fixture *f, gconstpointer data)
{
	g_autoptr(GString) text = g_string_new("<message from='a@b' to='gw.example.org'>");

	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	for (guint i = 0; i < 4500; i++)
		g_string_append(text, "<a/>");
	g_string_append(text, "</message><iq type='get' id='q' from='a@b' to='gw.example.org'");
	for (guint i = 0; i < 20000; i++)
		g_string_append_printf(text, " a%u=''", i);
	g_string_append(text, "/>");
	xmpp_server_send(f->server, text->str);
	say(f, "after it");
	f->heard_wanted = 1;
	g_assert_true(wait_for(has_heard, f));
	g_assert_nonnull(strstr(f->heard->pdata[0], "after it"));
	g_assert_cmpuint(xmpp_stream_status(f->stream).dropped_in, ==, 2);
	g_assert_cmpuint(logged("was dropped"), ==, 1);
	expect_said(f, "<iq type='error' id='q' from='gw.example.org' to='a@b'>"
		       "<error type='modify'><policy-violation "
		       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
	g_assert_cmpuint(xmpp_server_streams(f->server), ==, 1);
}

/* RFC 6120 4.9.3.13: a server that sends what is no XML is left, and found again. */
static void
test_no_xml(Fixture *f, gconstpointer data)
{
	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	xmpp_server_send(f->server, "<message from='a' <<<");
	wait_up(f, 2);
	g_assert_cmpuint(f->downs, ==, 1);
	g_assert_cmpuint(logged("not-well-formed"), ==, 1);
	say(f, "as before");
	f->heard_wanted = 1;
	g_assert_true(wait_for(has_heard, f));
}

/* The connection stands and nothing moves. */
static void
test_stuck(Fixture *f, gconstpointer data)
{
	f->ping_s = 1;
	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	f->said_wanted = 1;
	g_assert_true(wait_for(has_said, f));
	wait_up(f, 2);
	g_assert_cmpuint(logged("is silent and does not answer"), ==, 1);
}

/* A name is looked up while everything else goes on. */
typedef struct {
	GResolver parent;
	GTask *task;
	gboolean answered;
} SlowResolver;
typedef GResolverClass SlowResolverClass;
static GType slow_resolver_get_type(void);
G_DEFINE_TYPE(SlowResolver, slow_resolver, G_TYPE_RESOLVER)

static void
return_loopback(GTask *task)
{
	g_task_return_pointer(
		task, g_list_append(NULL, g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4)), NULL);
}

static void
slow_lookup(GResolver *resolver, const char *name, GResolverNameLookupFlags flags,
	    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
	SlowResolver *slow = (SlowResolver *)resolver;

	if (slow->answered) { /* GLib has given up on the first connection meanwhile */
		g_autoptr(GTask) task = g_task_new(resolver, cancellable, callback, user);

		return_loopback(task);
		return;
	}
	/* asked once for each family, perhaps: the second one has nothing */
	if (slow->task) {
		g_task_report_new_error(resolver, callback, user, NULL, G_RESOLVER_ERROR,
					G_RESOLVER_ERROR_NOT_FOUND, "%s", name);
		return;
	}
	slow->task = g_task_new(resolver, cancellable, callback, user);
}

static GList *
slow_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	return g_task_propagate_pointer(G_TASK(result), error);
}

static GList *
never(GResolver *resolver, const char *name, GCancellable *cancellable, GError **error)
{
	g_assert_not_reached();
}

static void
plain_lookup(GResolver *resolver, const char *name, GCancellable *cancellable,
	     GAsyncReadyCallback callback, gpointer user)
{
	slow_lookup(resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback,
		    user);
}

static void
slow_resolver_class_init(SlowResolverClass *class)
{
	class->lookup_by_name = never;
	class->lookup_by_name_async = plain_lookup;
	class->lookup_by_name_finish = slow_finish;
	class->lookup_by_name_with_flags_async = slow_lookup;
	class->lookup_by_name_with_flags_finish = slow_finish;
}

static void
slow_resolver_init(SlowResolver *resolver)
{
}

static gboolean
on_tick(gpointer data)
{
	++*(guint *)data;
	return G_SOURCE_CONTINUE;
}

static gboolean
has_ticked(gpointer data)
{
	return *(guint *)data > 20;
}

static void
test_slow_name(Fixture *f, gconstpointer data)
{
	g_autoptr(GResolver) before = g_resolver_get_default();
	SlowResolver *slow = g_object_new(slow_resolver_get_type(), NULL);
	guint ticks = 0, ticker = g_timeout_add(1, on_tick, &ticks);

	g_resolver_set_default(G_RESOLVER(slow));
	f->host = "xmpp.example.org";
	open_stream(f, xmpp_server_port(f->server));
	g_assert_true(wait_for(has_ticked, &ticks));
	g_assert_false(xmpp_stream_is_up(f->stream));
	g_assert_nonnull(slow->task);
	slow->answered = TRUE;
	return_loopback(slow->task);
	wait_up(f, 1);
	g_source_remove(ticker);
	g_resolver_set_default(before);
	g_object_unref(slow->task);
	g_object_unref(slow);
}

/* Freed in every state: nothing leaks, nothing is called back. */
static void
test_free_early(Fixture *f, gconstpointer data)
{
	for (guint turns = 0; turns < 12; turns++) {
		open_stream(f, xmpp_server_port(f->server));
		for (guint i = 0; i < turns; i++)
			g_main_context_iteration(NULL, FALSE);
		xmpp_stream_free(f->stream);
	}
	open_stream(f, xmpp_server_port(f->server));
}

/* Whoever frees the stream has begun to take himself down. */
static void
test_free_while_it_speaks(Fixture *f, gconstpointer data)
{
	open_stream(f, xmpp_server_port(f->server));
	wait_up(f, 1);
	say(f, "too late");
	g_clear_pointer(&f->stream, xmpp_stream_free);
	g_assert_cmpuint(f->heard->len, ==, 0);
	g_assert_cmpuint(f->downs, ==, 0);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(Fixture *f, gconstpointer data);
	} tests[] = {
		{ "/xmpp-stream/first-stanza", test_first_stanza },
		{ "/xmpp-stream/no-wait", test_no_wait },
		{ "/xmpp-stream/bulk", test_bulk },
		{ "/xmpp-stream/too-long", test_too_long },
		{ "/xmpp-stream/idle-sleeps", test_idle },
		{ "/xmpp-stream/keepalive", test_keepalive },
		{ "/xmpp-stream/descriptors-past-1023", test_many_descriptors },
		{ "/xmpp-stream/wrong-secret", test_wrong_secret },
		{ "/xmpp-stream/comes-back", test_comes_back },
		{ "/xmpp-stream/too-old", test_too_old },
		{ "/xmpp-stream/names-of-strangers", test_names },
		{ "/xmpp-stream/over-the-limits", test_over_the_limits },
		{ "/xmpp-stream/no-xml", test_no_xml },
		{ "/xmpp-stream/stuck", test_stuck },
		{ "/xmpp-stream/slow-name", test_slow_name },
		{ "/xmpp-stream/free-early", test_free_early },
		{ "/xmpp-stream/free-while-it-speaks", test_free_while_it_speaks },
	};

	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	log_lines = g_ptr_array_new_with_free_func(g_free);
	g_log_set_writer_func(keep_log, NULL, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
