/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_private.h - the inside of a doctor, for the files of this folder.
 *
 * The configuration may change while the threads are at work, so what they need is copied.
 * Thread: as each part says.
 */
#pragma once
#include <gio/gio.h>
#include "b2bua/doctor/doctor.h"
#include "media/probe.h"

#define ANSWER_US     (4 * G_USEC_PER_SEC) /* a server has so long to answer */
#define CERTIFICATE_S (21 * 24 * 3600)	   /* one that ends sooner is to be renewed */

/* What the gateway has seen of a trunk. */
typedef struct {
	gboolean up;
	int registered; /* -1: not asked for */
	char *text;	/* "…, answers OPTIONS"; or NULL */
} TrunkSeen;

typedef struct {
	char *database, *control_socket;
	char *domain, *xmpp_host, *sip_domain, *sip_address;
	char *certificate, *key; /* of [sip]; NULL: no TLS */
	char *rtp_address, *public_address;
	char **local_addresses;
	MediaServer stun, turn;
	char *turn_secret;
	guint xmpp_port, turn_tls_port, port_min, port_max, turn_ttl_s;
	gboolean kernel_split;
	guint max_calls, live_calls;
	gboolean linked; /* the XMPP server is; or there is no plugin for it */
} Facts;

struct Doctor {
	gint references; /* the owner's, and one for each task; atomic */
	GCancellable *cancel;
	gint64 until_us; /* monotonic */
	GThreadPool *pool;
	GAsyncQueue *found; /* Check * */
	gint open;	    /* tasks that have not ended; atomic */
	Facts facts;
	GPtrArray *trunks;    /* Trunk * */
	GHashTable *seen;     /* name → TrunkSeen */
	GPtrArray *tasks;     /* owned by it */
	GPtrArray *questions; /* of doctor_services.c, not answered; signalling thread */
	GPtrArray *services;  /* of doctor_services.c: what the answers were */
};

/* --- doctor_say.c: any thread --- */
void doctor_say(Doctor *doctor, const char *name, CheckState state, const char *remedy_or_null,
		const char *format, ...) G_GNUC_PRINTF(5, 6);
#define doctor_good(doctor, name, ...) doctor_say(doctor, name, CHECK_GOOD, NULL, __VA_ARGS__)
#define doctor_skip(doctor, name, ...) doctor_say(doctor, name, CHECK_SKIPPED, NULL, __VA_ARGS__)
#define doctor_bad(doctor, name, remedy, ...) \
	doctor_say(doctor, name, CHECK_BAD, remedy, __VA_ARGS__)

/* Run by a thread of the pool. */
typedef void (*DoctorTask)(Doctor *doctor, gconstpointer about);

/* --- doctor_gateway.c: signalling thread, at once --- */
void doctor_look_at_gateway(Doctor *doctor, Gateway *gateway);

/* --- doctor.c: signalling thread --- */
void doctor_post(Doctor *doctor, DoctorTask task, gconstpointer about);

/* --- doctor_services.c: signalling thread --- */
void doctor_ask_services(Doctor *doctor, Gateway *gateway);
/* The answers that are still to come are nobody's. */
void doctor_forget_services(Doctor *doctor);
void doctor_services_free(gpointer services); /* any thread */

/* --- tasks: threads of the pool --- */
void doctor_ports(Doctor *doctor, gconstpointer unused);
void doctor_addresses(Doctor *doctor, gconstpointer unused);
void doctor_split(Doctor *doctor, gconstpointer unused);
void doctor_files(Doctor *doctor, gconstpointer unused);
void doctor_database(Doctor *doctor, gconstpointer unused);
void doctor_certificate(Doctor *doctor, gconstpointer unused);
void doctor_xmpp(Doctor *doctor, gconstpointer unused);
void doctor_domain(Doctor *doctor, gconstpointer unused);
void doctor_stun(Doctor *doctor, gconstpointer unused);
void doctor_turn(Doctor *doctor, gconstpointer kind); /* GUINT_TO_POINTER(ProbeKind) */
void doctor_trunk(Doctor *doctor, gconstpointer trunk);

/* --- doctor_network.c --- */
/* Of one server, which has `most_us` for all. */
ProbeTarget doctor_target(Doctor *doctor, ProbeKind kind, const NetAddress *to, gint64 most_us);
/* What an allocation is tried with; `host` is whom a certificate must be for. */
typedef struct {
	ProbeKind kind;
	const char *host, *username, *password;
	NetAddress to;
} DoctorTurn;
/* A connection by which one has been made; NULL: none could be. */
Probe *doctor_allocate(Doctor *doctor, const DoctorTurn *turn, NetAddress *relayed, GError **error);

/* --- doctor_names.c: threads of the pool; they wait --- */
/* Of an error of doctor_resolve(): the remedy when no name server answers. */
const char *doctor_name_remedy(const GError *error, const char *otherwise);
/* The first address of a name, or the numeric one. */
gboolean
doctor_resolve(Doctor *doctor, const char *host, guint port, NetAddress *address, GError **error);
/* The first SRV record; FALSE without an error: there is none. */
gboolean doctor_service(Doctor *doctor, const char *service, const char *protocol,
			const char *domain, char **target, guint *port);
