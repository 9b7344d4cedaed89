/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_trunk.c - a trunk: its name, its answer to OPTIONS, its registration, its certificate,
 * its clock.
 *
 * The gateway asks its trunks by itself and from its own port, so what it has seen counts first.
 * RFC 3261 11, RFC 3263 4.
 */
#include <string.h>
#include "b2bua/doctor/doctor_private.h"
#include "b2bua/doctor/doctor_sip.h"

#define CLOCK_S	     30 /* an answer is as old as its way is long */
#define SIP_PORT     5060
#define SIPS_PORT    5061
#define ANSWER_BYTES 8192

typedef struct {
	Doctor *doctor;
	const Trunk *trunk;
	const TrunkSeen *seen; /* or NULL */
	char *check;	       /* "trunk carrier" */
	ProbeKind kind;
	char *host;
	guint port;
} Look;

static ProbeKind
kind_of(const Trunk *trunk)
{
	if (strcmp(trunk->transport, "tls") == 0)
		return PROBE_TLS;
	return strcmp(trunk->transport, "tcp") == 0 ? PROBE_TCP : PROBE_UDP;
}

/* The proxy, or the host with its port, or what SRV says of it. */
static void
find_way(Look *look)
{
	static const char *const protocols[] = { "udp", "tcp", "tcp" };
	const Trunk *trunk = look->trunk;
	const gboolean proxied = trunk->proxy && *trunk->proxy;
	const guint standard = look->kind == PROBE_TLS ? SIPS_PORT : SIP_PORT;
	g_autoptr(GSocketConnectable) connectable = NULL;
	NetAddress numeric;

	if (proxied) {
		connectable = g_network_address_parse(trunk->proxy, (guint16)standard, NULL);
		look->host = g_strdup(
			connectable ? g_network_address_get_hostname(G_NETWORK_ADDRESS(connectable))
				    : trunk->proxy);
		look->port = connectable
				     ? g_network_address_get_port(G_NETWORK_ADDRESS(connectable))
				     : standard;
		return;
	}
	if (trunk->port == 0 && !net_address_parse(trunk->host, 0, &numeric) &&
	    doctor_service(look->doctor, look->kind == PROBE_TLS ? "sips" : "sip",
			   protocols[look->kind], trunk->host, &look->host, &look->port))
		return;
	look->host = g_strdup(trunk->host);
	look->port = trunk->port ? trunk->port : standard;
}

/* --- what it answers --- */

static gboolean
ask(const Look *look, Probe *probe, SipAnswer *answer, GError **error)
{
	static const char *const transports[] = { "UDP", "TCP", "TLS" };
	const gint64 until_us = g_get_monotonic_time() + ANSWER_US;
	g_autofree char *request = NULL, *data = g_malloc(ANSWER_BYTES);
	char local[NET_ADDRESS_TEXT];
	NetAddress ours;
	gsize length;

	if (!probe_local(probe, &ours))
		return FALSE;
	request = sip_options_text(transports[look->kind], net_address_text(&ours, local),
				   look->trunk->host, look->doctor->facts.sip_domain);
	if (!probe_send(probe, request, strlen(request), error))
		return FALSE;
	length = probe_receive(probe, data, ANSWER_BYTES, until_us, error);
	return length > 0 && sip_answer_read(data, length, answer);
}

static gboolean
check_certificate(const Look *look, const Probe *probe)
{
	const Trunk *trunk = look->trunk;
	const gint64 left_s = probe_certificate_ends(probe) - g_get_real_time() / G_USEC_PER_SEC;
	g_autofree char *problem = probe_certificate_problem(probe, trunk->host);

	if (left_s < CERTIFICATE_S)
		doctor_bad(look->doctor, look->check,
			   "ask the carrier to renew it; calls stop on that day",
			   "the certificate of the trunk is good for %d days",
			   (int)(left_s / (24 * 3600)));
	else if (problem && trunk->tls_verify)
		doctor_bad(
			look->doctor, look->check,
			"write the name that the certificate is for as host of the trunk, or the "
			"authority's file as tls-ca",
			"the certificate of the trunk is not taken: %s", problem);
	else
		return TRUE;
	return FALSE;
}

static gboolean
check_clock(const Look *look, const SipAnswer *answer)
{
	const gint64 ahead_s = g_get_real_time() / G_USEC_PER_SEC - answer->date;

	if (!answer->date || ABS(ahead_s) <= CLOCK_S)
		return TRUE;
	doctor_bad(look->doctor, look->check,
		   "run an NTP client on this machine (systemd-timesyncd, chrony)",
		   "the clock of this machine and that of the trunk differ by %d s", (int)ahead_s);
	return FALSE;
}

/* What the gateway has seen by itself, from its own port. */
static void
say_seen(const Look *look)
{
	const TrunkSeen *seen = look->seen;

	doctor_good(look->doctor, look->check, "%s",
		    seen && seen->text ? seen->text : "not seen yet");
}

static void
say_good(const Look *look, guint status)
{
	const int registered = look->seen ? look->seen->registered : -1;

	doctor_good(look->doctor, look->check, "%s:%u answers %u%s", look->host, look->port, status,
		    registered == 1 ? ", registered" : "");
}

/* It is not asked from the port of calls, and many carriers answer no other. */
static void
say_silent(const Look *look, const GError *error)
{
	if (error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		doctor_bad(look->doctor, look->check,
			   "correct the trunk's host, port and transport, or open the firewall "
			   "between",
			   "%s:%u is not reached: %s", look->host, look->port, error->message);
	else if (look->trunk->options_seconds > 0 || (look->seen && look->seen->registered == 1))
		say_seen(look);
	else
		doctor_skip(
			look->doctor, look->check,
			"%s:%u answers no OPTIONS from another port, and options-seconds=0 says "
			"that it is not asked from the gateway's own",
			look->host, look->port);
}

/* --- what the gateway has seen --- */

static gboolean
is_seen_well(const Look *look)
{
	const TrunkSeen *seen = look->seen;
	const char *text = seen && seen->text ? seen->text : "it is not watched";

	if (seen && seen->registered == 0)
		doctor_bad(look->doctor, look->check,
			   "compare username, password, realm and account of the trunk with what "
			   "the carrier has given you",
			   "the trunk does not accept the registration: %s", text);
	else if (seen && !seen->up)
		doctor_bad(
			look->doctor, look->check,
			"correct the trunk's host, port and transport, open the firewall between, "
			"or write options-seconds=0 when the carrier answers no OPTIONS",
			"the trunk does not answer: %s", text);
	else
		return TRUE;
	return FALSE;
}

static void
look_at(Look *look)
{
	Doctor *doctor = look->doctor;
	g_autoptr(GError) error = NULL;
	ProbeTarget target;
	NetAddress to;
	SipAnswer answer;
	Probe *probe;

	find_way(look);
	if (!doctor_resolve(doctor, look->host, look->port, &to, &error)) {
		doctor_bad(doctor, look->check,
			   doctor_name_remedy(error, "correct the trunk's host"), "%s",
			   error->message);
		return;
	}
	target = doctor_target(doctor, look->kind, &to, 2 * ANSWER_US);
	target.name = look->trunk->host;
	if (look->trunk->tls_ca && *look->trunk->tls_ca)
		target.ca_file = look->trunk->tls_ca;
	probe = probe_open(&target, &error);
	if (probe && (look->kind != PROBE_TLS || check_certificate(look, probe)) &&
	    is_seen_well(look)) {
		if (!ask(look, probe, &answer, &error))
			say_silent(look, error);
		else if (check_clock(look, &answer))
			say_good(look, answer.status);
	} else if (!probe && is_seen_well(look)) {
		say_silent(look, error);
	}
	probe_free(probe);
}

/* By NAPTR, as the gateway does: what it finds there is its own to say. */
static gboolean
finds_its_way(const Trunk *trunk)
{
	return strcmp(trunk->transport, "auto") == 0 && trunk->options_seconds > 0;
}

void
doctor_trunk(Doctor *doctor, gconstpointer about)
{
	const Trunk *trunk = about;
	g_autofree char *check = g_strconcat("trunk ", trunk->name, NULL);
	Look look = { .doctor = doctor,
		      .trunk = trunk,
		      .seen = g_hash_table_lookup(doctor->seen, trunk->name),
		      .check = check,
		      .kind = kind_of(trunk) };

	if (!trunk->enabled)
		doctor_skip(doctor, check, "it is switched off");
	else if (finds_its_way(trunk) && is_seen_well(&look))
		say_seen(&look);
	else if (!finds_its_way(trunk))
		look_at(&look);
	g_free(look.host);
}
