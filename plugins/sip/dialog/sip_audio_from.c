/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_audio_from.c - where a peer's audio may come from, as his signalling shows it. */
#include "plugins/sip/dialog/sip_audio_from.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/su.h>

static void
set_audio_host(SipLeg *leg, const char *host)
{
	gsize length = strcspn(host + (host[0] == '['), "]");

	if (length < sizeof leg->audio_host)
		g_strlcpy(leg->audio_host, host + (host[0] == '['), length + 1);
}

static void
set_audio_host_of(SipLeg *leg, msg_t *msg)
{
	const su_sockaddr_t *from = msg ? msg_addr(msg) : NULL;
	char address[INET6_ADDRSTRLEN] = "";

	if (!from || (from->su_family != AF_INET && from->su_family != AF_INET6))
		return;
	su_inet_ntop(from->su_family, SU_ADDR(from), address, sizeof address);
	set_audio_host(leg, address);
}

/* What the first proxy has seen, and what else it would have written down. */
static void
learn_request(SipLeg *leg, const SipEvent *event)
{
	const sip_via_t *via = event->sip->sip_via;

	if (!via || !via->v_next) {
		leg->proxied = event->sip->sip_record_route != NULL || leg->proxied;
		if (!event->sip->sip_record_route)
			set_audio_host_of(leg, event->msg);
		return;
	}
	leg->proxied = TRUE;
	while (via->v_next)
		via = via->v_next;
	set_audio_host(leg, via->v_received ? via->v_received : via->v_host ? via->v_host : "");
}

/* An answer has our own Via alone: who stands between is seen only when the dialog begins. */
static void
learn_response(SipLeg *leg, const SipEvent *event)
{
	leg->proxied = leg->proxied || leg->way->route || event->sip->sip_record_route;
	if (!leg->proxied)
		set_audio_host_of(leg, event->msg);
}

static void
add_configured(const SipLeg *leg, MediaSources *sources)
{
	g_auto(GStrv) words = way_media_hosts(leg->way);

	sources->any = way_any_source(leg->way);
	for (char **word = words; *word; word++)
		if (**word && !media_sources_add(sources, *word))
			leg_trace(&leg->leg, TRACE_NOTE, "media-hosts: %s is left out", *word);
}

void
audio_from_allow(SipLeg *leg, const SipEvent *event, Desc *desc)
{
	MediaSources sources = { 0 };
	const MediaSources *shared;

	if (event->sip && event->sip->sip_request)
		learn_request(leg, event);
	else if (event->sip)
		learn_response(leg, event);
	if (!desc)
		return;
	if (leg->audio_host[0])
		media_sources_add_host(&sources, leg->audio_host);
	add_configured(leg, &sources);
	shared = media_sources_share(&sources);
	for (guint i = 0; i < desc->streams->len; i++) {
		const Stream *stream = desc->streams->pdata[i];

		media_sources_unref(stream->transport->sources);
		stream->transport->sources = media_sources_ref(shared);
	}
	media_sources_unref(shared);
}
