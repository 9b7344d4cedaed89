/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice.c - one libnice agent: candidates, checks, consent.
 *
 * FAILED is not taken as the end: libnice gives up after 7 s and the first check
 * of a peer that begins later revives the pair.  How long to wait is the port's
 * business.
 */
#include "media/ice.h"
#include "media/ice_candidate.h"
#include "media/ice_overhear.h"
#include <errno.h>
#include <nice/agent.h>
#include <string.h>
#include <unistd.h>

#define MAX_REMOTE_CANDIDATES 24  /* each costs a check per local address */
#define ROLE_CONFLICT	      487 /* the agent changes its role */
#define RELEASE_ATTEMPTS      2	  /* a second in all, if the TURN server is gone */

/* Where the packets of a component go. */
typedef struct {
	gint selected;	  /* index into sockets, -1: no pair */
	gboolean relayed; /* there is one, over the TURN server */
	NetAddress peer;
} Route;

struct Ice {
	NiceAgent *agent;
	guint stream, n_components;
	IceOptions options;
	const IceEvents *events;
	gpointer user;
	GArray *sockets;      /* IceSocket */
	GPtrArray *agent_fds; /* GSocket *, parallel to sockets */
	GArray *waiting;      /* Candidate, before ice_connect() */
	char *remote_ufrag, *remote_pwd;
	guint n_remote, generation;
	gboolean heard;	   /* a check of the peer's arrived */
	gboolean answered; /* it has answered one of ours; known as long as there is no pair */
	guint refused;	   /* it has refused one: the error code */
	GSource *overhear; /* NULL: there is a pair, or nothing to be heard yet */
	guint32 priority;  /* of the candidate of ours that RTP goes by */
	gboolean gathered; /* what comes now is late */
	gboolean complete; /* and nothing will */
	Route routes[ICE_RTCP];
};

/* --- events of the agent --- */

static gint
find_socket(const Ice *ice, const NiceAddress *base)
{
	NetAddress address;

	if (!ice_address_from_nice(base, &address))
		return -1;
	for (guint i = 0; i < ice->sockets->len; i++)
		if (net_address_equal(&g_array_index(ice->sockets, IceSocket, i).local, &address))
			return (gint)i;
	return -1;
}

static void
stop_overhearing(Ice *ice)
{
	if (ice->overhear)
		g_source_destroy(ice->overhear);
	g_clear_pointer(&ice->overhear, g_source_unref);
}

/* Servers answer as well; the peer may do it from an address that was not announced. */
static void
on_answer(gpointer user, const NetAddress *from, guint error)
{
	Ice *ice = user;

	if (error == 0)
		ice->answered = ice->answered || ice_knows(ice, from);
	else if (error != ROLE_CONFLICT && ice_knows(ice, from))
		ice->refused = error;
}

static void
on_selected_pair(NiceAgent *agent, guint stream, guint component, NiceCandidate *local,
		 NiceCandidate *remote, gpointer user)
{
	Ice *ice = user;
	Route *route = &ice->routes[component - ICE_RTP];
	const gboolean relayed = local->type == NICE_CANDIDATE_TYPE_RELAYED;
	gint index = find_socket(ice, &local->base_addr);
	NetAddress base;
	char ours[NET_ADDRESS_TEXT], theirs[NET_ADDRESS_TEXT];
	const MediaPath path = { TRUE, ice_candidate_type(local), ice_candidate_type(remote) };
	g_autofree char *text = NULL;

	if (index < 0)
		index = find_socket(ice, &local->addr);
	if ((index < 0 && !relayed) || !ice_address_from_nice(&remote->addr, &route->peer))
		return;
	stop_overhearing(ice);
	route->relayed = relayed;
	route->selected = relayed ? -1 : index;
	if (component == ICE_RTP)
		ice->priority = local->priority;
	if (relayed)
		ice_address_from_nice(&local->addr, &base);
	else
		base = g_array_index(ice->sockets, IceSocket, index).local;
	text = g_strdup_printf("ice: %s%s %s to %s %s", component == ICE_RTCP ? "rtcp " : "",
			       candidate_type_name(path.ours), net_address_text(&base, ours),
			       candidate_type_name(path.theirs),
			       net_address_text(&route->peer, theirs));
	ice->events->selected(ice->user, component, relayed ? ICE_RELAYED : (guint)index,
			      &route->peer, &path, text);
}

static void
on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer user)
{
	Ice *ice = user;

	if (component != ICE_RTP)
		return; /* a call lives without reports */
	if (state == NICE_COMPONENT_STATE_FAILED)
		ice->events->alive(ice->user, FALSE);
	else if (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY)
		ice->events->alive(ice->user, TRUE);
}

static void
on_binding_request(NiceAgent *agent, guint stream, gpointer user)
{
	((Ice *)user)->heard = TRUE;
}

static gboolean
describe(const Ice *ice, const NiceCandidate *nice, Candidate *ours)
{
	return ice_candidate_from_nice(nice, ice->options.public_address, ice->generation, ours);
}

static void
on_new_candidate(NiceAgent *agent, NiceCandidate *nice, gpointer user)
{
	Ice *ice = user;
	Candidate ours;

	/* peer-reflexive ones are found by checks and told nobody */
	if (ice->gathered &&
	    (nice->type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE ||
	     nice->type == NICE_CANDIDATE_TYPE_RELAYED) &&
	    describe(ice, nice, &ours))
		ice->events->candidate(ice->user, &ours);
}

static void
on_gathering_done(NiceAgent *agent, guint stream, gpointer user)
{
	((Ice *)user)->complete = TRUE;
}

static void
on_receive(NiceAgent *agent, guint stream, guint component, guint length, gchar *data,
	   gpointer user)
{
	Ice *ice = user;

	ice->events->datagram(ice->user, (const guint8 *)data, length);
}

/* --- gathering --- */

Ice *
ice_new(const IceOptions *options, const IceEvents *events, gpointer user)
{
	Ice *ice = g_new0(Ice, 1);
	const guint consent = options->kernel_split && !options->turn && !options->rtcp_apart
				      ? 0
				      : NICE_AGENT_OPTION_CONSENT_FRESHNESS;

	ice->options = *options;
	ice->events = events;
	ice->user = user;
	ice->n_components = options->rtcp_apart ? ICE_RTCP : ICE_RTP;
	for (guint i = 0; i < G_N_ELEMENTS(ice->routes); i++)
		ice->routes[i].selected = -1;
	ice->sockets = g_array_new(FALSE, TRUE, sizeof(IceSocket));
	ice->agent_fds = g_ptr_array_new_with_free_func(g_object_unref);
	ice->waiting = g_array_new(FALSE, FALSE, sizeof(Candidate));
	/* Renomination also makes libnice take attribute 0xC001, which is all that
	 * some phones nominate with. */
	ice->agent = nice_agent_new_full(options->loop, NICE_COMPATIBILITY_RFC5245,
					 NICE_AGENT_OPTION_ICE_TRICKLE |
						 NICE_AGENT_OPTION_SUPPORT_RENOMINATION | consent);
	g_object_set(ice->agent, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode",
		     options->controlling, NULL);
	g_signal_connect(ice->agent, "new-selected-pair-full", G_CALLBACK(on_selected_pair), ice);
	g_signal_connect(ice->agent, "component-state-changed", G_CALLBACK(on_state), ice);
	g_signal_connect(ice->agent, "new-candidate-full", G_CALLBACK(on_new_candidate), ice);
	g_signal_connect(ice->agent, "candidate-gathering-done", G_CALLBACK(on_gathering_done),
			 ice);
	g_signal_connect(ice->agent, "initial-binding-request-received",
			 G_CALLBACK(on_binding_request), ice);
	return ice;
}

static gboolean
add_local_addresses(Ice *ice, GError **error)
{
	for (char **text = ice->options.local_addresses; *text; text++) {
		NiceAddress address;

		nice_address_init(&address);
		if (!nice_address_set_from_string(&address, *text)) {
			g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
				    "\"%s\" is not a numeric address for ICE", *text);
			return FALSE;
		}
		nice_agent_add_local_address(ice->agent, &address);
	}
	return TRUE;
}

static void
open_sockets(Ice *ice, guint component)
{
	g_autoptr(GPtrArray) sockets = nice_agent_get_sockets(ice->agent, ice->stream, component);

	for (guint i = 0; sockets && i < sockets->len; i++) {
		GSocket *theirs = g_ptr_array_index(sockets, i);
		int agent_fd = g_socket_get_fd(theirs);
		IceSocket ours = { .fd = -1,
				   .local.length = sizeof(struct sockaddr_in6),
				   .component = component };

		if (getsockname(agent_fd, &ours.local.any, &ours.local.length) != 0)
			continue;
		if (ice->options.kernel_split)
			ours.fd = udp_split_open(agent_fd);
		ours.receives = ours.fd >= 0;
		if (ours.fd < 0)
			ours.fd = dup(agent_fd);
		if (ours.fd < 0)
			continue;
		g_array_append_val(ice->sockets, ours);
		g_ptr_array_add(ice->agent_fds, g_object_ref(theirs));
	}
}

/* Is each socket's traffic ours to see, and one for all?  Where it is not, the agent asks. */
static gboolean
consent_is_ours(const Ice *ice)
{
	for (guint i = 0; i < ice->sockets->len; i++)
		if (!g_array_index(ice->sockets, IceSocket, i).receives)
			return FALSE;
	return !ice->options.turn && !ice->options.rtcp_apart;
}

static void
use_servers(Ice *ice, guint component)
{
	const IceOptions *options = &ice->options;

	if (options->stun)
		g_object_set(ice->agent, "stun-server", options->stun->host, "stun-server-port",
			     (guint)options->stun->port, NULL);
	if (options->turn)
		nice_agent_set_relay_info(ice->agent, ice->stream, component, options->turn->host,
					  options->turn->port, options->turn_username,
					  options->turn_password, NICE_RELAY_TYPE_TURN_UDP);
}

gboolean
ice_gather(Ice *ice, GError **error)
{
	gboolean begun;

	if (!add_local_addresses(ice, error))
		return FALSE;
	ice->stream = nice_agent_add_stream(ice->agent, ice->n_components);
	for (guint i = ICE_RTP; i <= ice->n_components; i++) {
		nice_agent_set_port_range(ice->agent, ice->stream, i, ice->options.port_min,
					  ice->options.port_max);
		nice_agent_attach_recv(ice->agent, ice->stream, i, ice->options.loop, on_receive,
				       ice);
		use_servers(ice, i);
	}
	/* names are resolved on the context that is the default now */
	g_main_context_push_thread_default(ice->options.loop);
	begun = nice_agent_gather_candidates(ice->agent, ice->stream);
	g_main_context_pop_thread_default(ice->options.loop);
	ice->gathered = TRUE;
	for (guint i = ICE_RTP; begun && i <= ice->n_components; i++)
		open_sockets(ice, i);
	if (!consent_is_ours(ice))
		g_object_set(ice->agent, "keepalive-conncheck", TRUE, NULL);
	if (ice->sockets->len > 0)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(EADDRINUSE),
		    "no free port %u-%u for ICE on any local address (%s …)", ice->options.port_min,
		    ice->options.port_max, ice->options.local_addresses[0]);
	return FALSE;
}

const IceSocket *
ice_sockets(const Ice *ice, guint *n)
{
	*n = ice->sockets->len;
	return (const IceSocket *)ice->sockets->data;
}

static void
announce(const Ice *ice, const NiceCandidate *nice, Transport *transport)
{
	Candidate ours;

	if (describe(ice, nice, &ours))
		g_array_append_val(transport->candidates, ours);
}

Transport *
ice_transport(const Ice *ice)
{
	Transport *transport = transport_new(TRANSPORT_WEBRTC);

	nice_agent_get_local_credentials(ice->agent, ice->stream, &transport->ufrag,
					 &transport->pwd);
	for (guint i = ICE_RTP; i <= ice->n_components; i++) {
		GSList *candidates = nice_agent_get_local_candidates(ice->agent, ice->stream, i);

		for (GSList *each = candidates; each; each = each->next)
			announce(ice, each->data, transport);
		g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
	}
	transport->rtcp_mux = TRUE;
	transport->candidates_complete = ice->complete;
	return transport;
}

/* --- the peer --- */

static void
give_candidate(Ice *ice, const Candidate *candidate)
{
	NiceCandidate *nice;
	GSList one = { 0 };

	if (ice->n_remote >= MAX_REMOTE_CANDIDATES * ice->n_components ||
	    candidate->component > ice->n_components || !candidate_usable(candidate))
		return;
	nice = ice_candidate_to_nice(candidate, ice->stream);
	if (!nice)
		return;
	one.data = nice;
	nice_agent_set_remote_candidates(ice->agent, ice->stream, candidate->component, &one);
	ice->n_remote++;
	nice_candidate_free(nice);
}

gboolean
ice_connect(Ice *ice, const Transport *remote)
{
	gboolean same = g_strcmp0(ice->remote_ufrag, remote->ufrag) == 0 &&
			g_strcmp0(ice->remote_pwd, remote->pwd) == 0;
	gboolean restart = ice->remote_ufrag && !same;

	if (restart) {
		nice_agent_restart_stream(ice->agent, ice->stream);
		ice->n_remote = 0;
		ice->generation++;
	}
	if (!same) {
		g_free(ice->remote_ufrag);
		g_free(ice->remote_pwd);
		ice->remote_ufrag = g_strdup(remote->ufrag);
		ice->remote_pwd = g_strdup(remote->pwd);
		nice_agent_set_remote_credentials(ice->agent, ice->stream, remote->ufrag,
						  remote->pwd);
	}
	if (!ice->overhear && ice->routes[0].selected < 0 && !ice->routes[0].relayed)
		ice->overhear = ice_overhear(ice->options.loop, ice->agent_fds, on_answer, ice);
	for (guint i = 0; i < remote->candidates->len; i++)
		give_candidate(ice, &g_array_index(remote->candidates, Candidate, i));
	for (guint i = 0; i < ice->waiting->len; i++)
		give_candidate(ice, &g_array_index(ice->waiting, Candidate, i));
	g_array_set_size(ice->waiting, 0);
	return restart;
}

void
ice_add_candidate(Ice *ice, const Candidate *candidate)
{
	if (ice->remote_ufrag)
		give_candidate(ice, candidate);
	else if (ice->waiting->len < DESC_MAX_CANDIDATES)
		g_array_append_val(ice->waiting, *candidate);
}

/* RFC 8445 7.1.1, 5.1.2.1: what a check of this candidate says */
static guint32
check_priority(guint32 priority)
{
	return 110u << 24 | (priority & 0xffffff);
}

ConsentKeys *
ice_consent(const Ice *ice)
{
	ConsentKeys *keys;

	if (ice->routes[0].selected < 0 || !ice->remote_ufrag || !consent_is_ours(ice))
		return NULL;
	keys = g_new0(ConsentKeys, 1);
	nice_agent_get_local_credentials(ice->agent, ice->stream, &keys->local_ufrag,
					 &keys->local_pwd);
	keys->remote_ufrag = g_strdup(ice->remote_ufrag);
	keys->remote_pwd = g_strdup(ice->remote_pwd);
	keys->priority = check_priority(ice->priority);
	/* as it began: of a switch since, the peer's 487 tells */
	g_object_get(ice->agent, "controlling-mode", &keys->controlling, NULL);
	return keys;
}

/* Not nice_agent_send() where there is a socket: that fails for ever once consent was lost, even
 * when the peer has come back. */
void
ice_send(Ice *ice, guint component, const guint8 *data, gsize length)
{
	const Route *route = &ice->routes[component - ICE_RTP];
	GSocket *from;

	if (route->relayed)
		nice_agent_send(ice->agent, ice->stream, component, (guint)length,
				(const char *)data);
	if (route->selected < 0)
		return;
	from = g_ptr_array_index(ice->agent_fds, (guint)route->selected);
	if (sendto(g_socket_get_fd(from), data, length, MSG_NOSIGNAL, &route->peer.any,
		   route->peer.length) < 0)
		g_debug("datagram not sent: %s", g_strerror(errno));
}

gboolean
ice_knows(const Ice *ice, const NetAddress *peer)
{
	GSList *candidates = nice_agent_get_remote_candidates(ice->agent, ice->stream, ICE_RTP);
	gboolean found = FALSE;

	for (GSList *each = candidates; each && !found; each = each->next) {
		NetAddress address;

		found = ice_address_from_nice(&((NiceCandidate *)each->data)->addr, &address) &&
			net_address_equal(&address, peer);
	}
	g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
	return found;
}

MediaLoss
ice_loss(const Ice *ice)
{
	if (ice->refused)
		return MEDIA_LOST_PASSWORD;
	if (ice->heard)
		return ice->answered ? MEDIA_LOST_NO_CHOICE : MEDIA_LOST_ICE;
	if (ice->answered)
		return MEDIA_LOST_NO_CHECKS;
	return ice->n_remote == 0 ? MEDIA_LOST_NO_CANDIDATE : MEDIA_LOST_SILENT;
}

char *
ice_explain(const Ice *ice)
{
	GSList *candidates = nice_agent_get_remote_candidates(ice->agent, ice->stream, ICE_RTP);
	GString *text = g_string_new(NULL);
	guint n = g_slist_length(candidates), listed = 0;

	if (n == 0)
		g_string_append(text, "the peer gave no candidate that can be used");
	else
		g_string_append_printf(
			text, "%s to the connectivity checks sent to %u candidate%s (",
			ice->answered ? "answers" : "no answer", n, n == 1 ? "" : "s");
	for (GSList *each = candidates; each && listed < 4; each = each->next) {
		NetAddress address;
		char where[NET_ADDRESS_TEXT];

		if (ice_address_from_nice(&((NiceCandidate *)each->data)->addr, &address))
			g_string_append_printf(text, "%s%s %s", listed++ ? ", " : "",
					       candidate_type_name(ice_candidate_type(each->data)),
					       net_address_text(&address, where));
	}
	if (n > 0)
		g_string_append(text, listed < n ? " …)" : ")");
	if (ice->refused)
		g_string_append_printf(text, "; refused with STUN error %u", ice->refused);
	g_string_append(text, ice->heard      ? "; checks of the peer's did arrive"
			      : ice->answered ? "; no check of the peer's arrived"
					      : "; nothing received from the peer");
	g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
	return g_string_free(text, FALSE);
}

/* --- the end --- */

typedef struct {
	void (*done)(gpointer user);
	gpointer user;
} Release;

static void
on_released(GObject *agent, GAsyncResult *result, gpointer data)
{
	g_autofree Release *release = data;

	release->done(release->user);
}

static void
be_deaf(Ice *ice)
{
	g_signal_handlers_disconnect_by_data(ice->agent, ice);
	for (guint i = ICE_RTP; ice->stream && i <= ice->n_components; i++)
		nice_agent_attach_recv(ice->agent, ice->stream, i, ice->options.loop, NULL, NULL);
}

gboolean
ice_release(Ice *ice, void (*done)(gpointer user), gpointer user)
{
	Release *release;

	if (!ice->options.turn || !ice->stream)
		return FALSE;
	be_deaf(ice);
	release = g_new(Release, 1);
	*release = (Release){ done, user };
	g_object_set(ice->agent, "stun-max-retransmissions", RELEASE_ATTEMPTS, NULL);
	g_main_context_push_thread_default(ice->options.loop);
	nice_agent_close_async(ice->agent, on_released, release);
	g_main_context_pop_thread_default(ice->options.loop);
	/* what its owner attaches does not wake it */
	g_main_context_wakeup(ice->options.loop);
	return TRUE;
}

void
ice_free(Ice *ice)
{
	if (!ice)
		return;
	be_deaf(ice);
	stop_overhearing(ice);
	g_ptr_array_free(ice->agent_fds, TRUE);
	if (ice->stream)
		nice_agent_remove_stream(ice->agent, ice->stream);
	g_object_unref(ice->agent);
	g_array_free(ice->sockets, TRUE);
	g_array_free(ice->waiting, TRUE);
	g_free(ice->remote_ufrag);
	g_free(ice->remote_pwd);
	g_free(ice);
}
