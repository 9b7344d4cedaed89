/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_desc_read.c - SDP as a Desc.
 *
 * sofia-sip cuts the text into lines and knows RTP/AVP; the attributes of other
 * profiles it leaves to us, so all that ICE, DTLS and codecs mean is read here.
 * Thread: any (pure).  RFC 4566, RFC 3264, RFC 3605, RFC 5761, RFC 8839, RFC 8842.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/sdp.h>
#include "b2bua/reason.h"
#include "plugins/sip/stack/sip_desc.h"
#include "plugins/sip/stack/sip_lines.h"

#define MAX_NAME 64   /* of a codec, a token, a mid */
#define MAX_FMTP 1024 /* of the parameters of a codec */

/* A session attribute stands for the streams that do not have it. */
static const char *
attribute(const sdp_media_t *media, const char *name)
{
	sdp_attribute_t *found = sdp_attribute_find(media->m_attributes, name);

	if (!found)
		found = sdp_attribute_find(media->m_session->sdp_attributes, name);
	if (!found)
		return NULL;
	return found->a_value ? found->a_value : "";
}

static gboolean
read_number(const char *text, guint64 max, guint64 *number)
{
	return text && g_ascii_string_to_unsigned(text, 10, 0, max, number, NULL);
}

static gboolean
is_short(const char *text, gsize max)
{
	return text && *text && strnlen(text, max + 1) <= max;
}

/* "96 rest" -> 96 and "rest" */
static const char *
split_pt(const char *value, guint8 *pt)
{
	char *rest;
	guint64 number = g_ascii_isdigit(value[0]) ? g_ascii_strtoull(value, &rest, 10) : 128;

	if (number > 127 || *rest != ' ')
		return NULL;
	*pt = (guint8)number;
	return rest + strspn(rest, " ");
}

/* The value of `name` for payload type `pt` ("rtpmap", "fmtp"). */
static const char *
pt_attribute(const sdp_media_t *media, const char *name, guint8 pt)
{
	sdp_attribute_t *found = sdp_attribute_find(media->m_attributes, name);

	for (; found; found = sdp_attribute_find(found->a_next, name)) {
		guint8 number;
		const char *rest = found->a_value ? split_pt(found->a_value, &number) : NULL;

		if (rest && number == pt)
			return rest;
	}
	return NULL;
}

/* "minptime=10;useinbandfec=1", "0-15" */
static void
read_fmtp(Codec *codec, const char *fmtp)
{
	g_auto(GStrv) items = NULL;

	if (!is_short(fmtp, MAX_FMTP))
		return;
	items = g_strsplit(fmtp, ";", DESC_MAX_PARAMS + 1);
	for (guint i = 0; items[i] && codec->params->len < DESC_MAX_PARAMS; i++) {
		char *equals = strchr(items[i], '=');

		if (equals)
			*equals++ = '\0';
		g_strstrip(items[i]);
		if (*items[i])
			codec_add_param(codec, items[i], equals ? g_strstrip(equals) : NULL);
	}
}

/* "opus/48000/2" */
static void
read_rtpmap(Stream *stream, guint8 pt, const char *map, const char *fmtp)
{
	g_auto(GStrv) part = g_strsplit(map, "/", 4);
	guint64 rate, channels = 1;

	if (!is_short(part[0], MAX_NAME) || !read_number(part[1], G_MAXUINT32, &rate))
		return;
	if (part[2] && !read_number(g_strstrip(part[2]), G_MAXUINT8, &channels))
		return;
	read_fmtp(stream_add_codec(stream, pt, part[0], (guint32)rate, (guint8)channels), fmtp);
}

static gboolean
has_codec(const Stream *stream, guint8 pt)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		if (((const Codec *)g_ptr_array_index(stream->codecs, i))->pt == pt)
			return TRUE;
	}
	return FALSE;
}

/* Those of RTP/AVP, which sofia has put together; static numbers included. */
static void
read_rtpmaps(Stream *stream, const sdp_media_t *media)
{
	for (const sdp_rtpmap_t *map = media->m_rtpmaps; map; map = map->rm_next) {
		guint64 channels = 1;

		if (stream->codecs->len == DESC_MAX_CODECS)
			return;
		if (!is_short(map->rm_encoding, MAX_NAME) || map->rm_rate == 0 ||
		    map->rm_rate > G_MAXUINT32 || has_codec(stream, map->rm_pt))
			continue;
		if (map->rm_params && !read_number(map->rm_params, G_MAXUINT8, &channels))
			continue;
		read_fmtp(stream_add_codec(stream, map->rm_pt, map->rm_encoding,
					   (guint32)map->rm_rate, (guint8)channels),
			  map->rm_fmtp);
	}
}

/* Those of a profile that sofia takes for a list of words. */
static void
read_formats(Stream *stream, const sdp_media_t *media)
{
	for (const sdp_list_t *format = media->m_format; format; format = format->l_next) {
		guint64 pt;
		const char *map;

		if (stream->codecs->len == DESC_MAX_CODECS)
			return;
		if (stream->kind == STREAM_OTHER && is_short(format->l_text, MAX_NAME))
			stream_add_codec(stream, 0, format->l_text, 0, 1);
		if (stream->kind == STREAM_OTHER || !read_number(format->l_text, 127, &pt) ||
		    has_codec(stream, (guint8)pt))
			continue;
		map = pt_attribute(media, "rtpmap", (guint8)pt);
		if (map)
			read_rtpmap(stream, (guint8)pt, map,
				    pt_attribute(media, "fmtp", (guint8)pt));
		else if (sdp_rtpmap_well_known[pt] && sdp_rtpmap_well_known[pt]->rm_rate)
			stream_add_codec(stream, (guint8)pt, sdp_rtpmap_well_known[pt]->rm_encoding,
					 (guint32)sdp_rtpmap_well_known[pt]->rm_rate, 1);
	}
}

/* "1 1 UDP 2130706431 192.0.2.1 40000 typ host raddr 0.0.0.0 rport 0": RFC 8839 5.1 */
static gboolean
read_candidate(const char *text, Candidate *candidate)
{
	g_auto(GStrv) part = g_strsplit(text, " ", 32);
	guint64 component, priority, port, related = 0;
	guint n = g_strv_length(part);
	guint8 address[16];

	*candidate = (Candidate){ 0 };
	if (n < 8 || g_ascii_strcasecmp(part[2], "udp") != 0 || strcmp(part[6], "typ") != 0 ||
	    !is_short(part[0], sizeof(candidate->foundation) - 1) ||
	    !read_number(part[1], 256, &component) ||
	    !read_number(part[3], G_MAXUINT32, &priority) ||
	    !read_number(part[5], G_MAXUINT16, &port) ||
	    !candidate_type_from_name(part[7], &candidate->type))
		return FALSE;
	if (inet_pton(AF_INET, part[4], address) != 1 && inet_pton(AF_INET6, part[4], address) != 1)
		return FALSE; /* a name: mDNS or an address to be looked up */
	g_strlcpy(candidate->foundation, part[0], sizeof(candidate->foundation));
	g_strlcpy(candidate->address, part[4], sizeof(candidate->address));
	candidate->component = (guint)component;
	candidate->priority = (guint32)priority;
	candidate->port = (guint16)port;
	for (guint i = 8; i + 1 < n; i += 2) {
		if (strcmp(part[i], "raddr") == 0 &&
		    is_short(part[i + 1], sizeof(candidate->related_address) - 1))
			g_strlcpy(candidate->related_address, part[i + 1],
				  sizeof(candidate->related_address));
		else if (strcmp(part[i], "rport") == 0 &&
			 read_number(part[i + 1], G_MAXUINT16, &related))
			candidate->related_port = (guint16)related;
	}
	return TRUE;
}

static void
read_fingerprint(Transport *transport, const char *value)
{
	g_auto(GStrv) part = g_strsplit(value ? value : "", " ", 2);

	if (!is_short(part[0], 16) || !is_short(part[1], 256))
		return;
	transport->fingerprint_hash = g_ascii_strdown(part[0], -1);
	transport->fingerprint = g_ascii_strup(g_strstrip(part[1]), -1);
}

static void
read_ice(Transport *transport, const sdp_media_t *media)
{
	static const DtlsSetup setups[] = { SETUP_ACTPASS, SETUP_ACTIVE, SETUP_PASSIVE };
	sdp_attribute_t *found = sdp_attribute_find(media->m_attributes, "candidate");
	const char *ufrag = attribute(media, "ice-ufrag");
	const char *pwd = attribute(media, "ice-pwd");
	const char *setup = attribute(media, "setup");
	Candidate candidate;

	if (is_short(ufrag, 256)) /* RFC 8839 5.4 */
		transport->ufrag = g_strdup(ufrag);
	if (is_short(pwd, 256))
		transport->pwd = g_strdup(pwd);
	read_fingerprint(transport, attribute(media, "fingerprint"));
	for (guint i = 0; setup && i < G_N_ELEMENTS(setups); i++) {
		if (g_ascii_strcasecmp(setup, setup_name(setups[i])) == 0)
			transport->setup = setups[i];
	}
	for (; found && transport->candidates->len < DESC_MAX_CANDIDATES;
	     found = sdp_attribute_find(found->a_next, "candidate")) {
		if (found->a_value && read_candidate(found->a_value, &candidate))
			g_array_append_val(transport->candidates, candidate);
	}
	/* SIP sends all at once unless it says otherwise (RFC 8840) */
	transport->candidates_complete = attribute(media, "end-of-candidates") != NULL ||
					 !strstr(attribute(media, "ice-options") ?: "", "trickle");
}

static gboolean
is_multicast(const char *address, guint8 bytes[16])
{
	return strchr(address, ':') ? bytes[0] == 0xff : bytes[0] >= 224;
}

/* As IPv6 has no other way to say "nowhere" (RFC 2606 2). */
static const char *
numeric_address(const sdp_connection_t *connection)
{
	const char *address = connection ? connection->c_address : NULL;
	gsize length = address ? strlen(address) : 0, dot = length && address[length - 1] == '.';
	static const char nowhere[] = ".invalid";
	const gsize size = sizeof nowhere - 1;

	if (length - dot < size || !address ||
	    g_ascii_strncasecmp(address + length - dot - size, nowhere, size) != 0)
		return address;
	return connection->c_addrtype == sdp_addr_ip6 ? "::" : "0.0.0.0";
}

/* FALSE when packets cannot be sent there as it stands. */
static gboolean
read_address(Stream *stream, const sdp_media_t *media)
{
	const sdp_connection_t *connection =
		media->m_connections ? media->m_connections : media->m_session->sdp_connection;
	const char *address = numeric_address(connection);
	Transport *transport = stream->transport;
	guint8 bytes[16] = { 0 };
	static const guint8 any[16];

	if (!is_short(address, sizeof(transport->address) - 1) ||
	    (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1) ||
	    is_multicast(address, bytes))
		return FALSE;
	g_strlcpy(transport->address, address, sizeof(transport->address));
	if (memcmp(bytes, any, sizeof(any)) == 0) { /* hold as RFC 2543 had it: RFC 3264 8.4 */
		if (stream->direction == DIRECTION_SENDRECV)
			stream->direction = DIRECTION_SENDONLY;
		else if (stream->direction == DIRECTION_RECVONLY)
			stream->direction = DIRECTION_INACTIVE;
	}
	return TRUE;
}

static void
read_rtcp(Transport *transport, const sdp_media_t *media)
{
	sdp_attribute_t *rtcp = sdp_attribute_find(media->m_attributes, "rtcp");
	gboolean mux = sdp_attribute_find(media->m_attributes, "rtcp-mux") != NULL;
	guint64 port;

	transport->rtcp_mux = mux;
	if (mux || !rtcp || !rtcp->a_value)
		return;
	/* an address after the port is not taken: nobody's RTCP goes elsewhere than RTP */
	port = g_ascii_isdigit(rtcp->a_value[0]) ? g_ascii_strtoull(rtcp->a_value, NULL, 10) : 0;
	if (port > 0 && port <= G_MAXUINT16)
		transport->rtcp_port = (guint16)port;
}

static void
read_common(Stream *stream, const sdp_media_t *media)
{
	static const Direction directions[] = {
		[sdp_inactive] = DIRECTION_INACTIVE,
		[sdp_sendonly] = DIRECTION_SENDONLY,
		[sdp_recvonly] = DIRECTION_RECVONLY,
		[sdp_sendrecv] = DIRECTION_SENDRECV,
	};
	sdp_attribute_t *ptime = sdp_attribute_find(media->m_attributes, "ptime");
	guint64 number;

	stream->direction = directions[media->m_mode];
	if (ptime && read_number(ptime->a_value, 1000, &number))
		stream->ptime = (guint)number;
	if (!media->m_rtpmaps)
		read_formats(stream, media);
	else if (stream->kind != STREAM_OTHER)
		read_rtpmaps(stream, media);
}

/* The protocol's name, when it is not the one that we would write ourselves. */
static const char *
protocol_name(const sdp_media_t *media)
{
	switch (media->m_proto) {
	case sdp_proto_rtp:
		return NULL;
	case sdp_proto_srtp:
		return "RTP/SAVP";
	case sdp_proto_udp:
		return "udp";
	case sdp_proto_udptl:
		return "udptl";
	case sdp_proto_tcp:
		return "TCP";
	case sdp_proto_tls:
		return "TLS";
	default:
		return media->m_proto_name ? media->m_proto_name : "*";
	}
}

/* The first that we know of those offered. */
static void
read_crypto(Transport *transport, const sdp_media_t *media)
{
	sdp_attribute_t *found = sdp_attribute_find(media->m_attributes, "crypto");

	for (; found; found = sdp_attribute_find(found->a_next, "crypto"))
		if (found->a_value && sdes_parse(found->a_value, &transport->sdes))
			return;
	transport->sdes = (SdesKey){ 0 };
}

static gboolean
is_protocol(const char *protocol, const char *one, const char *other)
{
	return protocol &&
	       (g_ascii_strcasecmp(protocol, one) == 0 || g_ascii_strcasecmp(protocol, other) == 0);
}

static void
read_media(Desc *desc, const sdp_media_t *media)
{
	sdp_attribute_t *mid = sdp_attribute_find(media->m_attributes, "mid");
	const char *protocol = protocol_name(media);
	gboolean webrtc = is_protocol(protocol, SDP_WEBRTC, "UDP/TLS/RTP/SAVP");
	gboolean secure = is_protocol(protocol, "RTP/SAVP", "RTP/SAVPF");
	gboolean plain = !protocol || g_ascii_strcasecmp(protocol, "RTP/AVPF") == 0;
	StreamKind kind = media->m_type == sdp_media_audio   ? STREAM_AUDIO
			  : media->m_type == sdp_media_video ? STREAM_VIDEO
							     : STREAM_OTHER;
	Stream *stream = desc_add_stream(
		desc, kind, mid && is_short(mid->a_value, MAX_NAME) ? mid->a_value : NULL);

	stream->transport->kind = webrtc ? TRANSPORT_WEBRTC : TRANSPORT_RTP;
	if (kind == STREAM_OTHER)
		stream->media = g_strdup(media->m_type_name ? media->m_type_name : "*");
	if (protocol && g_ascii_strcasecmp(protocol, SDP_WEBRTC) != 0)
		stream->profile = g_strdup(protocol);
	read_common(stream, media);
	stream->transport->port = (guint16)media->m_port;
	stream->rejected = media->m_rejected || media->m_port == 0 || media->m_port > G_MAXUINT16 ||
			   kind == STREAM_OTHER || (!webrtc && !plain && !secure);
	read_rtcp(stream->transport, media);
	if (secure || plain)
		read_crypto(stream->transport, media);
	if (secure && !stream->transport->sdes.profile)
		stream->rejected = TRUE;
	if (!protocol && stream->transport->sdes.profile) /* it is not what a key has else */
		stream->profile = g_strdup("RTP/AVP");
	if (webrtc)
		read_ice(stream->transport, media);
	else if (!read_address(stream, media))
		stream->rejected = TRUE;
}

static gboolean
has_bundle(const sdp_session_t *session)
{
	sdp_attribute_t *group = sdp_attribute_find(session->sdp_attributes, "group");

	for (; group; group = sdp_attribute_find(group->a_next, "group")) {
		if (group->a_value && g_str_has_prefix(group->a_value, "BUNDLE"))
			return TRUE;
	}
	return FALSE;
}

static Desc *
read_session(const sdp_session_t *session, GError **error)
{
	g_autoptr(Desc) desc = desc_new();

	desc->bundle = has_bundle(session);
	for (const sdp_media_t *media = session->sdp_media; media; media = media->m_next) {
		if (desc->streams->len == DESC_MAX_STREAMS) {
			g_set_error(error, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR,
				    "More than %d streams", DESC_MAX_STREAMS);
			return NULL;
		}
		read_media(desc, media);
	}
	return g_steal_pointer(&desc);
}

Desc *
desc_from_sdp(const char *text, gsize length, GError **error)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autofree char *clean = NULL;
	sdp_parser_t *parser;
	sdp_session_t *session;
	Desc *desc = NULL;

	if (length == 0 || length > SDP_MAX_SIZE || memchr(text, '\0', length)) {
		g_set_error(error, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR,
			    length > SDP_MAX_SIZE ? "The description is longer than %d bytes"
						  : "No text of 1 to %d bytes",
			    SDP_MAX_SIZE);
		return NULL;
	}
	clean = lines_clean(text, length);
	if (!clean) {
		g_set_error(error, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR,
			    "No SDP, or no media line that is well formed");
		return NULL;
	}
	su_home_init(home);
	parser = sdp_parse(home, clean, (issize_t)strlen(clean), sdp_f_c_missing);
	session = sdp_session(parser);
	if (session)
		desc = read_session(session, error);
	else
		g_set_error(error, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR, "No SDP: %s",
			    sdp_parsing_error(parser) ?: "unknown error");
	sdp_parser_free(parser);
	su_home_deinit(home);
	return desc;
}
