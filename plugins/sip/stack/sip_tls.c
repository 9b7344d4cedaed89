/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tls.c - TLS of sofia-sip: our certificate, and what it leaves open. */
#include "plugins/sip/stack/sip_tls.h"
#include "b2bua/timer.h"
#include <dlfcn.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The head of sofia's private struct tls_s, as it is in version 1.12.11 and 1.13. */
typedef struct {
	su_home_t home[1];
	SSL_CTX *ctx;
	SSL *con;
} Connection;

typedef Connection *(*InitFunc)(Connection *master, int socket, int accept);
typedef int (*ConnectFunc)(su_root_magic_t *magic, su_wait_t *wait, tport_t *transport);
typedef tport_t *(*ByNameFunc)(tport_t const *self, tp_name_t const *name);

/* A handshake that is going on. */
typedef struct {
	Connection *connection;
	int socket;
	ino_t inode;  /* of the socket: its number may be another's by now */
	char *source; /* address */
	Timer *deadline;
} Handshake;

/* A connection that we have begun, until it is there or given up. */
typedef struct {
	Connection *connection;
	int socket;
	ino_t inode;
	TlsPeer *peer; /* owned; NULL: not asked yet, or no trunk's */
	gboolean asked;
	Timer *deadline;
} Reach;

static struct {
	char *certificate, *key, *folder;
	char *seen;		/* how the files looked when they were read */
	Connection *listener;	/* sofia's; the context is its own, and borrowed by all others */
	GHashTable *handshakes; /* Connection * to Handshake *, owned */
	GHashTable *reaches;	/* Connection * to Reach *, owned */
	GHashTable *taken;	/* Connection * to where it came from, "192.0.2.1:5061" */
	TlsFindPeerFunc find_peer;
	gpointer user;
	TlsCounters counters;
} tls;

/* What sofia calls instead of its own. */
void tls_free(void *connection);
void *tls_init_secondary(void *master, int socket, int accept);
int tls_connect(su_root_magic_t *magic, su_wait_t *wait, tport_t *transport);
tport_t *tport_by_name(tport_t const *self, tp_name_t const *name);

static void
handshake_free(gpointer data)
{
	Handshake *handshake = data;

	timer_clear(&handshake->deadline);
	g_free(handshake->source);
	g_free(handshake);
}

static void
reach_free(gpointer data)
{
	Reach *reach = data;

	timer_clear(&reach->deadline);
	tls_peer_unref(reach->peer);
	g_free(reach);
}

/* --- the certificate --- */

static gboolean
complain(GError **error, const char *key, const char *file, const char *remedy)
{
	unsigned long code = ERR_peek_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;

	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "[sip] %s = %s: %s; %s", key, file,
		    why ? why : g_strerror(errno), remedy);
	ERR_clear_error();
	return FALSE;
}

static void
note_end(const X509 *certificate)
{
	struct tm end;

	if (certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1)
		tls.counters.good_until = timegm(&end);
}

static gboolean
use_files(SSL_CTX *context, GError **error)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, tls.certificate) != 1)
		return complain(error, "tls_certificate", tls.certificate,
				"the file must be PEM, with the certificate first, and tandemd "
				"must be allowed to read it");
	if (SSL_CTX_use_PrivateKey_file(context, tls.key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return complain(error, "tls_key", tls.key,
				"the file must be PEM, with the certificate's key, and tandemd "
				"must be allowed to read it");
	note_end(SSL_CTX_get0_certificate(context));
	return TRUE;
}

static gboolean
are_sound(GError **error)
{
	SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
	gboolean sound = trial && use_files(trial, error);

	SSL_CTX_free(trial);
	return sound;
}

static char *
look_of_files(void)
{
	GString *look = g_string_new(NULL);
	const char *files[] = { tls.certificate, tls.key };

	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		struct stat status = { 0 };

		if (stat(files[i], &status) == 0)
			g_string_append_printf(look, "%ju %jd %jd.%09ld ", (uintmax_t)status.st_ino,
					       (intmax_t)status.st_size,
					       (intmax_t)status.st_mtim.tv_sec,
					       status.st_mtim.tv_nsec);
	}
	return g_string_free(look, FALSE);
}

/* The old certificate stays while the new one cannot be used. */
static void
renew(SSL_CTX *context)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *look = look_of_files();

	if (g_strcmp0(look, tls.seen) == 0)
		return;
	if (are_sound(&error) && use_files(context, &error))
		g_message("sip: the certificate was read: %s", tls.certificate);
	else
		g_warning("sip: the old certificate stays: %s",
			  error ? error->message : "no memory");
	g_free(tls.seen);
	tls.seen = g_steal_pointer(&look);
}

static gboolean
write_folder(GError **error)
{
	g_autofree char *certificate = NULL, *key = NULL, *both = NULL, *agent = NULL, *ca = NULL;

	tls.folder = g_dir_make_tmp("tandem-tls-XXXXXX", error);
	if (!tls.folder || !g_file_get_contents(tls.certificate, &certificate, NULL, error) ||
	    !g_file_get_contents(tls.key, &key, NULL, error))
		return FALSE;
	agent = g_build_filename(tls.folder, "agent.pem", NULL);
	ca = g_build_filename(tls.folder, "cafile.pem", NULL);
	both = g_strconcat(certificate, "\n", key, NULL);
	return g_file_set_contents_full(agent, both, -1, G_FILE_SET_CONTENTS_NONE, 0600, error) &&
	       g_file_set_contents(ca, certificate, -1, error);
}

static void
warn_of_readers(void)
{
	struct stat status;

	if (stat(tls.key, &status) == 0 && (status.st_mode & S_IRWXO))
		g_warning(
			"sip: everybody on this machine can read the key in %s; write: chmod o= %s",
			tls.key, tls.key);
}

gboolean
tls_start(const Config *config, GError **error)
{
	tls.certificate = g_strdup(config->sip_tls_certificate);
	tls.key = g_strdup(config->sip_tls_key ? config->sip_tls_key : tls.certificate);
	tls.handshakes = g_hash_table_new_full(NULL, NULL, NULL, handshake_free);
	tls.reaches = g_hash_table_new_full(NULL, NULL, NULL, reach_free);
	tls.taken = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	warn_of_readers();
	if (are_sound(error) && write_folder(error))
		return TRUE;
	tls_stop();
	return FALSE;
}

const char *
tls_folder(void)
{
	return tls.folder;
}

void
tls_forget_folder(void)
{
	static const char *const files[] = { "agent.pem", "cafile.pem" };

	for (guint i = 0; tls.folder && i < G_N_ELEMENTS(files); i++) {
		g_autofree char *file = g_build_filename(tls.folder, files[i], NULL);

		g_unlink(file);
	}
	if (tls.folder)
		g_rmdir(tls.folder);
	g_clear_pointer(&tls.folder, g_free);
}

void
tls_stop(void)
{
	tls_forget_folder();
	g_clear_pointer(&tls.handshakes, g_hash_table_unref);
	g_clear_pointer(&tls.reaches, g_hash_table_unref);
	g_clear_pointer(&tls.taken, g_hash_table_unref);
	tls.find_peer = NULL;
	g_clear_pointer(&tls.certificate, g_free);
	g_clear_pointer(&tls.key, g_free);
	g_clear_pointer(&tls.seen, g_free);
}

void
tls_find_peers(TlsFindPeerFunc func, gpointer user)
{
	tls.find_peer = func;
	tls.user = user;
}

/* --- the handshakes --- */

static ino_t
inode_of(int socket)
{
	struct stat status;

	return fstat(socket, &status) == 0 ? status.st_ino : 0;
}

static gboolean
is_done(const Handshake *handshake)
{
	return handshake->connection->con && SSL_is_init_finished(handshake->connection->con);
}

/* sofia sees the end of the connection, and frees it. */
static void
on_deadline(gpointer user)
{
	Handshake *handshake = user;

	if (!is_done(handshake)) {
		tls.counters.unfinished++;
		if (inode_of(handshake->socket) == handshake->inode)
			shutdown(handshake->socket, SHUT_RDWR);
	}
	g_hash_table_remove(tls.handshakes, handshake->connection);
}

static GSocketAddress *
address_of(int socket)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);

	return getpeername(socket, (struct sockaddr *)&name, &length) == 0
		       ? g_socket_address_new_from_native(&name, length)
		       : NULL;
}

static char *
source_of(int socket)
{
	g_autoptr(GSocketAddress) address = address_of(socket);
	GInetAddress *inet;

	if (!G_IS_INET_SOCKET_ADDRESS(address))
		return g_strdup("gone");
	inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
	return g_inet_address_to_string(inet);
}

/* With the port, as header_next_hop() writes it. */
static void
note_taken(Connection *connection, int socket)
{
	g_autoptr(GSocketAddress) address = address_of(socket);
	g_autofree char *source = source_of(socket);

	if (G_IS_INET_SOCKET_ADDRESS(address))
		g_hash_table_insert(
			tls.taken, connection,
			g_strdup_printf(
				strchr(source, ':') ? "[%s]:%u" : "%s:%u", source,
				g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address))));
}

gboolean
tls_is_taken(const char *source)
{
	GHashTableIter iter;
	gpointer value;

	if (!tls.taken)
		return FALSE;
	for (g_hash_table_iter_init(&iter, tls.taken); g_hash_table_iter_next(&iter, NULL, &value);)
		if (strcmp(value, source) == 0)
			return TRUE;
	return FALSE;
}

static guint
open_from(const char *source_or_null)
{
	GHashTableIter iter;
	gpointer value;
	guint n = 0;

	if (!tls.handshakes)
		return 0;
	for (g_hash_table_iter_init(&iter, tls.handshakes);
	     g_hash_table_iter_next(&iter, NULL, &value);) {
		const Handshake *handshake = value;

		n += !is_done(handshake) &&
		     (!source_or_null || strcmp(handshake->source, source_or_null) == 0);
	}
	return n;
}

const TlsCounters *
tls_counters(void)
{
	tls.counters.waiting = open_from(NULL);
	return &tls.counters;
}

static void
watch_handshake(Connection *connection, int socket)
{
	Handshake *handshake = g_new0(Handshake, 1);

	handshake->connection = connection;
	handshake->socket = socket;
	handshake->inode = inode_of(socket);
	handshake->source = source_of(socket);
	tls.counters.accepted++;
	if (open_from(handshake->source) >= TLS_MAX_PER_SOURCE) {
		tls.counters.refused++;
		shutdown(socket, SHUT_RDWR);
	}
	timer_set(&handshake->deadline, TLS_HANDSHAKE_S * 1000, on_deadline, handshake);
	g_hash_table_insert(tls.handshakes, connection, handshake);
}

/* --- connections to carriers --- */

static void
on_reach_deadline(gpointer user)
{
	Reach *reach = user;

	if (!SSL_is_init_finished(reach->connection->con)) {
		if (reach->peer)
			tls_peer_failed(reach->peer, NULL);
		if (inode_of(reach->socket) == reach->inode)
			shutdown(reach->socket, SHUT_RDWR);
	}
	g_hash_table_remove(tls.reaches, reach->connection);
}

static void
watch_reach(Connection *connection, int socket)
{
	Reach *reach = g_new0(Reach, 1);

	reach->connection = connection;
	reach->socket = socket;
	reach->inode = inode_of(socket);
	timer_set(&reach->deadline, TLS_HANDSHAKE_S * 1000, on_reach_deadline, reach);
	g_hash_table_insert(tls.reaches, connection, reach);
}

static Reach *
reach_of(int socket)
{
	GHashTableIter iter;
	gpointer value;

	if (!tls.reaches)
		return NULL;
	for (g_hash_table_iter_init(&iter, tls.reaches);
	     g_hash_table_iter_next(&iter, NULL, &value);)
		if (((Reach *)value)->socket == socket)
			return value;
	return NULL;
}

/* Whom must it have reached?  A label that is nobody's any more reaches nobody. */
static gboolean
ask_for_peer(Reach *reach, const char *label)
{
	g_autofree char *trunk = tls_peer_trunk_of(label);
	TlsPeer *peer = trunk && tls.find_peer ? tls.find_peer(tls.user, trunk) : NULL;

	reach->asked = TRUE;
	reach->peer = peer ? tls_peer_ref(peer) : NULL;
	return !trunk || (peer && tls_peer_prepare(peer, reach->connection->con));
}

/* sofia would read the other names, never free them, and use the connection for those. */
static void
forget_names(SSL *ssl)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	int at;

	while (certificate &&
	       (at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)) >= 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, at));
}

/* sofia's next step, taken before it: what comes of it cannot be asked afterwards. */
static void
step(Reach *reach)
{
	int result, error;

	ERR_clear_error();
	result = SSL_connect(reach->connection->con);
	error = SSL_get_error(reach->connection->con, result);
	if (error == SSL_ERROR_NONE) {
		tls_peer_reached(reach->peer);
		forget_names(reach->connection->con);
	} else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		tls_peer_failed(reach->peer, error == SSL_ERROR_SSL
						     ? ERR_reason_error_string(ERR_peek_error())
						     : "the connection was closed");
	if (error == SSL_ERROR_NONE)
		g_hash_table_remove(tls.reaches, reach->connection);
}

int
tls_connect(su_root_magic_t *magic, su_wait_t *wait, tport_t *transport)
{
	static ConnectFunc original;
	Reach *reach = reach_of(wait->fd);

	if (!original)
		original = (ConnectFunc)dlsym(RTLD_NEXT, "tls_connect");
	if (reach && !reach->asked && !ask_for_peer(reach, tport_name(transport)->tpn_canon))
		shutdown(wait->fd, SHUT_RDWR);
	else if (reach && reach->peer && !(wait->revents & (POLLERR | POLLHUP)))
		step(reach);
	return original(magic, wait, transport);
}

/* sofia looks for a connection by its address alone.  One for a trunk has to be the
 * one that was made for it: another may be the caller's at that address, unproven. */
tport_t *
tport_by_name(tport_t const *self, tp_name_t const *name)
{
	static ByNameFunc original;
	g_autofree char *trunk = tls_peer_trunk_of(name->tpn_canon);
	tport_t *found;

	if (!original)
		original = (ByNameFunc)dlsym(RTLD_NEXT, "tport_by_name");
	found = original(self, name);
	if (trunk && found && tport_is_secondary(found) &&
	    g_ascii_strcasecmp(name->tpn_canon, tport_name(found)->tpn_canon) != 0)
		return tport_parent(found);
	return found;
}

/* --- in place of sofia's --- */

/* sofia frees the context of the listener with it, and never an SSL. */
void
tls_free(void *pointer)
{
	Connection *connection = pointer;

	if (!connection)
		return;
	if (tls.handshakes)
		g_hash_table_remove(tls.handshakes, connection);
	if (tls.reaches)
		g_hash_table_remove(tls.reaches, connection);
	if (tls.taken)
		g_hash_table_remove(tls.taken, connection);
	if (connection->con) { /* the socket's BIO goes with it */
		SSL_shutdown(connection->con);
		SSL_free(connection->con);
		connection->con = NULL;
	} else if (connection->ctx && (!tls.listener || connection == tls.listener)) {
		SSL_CTX_free(connection->ctx);
		tls.listener = NULL;
	}
	ERR_clear_error();
	su_home_unref(connection->home);
}

/* What is said today is not to be read with a key that is stolen tomorrow: TLS 1.2 with
 * an exchange of its own for each connection (1.3 has no other).  And 34 KB of buffers
 * are kept only while something is in them. */
static void
harden(SSL *ssl)
{
	if (SSL_set_cipher_list(ssl, "ECDHE:DHE:!aNULL:!eNULL:!MD5:!RC4:!3DES:!PSK:!SRP") != 1)
		ERR_clear_error();
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
}

void *
tls_init_secondary(void *pointer, int socket, int accept)
{
	static InitFunc original;
	Connection *master = pointer, *connection;

	if (!original)
		original = (InitFunc)dlsym(RTLD_NEXT, "tls_init_secondary");
	tls.listener = master;
	if (accept && tls.handshakes)
		renew(master->ctx);
	connection = original(master, socket, accept);
	if (connection && accept && connection->con)
		harden(connection->con);
	if (connection && accept && tls.handshakes) {
		watch_handshake(connection, socket);
		note_taken(connection, socket);
	} else if (connection && tls.reaches)
		watch_reach(connection, socket);
	return connection;
}
