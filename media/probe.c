/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* probe.c - see probe.h.  Sockets that do not wait by themselves, and a poll() that does. */
#include "media/probe.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "media/allocate.h"

#define AGAIN_US (500 * 1000) /* RFC 8489 6.2.1: the first repetition by UDP */

struct Probe {
	ProbeTarget target;
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};

/* --- waiting --- */

static gboolean fail(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
fail(GError **error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_propagate_error(error, g_error_new_valist(G_IO_ERROR, code, format, arguments));
	va_end(arguments);
	return FALSE;
}

static gboolean
wait_for(const Probe *probe, short events, gint64 until_us, GError **error)
{
	GPollFD cancelled = { .fd = -1 };
	const gboolean has = g_cancellable_make_pollfd(probe->target.cancel, &cancelled);
	struct pollfd fds[] = { { probe->fd, events, 0 }, { has ? cancelled.fd : -1, POLLIN, 0 } };
	gint64 left_us = until_us - g_get_monotonic_time();
	int n = left_us <= 0 ? 0 : poll(fds, 2, (int)(left_us / 1000 + 1));

	if (has)
		g_cancellable_release_fd(probe->target.cancel);
	if (g_cancellable_set_error_if_cancelled(probe->target.cancel, error))
		return FALSE;
	if (n < 0 && errno != EINTR)
		return fail(error, (int)g_io_error_from_errno(errno), "%s", g_strerror(errno));
	if (n == 0)
		return fail(error, G_IO_ERROR_TIMED_OUT, "no answer");
	return TRUE;
}

/* --- opening --- */

static gboolean
connect_socket(Probe *probe, GError **error)
{
	const NetAddress *to = &probe->target.to;
	const int type = probe->target.kind == PROBE_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int code = 0;
	socklen_t size = sizeof code;

	probe->fd = socket(to->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe->fd < 0 || (connect(probe->fd, &to->any, to->length) < 0 && errno != EINPROGRESS))
		return fail(error, (int)g_io_error_from_errno(errno), "%s", g_strerror(errno));
	if (!wait_for(probe, POLLOUT, probe->target.until_us, error))
		return FALSE;
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 || code)
		return fail(error, (int)g_io_error_from_errno(code), "%s", g_strerror(code));
	return TRUE;
}

/* TRUE: what `result` says is to be tried again. */
static gboolean
wait_ssl(Probe *probe, int result, gint64 until_us, GError **error)
{
	const int why = SSL_get_error(probe->ssl, result);
	char text[256] = "the peer closed the connection";
	unsigned long code;

	if (why == SSL_ERROR_WANT_READ)
		return wait_for(probe, POLLIN, until_us, error);
	if (why == SSL_ERROR_WANT_WRITE)
		return wait_for(probe, POLLOUT, until_us, error);
	code = ERR_get_error();
	if (code)
		ERR_error_string_n(code, text, sizeof text);
	ERR_clear_error();
	return fail(error, G_IO_ERROR_FAILED, "TLS: %s", text);
}

/* The certificate is looked at afterwards, whatever is wrong with it. */
static gboolean
start_tls(Probe *probe, GError **error)
{
	const ProbeTarget *target = &probe->target;
	NetAddress numeric;
	int result;

	probe->context = SSL_CTX_new(TLS_client_method());
	if (target->ca_file)
		SSL_CTX_load_verify_locations(probe->context, target->ca_file, NULL);
	else
		SSL_CTX_set_default_verify_paths(probe->context);
	probe->ssl = SSL_new(probe->context);
	SSL_set_fd(probe->ssl, probe->fd);
	if (target->name && !net_address_parse(target->name, 0, &numeric))
		SSL_set_tlsext_host_name(probe->ssl, target->name);
	ERR_clear_error();
	while ((result = SSL_connect(probe->ssl)) != 1)
		if (!wait_ssl(probe, result, target->until_us, error))
			return FALSE;
	return TRUE;
}

Probe *
probe_open(const ProbeTarget *target, GError **error)
{
	Probe *probe = g_new0(Probe, 1);

	probe->target = *target;
	probe->fd = -1;
	if (connect_socket(probe, error) && (target->kind != PROBE_TLS || start_tls(probe, error)))
		return probe;
	probe_free(probe);
	return NULL;
}

void
probe_free(Probe *probe)
{
	if (!probe)
		return;
	SSL_free(probe->ssl);
	SSL_CTX_free(probe->context);
	ERR_clear_error();
	if (probe->fd >= 0)
		close(probe->fd);
	g_free(probe);
}

gboolean
probe_local(const Probe *probe, NetAddress *address)
{
	memset(address, 0, sizeof *address);
	address->length = sizeof address->ip6;
	return getsockname(probe->fd, &address->any, &address->length) == 0;
}

/* --- bytes --- */

gboolean
probe_send(Probe *probe, const void *data, gsize length, GError **error)
{
	const gint64 until_us = probe->target.until_us;
	gssize n;

	while (probe->ssl) {
		const int done = SSL_write(probe->ssl, data, (int)length);

		if (done > 0)
			return TRUE;
		if (!wait_ssl(probe, done, until_us, error))
			return FALSE;
	}
	while (length > 0) {
		n = send(probe->fd, data, length, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(error, (int)g_io_error_from_errno(errno), "%s",
				    g_strerror(errno));
		if (n < 0 && !wait_for(probe, POLLOUT, until_us, error))
			return FALSE;
		data = (const guint8 *)data + MAX(n, 0);
		length -= (gsize)MAX(n, 0);
	}
	return TRUE;
}

gsize
probe_receive(Probe *probe, void *data, gsize size, gint64 until_us, GError **error)
{
	gssize n;

	until_us = MIN(until_us, probe->target.until_us);
	while (probe->ssl) {
		const int done = SSL_read(probe->ssl, data, (int)size);

		if (done > 0)
			return (gsize)done;
		if (!wait_ssl(probe, done, until_us, error))
			return 0;
	}
	for (;;) {
		n = recv(probe->fd, data, size, 0);
		if (n > 0)
			return (gsize)n;
		if (n == 0) {
			fail(error, G_IO_ERROR_CLOSED, "the peer closed the connection");
			return 0;
		}
		if (errno != EAGAIN && errno != EINTR) {
			fail(error, (int)g_io_error_from_errno(errno), "%s", g_strerror(errno));
			return 0;
		}
		if (!wait_for(probe, POLLIN, until_us, error))
			return 0;
	}
}

/* --- the certificate --- */

gint64
probe_certificate_ends(const Probe *probe)
{
	X509 *certificate = probe->ssl ? SSL_get1_peer_certificate(probe->ssl) : NULL;
	struct tm end;
	gint64 seconds = 0;

	if (certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end))
		seconds = (gint64)timegm(&end);
	X509_free(certificate);
	return seconds;
}

char *
probe_certificate_problem(const Probe *probe, const char *name)
{
	X509 *certificate = probe->ssl ? SSL_get1_peer_certificate(probe->ssl) : NULL;
	const long result = certificate ? SSL_get_verify_result(probe->ssl) : X509_V_OK;
	NetAddress numeric;
	char *problem = NULL;
	gboolean fits;

	if (!certificate)
		return NULL;
	fits = net_address_parse(name, 0, &numeric)
		       ? X509_check_ip_asc(certificate, name, 0) == 1
		       : X509_check_host(certificate, name, 0, 0, NULL) == 1;
	if (result != X509_V_OK)
		problem = g_strdup(X509_verify_cert_error_string(result));
	else if (!fits)
		problem = g_strdup_printf("it is not for %s", name);
	X509_free(certificate);
	return problem;
}

/* --- STUN and TURN --- */

static gboolean
fill_answer(Probe *probe, guint8 data[ALLOCATE_MAX], gsize *length, gint64 until_us, GError **error)
{
	gsize wanted;

	for (;;) {
		gsize n;

		wanted = probe->target.kind == PROBE_UDP ? 0 : stun_length(data, *length);
		if (wanted > ALLOCATE_MAX)
			return fail(error, G_IO_ERROR_INVALID_DATA, "it does not answer as STUN");
		if (wanted && *length >= wanted)
			return TRUE;
		n = probe_receive(probe, data + *length,
				  wanted ? wanted - *length : ALLOCATE_MAX - *length, until_us,
				  error);
		if (n == 0)
			return FALSE;
		*length += n;
		if (probe->target.kind == PROBE_UDP)
			return TRUE;
	}
}

/* By UDP again and again until the time is over. */
static gboolean
exchange(Probe *probe, StunMethod method, const StunLogin *login, StunAnswer *answer,
	 GError **error)
{
	guint8 request[ALLOCATE_MAX], data[ALLOCATE_MAX], transaction[ALLOCATE_TRANSACTION];
	gsize size;

	for (guint i = 0; i < sizeof transaction; i++)
		transaction[i] = (guint8)g_random_int();
	size = stun_request(request, method, transaction, login);
	if (!size)
		return fail(error, G_IO_ERROR_INVALID_DATA, "its realm or nonce is too long");
	for (;;) {
		const gint64 again_us = probe->target.kind == PROBE_UDP
						? g_get_monotonic_time() + AGAIN_US
						: probe->target.until_us;
		g_autoptr(GError) problem = NULL;
		gsize length = 0;

		if (!probe_send(probe, request, size, error))
			return FALSE;
		while (fill_answer(probe, data, &length, again_us, &problem)) {
			if (stun_answer_parse(data, length, method, transaction, answer))
				return TRUE;
			length = 0;
		}
		if (!g_error_matches(problem, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
		    g_get_monotonic_time() >= probe->target.until_us) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
	}
}

static gboolean
refused(const StunAnswer *answer, GError **error)
{
	return fail(error, G_IO_ERROR_PERMISSION_DENIED, "it refuses: %u %s", answer->error,
		    answer->phrase);
}

gboolean
probe_stun(const ProbeTarget *target, NetAddress *mapped, GError **error)
{
	Probe *probe = probe_open(target, error);
	StunAnswer answer;
	gboolean good = probe && exchange(probe, STUN_BINDING, NULL, &answer, error);

	probe_free(probe);
	if (!good)
		return FALSE;
	if (!answer.success)
		return refused(&answer, error);
	if (!answer.mapped.length)
		return fail(error, G_IO_ERROR_INVALID_DATA, "its answer has no address");
	*mapped = answer.mapped;
	return TRUE;
}

/* RFC 8656 7.2: the first request has no credentials, and learns realm and nonce. */
gboolean
probe_turn(Probe *probe, const char *username, const char *password, NetAddress *relayed,
	   GError **error)
{
	StunAnswer asked, answer, gone;
	StunLogin login = { username, password, asked.realm, asked.nonce };

	if (!exchange(probe, STUN_ALLOCATE, NULL, &asked, error))
		return FALSE;
	if (asked.success)
		answer = asked;
	else if (asked.error != 401)
		return refused(&asked, error);
	else if (!exchange(probe, STUN_ALLOCATE, &login, &answer, error))
		return FALSE;
	if (!answer.success)
		return refused(&answer, error);
	*relayed = answer.relayed;
	/* it ends by itself, when this is lost */
	exchange(probe, STUN_REFRESH, &login, &gone, NULL);
	return TRUE;
}
