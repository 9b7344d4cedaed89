/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_ua.c - the SIP user agent: sofia-sip's nua on the main loop.
 *
 * An event of nua goes to the leg of its handle, a request without a leg to the table of
 * methods (sip_method.h); the commands of the core go to their leg.
 * Thread: signalling.
 */
#include "plugins/sip/sip_ua.h"
#include "b2bua/descriptors.h"
#include "b2bua/text.h"
#include "plugins/sip/stack/sip_error.h"
#include "plugins/sip/stack/sip_connection.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_credentials.h"
#include "plugins/sip/stack/sip_dialect.h"
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_resolve.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/stack/sip_names.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/sip_keepalive.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/dialog/sip_refer.h"
#include "plugins/sip/sip_method.h"
#include "plugins/sip/sip_request.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/sip_status.h"
#include "plugins/sip/stack/sip_stack.h"
#include "plugins/sip/stack/sip_tls.h"
#include "plugins/sip/text/sip_text_in.h"
#include "plugins/sip/text/sip_text_out.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_watch.h"
#include "config.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#define SWEEP_SECONDS 25	/* between looks for what is too old */
#define STOP_MS	      2000	/* how long stop() waits for answers to BYE */
#define MAX_HEAD      65536	/* bytes of a message beside its body */
#define UDP_BUFFER    (4 << 20) /* bytes; the kernel gives net.core.rmem_max of them at most */

static SipUa *ua; /* the process's one; Plugin functions have no other root */

/* --- events --- */

/* An answer to a request of a leg that is no more. */
static void
on_stray_answer(SipUa *self, nua_handle_t *nh, const SipEvent *event)
{
	if (event->event == nua_r_invite && event->status >= 200 && event->status < 300) {
		/* of a next hop that was given up */
		g_autofree char *hop = event->msg ? hop_of_answer(self, NULL, event->msg) : NULL;

		if (hop)
			nua_set_hparams(nh, NUTAG_PROXY(hop), TAG_END());
		nua_ack(nh, TAG_END());
		nua_bye(nh, TAG_END());
	} else if (event->event == nua_r_invite && (event->status == 401 || event->status == 407))
		nua_handle_destroy(nh); /* of one, too: nua would wait for credentials */
	else if (event->event == nua_r_method && event->status >= 200)
		nua_handle_destroy(nh); /* the BYE of sip_leg_bury() */
}

static void
on_without_leg(SipUa *self, nua_handle_t *nh, const SipEvent *event)
{
	Reply reply = { self->nua, self->allow, nh, NULL, NULL };

	if (!nua_event_is_incoming_request(event->event) && event->event != nua_i_terminated) {
		on_stray_answer(self, nh, event);
		return;
	}
	if (event->sip && event->sip->sip_request && event->status < 200)
		methods_serve(self, &reply, event);
	if (reply.nh)
		nua_handle_destroy(nh); /* sofia makes one for each request and keeps it */
}

static void
on_leg_event(SipUa *self, SipLeg *leg, nua_handle_t *nh, const SipEvent *event)
{
	if (nua_event_is_incoming_request(event->event) && event->sip && event->sip->sip_request &&
	    methods_serve_inside(self, leg, nh, event))
		return;
	sip_leg_event(leg, event);
}

static void
on_nua(nua_event_t event, int status, char const *phrase, nua_t *nua, nua_magic_t *magic,
       nua_handle_t *nh, nua_hmagic_t *hmagic, sip_t const *sip, tagi_t tags[])
{
	SipUa *self = (SipUa *)magic;
	/* What nta says in the name of a peer that cannot be reached is no message. */
	gboolean heard = sip && !nta_sip_is_internal(sip);
	SipEvent said = { event, status, phrase ? phrase : "", heard ? sip : NULL,
			  heard ? nua_current_request(nua) : NULL };

	if (event == nua_r_shutdown)
		self->down = status >= 200;
	else if (hmagic)
		on_leg_event(self, (SipLeg *)hmagic, nh, &said);
	else if (nh && !(self->watches && watches_event(self->watches, nh, &said)) &&
		 !text_out_event(nh, &said))
		on_without_leg(self, nh, &said);
}

/* --- start and stop --- */

static void
on_log(void *stream, char const *format, va_list arguments)
{
	g_autofree char *line = g_strdup_vprintf(format, arguments);

	g_strchomp(line);
	error_hear(line);
	if (line[0])
		g_debug("sofia: %s", line);
}

static char *
bind_url(const Config *config, const char *scheme, guint port)
{
	const char *own = config->sip_address, *public = config->sip_public_address;
	const char *open = strchr(own, ':') ? "[" : "", *close = strchr(own, ':') ? "]" : "";

	if (public)
		return g_strdup_printf("%s:%s:%u;maddr=%s%s%s", scheme, public, port, open, own,
				       close);
	return g_strdup_printf("%s:%s%s%s:%u", scheme, open, own, close, port);
}

static gboolean
start_nua(SipUa *self, GError **error)
{
	g_autofree char *url = bind_url(self->config, "sip", self->config->sip_port);
	g_autofree char *tls_url = NULL;
	GSource *source;

	if (self->config->sip_tls_port) {
		if (!tls_start(self->config, error))
			return FALSE;
		tls_url = bind_url(self->config, "sips", self->config->sip_tls_port);
	}

	self->root = su_glib_root_create((su_root_magic_t *)self);
	source = su_glib_root_gsource(self->root);
	g_source_set_can_recurse(source, TRUE); /* or each dispatch wakes the loop twice a socket */
	g_source_attach(source, NULL);
	su_root_threading(self->root, 0);
	self->nua = nua_create(
		self->root, on_nua, (nua_magic_t *)self, NUTAG_URL(url),
		TAG_IF(tls_url, NUTAG_SIPS_URL(tls_url)),
		TAG_IF(tls_url, NUTAG_CERTIFICATE_DIR(tls_folder())), NUTAG_MEDIA_ENABLE(0),
		NUTAG_AUTOACK(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), NUTAG_SESSION_TIMER(0),
		NUTAG_MIN_SE(0), NUTAG_RETRY_COUNT(3), NUTAG_DETECT_NETWORK_UPDATES(0),
		NUTAG_OUTBOUND("no-validate"), NUTAG_ENABLEMESSAGE(1), TPTAG_STUN_SERVER(0),
		TPTAG_SDWN_ERROR(1), TPTAG_UDP_RMEM(UDP_BUFFER), NTATAG_UDP_MTU(65535),
		NTATAG_MCLASS(guard_mclass()),
		NTATAG_MAXSIZE(MAX_HEAD + self->config->max_sdp_bytes),
		SIPTAG_ALLOW_STR(self->allow), SIPTAG_SUPPORTED_STR(UA_SUPPORTED),
		SIPTAG_ALLOW_EVENTS_STR(NULL), UA_ANSWERS(self->answered),
		SIPTAG_USER_AGENT_STR("tandem/" PACKAGE_VERSION), TAG_END());
	tls_forget_folder();
	if (!self->nua)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "sip: cannot listen on %s port %u%s; is another program using it, or "
			    "is the address not of this machine?",
			    self->config->sip_address, self->config->sip_port,
			    tls_url ? " or its TLS port" : "");
	return self->nua != NULL;
}

static gboolean
on_stop_deadline(gpointer user)
{
	*(gboolean *)user = TRUE;
	return G_SOURCE_CONTINUE;
}

static void
stop_nua(SipUa *self)
{
	gboolean late = FALSE;
	guint deadline = g_timeout_add(STOP_MS, on_stop_deadline, &late);

	nua_shutdown(self->nua);
	while (!self->down && !late)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(deadline);
	if (self->down)
		nua_destroy(self->nua);
	else /* a peer that does not answer our BYE: nua refuses to be destroyed */
		g_info("sip: a peer has not answered the last requests of the gateway");
}

static void
stop(void)
{
	GHashTableIter iter;
	gpointer leg;
	static SipUa *abandoned; /* still to be found by a leak checker */

	if (!ua)
		return;
	stack_serve(NULL, NULL);
	g_clear_handle_id(&ua->sweeper, g_source_remove);
	g_clear_pointer(&ua->keepalive, keepalive_free);
	g_clear_handle_id(&ua->mover, g_source_remove);
	connections_stop();
	g_clear_pointer(&ua->sources, sources_free);
	text_in_stop();
	text_out_stop();
	if (ua->watches)
		watches_unregister(ua->watches);
	if (ua->nua)
		stop_nua(ua);
	if (ua->watches)
		watches_forget(ua->watches);
	for (g_hash_table_iter_init(&iter, ua->legs); g_hash_table_iter_next(&iter, &leg, NULL);
	     g_hash_table_iter_init(&iter, ua->legs)) {
		((SipLeg *)leg)->nh = NULL; /* gone with nua */
		sip_leg_free(leg);
	}
	if (ua->root)
		g_source_destroy(su_glib_root_gsource(ua->root)); /* no event comes after this */
	watches_free(ua->watches);
	trunks_free(ua->trunks);
	digest_server_free(ua->digest);
	origin_stop(ua);
	names_free(ua->names);
	outside_free(ua->outside);
	g_hash_table_unref(ua->legs);
	g_hash_table_unref(ua->unacked);
	g_hash_table_unref(ua->invites);
	dialects_free(ua->dialects);
	methods_end(ua);
	if (ua->nua && !ua->down) {
		abandoned = g_steal_pointer(&ua);
		return;
	}
	if (ua->root)
		su_root_destroy(ua->root);
	tls_stop();
	g_clear_pointer(&ua, g_free);
	su_deinit();
	(void)abandoned;
}

static gboolean
on_sweep_time(gpointer user)
{
	SipUa *self = user;
	g_autoptr(GError) error = NULL;

	if (!store_contact_expire(gateway_store(self->gateway), &error))
		g_warning("sip: old registrations cannot be deleted: %s", error->message);
	sources_refresh(self->sources);
	digest_server_sweep(self->digest);
	return G_SOURCE_CONTINUE;
}

static char *
hop_of_stray_answer(gpointer user, msg_t *response)
{
	return hop_of_answer(user, NULL, response);
}

static void
on_trying(gpointer user, const sip_t *response)
{
	const SipUa *self = user;
	SipLeg *leg = g_hash_table_lookup(self->invites, response->sip_call_id->i_id);

	if (leg)
		sip_leg_hear_trying(leg, response);
}

static gboolean
is_trunk(gpointer user, GInetAddress *address)
{
	const SipUa *self = user;

	return trunks_know(self->trunks, address);
}

static void
use_calls(gpointer user, Sources *sources)
{
	const SipUa *self = user;
	GHashTableIter iter;
	gpointer leg;

	g_hash_table_iter_init(&iter, self->legs);
	while (g_hash_table_iter_next(&iter, &leg, NULL))
		sources_use(sources, ((SipLeg *)leg)->way->phone);
}

static const SourceFriends source_friends = { is_trunk, use_calls };
static const StackDialogs stack_dialogs = { hop_of_stray_answer, on_trying };

static ConnectionOwner
connection_owner(gpointer user, const su_sockaddr_t *from)
{
	const SipUa *self = user;

	return sources_owner(self->sources, from);
}

static gboolean
take_request(gpointer user, tport_t *transport, msg_t *message)
{
	return requests_take(user, transport, message);
}

static void
on_trunk_learnt(gpointer user)
{
	sources_lift_trunks(((SipUa *)user)->sources);
}

static void
on_line_changed(gpointer user)
{
	const SipUa *self = user;

	if (self->sweeper) /* it is not stopping */
		watches_look(self->watches);
}

static gboolean
start(Gateway *gateway, GError **error)
{
	const Config *config = gateway_config(gateway);

	su_init();
	su_log_redirect(NULL, on_log, NULL);
	if (!credentials_register())
		g_warning("sip: this build of sofia-sip does not accept the gateway's digest: "
			  "trunks that ask for SHA-256 will refuse the gateway");
	sip_counters_reset();
	ua = g_new0(SipUa, 1);
	ua->plugin = &sip_plugin;
	ua->gateway = gateway;
	ua->config = config;
	ua->legs = g_hash_table_new(NULL, NULL);
	ua->unacked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	ua->invites = g_hash_table_new(g_str_hash, g_str_equal);
	ua->dialects = dialects_new();
	methods_begin(ua);
	ua->digest = digest_server_new(SOFTPHONE_REALM);
	ua->trunks = trunks_new(gateway_store(gateway), ua->digest,
				resolve_family(config->sip_address), config->sip_tls_port != 0);
	ua->names = names_new();
	ua->outside = outside_new(config);
	stack_serve(&stack_dialogs, ua);
	tls_find_peers(trunks_peer, ua->trunks);
	if (trunks_reload(ua->trunks, error) && start_nua(ua, error)) {
		ua->sweeper = g_timeout_add_seconds(SWEEP_SECONDS, on_sweep_time, ua);
		ua->keepalive = keepalive_new(ua);
		ua->watches = watches_new(ua, sip_leg_moved_all);
		outside_listen(ua->outside, on_line_changed, ua);
		ua->sources = sources_new(gateway, config, &source_friends, ua);
		connections_start(config, descriptors_limit(), connection_owner, ua);
		connections_take(take_request, ua);
		trunks_when_learnt(ua->trunks, on_trunk_learnt, ua);
		origin_start(ua);
		text_in_start(ua);
		text_out_start(ua);
		return TRUE;
	}
	stop();
	return FALSE;
}

static void
on_trunk_changed(const char *name)
{
	g_autoptr(GError) error = NULL;

	if (!trunks_changed(ua->trunks, name, &error))
		g_warning("sip: trunk %s cannot be read again and stays as it was: %s", name,
			  error->message);
	watches_changed(ua->watches, name);
	sources_lift_trunks(ua->sources);
}

static void
on_all_changed(void)
{
	g_autoptr(GError) error = NULL;

	if (!trunks_reload(ua->trunks, &error))
		g_warning("sip: the trunks cannot be read again and stay as they were: %s",
			  error->message);
	watches_reload(ua->watches);
	sources_refresh(ua->sources);
}

static SipLeg *
leg_of_softphone(const char *name)
{
	GHashTableIter iter;
	gpointer leg;

	g_hash_table_iter_init(&iter, ua->legs);
	while (g_hash_table_iter_next(&iter, &leg, NULL))
		if (way_is_softphone(((SipLeg *)leg)->way, name) &&
		    ((SipLeg *)leg)->state != STATE_ENDING)
			return leg;
	return NULL;
}

/* The end of one may be the end of another. */
static void
on_softphone_changed(const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Softphone) softphone =
		store_softphone_get(gateway_store(ua->gateway), name, &error);
	SipLeg *leg;

	while (g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND) &&
	       (leg = leg_of_softphone(name)))
		sip_leg_drop(leg, REASON_ADMIN, "the softphone was deleted by the operator");
}

/* Users, numbers and routes are asked for with each call. */
static void
changed(Change what, const char *key)
{
	if (what == CHANGE_TRUNK)
		on_trunk_changed(key);
	else if (what == CHANGE_SOFTPHONE)
		on_softphone_changed(key);
	else if (what == CHANGE_CONFIG)
		on_all_changed();
}

static void
sources(HostileSourceFunc func, gpointer user)
{
	sources_tell(ua->sources, func, user);
}

static guint
lift(const char *address)
{
	return sources_lift(ua->sources, address);
}

static gboolean
available(const char *trunk)
{
	return watches_available(ua->watches, trunk);
}

static void
status(StatusFunc func, gpointer user)
{
	ua_status(ua, func, user);
}

/* --- the table --- */

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	sip_leg_dial(ua, call, target, offer);
}

static void
ring(Leg *leg, const Desc *early)
{
	sip_leg_ring((SipLeg *)leg, early);
}

static void
answer(Leg *leg, const Desc *desc)
{
	sip_leg_answer((SipLeg *)leg, desc);
}

static void
change(Leg *leg, const Desc *offer)
{
	sip_leg_change((SipLeg *)leg, offer);
}

static void
dtmf(Leg *leg, char digit)
{
	sip_leg_dtmf_out((SipLeg *)leg, digit);
}

static void
hangup(Leg *leg, Reason reason, const char *text)
{
	sip_leg_hangup((SipLeg *)leg, reason, text);
}

static void
transferring(Leg *leg, TransferState state, Reason reason, const char *text)
{
	refer_told((SipLeg *)leg, state, reason, text);
}

static char *
save(const Leg *leg)
{
	return sip_leg_saved((const SipLeg *)leg);
}

static void
bury(const char *saved, Reason reason)
{
	sip_leg_bury(ua, saved, reason);
}

static guint
room(const Way *way, const char *device)
{
	return text_out_room(ua, way, device);
}

static void
send_text(const Text *text)
{
	text_out_send(ua, text);
}

static const LegVerbs leg_verbs = {
	.dial = dial,
	.ring = ring,
	.answer = answer,
	.change = change,
	.hangup = hangup,
	.transferring = transferring,
	.dtmf = dtmf,
	.save = save,
	.bury = bury,
};

static const TextVerbs text_verbs = {
	.carries = WAY_TRUNK | WAY_CONTACT,
	.room = room,
	.send = send_text,
};

static const OperatorVerbs operator_verbs = {
	.status = status,
	.sources = sources,
	.lift = lift,
	.available = available,
};

const Plugin sip_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "sip",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_CONTACT | WAY_TRUNK | WAY_URI,
	.counters = &sip_counters,
	.start = start,
	.stop = stop,
	.changed = changed,
	.leg = &leg_verbs,
	.text = &text_verbs,
	.operators = &operator_verbs,
};

/* What the loadable module exports; weak, since a test may link two plugins. */
extern const Plugin tandem_plugin __attribute__((weak, alias("sip_plugin")));
