/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* jingle_parse.c - <jingle/> to struct.
 *
 * Whatever becomes part of a Desc may be printed into an SDP body later, so
 * names and values are taken only if they can stand there; the rest is dropped.
 * Thread: any (pure).  XEP-0166, 0167, 0176, 0320, 0338.
 */
#include <arpa/inet.h>
#include <string.h>
#include "plugins/xmpp/jingle.h"

#define NS_ICE_OPTION "http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option"

#define MAX_CREDENTIAL	256 /* RFC 8839 section 5.4 */
#define MAX_ICE_OPTIONS 8
#define STATIC_TYPES	96 /* RFC 3551 section 6: what is below needs no name */

/* --- what may be taken --- */

/* RFC 4566 section 9: token, but for the characters that mean something in an
 * fmtp line. */
static gboolean
is_token(const char *text)
{
	const char *at = text;

	for (; *at; at++)
		if (!g_ascii_isgraph(*at) || strchr("\"(),:;<=>?@[\\]", *at))
			return FALSE;
	return at > text;
}

static gboolean
is_param_value(const char *text)
{
	for (; *text; text++)
		if (g_ascii_iscntrl(*text) || *text == ';')
			return FALSE;
	return TRUE;
}

/* ice-char and the other printable ones: some libraries use base64url. */
static gboolean
is_credential(const char *text)
{
	const char *at = text;

	for (; *at; at++)
		if (!g_ascii_isgraph(*at))
			return FALSE;
	return at > text && at - text <= MAX_CREDENTIAL;
}

static gboolean
is_content_name(const char *text)
{
	const char *at = text;

	for (; *at; at++)
		if (g_ascii_iscntrl(*at))
			return FALSE;
	return at > text;
}

static gboolean
is_address(const char *text)
{
	guint8 bytes[16];

	return strlen(text) < INET6_ADDRSTRLEN &&
	       (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1);
}

/* A copy of an attribute if it is there and not empty. */
static char *
dup_attribute(const xmlNode *node, const char *name)
{
	const char *value = xml_attribute(node, name);

	return value && *value ? g_strdup(value) : NULL;
}

static guint64
number_or(const xmlNode *node, const char *name, guint64 max, guint64 otherwise)
{
	guint64 number;

	return xml_attribute_number(node, name, max, &number) ? number : otherwise;
}

/* --- codecs --- */

static const struct {
	guint8 pt;
	const char *name;
	guint32 rate;
	guint8 channels;
} static_codecs[] = {
	{ 0, "PCMU", 8000, 1 },	 { 3, "GSM", 8000, 1 },	   { 4, "G723", 8000, 1 },
	{ 8, "PCMA", 8000, 1 },	 { 9, "G722", 8000, 1 },   { 10, "L16", 44100, 2 },
	{ 11, "L16", 44100, 1 }, { 13, "CN", 8000, 1 },	   { 15, "G728", 8000, 1 },
	{ 18, "G729", 8000, 1 }, { 34, "H263", 90000, 1 },
};

static gboolean
has_param(const Codec *codec, const char *name)
{
	for (guint i = 0; i < codec->params->len; i++) {
		const CodecParam *param = g_ptr_array_index(codec->params, i);

		if (strcmp(param->name, name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* XEP-0167 has no form for an unnamed list such as the "0-15" of
 * telephone-event; clients write it as events="0-15", as a name without a
 * value, or as a value without a name. */
static void
read_param(Codec *codec, const xmlNode *node)
{
	const char *name = xml_attribute(node, "name");
	const char *value = xml_attribute(node, "value");

	if (!value)
		value = "";
	if (!name || !*name ||
	    (g_ascii_strcasecmp(codec->name, "telephone-event") == 0 &&
	     strcmp(name, "events") == 0)) {
		name = value;
		value = "";
	}
	if (*name && is_param_value(name) && !strchr(name, '=') && is_param_value(value) &&
	    !has_param(codec, name))
		codec_add_param(codec, name, value);
}

static gboolean
has_payload(const Stream *stream, guint64 pt)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (codec->pt == pt)
			return TRUE;
	}
	return FALSE;
}

/* The name, rate and channels that a static payload type stands for. */
static Codec *
add_codec(Stream *stream, guint8 pt, const xmlNode *node)
{
	const char *name = xml_attribute(node, "name");
	guint32 rate = (guint32)number_or(node, "clockrate", G_MAXUINT32, 0);
	guint8 channels = (guint8)number_or(node, "channels", G_MAXUINT8, 1);

	for (guint i = 0; i < G_N_ELEMENTS(static_codecs); i++) {
		if (static_codecs[i].pt != pt)
			continue;
		if (!name || !*name) {
			name = static_codecs[i].name;
			channels = static_codecs[i].channels;
		}
		if (!rate)
			rate = static_codecs[i].rate;
	}
	if (!name || !is_token(name) || !rate)
		return NULL;
	return stream_add_codec(stream, pt, name, rate, channels);
}

static void
read_payload(Stream *stream, const xmlNode *node)
{
	const xmlNode *param = xml_child(node, NS_RTP, "parameter");
	Codec *codec;
	guint64 pt;

	if (!xml_attribute_number(node, "id", 127, &pt) || has_payload(stream, pt))
		return;
	codec = add_codec(stream, (guint8)pt, node);
	if (!codec)
		return;
	for (; param && codec->params->len < DESC_MAX_PARAMS;
	     param = xml_next(param, NS_RTP, "parameter"))
		read_param(codec, param);
	if (!stream->ptime)
		stream->ptime = (guint)number_or(node, "ptime", 1000, 0);
}

static StreamKind
kind_of(const char *media)
{
	if (g_strcmp0(media, "audio") == 0)
		return STREAM_AUDIO;
	return g_strcmp0(media, "video") == 0 ? STREAM_VIDEO : STREAM_OTHER;
}

static void
read_description(JingleContent *content, Stream *stream, const xmlNode *node)
{
	const xmlNode *child;

	content->application_ns = g_strdup(xml_ns(node));
	if (!xml_is(node, NS_RTP, NULL))
		return;
	content->media = dup_attribute(node, "media");
	content->rtcp_mux = xml_child(node, NS_RTP, "rtcp-mux") != NULL;
	content->sdes = xml_child(node, NS_RTP, "crypto") ||
			xml_child(xml_child(node, NS_RTP, "encryption"), NS_RTP, "crypto");
	content->encryption = content->sdes || xml_child(node, NS_RTP, "encryption");
	stream->kind = kind_of(content->media);
	for (child = xml_child(node, NS_RTP, "payload-type");
	     child && stream->codecs->len < DESC_MAX_CODECS;
	     child = xml_next(child, NS_RTP, "payload-type"))
		read_payload(stream, child);
}

/* --- transport --- */

static const struct {
	const char *name;
	gsize bytes;
} hashes[] = {
	/* in the order in which we like them */
	{ "sha-256", 32 }, { "sha-384", 48 }, { "sha-512", 64 }, { "sha-224", 28 }, { "sha-1", 20 },
};

static int
find_hash(const char *name)
{
	for (guint i = 0; name && i < G_N_ELEMENTS(hashes); i++)
		if (g_ascii_strcasecmp(name, hashes[i].name) == 0)
			return (int)i;
	return -1;
}

/* "ab:CD: ef" as "AB:CD:EF"; NULL when it is not `bytes` long or not hex. */
static char *
clean_fingerprint(const char *text, gsize bytes)
{
	GString *clean = g_string_new(NULL);
	gsize digits = 0;

	for (; *text; text++) {
		if (g_ascii_isspace(*text) || (*text == ':' && digits % 2 == 0 && digits > 0))
			continue;
		if (!g_ascii_isxdigit(*text) || digits == 2 * bytes) {
			digits = 0;
			break;
		}
		if (digits > 0 && digits % 2 == 0)
			g_string_append_c(clean, ':');
		g_string_append_c(clean, g_ascii_toupper(*text));
		digits++;
	}
	return g_string_free(clean, digits != 2 * bytes);
}

static DtlsSetup
setup_from_name(const char *name)
{
	if (g_strcmp0(name, "actpass") == 0)
		return SETUP_ACTPASS;
	if (g_strcmp0(name, "active") == 0)
		return SETUP_ACTIVE;
	return g_strcmp0(name, "passive") == 0 ? SETUP_PASSIVE : SETUP_NONE;
}

/* Of several the best hash; a malformed one is as good as none. */
static void
read_fingerprints(Transport *transport, const xmlNode *node)
{
	const xmlNode *child = xml_child(node, NS_DTLS, "fingerprint");
	int best = G_N_ELEMENTS(hashes);

	for (; child; child = xml_next(child, NS_DTLS, "fingerprint")) {
		int hash = find_hash(xml_attribute(child, "hash"));
		g_autofree char *text = xml_text(child), *clean = NULL;

		if (hash >= 0 && hash < best)
			clean = clean_fingerprint(text, hashes[hash].bytes);
		if (!clean)
			continue;
		best = hash;
		g_free(transport->fingerprint);
		g_free(transport->fingerprint_hash);
		transport->fingerprint = g_steal_pointer(&clean);
		transport->fingerprint_hash = g_strdup(hashes[hash].name);
		transport->setup = setup_from_name(xml_attribute(child, "setup"));
	}
}

static char *
dup_or_empty(const xmlNode *node, const char *name)
{
	const char *value = xml_attribute(node, name);

	return g_strdup(value ? value : "");
}

static gboolean
is_foundation(const char *text)
{
	return text && is_credential(text) && strlen(text) <= 32;
}

static void
read_related(Candidate *candidate, const xmlNode *node)
{
	const char *address = xml_attribute(node, "rel-addr");

	if (!address || !is_address(address))
		return;
	g_strlcpy(candidate->related_address, address, sizeof candidate->related_address);
	candidate->related_port = (guint16)number_or(node, "rel-port", G_MAXUINT16, 0);
}

/* FALSE for what our agent has no use for: TCP, a .local name … */
static gboolean
read_candidate(Candidate *candidate, const xmlNode *node)
{
	const char *foundation = xml_attribute(node, "foundation");
	const char *address = xml_attribute(node, "ip");
	const char *protocol = xml_attribute(node, "protocol");
	const char *type = xml_attribute(node, "type");
	guint64 component, port, priority;

	memset(candidate, 0, sizeof *candidate);
	if (!is_foundation(foundation) || !address || !is_address(address) || !protocol ||
	    g_ascii_strcasecmp(protocol, "udp") != 0 || !type ||
	    !candidate_type_from_name(type, &candidate->type) ||
	    !xml_attribute_number(node, "component", 256, &component) ||
	    !xml_attribute_number(node, "port", G_MAXUINT16, &port) ||
	    !xml_attribute_number(node, "priority", G_MAXUINT32, &priority) || priority == 0)
		return FALSE;
	g_strlcpy(candidate->foundation, foundation, sizeof candidate->foundation);
	g_strlcpy(candidate->address, address, sizeof candidate->address);
	candidate->component = (guint)component;
	candidate->port = (guint16)port;
	candidate->priority = (guint32)priority;
	candidate->generation = (guint)number_or(node, "generation", G_MAXUINT16, 0);
	read_related(candidate, node);
	return candidate_usable(candidate);
}

static void
read_candidates(JingleContent *content, Transport *transport, const xmlNode *node)
{
	const xmlNode *child = xml_child(node, NS_ICE_UDP, "candidate");

	for (; child && content->raw_candidates->len < DESC_MAX_CANDIDATES;
	     child = xml_next(child, NS_ICE_UDP, "candidate")) {
		JingleCandidate *raw = g_new0(JingleCandidate, 1);
		Candidate candidate;

		raw->component = (guint)number_or(child, "component", 256, 0);
		raw->port = (guint)number_or(child, "port", G_MAXUINT16, 0);
		raw->protocol = dup_or_empty(child, "protocol");
		raw->address = dup_or_empty(child, "ip");
		raw->type = dup_or_empty(child, "type");
		raw->usable = read_candidate(&candidate, child) &&
			      (candidate.component == 1 || !transport->rtcp_mux);
		if (raw->usable)
			g_array_append_val(transport->candidates, candidate);
		g_ptr_array_add(content->raw_candidates, raw);
	}
}

static char *
dup_credential(const xmlNode *node, const char *name)
{
	const char *value = xml_attribute(node, name);

	return value && is_credential(value) ? g_strdup(value) : NULL;
}

static void
read_transport(JingleContent *content, Transport *transport, const xmlNode *node)
{
	const xmlNode *child;

	content->transport_ns = g_strdup(xml_ns(node));
	if (!xml_is(node, NS_ICE_UDP, NULL))
		return;
	transport->ufrag = dup_credential(node, "ufrag");
	transport->pwd = dup_credential(node, "pwd");
	transport->candidates_complete = xml_child(node, NS_ICE_UDP, "gathering-complete") != NULL;
	read_fingerprints(transport, node);
	transport->unencrypted = !xml_child(node, NS_DTLS, "fingerprint") && !content->encryption;
	read_candidates(content, transport, node);
	for (child = xml_child(node, NS_ICE_OPTION, NULL);
	     child && content->ice_options->len < MAX_ICE_OPTIONS;
	     child = xml_next(child, NS_ICE_OPTION, NULL))
		g_ptr_array_add(content->ice_options, g_strdup(xml_name(child)));
}

/* --- contents --- */

static void
candidate_free(gpointer data)
{
	JingleCandidate *candidate = data;

	g_free(candidate->protocol);
	g_free(candidate->address);
	g_free(candidate->type);
	g_free(candidate);
}

static void
content_free(gpointer data)
{
	JingleContent *content = data;

	g_free(content->name);
	g_free(content->disposition);
	g_free(content->application_ns);
	g_free(content->media);
	g_free(content->transport_ns);
	g_ptr_array_unref(content->ice_options);
	g_ptr_array_unref(content->raw_candidates);
	g_free(content);
}

static JingleSenders
senders_from_name(const char *name)
{
	for (JingleSenders senders = SENDERS_BOTH; name && senders <= SENDERS_NONE; senders++)
		if (strcmp(name, jingle_senders_name(senders)) == 0)
			return senders;
	return SENDERS_BOTH;
}

/* Who says what `senders` means; where the action alone does not tell it is
 * taken for the initiator, and whoever knows better asks jingle_direction(). */
static JingleParty
speaker(const Jingle *jingle)
{
	return jingle->action == JINGLE_SESSION_ACCEPT ? PARTY_RESPONDER : PARTY_INITIATOR;
}

static void
read_content(Jingle *jingle, Desc *desc, const xmlNode *node)
{
	const char *name = xml_attribute(node, "name");
	const char *senders = xml_attribute(node, "senders");
	JingleContent *content = g_new0(JingleContent, 1);
	Stream *stream = desc_add_stream(desc, STREAM_OTHER, name);

	content->name = g_strdup(name);
	content->creator = g_strcmp0(xml_attribute(node, "creator"), "responder") == 0
				   ? PARTY_RESPONDER
				   : PARTY_INITIATOR;
	content->senders = senders_from_name(senders);
	content->senders_given = senders != NULL;
	content->disposition = dup_attribute(node, "disposition");
	if (!content->disposition)
		content->disposition = g_strdup("session");
	content->ice_options = g_ptr_array_new_with_free_func(g_free);
	content->raw_candidates = g_ptr_array_new_with_free_func(candidate_free);
	content->stream = stream;
	transport_free(stream->transport);
	stream->transport = transport_new(TRANSPORT_WEBRTC);
	stream->direction = jingle_direction(content->senders, speaker(jingle));
	if (xml_child(node, NULL, "description"))
		read_description(content, stream, xml_child(node, NULL, "description"));
	/* A client that bundles multiplexes RTCP whether it says so or not. */
	stream->transport->rtcp_mux = content->rtcp_mux || desc->bundle;
	if (xml_child(node, NULL, "transport"))
		read_transport(content, stream->transport, xml_child(node, NULL, "transport"));
	g_ptr_array_add(jingle->contents, content);
}

static void
read_contents(Jingle *jingle, Desc *desc, const xmlNode *node)
{
	const xmlNode *child = xml_child(node, NS_JINGLE, "content");

	for (; child && jingle->contents->len < DESC_MAX_STREAMS;
	     child = xml_next(child, NS_JINGLE, "content")) {
		const char *name = xml_attribute(child, "name");

		if (name && is_content_name(name) && !jingle_content(jingle, name))
			read_content(jingle, desc, child);
	}
}

/* --- the rest --- */

static void
read_group(Jingle *jingle, Desc *desc, const xmlNode *node)
{
	const xmlNode *group = xml_child(node, NS_GROUPING, "group"), *other, *member;

	for (other = group; other; other = xml_next(other, NS_GROUPING, "group")) {
		if (g_strcmp0(xml_attribute(other, "semantics"), "BUNDLE") == 0) {
			desc->bundle = TRUE;
			group = other;
			break;
		}
	}
	jingle->group = dup_attribute(group, "semantics");
	for (member = xml_child(group, NS_GROUPING, "content");
	     member && jingle->group_names->len < DESC_MAX_STREAMS;
	     member = xml_next(member, NS_GROUPING, "content")) {
		char *name = dup_attribute(member, "name");

		if (name)
			g_ptr_array_add(jingle->group_names, name);
	}
}

static void
read_reason(Jingle *jingle, const xmlNode *node)
{
	const xmlNode *reason = xml_child(node, NS_JINGLE, "reason");
	const xmlNode *child = xml_child(reason, NS_JINGLE, NULL);

	while (child && strcmp(xml_name(child), "text") == 0)
		child = xml_next(child, NS_JINGLE, NULL);
	jingle->reason = g_strdup(xml_name(child));
	jingle->reason_text = xml_line(xml_child(reason, NS_JINGLE, "text"));
}

static JingleAction
action_from_name(const char *name)
{
	for (JingleAction action = JINGLE_UNKNOWN_ACTION + 1; name && action < N_JINGLE_ACTIONS;
	     action++)
		if (strcmp(name, jingle_action_name(action)) == 0)
			return action;
	return JINGLE_UNKNOWN_ACTION;
}

/* XEP-0181: pressed and released at once, or in two stanzas. */
static void
read_key(Jingle *jingle, const xmlNode *dtmf)
{
	const char *code = xml_attribute(dtmf, "code");
	const char *action = xml_attribute(dtmf, "action");

	if (code && strlen(code) == 1 && strchr("0123456789*#ABCDabcd", code[0]) &&
	    g_strcmp0(action, "button-up") != 0)
		jingle->key = g_ascii_toupper(code[0]);
}

static void
read_info(Jingle *jingle, const xmlNode *node)
{
	const xmlNode *child = xml_child(node, NULL, NULL);

	if (jingle->action != JINGLE_SESSION_INFO || !child)
		return;
	if (xml_child(node, NS_RTP_INFO, NULL))
		child = xml_child(node, NS_RTP_INFO, NULL);
	jingle->info = JINGLE_INFO_UNKNOWN;
	for (JingleInfo info = JINGLE_INFO_NONE; info < N_JINGLE_INFOS; info++)
		if (xml_is(child, NS_RTP_INFO, NULL) &&
		    g_strcmp0(xml_name(child), jingle_info_name(info)) == 0)
			jingle->info = info;
	jingle->info_content = dup_attribute(child, "name");
	read_key(jingle, xml_child(node, NS_DTMF, "dtmf"));
	jingle->transfer_to = dup_attribute(xml_child(node, NS_TRANSFER, "transfer"), "to");
	jingle->transfer_sid = dup_attribute(xml_child(node, NS_TRANSFER, "transfer"), "sid");
}

static gboolean
is_longer(const char *text, gsize length)
{
	return text && strlen(text) > length;
}

Jingle *
jingle_parse(const xmlNode *node, GError **error)
{
	g_autoptr(Desc) desc = NULL;
	Jingle *jingle;

	if (!xml_is(node, NS_JINGLE, "jingle")) {
		g_set_error_literal(error, JINGLE_ERROR_DOMAIN, REASON_PROTOCOL_ERROR,
				    "there is no <jingle/>");
		return NULL;
	}
	if (is_longer(xml_attribute(node, "sid"), JINGLE_MAX_SID)) {
		g_set_error_literal(error, JINGLE_ERROR_DOMAIN, REASON_PROTOCOL_ERROR,
				    "the session's id is too long");
		return NULL;
	}
	desc = desc_new();
	jingle = g_new0(Jingle, 1);
	jingle->action = action_from_name(xml_attribute(node, "action"));
	jingle->sid = dup_attribute(node, "sid");
	jingle->initiator = dup_attribute(node, "initiator");
	jingle->responder = dup_attribute(node, "responder");
	jingle->contents = g_ptr_array_new_with_free_func(content_free);
	jingle->group_names = g_ptr_array_new_with_free_func(g_free);
	read_reason(jingle, node);
	read_info(jingle, node);
	read_group(jingle, desc, node);
	read_contents(jingle, desc, node);
	jingle->desc = g_steal_pointer(&desc);
	return jingle;
}
