/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_network.c - the XMPP server, the name of the gateway, STUN, TURN, and our own address.
 * RFC 6120 3.2, RFC 8489, RFC 8656.
 */
#include <string.h>
#include "b2bua/doctor/doctor_private.h"
#include "media/turn.h"

#define SERVER_PORT 5269

ProbeTarget
doctor_target(Doctor *doctor, ProbeKind kind, const NetAddress *to, gint64 most_us)
{
	return (ProbeTarget){ .kind = kind,
			      .to = *to,
			      .until_us = MIN(g_get_monotonic_time() + most_us, doctor->until_us),
			      .cancel = doctor->cancel };
}

static gboolean
connects(Doctor *doctor, const char *host, guint port, GError **error)
{
	NetAddress to;
	ProbeTarget target;
	Probe *probe;

	if (!doctor_resolve(doctor, host, port, &to, error))
		return FALSE;
	target = doctor_target(doctor, PROBE_TCP, &to, ANSWER_US);
	probe = probe_open(&target, error);
	probe_free(probe);
	return probe != NULL;
}

/* --- the XMPP server --- */

void
doctor_xmpp(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "xmpp";
	const Facts *facts = &doctor->facts;
	g_autoptr(GError) error = NULL;

	if (facts->linked)
		doctor_good(doctor, name, "connected to %s:%u as %s", facts->xmpp_host,
			    facts->xmpp_port, facts->domain ? facts->domain : "?");
	else if (!connects(doctor, facts->xmpp_host, facts->xmpp_port, &error))
		doctor_bad(doctor, name,
			   doctor_name_remedy(error,
					      "start the XMPP server, let it listen for components "
					      "there, or correct [xmpp] host and port"),
			   "the XMPP server is not reached at %s:%u: %s", facts->xmpp_host,
			   facts->xmpp_port, error->message);
	else
		doctor_bad(
			doctor, name,
			"compare [xmpp] domain and secret with the component of the XMPP server; "
			"no other program may be that component",
			"the XMPP server at %s:%u does not let the gateway in as %s",
			facts->xmpp_host, facts->xmpp_port, facts->domain ? facts->domain : "?");
}

/* RFC 6761, RFC 6762, RFC 8375, and .internal: nobody outside looks for these. */
static gboolean
is_private(const char *domain)
{
	static const char *const ends[] = { "localhost", "local", "internal", "test",
					    "home.arpa", "lan",	  "example" };

	for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *end = g_strconcat(".", ends[i], NULL);

		if (strcmp(domain, ends[i]) == 0 || g_str_has_suffix(domain, end))
			return TRUE;
	}
	return FALSE;
}

/* Where the servers of other people look for the gateway (RFC 6120 3.2). */
void
doctor_domain(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "domain";
	const char *domain = doctor->facts.domain;
	g_autofree char *host = NULL;
	g_autoptr(GError) error = NULL;
	NetAddress address;
	guint port = SERVER_PORT;

	if (!domain) {
		doctor_skip(doctor, name, "there is no XMPP domain");
		return;
	}
	if (is_private(domain)) {
		doctor_skip(doctor, name,
			    "%s is a private name: people of other XMPP servers cannot reach it",
			    domain);
		return;
	}
	if (!doctor_service(doctor, "xmpp-server", "tcp", domain, &host, &port))
		host = g_strdup(domain);
	if (!doctor_resolve(doctor, host, port, &address, &error))
		doctor_bad(
			doctor, name,
			doctor_name_remedy(error, "make an address record or an SRV record "
						  "_xmpp-server._tcp for it that leads to the XMPP "
						  "server"),
			"people of other XMPP servers do not find %s: %s", domain, error->message);
	else if (!connects(doctor, host, port, &error))
		doctor_bad(doctor, name,
			   "open TCP port 5269 of the XMPP server, and check the records of the "
			   "name; behind a NAT this may be tried from outside alone",
			   "the XMPP server of %s is not reached at %s:%u: %s", domain, host, port,
			   error->message);
	else
		doctor_good(doctor, name, "%s leads to %s:%u", domain, host, port);
}

/* --- STUN --- */

static const char *
announced(const Facts *facts)
{
	return facts->public_address ? facts->public_address : facts->rtp_address;
}

static gboolean
is_ours(const Facts *facts, const char *host)
{
	if (strcmp(announced(facts), host) == 0)
		return TRUE;
	return !facts->public_address && facts->local_addresses &&
	       g_strv_contains((const char *const *)facts->local_addresses, host);
}

static void
compare_address(Doctor *doctor, const NetAddress *mapped)
{
	const Facts *facts = &doctor->facts;
	g_autofree char *remedy = NULL;
	char host[46];

	net_address_host_text(mapped, host);
	remedy = g_strdup_printf("write [media] public_address = %s, and let the router send the "
				 "ports of [media] to this machine",
				 host);
	if (is_ours(facts, host))
		doctor_good(doctor, "public address", "%s, as it is announced", host);
	else
		doctor_bad(doctor, "public address", remedy,
			   "the world sees this machine as %s, and calls announce %s", host,
			   announced(facts));
}

void
doctor_stun(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "stun";
	const MediaServer *server = &doctor->facts.stun;
	g_autoptr(GError) error = NULL;
	NetAddress to, mapped;
	ProbeTarget target;

	if (!server->host) {
		doctor_skip(doctor, name, "[media] stun_server is not set");
		doctor_skip(doctor, "public address", "only a STUN server can tell");
		return;
	}
	if (!doctor_resolve(doctor, server->host, server->port, &to, &error)) {
		doctor_bad(doctor, name,
			   doctor_name_remedy(error, "correct the name in [media] stun_server"),
			   "%s", error->message);
		return;
	}
	target = doctor_target(doctor, PROBE_UDP, &to, ANSWER_US);
	if (!probe_stun(&target, &mapped, &error)) {
		doctor_bad(doctor, name,
			   "start the STUN server, open its UDP port in the firewalls between, or "
			   "name another one in [media] stun_server",
			   "the STUN server %s:%u: %s", server->host, server->port, error->message);
		return;
	}
	doctor_good(doctor, name, "%s:%u answers", server->host, server->port);
	compare_address(doctor, &mapped);
}

/* --- TURN --- */

Probe *
doctor_allocate(Doctor *doctor, const DoctorTurn *turn, NetAddress *relayed, GError **error)
{
	ProbeTarget target = doctor_target(doctor, turn->kind, &turn->to, ANSWER_US);
	Probe *probe;

	target.name = turn->host;
	probe = probe_open(&target, error);
	if (probe && probe_turn(probe, turn->username, turn->password, relayed, error))
		return probe;
	probe_free(probe);
	return NULL;
}

static const char *const KINDS[] = { "turn udp", "turn tcp", "turn tls" };

static const char *
turn_remedy(const GError *error, ProbeKind kind)
{
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
		return "write the same secret in [media] turn_secret and in the TURN server "
		       "(static-auth-secret in coturn), and compare the clocks of both machines";
	return kind == PROBE_TLS
		       ? "let the TURN server listen for TLS at [media] turn_tls_port, or set that "
			 "to 0"
		       : "start the TURN server, let it listen there by UDP and TCP, or correct "
			 "[media] turn_server";
}

/* A client checks the certificate, so what is wrong with it keeps the client away. */
static gboolean
check_turn_certificate(Doctor *doctor, const Probe *probe, const char *host)
{
	const gint64 left_s = probe_certificate_ends(probe) - g_get_real_time() / G_USEC_PER_SEC;
	g_autofree char *problem = probe_certificate_problem(probe, host);

	if (problem)
		doctor_bad(doctor, KINDS[PROBE_TLS],
			   "give the TURN server a certificate for its name from an authority that "
			   "clients know",
			   "the certificate of the TURN server is not taken by clients: %s",
			   problem);
	else if (left_s < CERTIFICATE_S)
		doctor_bad(doctor, KINDS[PROBE_TLS], "renew the certificate of the TURN server",
			   "the certificate of the TURN server is good for %d days",
			   (int)(left_s / (24 * 3600)));
	else
		return TRUE;
	return FALSE;
}

static gboolean
turn_is_set(Doctor *doctor, ProbeKind kind)
{
	const Facts *facts = &doctor->facts;

	if (!facts->turn.host)
		doctor_skip(doctor, KINDS[kind], "[media] turn_server is not set");
	else if (kind == PROBE_TLS && !facts->turn_tls_port)
		doctor_skip(doctor, KINDS[kind], "[media] turn_tls_port is not set");
	else
		return TRUE;
	return FALSE;
}

void
doctor_turn(Doctor *doctor, gconstpointer about)
{
	const ProbeKind kind = (ProbeKind)GPOINTER_TO_UINT(about);
	const Facts *facts = &doctor->facts;
	const char *host = facts->turn.host;
	const guint port = kind == PROBE_TLS ? facts->turn_tls_port : facts->turn.port;
	g_autofree char *username =
		turn_username(g_get_real_time() / G_USEC_PER_SEC + facts->turn_ttl_s, "doctor");
	g_autofree char *password =
		facts->turn_secret ? turn_password(facts->turn_secret, username) : g_strdup("");
	g_autoptr(GError) error = NULL;
	NetAddress relayed = { 0 };
	char text[NET_ADDRESS_TEXT];
	DoctorTurn turn = {
		.kind = kind, .host = host, .username = username, .password = password
	};
	Probe *probe;

	if (!turn_is_set(doctor, kind))
		return;
	if (!doctor_resolve(doctor, host, port, &turn.to, &error)) {
		doctor_bad(doctor, KINDS[kind],
			   doctor_name_remedy(error, "correct the name in [media] turn_server"),
			   "%s", error->message);
		return;
	}
	probe = doctor_allocate(doctor, &turn, &relayed, &error);
	if (!probe)
		doctor_bad(doctor, KINDS[kind], turn_remedy(error, kind),
			   "the TURN server %s:%u: %s", host, port, error->message);
	else if (kind != PROBE_TLS || check_turn_certificate(doctor, probe, host))
		doctor_good(doctor, KINDS[kind], "%s:%u relays at %s", host, port,
			    net_address_text(&relayed, text));
	probe_free(probe);
}
