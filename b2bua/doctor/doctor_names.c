/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_names.c - names looked up by a thread that waits, but not for ever. */
#include "b2bua/doctor/doctor_private.h"

#define LOOK_MS 50

typedef struct {
	Doctor *doctor;
	GMainLoop *loop;
	GCancellable *cancel; /* the lookup's own */
	gint64 until_us;
	GList *found;
	GError *error;
} Lookup;

static gboolean
on_look(gpointer user)
{
	Lookup *lookup = user;

	if (g_cancellable_is_cancelled(lookup->doctor->cancel) ||
	    g_get_monotonic_time() > lookup->until_us)
		g_cancellable_cancel(lookup->cancel);
	return G_SOURCE_CONTINUE;
}

static void
on_addresses(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;

	lookup->found =
		g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &lookup->error);
	g_main_loop_quit(lookup->loop);
}

static void
on_services(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;

	lookup->found =
		g_resolver_lookup_service_finish(G_RESOLVER(resolver), result, &lookup->error);
	g_main_loop_quit(lookup->loop);
}

/* A name of a host when `service` is NULL. */
static void
look_up(Lookup *lookup, const char *service, const char *protocol, const char *name)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	g_autoptr(GSource) look = g_timeout_source_new(LOOK_MS);
	g_autoptr(GResolver) resolver = g_resolver_get_default();

	g_main_context_push_thread_default(context);
	lookup->loop = g_main_loop_new(context, FALSE);
	lookup->cancel = g_cancellable_new();
	lookup->until_us = MIN(g_get_monotonic_time() + ANSWER_US, lookup->doctor->until_us);
	g_source_set_callback(look, on_look, lookup, NULL);
	g_source_attach(look, context);
	if (service)
		g_resolver_lookup_service_async(resolver, service, protocol, name, lookup->cancel,
						on_services, lookup);
	else
		g_resolver_lookup_by_name_async(resolver, name, lookup->cancel, on_addresses,
						lookup);
	g_main_loop_run(lookup->loop);
	g_source_destroy(look);
	g_main_context_pop_thread_default(context);
	g_main_loop_unref(lookup->loop);
	g_object_unref(lookup->cancel);
}

/* What listens by one family only listens by IPv4. */
static GInetAddress *
preferred(GList *found)
{
	for (GList *link = found; link; link = link->next)
		if (g_inet_address_get_family(link->data) == G_SOCKET_FAMILY_IPV4)
			return link->data;
	return found->data;
}

/* As opposed to: there is no such name. */
static gboolean
nobody_answers(const GError *error)
{
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
	       g_error_matches(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE);
}

const char *
doctor_name_remedy(const GError *error, const char *otherwise)
{
	return g_error_matches(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE)
		       ? "see that the name servers of /etc/resolv.conf can be reached and answer; "
			 "the name may be right"
		       : otherwise;
}

gboolean
doctor_resolve(Doctor *doctor, const char *host, guint port, NetAddress *address, GError **error)
{
	Lookup lookup = { .doctor = doctor };
	gboolean good = FALSE;

	if (net_address_parse(host, (guint16)port, address))
		return TRUE;
	look_up(&lookup, NULL, NULL, host);
	if (lookup.found) {
		g_autofree char *text = g_inet_address_to_string(preferred(lookup.found));

		good = net_address_parse(text, (guint16)port, address);
	}
	g_list_free_full(lookup.found, g_object_unref);
	if (!good && nobody_answers(lookup.error))
		g_set_error(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
			    "no name server answers for %s", host);
	else if (!good)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the name %s is not found",
			    host);
	g_clear_error(&lookup.error);
	return good;
}

gboolean
doctor_service(Doctor *doctor, const char *service, const char *protocol, const char *domain,
	       char **target, guint *port)
{
	Lookup lookup = { .doctor = doctor };
	gboolean found;

	look_up(&lookup, service, protocol, domain);
	found = lookup.found != NULL;
	if (found) {
		*target = g_strdup(g_srv_target_get_hostname(lookup.found->data));
		*port = g_srv_target_get_port(lookup.found->data);
	}
	g_list_free_full(lookup.found, (GDestroyNotify)g_srv_target_free);
	g_clear_error(&lookup.error);
	return found;
}
