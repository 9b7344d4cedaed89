/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_content.c - what a SIP message carries.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/stack/sip_body.h"
#include "plugins/sip/stack/sip_desc.h"
#include "plugins/sip/stack/sip_header.h"
#include <string.h>
#include <sofia-sip/sip_status.h>

static BodyVerdict
read_body(const sip_t *sip, char **sdp, gsize *size)
{
	const sip_payload_t *payload = sip ? sip->sip_payload : NULL;
	g_autofree char *type = NULL, *disposition = NULL, *encoding = NULL;

	*sdp = NULL;
	if (!payload || payload->pl_len == 0)
		return BODY_NONE;
	if (sip->sip_content_type)
		type = header_text((const sip_header_t *)sip->sip_content_type);
	if (sip->sip_content_disposition)
		disposition = header_text((const sip_header_t *)sip->sip_content_disposition);
	if (sip->sip_content_encoding)
		encoding = header_text((const sip_header_t *)sip->sip_content_encoding);
	return body_read(&(BodyHeaders){ type, disposition, encoding }, payload->pl_data,
			 payload->pl_len, sdp, size);
}

static void
refuse(Content *content, guint status, Reason reason)
{
	content->refusal = status;
	content->reason = reason;
}

static void
read_desc(Content *content, const char *sdp, gsize size, guint max_bytes)
{
	g_autoptr(GError) error = NULL;

	if (!max_bytes || size <= max_bytes)
		content->desc = desc_from_sdp(sdp, size, &error);
	if (!content->desc)
		refuse(content, 400,
		       error && error->code > REASON_NONE && error->code < N_REASONS
			       ? (Reason)error->code
			       : REASON_PROTOCOL_ERROR);
}

void
content_read(const sip_t *sip, guint max_bytes, Content *content)
{
	g_autofree char *sdp = NULL;
	gsize size = 0;

	*content = (Content){ 0 };
	switch (read_body(sip, &sdp, &size)) {
	case BODY_NONE:
		break;
	case BODY_FOUND:
		read_desc(content, sdp, size, max_bytes);
		break;
	case BODY_ENCODED:
		content->encoded = TRUE;
		refuse(content, 415, REASON_INCOMPATIBLE);
		break;
	case BODY_UNKNOWN:
		refuse(content, 415, REASON_INCOMPATIBLE);
		break;
	case BODY_MALFORMED:
		refuse(content, 400, REASON_PROTOCOL_ERROR);
		break;
	}
}

static ContentFamilies
family_of(const char *address)
{
	return strchr(address, ':') ? CONTENT_IPV6 : CONTENT_IPV4;
}

ContentFamilies
content_own_family(const Config *config)
{
	const char *address = config->media.rtp_address;

	return family_of(address ? address : config->sip_address);
}

ContentFamilies
content_own_families(const Config *config)
{
	ContentFamilies families = content_own_family(config);

	for (char **each = config->media.local_addresses; each && *each; each++)
		families |= family_of(*each);
	return families;
}

ContentFamilies
content_family(const char *address)
{
	if (!address[0] || strcmp(address, "0.0.0.0") == 0 ||
	    strspn(address, "0:") == strlen(address))
		return 0;
	return family_of(address);
}

/* The Warning for a stream that would be used if it could be sent to; 0: nothing is wrong. */
static guint
check_stream(Stream *stream, ContentFamilies families)
{
	const Transport *transport = stream->transport;
	ContentFamilies family = content_family(transport->address);

	if (stream->kind != STREAM_AUDIO || transport->kind != TRANSPORT_RTP ||
	    transport->port == 0)
		return 0;
	if (!transport->address[0])
		return CONTENT_NO_ADDRESS;
	if (stream->rejected || family == 0 || (families & family))
		return 0;
	stream->rejected = TRUE;
	return CONTENT_OTHER_FAMILY;
}

void
content_check_addresses(Content *content, ContentFamilies families)
{
	guint warning = 0;

	for (guint i = 0; content->desc && i < content->desc->streams->len; i++) {
		guint found = check_stream(content->desc->streams->pdata[i], families);

		warning = warning ? warning : found;
	}
	if (!warning || desc_audio(content->desc))
		return;
	content->warning = warning;
	content->refused = g_steal_pointer(&content->desc);
	refuse(content, 488,
	       warning == CONTENT_OTHER_FAMILY ? REASON_IP_VERSION : REASON_INCOMPATIBLE);
}

void
content_clear(Content *content)
{
	g_clear_pointer(&content->desc, desc_unref);
	g_clear_pointer(&content->refused, desc_unref);
}

const char *
content_phrase(const Content *content)
{
	return content->refusal == 415	 ? sip_415_Unsupported_media
	       : content->refusal == 488 ? sip_488_Not_acceptable
					 : "Bad Session Description";
}

const char *
content_why(const Content *content)
{
	switch (content->warning) {
	case CONTENT_OTHER_FAMILY:
		return "the address for its audio is of an IP version that this gateway's media "
		       "does not have";
	case CONTENT_NO_ADDRESS:
		return "the address for its audio is not numeric";
	default:
		return NULL;
	}
}

char *
content_warning(const Content *content, const char *agent)
{
	const char *text = content->warning == CONTENT_OTHER_FAMILY
				   ? "Incompatible network protocol"
				   : "Incompatible network address formats";

	return content->warning ? g_strdup_printf("%u %s \"%s\"", content->warning, agent, text)
				: NULL;
}

gboolean
content_accepts_sdp(const sip_t *sip)
{
	static const char *const ranges[] = { "*/*", "application/*", BODY_SDP };
	const sip_accept_t *accept = sip->sip_accept;
	gboolean takes = !accept;

	for (; accept; accept = accept->ac_next)
		for (guint i = 0; accept->ac_type && i < G_N_ELEMENTS(ranges); i++)
			takes = takes || g_ascii_strcasecmp(accept->ac_type, ranges[i]) == 0;
	return takes;
}
