/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor.c - see doctor.h: who looks at what, and where the findings go. */
#include "b2bua/doctor/doctor_private.h"
#include "b2bua/call/call_list.h"
#include "media/probe.h"

#define THREADS	  8
#define SETTLE_US 1000

typedef struct {
	DoctorTask run;
	gconstpointer about;
} Task;

static gint at_work; /* doctors that have not been freed; atomic */

/* --- its end: by whoever is the last --- */

static void
clear_facts(Facts *facts)
{
	g_free(facts->database);
	g_free(facts->control_socket);
	g_free(facts->domain);
	g_free(facts->xmpp_host);
	g_free(facts->sip_address);
	g_free(facts->sip_domain);
	g_free(facts->certificate);
	g_free(facts->key);
	g_free(facts->rtp_address);
	g_free(facts->public_address);
	g_strfreev(facts->local_addresses);
	g_free(facts->stun.host);
	g_free(facts->turn.host);
	g_free(facts->turn_secret);
}

static void
doctor_unref(Doctor *doctor)
{
	if (!g_atomic_int_dec_and_test(&doctor->references))
		return;
	g_async_queue_unref(doctor->found);
	g_ptr_array_unref(doctor->tasks);
	g_ptr_array_unref(doctor->questions);
	g_ptr_array_unref(doctor->services);
	g_clear_pointer(&doctor->trunks, g_ptr_array_unref);
	g_hash_table_unref(doctor->seen);
	clear_facts(&doctor->facts);
	g_object_unref(doctor->cancel);
	g_free(doctor);
	g_atomic_int_add(&at_work, -1);
}

/* --- tasks --- */

static void
run_task(gpointer data, gpointer user)
{
	Doctor *doctor = user;
	const Task *task = data;

	if (!g_cancellable_is_cancelled(doctor->cancel))
		task->run(doctor, task->about);
	g_atomic_int_add(&doctor->open, -1);
	doctor_unref(doctor);
}

void
doctor_post(Doctor *doctor, DoctorTask task, gconstpointer about)
{
	Task *one = g_new(Task, 1);

	*one = (Task){ task, about };
	g_ptr_array_add(doctor->tasks, one);
	g_atomic_int_inc(&doctor->open);
	g_atomic_int_inc(&doctor->references);
	g_thread_pool_push(doctor->pool, one, NULL);
}

static void
post_all(Doctor *doctor)
{
	static const DoctorTask tasks[] = { doctor_xmpp,     doctor_domain,	 doctor_stun,
					    doctor_database, doctor_ports,	 doctor_split,
					    doctor_files,    doctor_certificate, doctor_addresses };

	for (guint i = 0; i < G_N_ELEMENTS(tasks); i++)
		doctor_post(doctor, tasks[i], NULL);
	for (guint kind = PROBE_UDP; kind <= PROBE_TLS; kind++)
		doctor_post(doctor, doctor_turn, GUINT_TO_POINTER(kind));
	for (guint i = 0; doctor->trunks && i < doctor->trunks->len; i++)
		doctor_post(doctor, doctor_trunk, doctor->trunks->pdata[i]);
}

/* --- what the threads need --- */

static MediaServer
copy_server(const MediaServer *server)
{
	return (MediaServer){ g_strdup(server->host), server->port };
}

static void
copy_facts(Facts *facts, Gateway *gateway)
{
	const Config *config = gateway_config(gateway);
	const MediaOptions *media = &config->media;

	facts->database = g_strdup(config->database);
	facts->control_socket = g_strdup(config->control_socket);
	facts->domain = g_strdup(config->xmpp_domain);
	facts->xmpp_host = g_strdup(config->xmpp_host);
	facts->xmpp_port = config->xmpp_port;
	facts->sip_address = g_strdup(config->sip_address);
	facts->sip_domain = g_strdup(config->sip_domain ? config->sip_domain : config->sip_address);
	if (config->sip_tls_port) {
		facts->certificate = g_strdup(config->sip_tls_certificate);
		facts->key = g_strdup(config->sip_tls_key);
	}
	facts->rtp_address = g_strdup(media->rtp_address);
	facts->public_address = g_strdup(media->public_address);
	facts->local_addresses = g_strdupv(media->local_addresses);
	facts->stun = copy_server(&media->stun);
	facts->turn = copy_server(&media->turn);
	facts->turn_secret = g_strdup(media->turn_secret);
	facts->turn_tls_port = media->turn_tls_port;
	facts->turn_ttl_s = media->turn_ttl_s;
	facts->port_min = media->port_min;
	facts->port_max = media->port_max;
	facts->kernel_split = media->kernel_split;
	facts->max_calls = config->max_calls;
	facts->live_calls = calls_live(gateway);
	facts->linked = TRUE;
}

static void
seen_free(gpointer data)
{
	TrunkSeen *seen = data;

	g_free(seen->text);
	g_free(seen);
}

/* --- life --- */

Doctor *
doctor_begin(Gateway *gateway, GError **error)
{
	Doctor *doctor;

	if (g_atomic_int_get(&at_work) >= DOCTOR_AT_ONCE) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
				    "doctor: others are asking; try again in a minute");
		return NULL;
	}
	g_atomic_int_inc(&at_work);
	doctor = g_new0(Doctor, 1);
	doctor->references = 1;
	doctor->cancel = g_cancellable_new();
	doctor->until_us = g_get_monotonic_time() + DOCTOR_S * G_USEC_PER_SEC;
	doctor->found = g_async_queue_new_full((GDestroyNotify)check_free);
	doctor->tasks = g_ptr_array_new_with_free_func(g_free);
	doctor->questions = g_ptr_array_new();
	doctor->services = g_ptr_array_new_with_free_func(doctor_services_free);
	doctor->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, seen_free);
	doctor->pool = g_thread_pool_new(run_task, doctor, THREADS, FALSE, NULL);
	copy_facts(&doctor->facts, gateway);
	doctor_look_at_gateway(doctor, gateway);
	post_all(doctor);
	doctor_ask_services(doctor, gateway);
	return doctor;
}

Check *
doctor_next(Doctor *doctor)
{
	return g_async_queue_try_pop(doctor->found);
}

/* Asked in this order: a task says what it has found before it ends. */
gboolean
doctor_is_done(const Doctor *doctor)
{
	return g_atomic_int_get(&doctor->open) == 0 && g_async_queue_length(doctor->found) <= 0;
}

void
doctor_free(Doctor *doctor)
{
	if (!doctor)
		return;
	g_cancellable_cancel(doctor->cancel);
	doctor_forget_services(doctor);
	g_thread_pool_free(doctor->pool, FALSE, FALSE);
	doctor_unref(doctor);
}

void
doctor_settle(void)
{
	while (g_atomic_int_get(&at_work) > 0)
		g_usleep(SETTLE_US);
}
