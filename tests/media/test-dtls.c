/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-dtls.c - handshakes with a peer that is OpenSSL on a UDP socket, over a path that
 * loses, doubles, swaps and refuses datagrams.
 */
#include "media/dtls.h"
#include "tests/media/media-peer.h"
#include <glib-unix.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#define ENOUGH	    20000
#define SMALL_MTU   400
#define MTU_OF_IPV4 28 /* of a datagram's room: IP and UDP */
#define MATERIAL    60

typedef enum { EC_V3, EC_V1, RSA_V3, NO_CERTIFICATE } CertificateKind;
typedef enum { PASS, LOSE, DOUBLE, SWAP } Accident;
typedef enum { FROM_US, FROM_PEER } Way;

typedef struct {
	gboolean we_are_client;
	CertificateKind certificate;
	const char *hash, *profiles;
	guint mtu; /* of both sides and of the path; 0: 1200 */
	guint keep_ms;
	gboolean wrong_fingerprint;
	Accident accident; /* of datagram `which` on `way` */
	Way way;
	guint which;
} Case;

typedef struct {
	Case what;
	Dtls *ours;
	SSL_CTX *context;
	SSL *peer;
	int our_fd, peer_fd;
	guint watch;
	guint sent[2], refused; /* datagrams on each way; too large for the path */
	GBytes *held[2];
	guint done, failed;
	gboolean peer_done, by_fingerprint;
	SrtpKeys keys;
	char *text;
} Link;

static DtlsContext *context;

/* --- what OpenSSL holds --- */

#define HEADER 16 /* before each block: its length; keeps malloc's alignment */

static gssize held;

static void *
counted_alloc(size_t length, const char *file, int line)
{
	gsize *block = malloc(length + HEADER);

	held += (gssize)(*block = length);
	return (char *)block + HEADER;
}

static void
counted_free(void *data, const char *file, int line)
{
	gsize *block = data ? (gsize *)(void *)((char *)data - HEADER) : NULL;

	if (block)
		held -= (gssize)*block;
	free(block);
}

static void *
counted_realloc(void *data, size_t length, const char *file, int line)
{
	gsize *block = data ? (gsize *)(void *)((char *)data - HEADER) : NULL;

	if (block)
		held -= (gssize)*block;
	block = realloc(block, length + HEADER);
	held += (gssize)(*block = length);
	return (char *)block + HEADER;
}

/* --- the peer's certificate --- */

static EVP_PKEY *
make_key(CertificateKind kind)
{
	return kind == RSA_V3 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static X509 *
make_certificate(CertificateKind kind, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, kind == EC_V1 ? 0 : 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 10);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"peer", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	g_assert_cmpint(X509_sign(certificate, key, EVP_sha256()), >, 0);
	return certificate;
}

static char *
fingerprint_of(X509 *certificate, const char *hash)
{
	guint8 bytes[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	GString *text = g_string_new(NULL);

	X509_digest(certificate, EVP_get_digestbyname(hash), bytes, &length);
	for (unsigned int i = 0; i < length; i++)
		g_string_append_printf(text, i ? ":%02X" : "%02X", bytes[i]);
	return g_string_free(text, FALSE);
}

static int
accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static unsigned int
retry_timer(SSL *ssl, unsigned int previous_us)
{
	return previous_us ? MIN(2 * previous_us, 400000) : 100000;
}

/* The fingerprint to be signalled. */
static char *
make_peer(Link *link)
{
	const Case *what = &link->what;
	EVP_PKEY *key = make_key(what->certificate);
	X509 *certificate = make_certificate(what->certificate, key);
	char *fingerprint = fingerprint_of(certificate, what->hash ? what->hash : "sha-256");
	BIO *bio = BIO_new_dgram(link->peer_fd, BIO_NOCLOSE);
	NetAddress ours = { .length = sizeof ours.ip6 };

	getsockname(link->our_fd, &ours.any, &ours.length);
	BIO_ctrl_set_connected(bio, &ours.any);
	link->context = SSL_CTX_new(DTLS_method());
	if (what->certificate != NO_CERTIFICATE) {
		SSL_CTX_use_certificate(link->context, certificate);
		SSL_CTX_use_PrivateKey(link->context, key);
	}
	SSL_CTX_set_verify(link->context, SSL_VERIFY_PEER, accept_any);
	SSL_CTX_set_options(link->context, SSL_OP_NO_QUERY_MTU);
	if (!what->profiles || *what->profiles)
		g_assert_cmpint(SSL_CTX_set_tlsext_use_srtp(
					link->context,
					what->profiles ? what->profiles : "SRTP_AES128_CM_SHA1_80"),
				==, 0);
	link->peer = SSL_new(link->context);
	SSL_set_bio(link->peer, bio, bio);
	DTLS_set_link_mtu(link->peer, what->mtu ? what->mtu : 1200);
	DTLS_set_timer_cb(link->peer, retry_timer);
	if (what->we_are_client)
		SSL_set_accept_state(link->peer);
	else
		SSL_set_connect_state(link->peer);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return fingerprint;
}

/* --- the path --- */

static void
arrive(Link *link, Way way, const guint8 *data, gsize length)
{
	if (way == FROM_US)
		g_assert_cmpint(send(link->our_fd, data, length, 0), ==, length);
	else
		dtls_receive(link->ours, data, length);
}

static void
carry(Link *link, Way way, const guint8 *data, gsize length)
{
	const Case *what = &link->what;
	const guint mtu = what->mtu ? what->mtu : 1200;
	const guint number = link->sent[way]++;
	const gboolean hit = way == what->way && number == what->which;
	g_autoptr(GBytes) late = g_steal_pointer(&link->held[way]);

	if (length > mtu - MTU_OF_IPV4) {
		link->refused++;
		return;
	}
	if (hit && what->accident == SWAP) {
		link->held[way] = g_bytes_new(data, length);
		return;
	}
	if (!hit || what->accident != LOSE)
		arrive(link, way, data, length);
	if (hit && what->accident == DOUBLE)
		arrive(link, way, data, length);
	if (late)
		arrive(link, way, g_bytes_get_data(late, NULL), g_bytes_get_size(late));
}

static gboolean
from_peer(int fd, GIOCondition condition, gpointer user)
{
	Link *link = user;
	guint8 data[4096];
	const ssize_t length = recv(fd, data, sizeof data, 0);

	if (length > 0)
		carry(link, FROM_PEER, data, (gsize)length);
	return G_SOURCE_CONTINUE;
}

/* --- our side --- */

static void
our_send(gpointer user, const guint8 *data, gsize length)
{
	carry(user, FROM_US, data, length);
}

static void
our_done(gpointer user, const SrtpKeys *keys)
{
	Link *link = user;

	link->done++;
	link->keys = *keys;
}

static void
our_failed(gpointer user, MediaLoss why, const char *text)
{
	Link *link = user;

	link->failed++;
	link->by_fingerprint = why == MEDIA_LOST_FINGERPRINT;
	link->text = g_strdup(text);
}

static const DtlsEvents events = { our_send, our_done, our_failed };

/* --- a handshake --- */

static void
connect_sockets(Link *link)
{
	NetAddress ours = { 0 }, theirs = { 0 };

	link->our_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	link->peer_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	net_address_parse("127.0.0.1", 0, &ours);
	bind(link->our_fd, &ours.any, ours.length);
	bind(link->peer_fd, &ours.any, ours.length);
	theirs.length = sizeof theirs.ip6;
	getsockname(link->our_fd, &ours.any, &ours.length);
	getsockname(link->peer_fd, &theirs.any, &theirs.length);
	g_assert_cmpint(connect(link->our_fd, &theirs.any, theirs.length), ==, 0);
	g_assert_cmpint(connect(link->peer_fd, &ours.any, ours.length), ==, 0);
	link->watch = g_unix_fd_add(link->our_fd, G_IO_IN, from_peer, link);
}

static Link *
link_new(const Case *what)
{
	Link *link = g_new0(Link, 1);
	g_autofree char *fingerprint = NULL;
	DtlsOptions options = { .client = what->we_are_client,
				.hash = what->hash ? what->hash : "sha-256",
				.timeout_ms = ENOUGH,
				.link_mtu = what->mtu,
				.keep_ms = what->keep_ms };

	link->what = *what;
	connect_sockets(link);
	fingerprint = make_peer(link);
	if (what->wrong_fingerprint)
		fingerprint[0] = fingerprint[0] == 'A' ? 'B' : 'A';
	options.fingerprint = fingerprint;
	link->ours = dtls_new(context, NULL, &options, &events, link);
	dtls_start(link->ours);
	return link;
}

static void
link_free(Link *link)
{
	for (guint i = 0; i < 2; i++)
		g_clear_pointer(&link->held[i], g_bytes_unref);
	g_source_remove(link->watch);
	dtls_free(link->ours);
	SSL_free(link->peer);
	SSL_CTX_free(link->context);
	close(link->our_fd);
	close(link->peer_fd);
	g_free(link->text);
	g_free(link);
}

static void
drive_peer(Link *link)
{
	guint8 none[64];

	ERR_clear_error();
	DTLSv1_handle_timeout(link->peer);
	if (!link->peer_done)
		link->peer_done = SSL_do_handshake(link->peer) == 1;
	else
		SSL_read(link->peer, none, sizeof none);
}

static gboolean
both_done(gpointer user)
{
	Link *link = user;

	drive_peer(link);
	return (link->done && link->peer_done) || link->failed;
}

static void
check_keys(const Link *link)
{
	guint8 material[MATERIAL];
	const guint8 *client = link->what.we_are_client ? link->keys.send : link->keys.receive;
	const guint8 *server = link->what.we_are_client ? link->keys.receive : link->keys.send;

	g_assert_cmpint(link->keys.profile, ==, SRTP_CM_SHA1_80);
	g_assert_cmpint(SSL_export_keying_material(link->peer, material, MATERIAL,
						   "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
			==, 1);
	g_assert_cmpmem(client, 16, material, 16);
	g_assert_cmpmem(server, 16, material + 16, 16);
	g_assert_cmpmem(client + 16, 14, material + 32, 14);
	g_assert_cmpmem(server + 16, 14, material + 46, 14);
}

static void
check_done(Link *link)
{
	if (link->failed)
		g_error("datagram %u of %s: %s", link->what.which,
			link->what.way == FROM_US ? "ours" : "the peer's", link->text);
	g_assert_cmpuint(link->done, ==, 1);
	g_assert_cmpuint(link->refused, ==, 0);
	check_keys(link);
}

static void
test_handshake(gconstpointer data)
{
	Link *link = link_new(data);

	g_assert_true(wait_for(both_done, link, ENOUGH));
	check_done(link);
	link_free(link);
}

/* What both sides send at a small MTU: more datagrams, none of which is too large. */
static void
test_small_mtu(gconstpointer data)
{
	Case what = *(const Case *)data;
	Link *large = link_new(&what), *small;

	what.mtu = SMALL_MTU;
	small = link_new(&what);
	g_assert_true(wait_for(both_done, large, ENOUGH));
	g_assert_true(wait_for(both_done, small, ENOUGH));
	check_done(large);
	check_done(small);
	g_test_message("datagrams: %u and %u, at a small MTU %u and %u", large->sent[FROM_US],
		       large->sent[FROM_PEER], small->sent[FROM_US], small->sent[FROM_PEER]);
	g_assert_cmpuint(small->sent[FROM_US], >, large->sent[FROM_US]);
	link_free(large);
	link_free(small);
}

/* --- accidents --- */

#define MAX_WHICH 10

static gboolean
all_done(gpointer user)
{
	const GPtrArray *links = user;
	gboolean all = TRUE;

	for (guint i = 0; i < links->len; i++)
		all &= both_done(links->pdata[i]);
	return all;
}

/* Each datagram of each flight, on both ways, has the accident once. */
static void
test_accident(gconstpointer data)
{
	g_autoptr(GPtrArray) links = g_ptr_array_new();
	Case what = *(const Case *)data;

	for (guint client = 0; client <= 1; client++) {
		for (what.way = FROM_US; what.way <= FROM_PEER; what.way++) {
			for (what.which = 0; what.which < MAX_WHICH; what.which++) {
				what.we_are_client = client != 0;
				g_ptr_array_add(links, link_new(&what));
			}
		}
	}
	g_assert_true(wait_for(all_done, links, ENOUGH));
	for (guint i = 0; i < links->len; i++) {
		check_done(links->pdata[i]);
		link_free(links->pdata[i]);
	}
}

/* --- what is kept of a handshake --- */

#define KEPT_LEAST 16000 /* of 75 KB; what else there is of a link is the peer's */

/* What OpenSSL holds for our side. */
static gssize
held_by_us(Link *link)
{
	const gssize with = held;
	gssize without;

	dtls_free(link->ours);
	without = held;
	link->ours = NULL;
	return with - without;
}

static gssize
after_handshake(const Case *what, void (*then)(Link *link))
{
	Link *link = link_new(what);
	gssize kept;

	g_assert_true(wait_for(both_done, link, ENOUGH));
	check_done(link);
	if (then)
		then(link);
	kept = held_by_us(link);
	link_free(link);
	return kept;
}

/* What comes later finds nothing, and is dropped. */
static void
say_goodbye(Link *link)
{
	const guint before = link->sent[FROM_PEER];

	SSL_shutdown(link->peer);
	while (link->sent[FROM_PEER] == before)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(link->failed, ==, 0);
}

static void
prove(Link *link)
{
	dtls_proven(link->ours);
	dtls_proven(link->ours);
	say_goodbye(link);
}

static gboolean
is_let_go(gpointer user)
{
	gssize *at_first = user;

	return held + KEPT_LEAST < *at_first;
}

static void
stay_mute(Link *link)
{
	gssize at_first = held;

	g_assert_true(wait_for(is_let_go, &at_first, ENOUGH));
	say_goodbye(link);
}

/* A client is owed nothing more; a server's last flight may be lost, until the peer shows
 * that it was not, or has been silent for long. */
static void
test_kept(void)
{
	const Case client = { .certificate = EC_V3, .we_are_client = TRUE };
	const Case server = { .certificate = EC_V3 };
	const Case impatient = { .certificate = EC_V3, .keep_ms = 300 };
	gssize kept;

	g_assert_cmpint(after_handshake(&client, NULL), <, 1000);
	g_assert_cmpint(after_handshake(&client, say_goodbye), <, 1000);
	kept = after_handshake(&server, NULL);
	g_test_message("a server keeps %zd bytes", kept);
	g_assert_cmpint(kept, >, KEPT_LEAST);
	g_assert_cmpint(after_handshake(&server, prove), <, 1000);
	g_assert_cmpint(after_handshake(&impatient, stay_mute), <, 1000);
}

/* --- refusals --- */

static gboolean
has_failed(gpointer user)
{
	Link *link = user;

	drive_peer(link);
	return link->failed > 0;
}

typedef struct {
	Case what;
	const char *words;
} Refusal;

static void
test_refusal(gconstpointer data)
{
	const Refusal *refusal = data;
	Link *link = link_new(&refusal->what);

	g_assert_true(wait_for(has_failed, link, ENOUGH));
	g_assert_cmpuint(link->done, ==, 0);
	g_assert_cmpuint(link->failed, ==, 1);
	g_assert_cmpint(link->by_fingerprint, ==, refusal->what.wrong_fingerprint);
	if (!strstr(link->text, refusal->words))
		g_error("\"%s\" does not say \"%s\"", link->text, refusal->words);
	link_free(link);
}

int
main(int argc, char **argv)
{
	static const Case good[] = {
		{ .certificate = EC_V3 },
		{ .certificate = EC_V3, .we_are_client = TRUE },
		{ .certificate = EC_V1 },
		{ .certificate = EC_V1, .we_are_client = TRUE },
		{ .certificate = RSA_V3 },
		{ .certificate = RSA_V3, .we_are_client = TRUE },
		{ .certificate = EC_V1, .hash = "SHA-1" },
		{ .certificate = EC_V3, .hash = "sha-512" },
	};
	static const char *const good_names[] = {
		"client with ECDSA",
		"server with ECDSA",
		"client with X.509 v1",
		"server with X.509 v1",
		"client with RSA",
		"server with RSA",
		"SHA-1",
		"sha-512",
	};
	static const Case accidents[] = { { .accident = LOSE, .mtu = SMALL_MTU },
					  { .accident = DOUBLE, .mtu = SMALL_MTU },
					  { .accident = SWAP, .mtu = SMALL_MTU } };
	static const Refusal refusals[] = {
		{ { .wrong_fingerprint = TRUE }, "signalled was" },
		{ { .wrong_fingerprint = TRUE, .we_are_client = TRUE }, "signalled was" },
		{ { .certificate = NO_CERTIFICATE }, "certificate" },
		{ { .profiles = "" }, "use_srtp" },
	};
	g_autoptr(GError) error = NULL;
	int status;

	g_assert_cmpint(CRYPTO_set_mem_functions(counted_alloc, counted_realloc, counted_free), ==,
			1);
	g_test_init(&argc, &argv, NULL);
	context = dtls_context_new(&error);
	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *path = g_strconcat("/dtls/peer is ", good_names[i], NULL);

		g_test_add_data_func(path, &good[i], test_handshake);
	}
	g_test_add_data_func("/dtls/small MTU, server", &good[0], test_small_mtu);
	g_test_add_data_func("/dtls/small MTU, client", &good[1], test_small_mtu);
	g_test_add_data_func("/dtls/each datagram is lost once", &accidents[0], test_accident);
	g_test_add_data_func("/dtls/each datagram comes twice", &accidents[1], test_accident);
	g_test_add_data_func("/dtls/each datagram comes late", &accidents[2], test_accident);
	g_test_add_func("/dtls/kept", test_kept);
	g_test_add_data_func("/dtls/wrong fingerprint of a client", &refusals[0], test_refusal);
	g_test_add_data_func("/dtls/wrong fingerprint of a server", &refusals[1], test_refusal);
	g_test_add_data_func("/dtls/no certificate", &refusals[2], test_refusal);
	g_test_add_data_func("/dtls/no SRTP", &refusals[3], test_refusal);
	status = g_test_run();
	dtls_context_free(context);
	return status;
}
