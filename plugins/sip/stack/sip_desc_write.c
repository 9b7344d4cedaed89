/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_desc_write.c - a Desc as SDP.
 *
 * Strings in it may be another peer's: each is written so that it can begin no other line.
 * Thread: any (pure).  RFC 4566, RFC 3264, RFC 3605, RFC 5761, RFC 8839, RFC 8842.
 */
#include <string.h>
#include "plugins/sip/stack/sip_desc.h"

#define MAX_WORD 1024 /* bytes of what a peer has said that are said again */

/* RFC 4566 section 9 */
static gboolean
is_token_char(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-.^_`{|}~", c));
}

/* One token; a protocol has slashes as well. */
static void
append_token(GString *sdp, const char *text)
{
	for (guint i = 0; text[i] && i < MAX_WORD; i++)
		g_string_append_c(sdp, is_token_char(text[i]) || text[i] == '/' ? text[i] : '_');
}

/* What another peer said, as one word of ours: a value, an address. */
static void
append_word(GString *sdp, const char *text)
{
	for (guint i = 0; text[i] && i < MAX_WORD; i++)
		g_string_append_c(sdp, g_ascii_isgraph(text[i]) ? text[i] : '_');
}

static const char *
family(const char *address)
{
	return strchr(address, ':') ? "IP6" : "IP4";
}

static void
append_params(GString *sdp, const Codec *codec)
{
	if (codec->params->len == 0)
		return;
	g_string_append_printf(sdp, "a=fmtp:%u ", codec->pt);
	for (guint i = 0; i < codec->params->len; i++) {
		const CodecParam *param = g_ptr_array_index(codec->params, i);

		if (i > 0)
			g_string_append_c(sdp, ';');
		append_word(sdp, param->name);
		if (*param->name && *param->value)
			g_string_append_c(sdp, '=');
		append_word(sdp, param->value);
	}
	g_string_append(sdp, "\r\n");
}

static void
append_codecs(GString *sdp, const Stream *stream)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		g_string_append_printf(sdp, "a=rtpmap:%u ", codec->pt);
		append_token(sdp, codec->name);
		g_string_append_printf(sdp, "/%u", codec->rate);
		if (codec->channels > 1)
			g_string_append_printf(sdp, "/%u", codec->channels);
		g_string_append(sdp, "\r\n");
		append_params(sdp, codec);
	}
	if (stream->ptime)
		g_string_append_printf(sdp, "a=ptime:%u\r\n", stream->ptime);
}

static void
append_attribute(GString *sdp, const char *name, const char *value)
{
	if (!value)
		return;
	g_string_append_printf(sdp, "a=%s:", name);
	append_word(sdp, value);
	g_string_append(sdp, "\r\n");
}

static void
append_ice(GString *sdp, const Transport *transport)
{
	append_attribute(sdp, "ice-ufrag", transport->ufrag);
	append_attribute(sdp, "ice-pwd", transport->pwd);
	if (transport->fingerprint && transport->fingerprint_hash) {
		g_string_append(sdp, "a=fingerprint:");
		append_word(sdp, transport->fingerprint_hash);
		g_string_append_c(sdp, ' ');
		append_word(sdp, transport->fingerprint);
		g_string_append(sdp, "\r\n");
	}
	append_attribute(sdp, "setup", setup_name(transport->setup));
	for (guint i = 0; i < transport->candidates->len; i++) {
		const Candidate *candidate = &g_array_index(transport->candidates, Candidate, i);

		g_string_append(sdp, "a=candidate:");
		append_word(sdp, candidate->foundation);
		g_string_append_printf(sdp, " %u UDP %u ", candidate->component,
				       candidate->priority);
		append_word(sdp, candidate->address);
		g_string_append_printf(sdp, " %u typ %s", candidate->port,
				       candidate_type_name(candidate->type));
		if (*candidate->related_address) {
			g_string_append(sdp, " raddr ");
			append_word(sdp, candidate->related_address);
			g_string_append_printf(sdp, " rport %u", candidate->related_port);
		}
		g_string_append(sdp, "\r\n");
	}
	g_string_append(sdp, transport->candidates_complete ? "a=end-of-candidates\r\n"
							    : "a=ice-options:trickle\r\n");
}

static void
append_crypto(GString *sdp, const SdesKey *key)
{
	for (guint i = 0; i == 0 || (key->choice && sdes_choice(i)); i++) {
		SdesKey line = *key;
		g_autofree char *text = NULL;

		if (key->choice) {
			line.tag = i + 1;
			line.profile = sdes_choice(i);
		}
		text = sdes_text(&line);
		g_string_append_printf(sdp, "a=crypto:%s\r\n", text);
		explicit_bzero(text, strlen(text));
		explicit_bzero(&line, sizeof line);
	}
}

static gboolean
is_live(const Stream *stream)
{
	return !stream->rejected && stream->kind != STREAM_OTHER && stream->codecs->len > 0;
}

/* Port 9 is discard: with ICE the candidates say where (RFC 8839 4.2.1.1). */
static guint
line_port(const Stream *stream)
{
	if (!is_live(stream))
		return 0;
	if (stream->transport->kind == TRANSPORT_WEBRTC && stream->transport->port == 0)
		return 9;
	return stream->transport->port;
}

static void
append_line(GString *sdp, const Stream *stream)
{
	static const char *const kinds[] = {
		[STREAM_AUDIO] = "audio",
		[STREAM_VIDEO] = "video",
		[STREAM_OTHER] = "application",
	};
	gboolean webrtc = stream->transport->kind == TRANSPORT_WEBRTC;

	g_string_append(sdp, "m=");
	append_token(sdp, stream->media ? stream->media : kinds[stream->kind]);
	g_string_append_printf(sdp, " %u ", line_port(stream));
	append_token(sdp, stream->profile		    ? stream->profile
			  : webrtc			    ? SDP_WEBRTC
			  : stream->transport->sdes.profile ? "RTP/SAVP"
							    : "RTP/AVP");
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		g_string_append_c(sdp, ' ');
		if (stream->kind == STREAM_OTHER)
			append_token(sdp, codec->name);
		else
			g_string_append_printf(sdp, "%u", codec->pt);
	}
	if (stream->codecs->len == 0)
		g_string_append(sdp, " 0"); /* a line needs a format (RFC 4566 5.14) */
	g_string_append(sdp, "\r\n");
}

static void
append_stream(GString *sdp, const Stream *stream, const char *session_address)
{
	const Transport *transport = stream->transport;
	gboolean webrtc = transport->kind == TRANSPORT_WEBRTC;

	append_line(sdp, stream);
	if (!is_live(stream)) {
		if (webrtc)
			append_attribute(sdp, "mid", stream->mid);
		return;
	}
	if (*transport->address && strcmp(transport->address, session_address) != 0) {
		g_string_append_printf(sdp, "c=IN %s ", family(transport->address));
		append_word(sdp, transport->address);
		g_string_append(sdp, "\r\n");
	}
	append_attribute(sdp, "mid", stream->mid);
	append_codecs(sdp, stream);
	g_string_append_printf(sdp, "a=%s\r\n", direction_name(stream->direction));
	if (transport->rtcp_mux)
		g_string_append(sdp, "a=rtcp-mux\r\n");
	else if (transport->rtcp_port && transport->rtcp_port != transport->port + 1)
		g_string_append_printf(sdp, "a=rtcp:%u\r\n", transport->rtcp_port);
	if (transport->sdes.profile)
		append_crypto(sdp, &transport->sdes);
	if (webrtc)
		append_ice(sdp, transport);
}

static void
append_bundle(GString *sdp, const Desc *desc)
{
	GString *mids = g_string_new(NULL);

	for (guint i = 0; i < desc->streams->len; i++) {
		const Stream *stream = g_ptr_array_index(desc->streams, i);

		if (!is_live(stream) || !stream->mid)
			continue;
		g_string_append_c(mids, ' ');
		append_token(mids, stream->mid);
	}
	if (mids->len > 0)
		g_string_append_printf(sdp, "a=group:BUNDLE%s\r\n", mids->str);
	g_string_free(mids, TRUE);
}

char *
desc_to_sdp(const Desc *desc, const SdpOrigin *origin)
{
	GString *sdp = g_string_new("v=0\r\n");

	g_string_append_printf(sdp, "o=- %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " IN %s %s\r\n",
			       origin->session_id, origin->version, family(origin->address),
			       origin->address);
	g_string_append_printf(sdp, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", family(origin->address),
			       origin->address);
	if (desc->bundle)
		append_bundle(sdp, desc);
	for (guint i = 0; i < desc->streams->len; i++)
		append_stream(sdp, g_ptr_array_index(desc->streams, i), origin->address);
	return g_string_free(sdp, FALSE);
}
