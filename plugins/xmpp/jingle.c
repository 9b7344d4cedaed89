/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* jingle.c - names, and what there is to ask of a parsed <jingle/>.
 *
 * jingle_parse.c reads it, jingle_build.c writes it.
 * Thread: any (pure).
 */
#include "plugins/xmpp/jingle.h"

#include <string.h>

G_DEFINE_QUARK(jingle - error - quark, jingle_error)

static const char *const action_names[N_JINGLE_ACTIONS] = {
	[JINGLE_UNKNOWN_ACTION] = "unknown",
	[JINGLE_CONTENT_ACCEPT] = "content-accept",
	[JINGLE_CONTENT_ADD] = "content-add",
	[JINGLE_CONTENT_MODIFY] = "content-modify",
	[JINGLE_CONTENT_REJECT] = "content-reject",
	[JINGLE_CONTENT_REMOVE] = "content-remove",
	[JINGLE_DESCRIPTION_INFO] = "description-info",
	[JINGLE_SECURITY_INFO] = "security-info",
	[JINGLE_SESSION_ACCEPT] = "session-accept",
	[JINGLE_SESSION_INFO] = "session-info",
	[JINGLE_SESSION_INITIATE] = "session-initiate",
	[JINGLE_SESSION_TERMINATE] = "session-terminate",
	[JINGLE_TRANSPORT_ACCEPT] = "transport-accept",
	[JINGLE_TRANSPORT_INFO] = "transport-info",
	[JINGLE_TRANSPORT_REJECT] = "transport-reject",
	[JINGLE_TRANSPORT_REPLACE] = "transport-replace",
};

static const char *const info_names[N_JINGLE_INFOS] = {
	[JINGLE_INFO_ACTIVE] = "active", [JINGLE_INFO_HOLD] = "hold",
	[JINGLE_INFO_UNHOLD] = "unhold", [JINGLE_INFO_MUTE] = "mute",
	[JINGLE_INFO_UNMUTE] = "unmute", [JINGLE_INFO_RINGING] = "ringing",
};

static const char *const senders_names[] = {
	[SENDERS_BOTH] = "both",
	[SENDERS_INITIATOR] = "initiator",
	[SENDERS_RESPONDER] = "responder",
	[SENDERS_NONE] = "none",
};

static const char *const party_names[] = {
	[PARTY_INITIATOR] = "initiator",
	[PARTY_RESPONDER] = "responder",
};

const char *
jingle_action_name(JingleAction action)
{
	return action_names[(guint)action < N_JINGLE_ACTIONS ? action : JINGLE_UNKNOWN_ACTION];
}

const char *
jingle_info_name(JingleInfo info)
{
	return (guint)info < N_JINGLE_INFOS ? info_names[info] : NULL;
}

const char *
jingle_senders_name(JingleSenders senders)
{
	return senders_names[senders];
}

const char *
jingle_party_name(JingleParty party)
{
	return party_names[party];
}

Direction
jingle_direction(JingleSenders senders, JingleParty speaker)
{
	switch (senders) {
	case SENDERS_INITIATOR:
		return speaker == PARTY_INITIATOR ? DIRECTION_SENDONLY : DIRECTION_RECVONLY;
	case SENDERS_RESPONDER:
		return speaker == PARTY_RESPONDER ? DIRECTION_SENDONLY : DIRECTION_RECVONLY;
	case SENDERS_NONE:
		return DIRECTION_INACTIVE;
	default:
		return DIRECTION_SENDRECV;
	}
}

const xmlNode *
jingle_find(const xmlNode *iq)
{
	return xml_is_stanza(iq, "iq") ? xml_child(iq, NS_JINGLE, "jingle") : NULL;
}

const JingleContent *
jingle_content(const Jingle *jingle, const char *name)
{
	for (guint i = 0; i < jingle->contents->len; i++) {
		const JingleContent *content = g_ptr_array_index(jingle->contents, i);

		if (g_strcmp0(content->name, name) == 0)
			return content;
	}
	return NULL;
}

static const JingleContent *
find_media(const Jingle *jingle, const char *media)
{
	for (guint i = 0; i < jingle->contents->len; i++) {
		const JingleContent *content = g_ptr_array_index(jingle->contents, i);

		if (g_strcmp0(content->media, media) == 0)
			return content;
	}
	return NULL;
}

const JingleContent *
jingle_audio(const Jingle *jingle)
{
	return find_media(jingle, "audio");
}

gboolean
jingle_has_media(const Jingle *jingle, const char *media)
{
	return find_media(jingle, media) != NULL;
}

static gboolean
refuse(GError **error, Reason reason, const char *why)
{
	g_set_error_literal(error, JINGLE_ERROR_DOMAIN, (gint)reason, why);
	return FALSE;
}

/* RFC 5763 section 5: an offer leaves the choice, an answer makes it.  An offer
 * that has chosen can still be answered. */
static gboolean
check_setup(const Jingle *jingle, DtlsSetup setup, GError **error)
{
	gboolean answer =
		jingle->action == JINGLE_SESSION_ACCEPT || jingle->action == JINGLE_CONTENT_ACCEPT;

	if (setup == SETUP_NONE)
		return refuse(error, REASON_SECURITY, "the DTLS fingerprint comes without a role");
	if (answer && setup == SETUP_ACTPASS)
		return refuse(error, REASON_SECURITY, "the answer leaves the DTLS role open");
	return TRUE;
}

static gboolean
check_audio(const Jingle *jingle, const JingleContent *audio, gboolean may_be_clear, GError **error)
{
	const Transport *transport = audio->stream->transport;

	if (audio->stream->codecs->len == 0)
		return refuse(error, REASON_INCOMPATIBLE, "the audio has no codec");
	if (g_strcmp0(audio->transport_ns, NS_ICE_UDP) != 0)
		return refuse(error, REASON_INCOMPATIBLE, "the transport is not ICE-UDP");
	if (!transport->fingerprint && !(transport->unencrypted && may_be_clear))
		return refuse(error, REASON_SECURITY,
			      "the client gives no DTLS fingerprint, and calls without "
			      "encryption are not taken");
	if (!transport->ufrag || !transport->pwd)
		return refuse(error, REASON_PROTOCOL_ERROR, "the ICE credentials are missing");
	return transport->unencrypted || check_setup(jingle, transport->setup, error);
}

Desc *
desc_from_jingle(const Jingle *jingle, gboolean may_be_clear, GError **error)
{
	const JingleContent *audio = jingle_audio(jingle);

	if (!audio) {
		refuse(error, REASON_INCOMPATIBLE, "there is no audio");
		return NULL;
	}
	return check_audio(jingle, audio, may_be_clear, error) ? desc_ref(jingle->desc) : NULL;
}

void
jingle_free(Jingle *jingle)
{
	if (!jingle)
		return;
	g_free(jingle->sid);
	g_free(jingle->initiator);
	g_free(jingle->responder);
	g_free(jingle->reason);
	g_free(jingle->reason_text);
	g_free(jingle->info_content);
	g_free(jingle->transfer_to);
	g_free(jingle->transfer_sid);
	g_ptr_array_unref(jingle->contents);
	g_free(jingle->group);
	g_ptr_array_unref(jingle->group_names);
	desc_unref(jingle->desc);
	g_free(jingle);
}
