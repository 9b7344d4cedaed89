/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_naptr.c - which transports a domain wants to be reached by: its NAPTR records. */
#include "plugins/sip/stack/sip_naptr.h"
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#define ANSWER_MAX 16384
#define STRING_MAX 256 /* a character-string of RFC 1035 and its end */

/* What is left of a record's data. */
typedef struct {
	const guint8 *at, *end;
} Rest;

static gboolean
take_number(Rest *rest, guint *number)
{
	if (rest->end - rest->at < 2)
		return FALSE;
	*number = (guint)rest->at[0] << 8 | rest->at[1];
	rest->at += 2;
	return TRUE;
}

static gboolean
take_string(Rest *rest, char text[STRING_MAX])
{
	gsize length = rest->at < rest->end ? *rest->at++ : STRING_MAX;

	if ((gsize)(rest->end - rest->at) < length)
		return FALSE;
	memcpy(text, rest->at, length);
	text[length] = '\0';
	rest->at += length;
	return TRUE;
}

static const char *
transport_of(const char *service)
{
	if (g_ascii_strcasecmp(service, "SIP+D2U") == 0)
		return "udp";
	if (g_ascii_strcasecmp(service, "SIP+D2T") == 0)
		return "tcp";
	if (g_ascii_strcasecmp(service, "SIPS+D2T") == 0)
		return "tls";
	return NULL;
}

/* "_sip._udp.example.org" */
static gboolean
split_name(const char *name, NaptrWay *way)
{
	g_auto(GStrv) parts = g_strsplit(name, ".", 3);

	if (g_strv_length(parts) != 3 || parts[0][0] != '_' || parts[1][0] != '_' || !*parts[2])
		return FALSE;
	return g_strlcpy(way->service, parts[0] + 1, sizeof(way->service)) < sizeof(way->service) &&
	       g_strlcpy(way->protocol, parts[1] + 1, sizeof(way->protocol)) <
		       sizeof(way->protocol) &&
	       g_strlcpy(way->domain, parts[2], sizeof(way->domain)) < sizeof(way->domain);
}

/* RFC 3403 4.1: order, preference, flags, services, regexp, replacement. */
static gboolean
read_record(const ns_msg *message, const ns_rr *record, NaptrWay *way)
{
	Rest rest = { ns_rr_rdata(*record), ns_rr_rdata(*record) + ns_rr_rdlen(*record) };
	char flags[STRING_MAX], service[STRING_MAX], expression[STRING_MAX], name[NS_MAXDNAME];

	if (!take_number(&rest, &way->order) || !take_number(&rest, &way->preference) ||
	    !take_string(&rest, flags) || !take_string(&rest, service) ||
	    !take_string(&rest, expression))
		return FALSE;
	way->transport = transport_of(service);
	if (!way->transport || g_ascii_strcasecmp(flags, "s") != 0 || *expression)
		return FALSE;
	if (dn_expand(ns_msg_base(*message), ns_msg_end(*message), rest.at, name, sizeof(name)) < 0)
		return FALSE;
	return split_name(name, way);
}

static int
by_order(gconstpointer a, gconstpointer b)
{
	const NaptrWay *one = *(NaptrWay *const *)a, *other = *(NaptrWay *const *)b;

	if (one->order != other->order)
		return one->order < other->order ? -1 : 1;
	if (one->preference != other->preference)
		return one->preference < other->preference ? -1 : 1;
	return 0;
}

GPtrArray *
naptr_parse(const guint8 *answer, gsize length)
{
	GPtrArray *ways = g_ptr_array_new_with_free_func(g_free);
	ns_msg message;

	if (length > ANSWER_MAX || ns_initparse(answer, (int)length, &message) < 0)
		return ways;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		g_autofree NaptrWay *way = g_new0(NaptrWay, 1);
		ns_rr record;

		if (ns_parserr(&message, ns_s_an, i, &record) < 0)
			break;
		if (ns_rr_type(record) == ns_t_naptr && read_record(&message, &record, way))
			g_ptr_array_add(ways, g_steal_pointer(&way));
	}
	g_ptr_array_sort(ways, by_order);
	if (ways->len > NAPTR_MAX_WAYS)
		g_ptr_array_set_size(ways, NAPTR_MAX_WAYS);
	return ways;
}

static void
ask(GTask *task, gpointer source, gpointer domain, GCancellable *cancellable)
{
	g_autofree guint8 *answer = g_malloc(ANSWER_MAX);
	struct __res_state state = { 0 };
	int length = -1;

	(void)source;
	(void)cancellable;
	if (res_ninit(&state) == 0) {
		length = res_nquery(&state, domain, ns_c_in, ns_t_naptr, answer, ANSWER_MAX);
		res_nclose(&state);
	}
	g_task_return_pointer(task, naptr_parse(answer, length < 0 ? 0 : (gsize)length),
			      (GDestroyNotify)g_ptr_array_unref);
}

void
naptr_lookup_async(const char *domain, GCancellable *cancellable, GAsyncReadyCallback func,
		   gpointer user)
{
	g_autoptr(GTask) task = g_task_new(NULL, cancellable, func, user);

	g_task_set_task_data(task, g_strdup(domain), g_free);
	g_task_set_return_on_cancel(task, TRUE);
	g_task_run_in_thread(task, ask);
}

GPtrArray *
naptr_lookup_finish(GAsyncResult *result, GError **error)
{
	return g_task_propagate_pointer(G_TASK(result), error);
}
