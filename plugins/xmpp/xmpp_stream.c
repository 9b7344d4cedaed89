/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_stream.c - the component stream, and what libstrophe 0.12 needs to be safe.
 *
 *  - xmpp_connect_component() leaves a pointer NULL that the first stanza
 *    follows; a client connection refused before it begins sets it (prime).
 *  - It waits with select(): a descriptor of 1,024 or more aborts the process.
 *    Low ones are held in reserve and swapped in when a socket is made.
 *  - What it has to send after reading (stream header, handshake) waits for the
 *    next turn, so a turn more is always taken after the last byte was read.
 *  - Its parser keeps every name it ever saw.  Names are counted, and past a
 *    limit the stream is opened anew when nothing is going on.
 *  - No keepalive, and the reason of a stream error only in an argument.
 *  - It looks its host up and waits for the answer, its parser takes seconds for some
 *    stanzas, and is deaf after one that is not well-formed.  So it connects to a
 *    loopback port only, and xmpp_link.h stands between that and the server.
 *
 * Each stream has a context and a connection of its own, freed when the next
 * begins: nothing of a dead stream can reach a living one.
 */
#include "plugins/xmpp/xmpp_stream.h"
#include "b2bua/source.h"
#include "plugins/xmpp/xmpp_link.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strophe.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKOFF_MIN_MS	       250
#define BACKOFF_MAX_MS	       4000
#define TURNS_PER_DISPATCH     16   /* of 4 KB: other work is not to wait */
#define DISPATCH_US	       2000 /* the same, where stanzas cost more than bytes */
#define KEPT_MAX	       4096 /* stanzas kept while there is no stream */
#define KEPT_MAX_BYTES	       (8u << 20)
#define KEPT_MS		       10000 /* of what makes calls: later it would ring for nobody */
#define RECENT_US	       (5 * G_USEC_PER_SEC)
#define RECENT_MAX	       256
#define SEND_QUEUE_MAX	       20000 /* stanzas the server does not take from us */
#define DEFAULT_MAX_NAME_BYTES (4u << 20)
#define QUIET_CHECK_MS	       500
#define N_RESERVED	       8
#define PING_S		       30 /* of silence; the same again without an answer ends the stream */
#define LEFT_OUT_LOG_S	       60
#define PING_ID		       "stream-alive"

typedef struct {
	gint64 sent_us;
	gint64 until_us; /* no longer worth sending; 0: always */
	char *text;
} Kept;

struct XmppStream {
	XmppStreamOptions options;
	char *domain, *host, *secret;
	const XmppStreamListener *listener;
	gpointer user;

	XmppLink *link;
	xmpp_ctx_t *context; /* NULL, as the connection, until the server is reached */
	xmpp_conn_t *connection;
	GSource *source;
	gpointer tag; /* of the descriptor in the source, or NULL */
	int fd;
	GIOCondition watched;
	gint64 run_us; /* libstrophe is run then, if nothing comes before; NEVER_US */
	gboolean dispatching;
	gboolean ended; /* DISCONNECT was heard: the connection is dead */
	guint timer;	/* the next attempt, or the wait for a quiet moment */
	guint backoff_ms;
	guint pinger, ping_s;
	gboolean pinged; /* and nothing was heard since */
	gint64 left_out_told_us;
	int reserved[N_RESERVED]; /* low descriptors, -1 where used up */

	gboolean up, handshaken;
	int told; /* which trouble the log knows of; -1: none since the stream was up */
	gint64 since;
	XmppStreamStatus counters;
	GQueue kept; /* Kept: waiting for a stream */
	gsize kept_bytes;
	GQueue recent;	   /* Kept: sent within RECENT_US */
	GHashTable *names; /* what the parser remembers by now */
	gsize name_bytes;
};

static int highest_fd = FD_SETSIZE;

static gboolean attempt(gpointer data);
static void on_lost(XmppStream *stream, xmpp_stream_error_t *error, const char *why);
static void end_connection(XmppStream *stream);

void
xmpp_stream_set_highest_fd(int limit)
{
	highest_fd = limit;
}

static Kept *
kept_new(const char *text)
{
	Kept *kept = g_new0(Kept, 1);

	kept->sent_us = g_get_monotonic_time();
	kept->text = g_strdup(text);
	return kept;
}

static void
kept_free(gpointer data)
{
	Kept *kept = data;

	g_free(kept->text);
	g_free(kept);
}

/* --- descriptors --- */

static void
reserve_descriptors(XmppStream *stream)
{
	for (int i = 0; i < N_RESERVED; i++) {
		int fd;

		if (stream->reserved[i] >= 0)
			continue;
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd >= highest_fd) {
			close(fd);
			fd = -1;
		}
		stream->reserved[i] = fd;
	}
}

/* Moves a socket below the limit of select(). */
static int
lower_descriptor(XmppStream *stream, int fd)
{
	for (int i = 0; i < N_RESERVED; i++) {
		int low = stream->reserved[i];

		if (low < 0)
			continue;
		stream->reserved[i] = -1;
		if (dup3(fd, low, O_CLOEXEC) < 0) {
			close(low);
			continue;
		}
		close(fd);
		return low;
	}
	return -1;
}

static void
watch_descriptor(XmppStream *stream, int fd)
{
	if (stream->tag)
		g_source_remove_unix_fd(stream->source, stream->tag);
	stream->watched = G_IO_OUT;
	stream->tag = fd >= 0 ? g_source_add_unix_fd(stream->source, fd, stream->watched) : NULL;
	stream->fd = fd;
}

/* Whose connection libstrophe is working on: the callback below, the one way to
 * learn the number of its socket, is given no user data. */
static XmppStream *connecting;

static int
on_socket(xmpp_conn_t *connection, void *data)
{
	int *fd = data;
	XmppStream *stream = connecting;

	if (!stream || *fd < 0)
		return -1;
	if (*fd >= highest_fd) {
		int low = lower_descriptor(stream, *fd);

		if (low < 0) {
			g_warning("xmpp: no file descriptor below %d is left for the stream",
				  highest_fd);
			return -1;
		}
		*fd = low;
	}
	fcntl(*fd, F_SETFD, FD_CLOEXEC);
	watch_descriptor(stream, *fd);
	return 0;
}

static int
refuse_socket(xmpp_conn_t *connection, void *data)
{
	return -1;
}

/* --- stanzas in --- */

static void
learn_name(XmppStream *stream, const char *name)
{
	if (!name || g_hash_table_contains(stream->names, name))
		return;
	stream->name_bytes += strlen(name);
	g_hash_table_add(stream->names, g_strdup(name));
}

static void
learn_names(XmppStream *stream, xmpp_stanza_t *stanza, guint depth)
{
	int n;

	if (depth > 64 || !xmpp_stanza_is_tag(stanza))
		return;
	learn_name(stream, xmpp_stanza_get_name(stanza));
	n = xmpp_stanza_get_attribute_count(stanza);
	if (n > 0) {
		g_autofree const char **pairs = g_new0(const char *, 2 * n);

		n = xmpp_stanza_get_attributes(stanza, pairs, 2 * n);
		for (int i = 0; i + 1 < n; i += 2) {
			learn_name(stream, pairs[i]);
			if (g_str_equal(pairs[i], "xmlns"))
				learn_name(stream, pairs[i + 1]);
		}
	}
	for (xmpp_stanza_t *child = xmpp_stanza_get_children(stanza); child;
	     child = xmpp_stanza_get_next(child))
		learn_names(stream, child, depth + 1);
}

static gboolean
on_quiet_check(gpointer data)
{
	XmppStream *stream = data;
	gboolean full = stream->name_bytes > 3 * stream->options.max_name_bytes;

	if (!full && !stream->listener->quiet(stream->user))
		return G_SOURCE_CONTINUE;
	g_message("xmpp: the stream is opened again: the parsers of the server and of the gateway "
		  "remember %zu bytes of names",
		  stream->name_bytes);
	stream->timer = 0;
	xmpp_disconnect(stream->connection); /* lets what is queued go out first */
	stream->run_us = 0;
	return G_SOURCE_REMOVE;
}

static int
on_stanza(xmpp_conn_t *connection, xmpp_stanza_t *stanza, void *data)
{
	XmppStream *stream = data;
	const char *id = xmpp_stanza_get_id(stanza), *from = xmpp_stanza_get_from(stanza);
	char *text = NULL;
	size_t length = 0;

	if (g_strcmp0(id, PING_ID) == 0 && g_strcmp0(from, stream->domain) == 0)
		return 1;
	stream->counters.stanzas_in++;
	learn_names(stream, stanza, 0);
	if (stream->name_bytes > stream->options.max_name_bytes && !stream->timer && stream->up)
		stream->timer = g_timeout_add(QUIET_CHECK_MS, on_quiet_check, stream);
	if (xmpp_stanza_to_text(stanza, &text, &length) != XMPP_EOK)
		return 1;
	stream->listener->stanza(stream->user, text, length);
	xmpp_free(stream->context, text);
	return 1;
}

/* --- life of a connection --- */

static gboolean
is_too_old(const Kept *kept)
{
	return kept->until_us && g_get_monotonic_time() > kept->until_us;
}

static gboolean
send_now(XmppStream *stream, const char *text)
{
	if (!stream->up || xmpp_conn_send_queue_len(stream->connection) >= SEND_QUEUE_MAX)
		return FALSE;
	xmpp_send_raw(stream->connection, text, strlen(text));
	stream->counters.stanzas_out++;
	stream->run_us = 0;
	return TRUE;
}

static void
flush_kept(XmppStream *stream)
{
	Kept *kept;

	while ((kept = g_queue_pop_head(&stream->kept))) {
		stream->kept_bytes -= strlen(kept->text);
		if (is_too_old(kept) || !send_now(stream, kept->text))
			stream->counters.dropped_out++;
		kept_free(kept);
	}
}

/* A server that is stuck keeps its connection: it is asked to bring us a stanza of our own. */
static gboolean
on_ping_time(gpointer data)
{
	XmppStream *stream = data;
	gint64 silent_us = g_get_monotonic_time() - xmpp_link_heard_us(stream->link);
	g_autofree char *ping = NULL;

	if (silent_us < stream->ping_s * G_USEC_PER_SEC) {
		stream->pinged = FALSE;
		return G_SOURCE_CONTINUE;
	}
	if (stream->pinged) {
		stream->pinger = 0;
		on_lost(stream, NULL, "the server is silent and does not answer");
		return G_SOURCE_REMOVE;
	}
	stream->pinged = TRUE;
	ping = g_strdup_printf("<iq type='get' id='" PING_ID "' from='%s' to='%s'>"
			       "<ping xmlns='urn:xmpp:ping'/></iq>",
			       stream->domain, stream->domain);
	xmpp_stream_send(stream, ping);
	return G_SOURCE_CONTINUE;
}

static void
on_up(XmppStream *stream)
{
	stream->pinged = FALSE;
	stream->pinger = g_timeout_add(stream->ping_s * 1000, on_ping_time, stream);
	stream->up = stream->handshaken = TRUE;
	stream->since = g_get_real_time() / G_USEC_PER_SEC;
	stream->backoff_ms = BACKOFF_MIN_MS;
	stream->told = -1;
	stream->counters.connects++;
	xmpp_handler_add(stream->connection, on_stanza, NULL, NULL, NULL, stream);
	g_message("xmpp: component %s is connected to %s:%u", stream->domain, stream->host,
		  stream->options.port);
	flush_kept(stream);
	stream->listener->up(stream->user);
}

/* One clear line for an admin, once per outage and kind of trouble. */
static void
tell(XmppStream *stream, xmpp_stream_error_t *error, const char *why)
{
	const char *text = error && error->text ? error->text : why;
	int trouble = error ? (int)error->type : G_MAXINT;

	/* The server refuses us, or it is not there: each is news once. */
	if (stream->told == trouble)
		return;
	stream->told = trouble;
	if (error && error->type == XMPP_SE_NOT_AUTHORIZED)
		g_warning("xmpp: %s:%u refuses the secret of component %s: make \"secret\" in "
			  "[xmpp] the same as component_secret in the server's configuration",
			  stream->host, stream->options.port, stream->domain);
	else if (error && error->type == XMPP_SE_HOST_UNKNOWN)
		g_warning("xmpp: %s:%u knows no component %s: add it to the server's "
			  "configuration, or correct \"domain\" in [xmpp]",
			  stream->host, stream->options.port, stream->domain);
	else if (error && error->type == XMPP_SE_CONFLICT)
		g_warning("xmpp: %s:%u: another program is connected as component %s; stop it",
			  stream->host, stream->options.port, stream->domain);
	else if (stream->handshaken)
		g_message("xmpp: the stream to %s:%u has ended%s%s; calls go on, connecting again",
			  stream->host, stream->options.port, text ? ": " : "", text ? text : "");
	else
		g_message("xmpp: no component port at %s:%u%s%s; trying again", stream->host,
			  stream->options.port, text ? ": " : "", text ? text : "");
}

/* What went out in the last seconds may have died with the socket. */
static void
keep_recent(XmppStream *stream)
{
	gint64 now = g_get_monotonic_time();
	Kept *kept;

	while ((kept = g_queue_pop_tail(&stream->recent))) {
		if (now - kept->sent_us > RECENT_US) {
			kept_free(kept);
			continue;
		}
		stream->kept_bytes += strlen(kept->text);
		g_queue_push_head(&stream->kept, kept);
	}
}

/* The connection is gone, or never was; `why` may be NULL, so may be the error. */
static void
on_lost(XmppStream *stream, xmpp_stream_error_t *error, const char *why)
{
	gboolean was_up = stream->up;

	if (stream->ended)
		return;
	stream->ended = TRUE;
	stream->up = FALSE;
	watch_descriptor(stream, -1);
	reserve_descriptors(stream);
	g_clear_handle_id(&stream->pinger, g_source_remove);
	tell(stream, error, why);
	if (was_up) {
		stream->since = g_get_real_time() / G_USEC_PER_SEC;
		keep_recent(stream);
		stream->listener->down(stream->user);
	}
	if (stream->timer)
		g_source_remove(stream->timer);
	stream->timer = g_timeout_add(stream->backoff_ms, attempt, stream);
	stream->backoff_ms = MIN(stream->backoff_ms * 2, BACKOFF_MAX_MS);
}

static void
on_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error,
	      xmpp_stream_error_t *stream_error, void *data)
{
	if (event == XMPP_CONN_CONNECT)
		on_up(data);
	else
		on_lost(data, stream_error, NULL);
}

static void
end_connection(XmppStream *stream)
{
	watch_descriptor(stream, -1);
	stream->up = FALSE;
	stream->ended = TRUE; /* what it may still say is nothing new */
	if (stream->connection)
		xmpp_conn_release(stream->connection);
	if (stream->context)
		xmpp_ctx_free(stream->context);
	stream->connection = NULL;
	stream->context = NULL;
	/* after libstrophe: what that has written last goes out */
	g_clear_pointer(&stream->link, xmpp_link_free);
	g_hash_table_remove_all(stream->names);
	stream->name_bytes = 0;
}

/* The pointer libstrophe forgets for components is set by a client connection
 * whose socket we refuse: nothing is sent, nothing is looked up. */
static void
prime(xmpp_conn_t *connection, XmppStream *stream)
{
	xmpp_conn_set_jid(connection, stream->domain);
	xmpp_conn_set_pass(connection, stream->secret);
	xmpp_conn_set_sockopt_callback(connection, refuse_socket);
	xmpp_connect_client(connection, xmpp_link_loopback(), 1, on_connection, stream);
	xmpp_conn_set_sockopt_callback(connection, on_socket);
}

static void
on_link_ready(gpointer user, guint16 port)
{
	XmppStream *stream = user;
	int result;

	stream->context = xmpp_ctx_new(NULL, NULL);
	stream->connection = xmpp_conn_new(stream->context);
	prime(stream->connection, stream);
	stream->ended = FALSE;
	connecting = stream;
	result = xmpp_connect_component(stream->connection, xmpp_link_loopback(), port,
					on_connection, stream);
	connecting = NULL;
	if (result != XMPP_EOK || stream->fd < 0) {
		on_lost(stream, NULL, "the loopback cannot be used");
		return;
	}
	xmpp_link_expect(stream->link, stream->fd);
	stream->run_us = 0;
}

static void
on_link_failed(gpointer user, const char *why)
{
	on_lost(user, NULL, why);
}

/* A stranger's doing, so the log has a line a minute at most. */
static void
on_left_out(gpointer user, const char *limit, const char *answer)
{
	XmppStream *stream = user;
	gint64 now = g_get_monotonic_time();

	stream->counters.dropped_in++;
	if (answer)
		xmpp_stream_send(stream, answer);
	if (stream->left_out_told_us &&
	    now - stream->left_out_told_us < LEFT_OUT_LOG_S * G_USEC_PER_SEC)
		return;
	stream->left_out_told_us = now;
	g_message("xmpp: a stanza over the limit of %s was dropped (%" G_GUINT64_FORMAT
		  " dropped so far)",
		  limit, stream->counters.dropped_in);
}

/* RFC 6120 4.9.3.13: nothing after it can be trusted. */
static void
on_link_broken(gpointer user, const char *condition)
{
	XmppStream *stream = user;
	g_autofree char *error =
		g_strdup_printf("<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
				"</stream:error></stream:stream>",
				condition);

	g_warning("xmpp: %s:%u sent what is %s: connecting again", stream->host,
		  stream->options.port, condition);
	if (!stream->up) {
		on_lost(stream, NULL, condition);
		return;
	}
	xmpp_send_raw(stream->connection, error, strlen(error));
	stream->run_us = 0;
}

static const XmppLinkEvents link_events = {
	.ready = on_link_ready,
	.failed = on_link_failed,
	.left_out = on_left_out,
	.broken = on_link_broken,
};

static gboolean
attempt(gpointer data)
{
	XmppStream *stream = data;

	stream->timer = 0;
	end_connection(stream);
	reserve_descriptors(stream);
	stream->ended = stream->handshaken = FALSE;
	stream->link = xmpp_link_new(stream->host, (guint16)stream->options.port,
				     stream->options.max_stanza_bytes, &link_events, stream);
	return G_SOURCE_REMOVE;
}

/* --- the source --- */

static gboolean
readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

/* TRUE: the time was over, and what has been queued since is sent in the next turn of the loop.
 * To send it now would be to read once more. */
static gboolean
run(XmppStream *stream)
{
	const gint64 until = g_get_monotonic_time() + DISPATCH_US;
	gboolean over = FALSE;

	connecting = stream;
	for (guint i = 0; i < TURNS_PER_DISPATCH; i++) {
		xmpp_run_once(stream->context, 0);
		over = g_get_monotonic_time() > until;
		if (stream->ended || over || !readable(stream->fd))
			break;
	}
	if (!stream->ended && !over)
		xmpp_run_once(stream->context, 0); /* sends what reading has queued */
	connecting = NULL;
	return over;
}

/* Each call wakes the loop once more: only a real change is told. */
static void
watch_for(XmppStream *stream, GIOCondition wanted)
{
	if (wanted != stream->watched)
		g_source_modify_unix_fd(stream->source, stream->tag, wanted);
	stream->watched = wanted;
}

static XmppStream *
stream_of(GSource *source)
{
	return *(XmppStream **)(source + 1);
}

/* g_source_set_ready_time() would wake the loop at each stanza, from its own thread. */
static gboolean
prepare(GSource *source, gint *timeout)
{
	return source_prepare(source, stream_of(source)->run_us, timeout);
}

static gboolean
check(GSource *source)
{
	return stream_of(source)->run_us <= g_source_get_time(source);
}

static gboolean
dispatch(GSource *source, GSourceFunc func, gpointer user)
{
	XmppStream *stream = stream_of(source);
	gint64 now = g_source_get_time(source);
	gboolean had_input, writing, over;

	stream->run_us = NEVER_US;
	if (stream->ended || !stream->connection)
		return G_SOURCE_CONTINUE;
	had_input = stream->tag && g_source_query_unix_fd(source, stream->tag) != 0;
	over = run(stream);
	if (stream->ended || !stream->tag)
		return G_SOURCE_CONTINUE;
	writing = xmpp_conn_is_connecting(stream->connection) ||
		  xmpp_conn_send_queue_len(stream->connection) > 0;
	/* While connect() runs only "writable" says anything. */
	watch_for(stream, writing ? G_IO_IN | G_IO_OUT : G_IO_IN);
	stream->run_us = over ? 0 : now + (had_input ? 20000 : G_USEC_PER_SEC);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .prepare = prepare, .check = check, .dispatch = dispatch };

XmppStream *
xmpp_stream_new(const XmppStreamOptions *options, const XmppStreamListener *listener, gpointer user)
{
	XmppStream *stream = g_new0(XmppStream, 1);

	xmpp_initialize();
	stream->options = *options;
	stream->domain = g_strdup(options->domain);
	stream->host = g_strdup(options->host);
	stream->secret = g_strdup(options->secret);
	if (!options->max_name_bytes)
		stream->options.max_name_bytes = DEFAULT_MAX_NAME_BYTES;
	stream->listener = listener;
	stream->user = user;
	stream->fd = -1;
	stream->run_us = NEVER_US;
	stream->ping_s = options->ping_s ? options->ping_s : PING_S;
	stream->ended = TRUE;
	stream->told = -1;
	stream->since = g_get_real_time() / G_USEC_PER_SEC;
	stream->backoff_ms = BACKOFF_MIN_MS;
	stream->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int i = 0; i < N_RESERVED; i++)
		stream->reserved[i] = -1;
	reserve_descriptors(stream);
	stream->source = g_source_new(&source_funcs, sizeof(GSource) + sizeof(XmppStream *));
	*(XmppStream **)(stream->source + 1) = stream;
	g_source_set_name(stream->source, "xmpp stream");
	g_source_set_can_recurse(stream->source, TRUE); /* or each dispatch wakes the loop twice */
	g_source_attach(stream->source, NULL);
	stream->timer = g_timeout_add(0, attempt, stream);
	return stream;
}

void
xmpp_stream_free(XmppStream *stream)
{
	if (!stream)
		return;
	if (stream->up) {
		/* What is queued, and the end of the stream, as far as the socket takes it.
		 * What comes in meanwhile has nobody to go to. */
		xmpp_handler_delete(stream->connection, on_stanza);
		xmpp_disconnect(stream->connection);
		stream->ended = TRUE;
		xmpp_run_once(stream->context, 0);
	}
	end_connection(stream);
	g_clear_handle_id(&stream->pinger, g_source_remove);
	if (stream->timer)
		g_source_remove(stream->timer);
	g_source_destroy(stream->source);
	g_source_unref(stream->source);
	for (int i = 0; i < N_RESERVED; i++)
		if (stream->reserved[i] >= 0)
			close(stream->reserved[i]);
	g_queue_clear_full(&stream->kept, kept_free);
	g_queue_clear_full(&stream->recent, kept_free);
	g_hash_table_unref(stream->names);
	g_free(stream->domain);
	g_free(stream->host);
	g_free(stream->secret);
	g_free(stream);
	xmpp_shutdown();
}

gboolean
xmpp_stream_is_up(const XmppStream *stream)
{
	return stream->up;
}

XmppStreamStatus
xmpp_stream_status(const XmppStream *stream)
{
	XmppStreamStatus status = stream->counters;

	status.up = stream->up;
	status.since = stream->since;
	status.waiting = stream->kept.length;
	return status;
}

void
xmpp_stream_send(XmppStream *stream, const char *text)
{
	if (!send_now(stream, text))
		stream->counters.dropped_out++;
}

/* The first of those that wait makes room when it is too old. */
static void
make_room(XmppStream *stream, gsize length)
{
	Kept *oldest;

	while (stream->kept.length >= KEPT_MAX || stream->kept_bytes + length > KEPT_MAX_BYTES) {
		oldest = g_queue_peek_head(&stream->kept);
		if (!oldest || !is_too_old(oldest))
			return;
		g_queue_pop_head(&stream->kept);
		stream->kept_bytes -= strlen(oldest->text);
		stream->counters.dropped_out++;
		kept_free(oldest);
	}
}

static void
keep(XmppStream *stream, const char *text, guint ms)
{
	gsize length = strlen(text);
	Kept *kept;

	make_room(stream, length);
	if (stream->kept.length >= KEPT_MAX || stream->kept_bytes + length > KEPT_MAX_BYTES) {
		stream->counters.dropped_out++;
		return;
	}
	kept = kept_new(text);
	kept->until_us = ms ? kept->sent_us + (gint64)ms * 1000 : 0;
	stream->kept_bytes += length;
	g_queue_push_tail(&stream->kept, kept);
}

void
xmpp_stream_send_sure(XmppStream *stream, const char *text)
{
	guint ms = stream->options.kept_ms ? stream->options.kept_ms : KEPT_MS;

	if (!send_now(stream, text))
		keep(stream, text, ms);
}

void
xmpp_stream_send_whenever(XmppStream *stream, const char *text)
{
	if (!send_now(stream, text))
		keep(stream, text, 0);
}

void
xmpp_stream_send_end(XmppStream *stream, const char *text)
{
	if (!send_now(stream, text)) {
		keep(stream, text, 0);
		return;
	}
	g_queue_push_tail(&stream->recent, kept_new(text));
	if (stream->recent.length > RECENT_MAX)
		kept_free(g_queue_pop_head(&stream->recent));
}
