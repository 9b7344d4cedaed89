/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* jingle_build.c - struct to <jingle/>, in the one form that suits all clients.
 *
 * Every candidate with all its attributes, senders "both", rtcp-mux always where there
 * is DTLS, payloads with id, name and clock rate, parameters with name and value: each
 * of these has a client that fails without it.
 * Thread: any (pure).  XEP-0166, 0167, 0176, 0320, 0338.
 */
#include <arpa/inet.h>
#include <string.h>
#include "plugins/xmpp/jingle.h"

#define MAX_CONTENT_NAME 16 /* in offers of ours */

static xmlNode *
jingle_new(const JingleSession *session, JingleAction action)
{
	xmlNode *jingle = xml_new(NS_JINGLE, "jingle");

	xml_set(jingle, "action", jingle_action_name(action));
	if (action == JINGLE_SESSION_INITIATE)
		xml_set(jingle, "initiator", session->initiator);
	if (action == JINGLE_SESSION_ACCEPT)
		xml_set(jingle, "responder", session->responder);
	xml_set(jingle, "sid", session->sid);
	return jingle;
}

static xmlNode *
add_content(xmlNode *jingle, const char *name)
{
	xmlNode *content = xml_add(jingle, NULL, "content");

	/* "initiator" is right in all we send: contents are made by offers. */
	xml_set(content, "creator", jingle_party_name(PARTY_INITIATOR));
	xml_set(content, "name", name);
	return content;
}

/* --- description --- */

static void
add_codec(xmlNode *description, const Codec *codec)
{
	xmlNode *payload = xml_add(description, NULL, "payload-type");

	xml_set_number(payload, "id", codec->pt);
	xml_set(payload, "name", codec->name);
	xml_set_number(payload, "clockrate", codec->rate);
	xml_set_number(payload, "channels", codec->channels ? codec->channels : 1);
	for (guint i = 0; i < codec->params->len; i++) {
		const CodecParam *param = g_ptr_array_index(codec->params, i);
		xmlNode *node;

		if (!*param->name || !*param->value)
			continue;
		node = xml_add(payload, NULL, "parameter");
		xml_set(node, "name", param->name);
		xml_set(node, "value", param->value);
	}
}

static gboolean
is_codec_complete(const Codec *codec)
{
	return *codec->name && codec->rate;
}

/* At most `max` codecs. */
static void
add_description(xmlNode *content, const char *media, const Stream *stream, guint max)
{
	xmlNode *description = xml_add(content, NS_RTP, "description");

	xml_set(description, "media", media);
	for (guint i = 0; i < stream->codecs->len && max > 0; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (!is_codec_complete(codec))
			continue;
		add_codec(description, codec);
		max--;
	}
	if (stream->transport->rtcp_mux || !stream->transport->unencrypted)
		xml_add(description, NULL, "rtcp-mux");
}

/* --- transport --- */

static xmlNode *
add_transport(xmlNode *content, const Transport *ours)
{
	xmlNode *transport = xml_add(content, NS_ICE_UDP, "transport");

	xml_set(transport, "ufrag", ours->ufrag);
	xml_set(transport, "pwd", ours->pwd);
	return transport;
}

static void
add_fingerprint(xmlNode *transport, const Transport *ours, DtlsSetup setup)
{
	g_autofree char *hash = NULL, *hex = NULL;
	xmlNode *fingerprint;

	if (!ours->fingerprint || !ours->fingerprint_hash)
		return;
	hash = g_ascii_strdown(ours->fingerprint_hash, -1);
	hex = g_ascii_strup(ours->fingerprint, -1);
	fingerprint = xml_add(transport, NS_DTLS, "fingerprint");
	xml_set(fingerprint, "hash", hash);
	xml_set(fingerprint, "setup", setup_name(setup));
	xml_add_text(fingerprint, hex);
}

/* A whole number, which one client insists on; an agent may use any word. */
static guint64
foundation_number(const Candidate *candidate)
{
	guint64 number;

	if (g_ascii_string_to_unsigned(candidate->foundation, 10, 0, G_MAXINT32, &number, NULL))
		return number;
	return g_str_hash(candidate->foundation) & G_MAXINT32;
}

static gboolean
is_numeric(const char *address)
{
	guint8 bytes[16];

	return inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1;
}

static void
add_related(xmlNode *node, const Candidate *candidate)
{
	if (candidate->type == CANDIDATE_HOST || !*candidate->related_address)
		return;
	xml_set(node, "rel-addr", candidate->related_address);
	xml_set_number(node, "rel-port", candidate->related_port);
}

static void
add_candidate(xmlNode *transport, const Transport *ours, const Candidate *candidate)
{
	const gboolean rtcp_apart = ours->unencrypted && !ours->rtcp_mux;

	/* Within a session no two have the same three (RFC 8445 5.1.2). */
	g_autofree char *id = g_strdup_printf("gw%u-%u-%u", candidate->generation,
					      candidate->priority, candidate->port);
	xmlNode *node;

	if ((candidate->component != 1 && !rtcp_apart) || !is_numeric(candidate->address))
		return;
	node = xml_add(transport, NULL, "candidate");
	xml_set_number(node, "component", candidate->component);
	xml_set_number(node, "foundation", foundation_number(candidate));
	xml_set_number(node, "generation", candidate->generation);
	xml_set(node, "id", id);
	xml_set(node, "ip", candidate->address);
	xml_set_number(node, "network", 0);
	xml_set_number(node, "port", candidate->port);
	xml_set_number(node, "priority", candidate->priority);
	xml_set(node, "protocol", "udp");
	add_related(node, candidate);
	xml_set(node, "type", candidate_type_name(candidate->type));
}

static void
add_candidates(xmlNode *transport, const Transport *ours)
{
	for (guint i = 0; i < ours->candidates->len; i++)
		add_candidate(transport, ours, &g_array_index(ours->candidates, Candidate, i));
}

static void
add_whole_transport(xmlNode *content, const Transport *ours, DtlsSetup setup)
{
	xmlNode *transport = add_transport(content, ours);

	add_fingerprint(transport, ours, setup);
	add_candidates(transport, ours);
}

/* --- group --- */

static xmlNode *
group_new(void)
{
	xmlNode *group = xml_new(NS_GROUPING, "group");

	xml_set(group, "semantics", "BUNDLE");
	return group;
}

static void
add_member(xmlNode *group, const char *name)
{
	xml_set(xml_add(group, NULL, "content"), "name", name);
}

/* --- offer --- */

static const char *
media_name(const Stream *stream)
{
	switch (stream->kind) {
	case STREAM_AUDIO:
		return "audio";
	case STREAM_VIDEO:
		return "video";
	default:
		return "application";
	}
}

/* The caller's mid if every client can live with it, else the place. */
static char *
offered_name(const Stream *stream, guint place)
{
	gboolean good = stream->mid && *stream->mid && strlen(stream->mid) <= MAX_CONTENT_NAME;

	for (const char *at = stream->mid; good && *at; at++)
		good = g_ascii_isgraph(*at);
	return good ? g_strdup(stream->mid) : g_strdup_printf("%u", place);
}

xmlNode *
jingle_build_initiate(const JingleSession *session, const Desc *offer)
{
	xmlNode *jingle = jingle_new(session, JINGLE_SESSION_INITIATE), *group = group_new();
	gboolean bundles = FALSE;

	for (guint i = 0; i < offer->streams->len; i++) {
		const Stream *stream = g_ptr_array_index(offer->streams, i);
		g_autofree char *name = offered_name(stream, i);
		xmlNode *content;

		if (stream->rejected)
			continue;
		content = add_content(jingle, name);
		xml_set(content, "senders", jingle_senders_name(SENDERS_BOTH));
		add_description(content, media_name(stream), stream, G_MAXUINT);
		add_whole_transport(content, stream->transport, SETUP_ACTPASS);
		add_member(group, name);
		bundles = bundles || !stream->transport->unencrypted;
	}
	if (bundles)
		xml_adopt(jingle, group);
	else
		xml_free(group); /* which would multiplex RTCP as well */
	return jingle;
}

/* --- answer --- */

typedef struct {
	xmlNode *jingle, *group;
	const Jingle *offer; /* may be NULL */
	const Desc *answer;
} Accept;

static DtlsSetup
answer_setup(const Transport *ours)
{
	/* RFC 5763 section 5: an answer never leaves it open. */
	return ours->setup == SETUP_PASSIVE ? SETUP_PASSIVE : SETUP_ACTIVE;
}

static gboolean
is_in_group(const Jingle *offer, const char *name)
{
	if (!offer || !offer->desc->bundle)
		return FALSE;
	for (guint i = 0; i < offer->group_names->len; i++)
		if (strcmp(g_ptr_array_index(offer->group_names, i), name) == 0)
			return TRUE;
	return FALSE;
}

static gboolean
has_codec(const Stream *stream)
{
	for (guint i = 0; i < stream->codecs->len; i++)
		if (is_codec_complete(g_ptr_array_index(stream->codecs, i)))
			return TRUE;
	return FALSE;
}

static void
accept_audio(const Accept *accept, const Stream *stream, const char *name)
{
	xmlNode *content = add_content(accept->jingle, name);

	xml_set(content, "senders", jingle_senders_name(SENDERS_BOTH));
	add_description(content, media_name(stream), stream, G_MAXUINT);
	add_whole_transport(content, stream->transport, answer_setup(stream->transport));
	add_member(accept->group, name);
}

/* A content that we do not relay: one codec of his is enough to receive it. */
static void
accept_unused(const Accept *accept, const char *name)
{
	const JingleContent *offered = accept->offer ? jingle_content(accept->offer, name) : NULL;
	const Stream *audio = desc_audio(accept->answer);
	xmlNode *content;

	if (!offered || !audio || !is_in_group(accept->offer, name) || !offered->media ||
	    !has_codec(offered->stream))
		return;
	content = add_content(accept->jingle, name);
	xml_set(content, "senders", jingle_senders_name(SENDERS_INITIATOR));
	add_description(content, offered->media, offered->stream, 1);
	add_whole_transport(content, audio->transport, answer_setup(audio->transport));
	add_member(accept->group, name);
}

xmlNode *
jingle_build_accept(const JingleSession *session, const Jingle *offer, const Desc *answer)
{
	Accept accept = { jingle_new(session, JINGLE_SESSION_ACCEPT), group_new(), offer, answer };
	gboolean bundle = offer ? offer->desc->bundle : answer->bundle;

	for (guint i = 0; i < answer->streams->len; i++) {
		const Stream *stream = g_ptr_array_index(answer->streams, i);
		g_autofree char *name =
			stream->mid ? g_strdup(stream->mid) : g_strdup_printf("%u", i);

		if (stream->rejected)
			accept_unused(&accept, name);
		else
			accept_audio(&accept, stream, name);
	}
	if (bundle)
		xml_adopt(accept.jingle, accept.group);
	else
		xml_free(accept.group);
	return accept.jingle;
}

/* --- transport-info --- */

xmlNode *
jingle_build_candidate(const JingleSession *session, const char *content, const Transport *ours,
		       const Candidate *candidate)
{
	xmlNode *jingle = jingle_new(session, JINGLE_TRANSPORT_INFO);

	add_candidate(add_transport(add_content(jingle, content), ours), ours, candidate);
	return jingle;
}

xmlNode *
jingle_build_restart(const JingleSession *session, const char *content, const Transport *ours)
{
	xmlNode *jingle = jingle_new(session, JINGLE_TRANSPORT_INFO);

	add_candidates(add_transport(add_content(jingle, content), ours), ours);
	return jingle;
}

/* --- the rest --- */

xmlNode *
jingle_build_terminate(const JingleSession *session, const JingleEnd *end)
{
	xmlNode *jingle = jingle_new(session, JINGLE_SESSION_TERMINATE), *reason;

	if (!end->reason)
		return jingle;
	reason = xml_add(jingle, NULL, "reason");
	xml_add(reason, NULL, end->reason);
	if (end->text)
		xml_add_text(xml_add(reason, NULL, "text"), end->text);
	return jingle;
}

xmlNode *
jingle_build_info(const JingleSession *session, JingleInfo info, const char *content)
{
	xmlNode *jingle = jingle_new(session, JINGLE_SESSION_INFO), *node;

	if (!jingle_info_name(info))
		return jingle;
	node = xml_add(jingle, NS_RTP_INFO, jingle_info_name(info));
	if (content) {
		xml_set(node, "creator", jingle_party_name(PARTY_INITIATOR));
		xml_set(node, "name", content);
	}
	return jingle;
}

xmlNode *
jingle_build_key(const JingleSession *session, char key)
{
	xmlNode *jingle = jingle_new(session, JINGLE_SESSION_INFO);
	const char code[] = { key, '\0' };

	xml_set(xml_add(jingle, NS_DTMF, "dtmf"), "code", code);
	return jingle;
}

/* The same content, named, made and sent as in the request. */
static xmlNode *
add_mirror(xmlNode *jingle, const JingleContent *asked)
{
	xmlNode *content = xml_add(jingle, NULL, "content");

	xml_set(content, "creator", jingle_party_name(asked->creator));
	xml_set(content, "name", asked->name);
	if (asked->senders_given)
		xml_set(content, "senders", jingle_senders_name(asked->senders));
	return content;
}

static const char *
or_else(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

xmlNode *
jingle_build_content_reject(const JingleSession *session, const Jingle *request)
{
	xmlNode *jingle = jingle_new(session, JINGLE_CONTENT_REJECT);

	for (guint i = 0; i < request->contents->len; i++) {
		const JingleContent *asked = g_ptr_array_index(request->contents, i);
		xmlNode *content = add_mirror(jingle, asked);

		/* One client takes either of them missing as the end of the call. */
		xml_set(xml_add(content, or_else(asked->application_ns, NS_RTP), "description"),
			"media", asked->media);
		xml_add(content, or_else(asked->transport_ns, NS_ICE_UDP), "transport");
	}
	return jingle;
}

xmlNode *
jingle_build_transport_reject(const JingleSession *session, const Jingle *request)
{
	xmlNode *jingle = jingle_new(session, JINGLE_TRANSPORT_REJECT);

	for (guint i = 0; i < request->contents->len; i++) {
		const JingleContent *asked = g_ptr_array_index(request->contents, i);

		xml_add(add_mirror(jingle, asked), or_else(asked->transport_ns, NS_ICE_UDP),
			"transport");
	}
	return jingle;
}
