/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_extdisco.c - the STUN and TURN servers there are, told to clients.
 * Thread: any (pure).
 */
#include "plugins/xmpp/xmpp_extdisco.h"
#include "media/turn.h"
#include <string.h>

typedef struct {
	const char *type, *host, *transport;
	guint16 port;
	gboolean restricted;
} Service;

#define MAX_SERVICES 4

typedef struct {
	const MediaOptions *media;
	const char *ns, *user;
	gint64 now;
} Asked;

gboolean
xmpp_extdisco_any(const MediaOptions *media)
{
	return media->stun.host || media->turn.host;
}

static guint
list_services(const MediaOptions *media, Service *services)
{
	const MediaServer *stun = &media->stun, *turn = &media->turn;
	guint n = 0;

	if (stun->host)
		services[n++] = (Service){ "stun", stun->host, "udp", stun->port, FALSE };
	if (!turn->host)
		return n;
	services[n++] = (Service){ "turn", turn->host, "udp", turn->port, TRUE };
	services[n++] = (Service){ "turn", turn->host, "tcp", turn->port, TRUE };
	if (media->turn_tls_port)
		services[n++] = (Service){ "turns", turn->host, "tcp", media->turn_tls_port, TRUE };
	return n;
}

static void
add_credentials(const Asked *asked, xmlNode *node)
{
	gint64 expiry = asked->now + asked->media->turn_ttl_s;
	g_autofree char *username = turn_username(expiry, asked->user);
	g_autofree char *password = turn_password(asked->media->turn_secret, username);
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(expiry);
	g_autofree char *text = g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ");

	xml_set(node, "username", username);
	xml_set(node, "password", password);
	if (g_str_equal(asked->ns, NS_EXTDISCO_1)) /* which does not have these */
		return;
	xml_set(node, "expires", text);
	xml_set(node, "restricted", "true");
}

static void
add_service(const Asked *asked, xmlNode *list, const Service *service)
{
	xmlNode *node = xml_add(list, NULL, "service");

	xml_set(node, "type", service->type);
	xml_set(node, "host", service->host);
	xml_set_number(node, "port", service->port);
	xml_set(node, "transport", service->transport);
	if (service->restricted)
		add_credentials(asked, node);
}

static xmlNode *
answer_services(const Asked *asked, const xmlNode *iq, const xmlNode *question)
{
	xmlNode *result = xml_iq_result(iq), *list = xml_add(result, asked->ns, "services");
	const char *type = xml_attribute(question, "type");
	Service services[MAX_SERVICES];
	guint n = list_services(asked->media, services);

	xml_set(list, "type", type);
	for (guint i = 0; i < n; i++)
		if ((!type || g_str_equal(type, services[i].type)) &&
		    (asked->user || !services[i].restricted))
			add_service(asked, list, &services[i]);
	return result;
}

static gboolean
is_meant(const Service *service, const xmlNode *wanted)
{
	const char *type = xml_attribute(wanted, "type"), *host = xml_attribute(wanted, "host");
	guint64 port = service->port;

	if (xml_attribute(wanted, "port") &&
	    !xml_attribute_number(wanted, "port", G_MAXUINT16, &port))
		return FALSE;
	return type && host && g_str_equal(type, service->type) &&
	       g_ascii_strcasecmp(host, service->host) == 0 && port == service->port;
}

static xmlNode *
answer_credentials(const Asked *asked, const xmlNode *iq, const xmlNode *question)
{
	static const XmlStanzaError bad = { .type = "modify", .condition = "bad-request" };
	static const XmlStanzaError none = { .type = "cancel", .condition = "item-not-found" };
	static const XmlStanzaError stranger = { .type = "auth", .condition = "forbidden" };
	const xmlNode *wanted = xml_child(question, asked->ns, "service");
	Service services[MAX_SERVICES];
	guint n = list_services(asked->media, services);
	xmlNode *result;

	if (!wanted)
		return xml_iq_error(iq, &bad);
	if (!asked->user)
		return xml_iq_error(iq, &stranger);
	for (guint i = 0; i < n; i++) {
		if (!is_meant(&services[i], wanted))
			continue;
		result = xml_iq_result(iq);
		add_service(asked, xml_add(result, asked->ns, "credentials"), &services[i]);
		return result;
	}
	return xml_iq_error(iq, &none);
}

xmlNode *
xmpp_extdisco_answer(const MediaOptions *media, const xmlNode *iq, const char *user, gint64 now)
{
	const xmlNode *question = xml_child(iq, NULL, NULL);
	const char *ns = xml_ns(question);
	const Asked asked = { .media = media, .ns = ns, .user = user, .now = now };

	if (!xmpp_extdisco_any(media) || g_strcmp0(xml_attribute(iq, "type"), "get") != 0 || !ns ||
	    (!g_str_equal(ns, NS_EXTDISCO_1) && !g_str_equal(ns, NS_EXTDISCO_2)))
		return NULL;
	if (xml_is(question, ns, "services"))
		return answer_services(&asked, iq, question);
	if (xml_is(question, ns, "credentials"))
		return answer_credentials(&asked, iq, question);
	return NULL;
}

/* --- what another server tells its users --- */

xmlNode *
xmpp_extdisco_question(const char *from, const char *domain)
{
	xmlNode *iq = xml_stanza_new("iq", "get", from, domain);

	xml_add(iq, NS_EXTDISCO_2, "services");
	return iq;
}

static void
announced_free(gpointer data)
{
	AnnouncedServer *server = data;

	g_free(server->type);
	g_free(server->transport);
	g_free(server->host);
	g_free(server->username);
	g_free(server->password);
	g_free(server);
}

/* What is not said is the usual: RFC 8489 18.6, RFC 8656 4.3. */
static void
read_service(const xmlNode *node, GPtrArray *servers)
{
	const char *type = xml_attribute(node, "type"), *host = xml_attribute(node, "host");
	const char *transport = xml_attribute(node, "transport");
	const gboolean secure = type && g_str_has_suffix(type, "s");
	guint64 port = secure ? 5349 : 3478;
	AnnouncedServer *server;

	if (!type || !host || !*host ||
	    (xml_attribute(node, "port") &&
	     !xml_attribute_number(node, "port", G_MAXUINT16, &port)))
		return;
	server = g_new0(AnnouncedServer, 1);
	server->type = g_strdup(type);
	server->transport = g_strdup(transport ? transport : secure ? "tcp" : "udp");
	server->host = g_strdup(host);
	server->username = g_strdup(xml_attribute(node, "username"));
	server->password = g_strdup(xml_attribute(node, "password"));
	server->port = (guint16)port;
	g_ptr_array_add(servers, server);
}

/* Which conditions say that the question is understood: Prosody refuses with forbidden,
 * ejabberd with not-allowed. */
static Announced
read_refusal(const xmlNode *answer)
{
	static const char *const hidden[] = { "forbidden", "not-allowed", "not-authorized", NULL };
	static const char *const none[] = { "service-unavailable", "feature-not-implemented",
					    "bad-request", "item-not-found", NULL };
	XmlStanzaError error;

	if (!xml_stanza_error(answer, &error) || !error.condition)
		return ANNOUNCED_UNKNOWN;
	if (g_strv_contains(hidden, error.condition))
		return ANNOUNCED_HIDDEN;
	return g_strv_contains(none, error.condition) ? ANNOUNCED_NONE : ANNOUNCED_UNKNOWN;
}

GPtrArray *
xmpp_extdisco_read(const xmlNode *answer, Announced *what)
{
	GPtrArray *servers = g_ptr_array_new_with_free_func(announced_free);
	const xmlNode *list = xml_child(answer, NS_EXTDISCO_2, "services");

	if (g_strcmp0(xml_attribute(answer, "type"), "result") != 0) {
		*what = read_refusal(answer);
		return servers;
	}
	*what = list ? ANNOUNCED_LIST : ANNOUNCED_NONE;
	for (const xmlNode *node = xml_child(list, NS_EXTDISCO_2, "service");
	     node && servers->len < XMPP_EXTDISCO_MOST;
	     node = xml_next(node, NS_EXTDISCO_2, "service"))
		read_service(node, servers);
	return servers;
}
