/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_services.c - the STUN and TURN servers that users are told of by the server of their
 * account: most clients ask that one, and not the gateway.  XEP-0215.
 */
#include <string.h>
#include "b2bua/doctor/doctor_private.h"

#define MAX_DOMAINS 4
#define MAX_USERS   200 /* that are looked at for their domains */

typedef struct {
	Doctor *doctor; /* NULL: it is over */
	char *domain;
} Question;

/* What one server said. */
typedef struct {
	char *name, *domain;
	GPtrArray *servers; /* AnnouncedServer */
} Services;

/* --- the answer: signalling thread --- */

void
doctor_services_free(gpointer data)
{
	Services *services = data;

	g_free(services->name);
	g_free(services->domain);
	g_ptr_array_unref(services->servers);
	g_free(services);
}

static Services *
services_new(const char *domain, GPtrArray *servers)
{
	Services *services = g_new0(Services, 1);

	services->name = g_strconcat("services ", domain, NULL);
	services->domain = g_strdup(domain);
	services->servers = g_ptr_array_ref(servers);
	return services;
}

static void doctor_services(Doctor *doctor, gconstpointer about);

static void
take(Doctor *doctor, const char *domain, Announced what, GPtrArray *servers)
{
	Services *services = services_new(domain, servers);

	g_ptr_array_add(doctor->services, services);
	if (what == ANNOUNCED_HIDDEN)
		doctor_skip(
			doctor, services->name,
			"the server of %s tells its own users of STUN and TURN servers, and not "
			"the gateway (external_service_access of Prosody can name both)",
			domain);
	else if (what == ANNOUNCED_UNKNOWN)
		doctor_skip(doctor, services->name, "the server of %s does not answer", domain);
	else
		doctor_post(doctor, doctor_services, services);
}

static void
on_answer(gpointer user, Announced what, GPtrArray *servers)
{
	Question *question = user;
	Doctor *doctor = question->doctor;

	if (doctor) {
		g_ptr_array_remove_fast(doctor->questions, question);
		take(doctor, question->domain, what, servers);
		g_atomic_int_add(&doctor->open, -1);
	}
	g_free(question->domain);
	g_free(question);
}

/* --- the question: signalling thread --- */

static GPtrArray *
domains_of(Store *store)
{
	g_autoptr(GPtrArray) users = store_user_page(store, NULL, MAX_USERS, NULL);
	GPtrArray *domains = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; users && i < users->len && domains->len < MAX_DOMAINS; i++) {
		const char *at = strchr(((const User *)users->pdata[i])->jid, '@');

		if (at && !g_ptr_array_find_with_equal_func(domains, at + 1, g_str_equal, NULL))
			g_ptr_array_add(domains, g_strdup(at + 1));
	}
	return domains;
}

void
doctor_ask_services(Doctor *doctor, Gateway *gateway)
{
	const Plugin *plugin = gateway_reaching(gateway, WAY_ACCOUNT);
	g_autoptr(GPtrArray) domains = NULL;

	if (!plugin || !plugin->operators || !plugin->operators->announced)
		return;
	if (!doctor->facts.linked) {
		doctor_skip(doctor, "services", "see the check 'xmpp'");
		return;
	}
	domains = domains_of(gateway_store(gateway));
	if (domains->len == 0)
		doctor_skip(doctor, "services", "there is no user");
	for (guint i = 0; i < domains->len; i++) {
		Question *question = g_new(Question, 1);

		*question = (Question){ doctor, g_strdup(domains->pdata[i]) };
		g_ptr_array_add(doctor->questions, question);
		g_atomic_int_inc(&doctor->open);
		plugin->operators->announced(question->domain, on_answer, question);
	}
}

void
doctor_forget_services(Doctor *doctor)
{
	for (guint i = 0; i < doctor->questions->len; i++)
		((Question *)doctor->questions->pdata[i])->doctor = NULL;
	g_ptr_array_set_size(doctor->questions, 0);
}

/* --- what is announced: threads of the pool --- */

static gboolean
is_turn(const AnnouncedServer *server)
{
	return strcmp(server->type, "turn") == 0 || strcmp(server->type, "turns") == 0;
}

/* FALSE: there is nothing here that could ask it, such as STUN by DTLS. */
static gboolean
kind_of(const AnnouncedServer *server, ProbeKind *kind)
{
	const gboolean udp = strcmp(server->transport, "udp") == 0;

	*kind = udp ? PROBE_UDP : strcmp(server->type, "turns") == 0 ? PROBE_TLS : PROBE_TCP;
	if (strcmp(server->type, "turns") == 0)
		return !udp;
	return is_turn(server) || (strcmp(server->type, "stun") == 0 && udp);
}

static gboolean
check_certificate(const Probe *probe, const char *host, GError **error)
{
	g_autofree char *problem = probe_certificate_problem(probe, host);

	if (problem)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "its certificate is not taken by clients: %s", problem);
	return !problem;
}

static gboolean
try_turn(Doctor *doctor, const AnnouncedServer *server, const DoctorTurn *turn, GError **error)
{
	ProbeTarget target = doctor_target(doctor, turn->kind, &turn->to, ANSWER_US);
	NetAddress relayed;
	gboolean good;
	Probe *probe;

	target.name = server->host;
	probe = server->username && server->password
			? doctor_allocate(doctor, turn, &relayed, error)
			: probe_open(&target, error);
	good = probe && (turn->kind != PROBE_TLS || check_certificate(probe, server->host, error));
	probe_free(probe);
	return good;
}

static gboolean
try_server(Doctor *doctor, const AnnouncedServer *server, GError **error)
{
	DoctorTurn turn = { .host = server->host,
			    .username = server->username,
			    .password = server->password };
	NetAddress mapped;
	ProbeTarget target;

	if (!kind_of(server, &turn.kind))
		return TRUE;
	if (!doctor_resolve(doctor, server->host, server->port, &turn.to, error))
		return FALSE;
	/* A TURN server answers STUN too; by UDP nothing else shows that it is there. */
	target = doctor_target(doctor, PROBE_UDP, &turn.to, ANSWER_US);
	if (turn.kind == PROBE_UDP && !probe_stun(&target, &mapped, error))
		return FALSE;
	return !is_turn(server) || try_turn(doctor, server, &turn, error);
}

/* FALSE: one of them does not work. */
static gboolean
check_each(Doctor *doctor, const Services *services)
{
	for (guint i = 0; i < services->servers->len; i++) {
		const AnnouncedServer *server = services->servers->pdata[i];
		g_autoptr(GError) error = NULL;

		if (try_server(doctor, server, &error))
			continue;
		doctor_bad(doctor, services->name,
			   g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)
				   ? "give the XMPP server the secret of the TURN server "
				     "(external_service_secret in Prosody, static-auth-secret in "
				     "coturn)"
				   : doctor_name_remedy(error,
							"start that server, open its port, or "
							"correct it in the settings of the XMPP "
							"server"),
			   "the server of %s tells its users of %s:%s:%u by %s: %s",
			   services->domain, server->type, server->host, server->port,
			   server->transport, error->message);
		return FALSE;
	}
	return TRUE;
}

static gboolean
has_turn(const Services *services)
{
	for (guint i = 0; i < services->servers->len; i++)
		if (is_turn(services->servers->pdata[i]))
			return TRUE;
	return FALSE;
}

static void
say_no_turn(Doctor *doctor, const Services *services)
{
	const MediaServer *turn = &doctor->facts.turn;
	g_autofree char *ours =
		turn->host ? g_strdup_printf(" %s:%u", turn->host, turn->port) : g_strdup("");
	g_autofree char *remedy = g_strdup_printf(
		"%slet the XMPP server tell its users of the TURN server%s "
		"(mod_external_services of Prosody, mod_stun_disco of ejabberd)",
		turn->host
			? ""
			: "run a TURN server such as coturn, name it in [media] turn_server, and ",
		ours);

	doctor_bad(
		doctor, services->name, remedy,
		"the server of %s tells its users of %s: a client behind a firewall that lets no "
		"UDP through has no audio",
		services->domain,
		services->servers->len > 0 ? "STUN servers and of no TURN server"
					   : "no STUN and no TURN server");
}

/* --- the same TURN server as ours? --- */

static gboolean
is_ours(Doctor *doctor, const AnnouncedServer *server)
{
	const Facts *facts = &doctor->facts;
	const guint port =
		strcmp(server->type, "turns") == 0 ? facts->turn_tls_port : facts->turn.port;
	NetAddress theirs, ours;

	if (server->port != port)
		return FALSE;
	return g_ascii_strcasecmp(server->host, facts->turn.host) == 0 ||
	       (doctor_resolve(doctor, server->host, port, &theirs, NULL) &&
		doctor_resolve(doctor, facts->turn.host, port, &ours, NULL) &&
		net_address_equal(&theirs, &ours));
}

/* The server of a domain above ours is the one where the gateway is a component: both are of one
 * house, and have one TURN server.  Other people's servers may have their own. */
static gboolean
is_same_house(const Doctor *doctor, const char *domain)
{
	const char *dot = doctor->facts.domain ? strchr(doctor->facts.domain, '.') : NULL;

	return dot && g_ascii_strcasecmp(dot + 1, domain) == 0;
}

static gboolean
check_known(Doctor *doctor, const Services *services)
{
	const MediaServer *ours = &doctor->facts.turn;
	const AnnouncedServer *other = NULL;

	if (!ours->host || !is_same_house(doctor, services->domain))
		return TRUE;
	for (guint i = 0; i < services->servers->len; i++) {
		const AnnouncedServer *server = services->servers->pdata[i];

		if (!is_turn(server))
			continue;
		if (is_ours(doctor, server))
			return TRUE;
		other = other ? other : server;
	}
	doctor_bad(
		doctor, services->name,
		"name the same TURN server in [media] turn_server and in the settings of the XMPP "
		"server: clients ask the one or the other",
		"the server of %s tells its users of the TURN server %s:%u, and [media] "
		"turn_server is %s:%u",
		services->domain, other->host, other->port, ours->host, ours->port);
	return FALSE;
}

static void
doctor_services(Doctor *doctor, gconstpointer about)
{
	const Services *services = about;

	if (!has_turn(services)) {
		if (check_each(doctor, services))
			say_no_turn(doctor, services);
	} else if (check_each(doctor, services) && check_known(doctor, services)) {
		doctor_good(doctor, services->name, "%u servers that %s tells its users of work",
			    services->servers->len, services->domain);
	}
}
