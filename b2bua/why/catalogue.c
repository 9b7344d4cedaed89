/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* catalogue.c - see catalogue.h. */
#include "b2bua/why/catalogue.h"
#include <string.h>

#define FIREWALL \
	"Open the UDP ports of [media] port_min to port_max in the firewall, in both directions"
#define TURN "Set up a TURN server ([media] turn_server)"

static const CauseRow ROWS[N_CAUSES] = {
	[CAUSE_REASON] = { "reason", NULL, "{sentence}[ ({said})]",
			   "{sentence}[ ({words})][; {peer} at {hop}][: {detail}]", NULL },

	[CAUSE_AUDIO_LOST] = { "audio-lost",
			       "You are not heard: your phone sends audio, which is lost on the "
			       "way to the gateway",
			       "You can be heard, but nothing comes from the other end: the audio "
			       "is lost on the way",
			       "The {side} is not heard: the reports of {peer} say that audio is "
			       "sent, and none arrives[: {detail}]",
			       FIREWALL },
	[CAUSE_AUDIO_NEVER] = { "audio-never",
				"You are not heard: your phone has sent no audio so far",
				"You can be heard, but nothing has come from the other end so far",
				"The {side} is not heard: not one packet of audio has come from "
				"{peer}[: {detail}]",
				FIREWALL ". Behind a NAT set the public address ([sip] and [media] "
					 "public_address)" },
	[CAUSE_AUDIO_STOPPED] = { "audio-stopped",
				  "You are not heard: your phone sends no audio any more. All is "
				  "well if you have muted it",
				  "You can be heard, but nothing comes from the other end any "
				  "more: it may be muted",
				  "The {side} is not heard: {peer} sends reports and no audio any "
				  "more; it may be muted[: {detail}]",
				  FIREWALL },
	[CAUSE_AUDIO_VANISHED] = { "audio-vanished",
				   "You are not heard: nothing comes from your phone any more",
				   "You can be heard, but nothing comes from the other end any "
				   "more: it may be gone",
				   "The {side} is not heard: neither audio nor reports come from "
				   "{peer} any more[: {detail}]",
				   "If the far end is gone, the call ends by [calls] dead_timeout "
				   "or by 'hangup'" },
	[CAUSE_AUDIO_UNHEARD] = { "audio-unheard",
				  "You do not hear the other side: nothing that the gateway sends "
				  "arrives at your phone",
				  "You are not heard: nothing that you say arrives at the other "
				  "end",
				  "The {side} hears nothing: by its reports nothing arrives at "
				  "{peer}[: {detail}]",
				  FIREWALL },
	[CAUSE_AUDIO_FOREIGN] = { "audio-foreign",
				  "You are not heard: the audio of your phone comes from an "
				  "unknown address and is not taken",
				  "You can be heard, but nothing comes from the other end that can "
				  "be used",
				  "The {side} is not heard: audio of {peer} comes from an address "
				  "that is not allowed[: {detail}]",
				  "If the address is the right one, set media-hosts for the trunk, "
				  "or rtp-source=any for the softphone or trunk" },
	[CAUSE_AUDIO_KEY] = { "audio-key",
			      "You are not heard: your phone encrypts its audio with another key "
			      "than the agreed one",
			      "You can be heard, but what comes from the other end cannot be "
			      "decrypted",
			      "The {side} is not heard: packets of {peer} are encrypted with "
			      "another key than the agreed one[: {detail}]",
			      "Check the far end: it uses another SRTP key than it has said" },
	[CAUSE_AUDIO_CODEC] = { "audio-codec",
				"You are not heard: your phone sends another codec than the agreed "
				"one",
				"You can be heard, but what comes from the other end is of another "
				"codec than the agreed one",
				"The {side} is not heard: {peer} sends a codec that was not "
				"agreed[: {detail}]",
				"Check the far end's codecs, or narrow them with the trunk's key "
				"codecs" },
	[CAUSE_AUDIO_DEAD] = { "audio-dead", NULL,
			       "No audio passes in this call any more, in either direction",
			       "No audio passes in either direction; of the {side}[: {detail}]",
			       FIREWALL },
	[CAUSE_AUDIO_DEAD_ENDED] = { "audio-dead-ended", NULL,
				     "The call was ended: no audio came from either side for a "
				     "long time",
				     "The call was ended by [calls] dead_timeout: no audio came "
				     "from either side[: {detail}]",
				     FIREWALL },

	[CAUSE_PORT] = { "port", "The gateway could not open a port for the audio of your phone",
			 "The gateway could not open a port for the audio of the other end",
			 "No port could be opened for the {side}[: {detail}]",
			 "Check [media] port_min and port_max, and the addresses beside them" },
	[CAUSE_ICE_HALF] = { "ice-half",
			     "No audio could pass: your phone reaches the gateway, but the network "
			     "of your phone lets nothing in. Another network may help",
			     "No audio connection to the phone at the other end could be made",
			     "The connectivity checks of {peer} arrive, and those of the gateway "
			     "are not answered[: {detail}]",
			     TURN },
	[CAUSE_ICE_NO_CHECKS] = { "ice-no-checks",
				  "Your phone did not complete the audio connection: it answers "
				  "checks and makes none itself",
				  "No audio connection to the phone at the other end could be made",
				  "{Peer} answers connectivity checks and sends none, though it "
				  "must choose the way[: {detail}]",
				  "Update the client: a client must send checks (RFC 8445 7.2)" },
	[CAUSE_ICE_NO_CHOICE] = { "ice-no-choice",
				  "Your phone did not complete the audio connection: it was "
				  "reached, and chose no way",
				  "No audio connection to the phone at the other end could be made",
				  "Connectivity checks pass to {peer} and back, and it chose no "
				  "pair[: {detail}]",
				  "Update the client: the controlling agent must nominate (RFC "
				  "8445 8.1)" },
	[CAUSE_ICE_PASSWORD] = { "ice-password",
				 "Your phone refused the connectivity checks of the gateway: it "
				 "expects another password than it has announced",
				 "No audio connection to the phone at the other end could be made",
				 "{Peer} refuses the gateway's connectivity checks[: {detail}]",
				 "Update the client: its ICE credentials are not those that it has "
				 "announced" },
	[CAUSE_ICE_SILENT] = { "ice-silent",
			       "No audio could pass between your phone and the gateway: the "
			       "network of your phone seems to block calls (UDP). Another network "
			       "may help",
			       "No audio connection to the phone at the other end could be made",
			       "{Peer} never answered a connectivity check and sent none[: "
			       "{detail}]",
			       "Its network blocks UDP, or the gateway's firewall does. " TURN },
	[CAUSE_ICE_NO_CANDIDATE] = { "ice-no-candidate",
				     "Your phone offered no network address for the audio that can "
				     "be reached. Another network may help",
				     "No audio connection to the phone at the other end could be "
				     "made",
				     "{Peer} gave no candidate that can be used[: {detail}]",
				     TURN },
	[CAUSE_DTLS_SILENT] = { "dtls-silent",
				"Your phone was reached, but no packet of the handshake for "
				"encrypted audio came from it: its network drops them",
				"The encrypted audio with the other end could not be set up",
				"Connectivity checks pass to {peer} and back, and no DTLS comes "
				"from it[: {detail}]",
				"Look for a firewall or a tunnel on the way that drops DTLS or "
				"packets of more than 1,200 bytes" },
	[CAUSE_DTLS_UNFINISHED] = { "dtls-unfinished",
				    "Your phone did not complete the handshake for encrypted audio",
				    "The encrypted audio with the other end could not be set up",
				    "{Peer} began the DTLS handshake and did not complete it[: "
				    "{detail}]",
				    "Look for loss of large packets on the way; update the "
				    "client" },
	[CAUSE_DTLS_REFUSED] = { "dtls-refused",
				 "Your phone and the gateway did not agree on the encryption of "
				 "the audio",
				 "The encrypted audio with the other end could not be set up",
				 "The DTLS handshake with {peer} was refused[: {detail}]",
				 "Update the client" },
	[CAUSE_FINGERPRINT] = { "fingerprint",
				"Your phone used another encryption key than the one that it "
				"announced",
				"The encryption of the audio at the other end is not trustworthy",
				"{Peer} used another certificate than the announced one: somebody "
				"may stand between[: {detail}]",
				"Find out whose certificate it is before the user calls again" },
	[CAUSE_CONSENT] = { "consent",
			    "The connection to your phone was lost: its network is gone or has "
			    "changed",
			    "The connection to the phone at the other end was lost",
			    "{Peer} answers no connectivity check any more[: {detail}]", NULL },
	[CAUSE_RTP_STOPPED] = { "rtp-stopped", "The audio from your phone stopped",
				"The audio from the other end stopped",
				"No audio came from {peer} for [media] rtp_timeout[: {detail}]",
				FIREWALL },

	[CAUSE_TRUNK_NAME] = { "trunk-name", NULL,
			       "The telephone network cannot be reached now; the operator can see "
			       "why",
			       "The host name of {peer} is not found[: {detail}]",
			       "Check the trunk's host and the name servers of this machine" },
	[CAUSE_TRUNK_UNREACHED] = { "trunk-unreached", NULL,
				    "The telephone network cannot be reached now; the operator can "
				    "see why",
				    "{Peer} cannot be reached[ at {hop}][: {error}][; {detail}]",
				    "Check the trunk's host, port and transport, and the carrier's "
				    "service page" },
	[CAUSE_TRUNK_TLS] = { "trunk-tls", NULL,
			      "The telephone network cannot be reached safely now; the operator "
			      "can see why",
			      "The TLS connection to {peer} was refused[: {detail}]",
			      "Check the trunk's host and tls-ca, and the clock of this machine" },
	[CAUSE_TRUNK_SILENT] = { "trunk-silent", NULL,
				 "The telephone network did not respond in time",
				 "{Peer} did not answer the INVITE[ at {hop}]",
				 "Check that the carrier knows this gateway's address, and the "
				 "firewall for SIP" },
	[CAUSE_TRUNK_UNAUTHORIZED] = { "trunk-unauthorized", NULL,
				       "The telephone network did not accept this gateway; the "
				       "operator can see why",
				       "{Peer} did not accept the gateway's username and "
				       "password[ ({words})][ at {hop}][: {detail}]",
				       "Check the trunk's username, password and realm" },
	[CAUSE_TRUNK_LOST] = { "trunk-lost", NULL,
			       "The telephone network does not respond any more",
			       "{Peer} does not respond any more in a call that was up[ at "
			       "{hop}][: {detail}]",
			       "Check the connection to the carrier, and the trunk's "
			       "session-seconds" },
	[CAUSE_CODECS_FORBIDDEN] = { "codecs-forbidden", NULL,
				     "The two sides have no codec in common",
				     "The caller offers no codec that the key codecs of {peer} "
				     "allows[: the caller offers {caller-codecs}]",
				     "Add a codec to the key codecs of the trunk or softphone" },
	[CAUSE_PHONE_UNREGISTERED] = { "phone-unregistered",
				       "Your SIP phone is not registered any more",
				       "The person called cannot be reached now",
				       "{Peer} is not registered any more", NULL },
	[CAUSE_PHONE_UNREACHED] = { "phone-unreached", "Your SIP phone could not be reached",
				    "The person called cannot be reached now",
				    "{Peer} cannot be reached[ at {hop}][: {error}][; {detail}]",
				    "Let the phone register more often, or by TCP or TLS" },
	[CAUSE_PHONE_SILENT] = { "phone-silent", "Your SIP phone did not answer the gateway",
				 "The person called cannot be reached now",
				 "{Peer} did not answer the INVITE[ at {hop}]",
				 "Let the phone register more often, or by TCP or TLS" },
	[CAUSE_PHONE_LOST] = { "phone-lost", "Your SIP phone does not respond any more",
			       "The phone at the other end does not respond any more",
			       "{Peer} does not respond any more in a call that was up[ at "
			       "{hop}][: {detail}]",
			       NULL },
	[CAUSE_HOST_NAME] = { "host-name", NULL, "The host of the address is not found",
			      "The host {name} is not found[: {detail}]", NULL },
	[CAUSE_HOST_UNREACHED] = { "host-unreached", NULL,
				   "The host of the address cannot be reached",
				   "The host {name} cannot be reached[ at {hop}][: {error}][; "
				   "{detail}]",
				   NULL },
	[CAUSE_HOST_SILENT] = { "host-silent", NULL, "The host of the address did not respond",
				"The host {name} did not answer the INVITE[ at {hop}]", NULL },
	[CAUSE_XMPP_AWAY] = { "xmpp-away",
			      "The connection of the gateway to the XMPP server was lost",
			      "The person cannot be reached now: the gateway has lost its XMPP "
			      "server",
			      "The XMPP server is away, so that {peer} cannot be reached",
			      "Check that the XMPP server runs and accepts the component" },
	[CAUSE_CLIENT_NO_SESSION] = { "client-no-session",
				      "Your phone did not begin the audio session of the call",
				      "The phone at the other end did not begin the audio session",
				      "{Peer} was told to proceed and sent no session-initiate",
				      "Update the client; its connection may have been lost just "
				      "then" },
	[CAUSE_CLIENT_NO_ACCEPT] = { "client-no-accept",
				     "Your phone did not accept the audio session of the call",
				     "The phone at the other end did not accept the audio session",
				     "{Peer} took the call and sent no session-accept",
				     "Update the client; its connection may have been lost just "
				     "then" },
	[CAUSE_CLIENT_OFFLINE] = { "client-offline", "Your phone has gone off line",
				   "The phone at the other end has gone off line",
				   "{Peer} has gone off line", NULL },
	[CAUSE_NO_CLIENT] = { "no-client",
			      "None of your phones rang: no client that is on line takes calls",
			      "The person called cannot be reached now",
			      "No client of {name} that is on line takes calls",
			      "The user needs a client with calls (XEP-0353 or XEP-0166)" },
	[CAUSE_CLIENT_UNENCRYPTED] = { "client-unencrypted",
				       "None of your phones rang: the client that is on line takes "
				       "only calls without encryption",
				       "The person called cannot be reached now",
				       "The client of {name} that is on line takes only calls "
				       "without encryption",
				       "The user needs a client with DTLS-SRTP" },

	[CAUSE_DESCRIPTION] = { "description",
				"Your phone's description of its audio cannot be used",
				"The other end's description of its audio cannot be used",
				"The session description of {peer} cannot be used[: {detail}]",
				"Update the client, or tell the carrier: the ladder has the "
				"message" },
	[CAUSE_NO_DESCRIPTION] = { "no-description",
				   "Your phone answered without a description of its audio",
				   "The other end answered without a description of its audio",
				   "{Peer} answered without a session description[: {detail}]",
				   "Tell the carrier: an answer to an offer must have SDP (RFC "
				   "3261 "
				   "13.2.1)" },
	[CAUSE_NO_AUDIO] = { "no-audio", "Your phone offers no audio that can be used",
			     "The other end offers no audio that can be used",
			     "{Peer} offers or answers no audio stream that can be used[: "
			     "{detail}]",
			     "Call with audio; video alone, and port 0, are not relayed" },
	[CAUSE_SRTP_WANTED] = { "srtp-wanted",
				"Your phone wants audio without encryption, or lacks something "
				"that encryption needs here",
				"The other end's audio is not encrypted as it must be here",
				"{Peer} does not encrypt its audio as it must[: {detail}]",
				"Turn on SRTP at a trunk or softphone, or set its key srtp; update "
				"a client" },
	[CAUSE_UNCONFIRMED] = { "unconfirmed", "Your phone never confirmed the answer of the call",
				"The other end never confirmed the answer of the call",
				"{Peer} never confirmed the answer with an ACK[ at {hop}]",
				"Check the firewall for SIP, and [sip] public_address" },
	[CAUSE_NO_CODEC] = { "no-codec", NULL, "The two sides have no codec in common",
			     "The two sides have no codec in common[: the caller has "
			     "{caller-codecs}][, the callee {callee-codecs}]",
			     "Let both sides use PCMA, PCMU, G722 or Opus" },
	[CAUSE_NO_TRANSCODING] = { "no-transcoding", NULL, "The two sides have no codec in common",
				   "The two sides have no codec in common[: the caller has "
				   "{caller-codecs}][, the callee {callee-codecs}]; "
				   "transcode=never "
				   "holds for this call",
				   "Set transcode=needed for the user, the trunk or [media], or "
				   "let "
				   "both sides use one codec" },
	[CAUSE_TRANSCODING_BUSY] = { "transcoding-busy", NULL,
				     "The gateway is too busy for this call",
				     "The two sides have no codec in common[: the caller has "
				     "{caller-codecs}][, the callee {callee-codecs}], and the "
				     "media "
				     "thread was too busy to transcode one more call",
				     "See media-load in status; let both sides use one codec, "
				     "lower "
				     "[media] opus_complexity, or give the machine more "
				     "processors" },
};

const CauseRow *
catalogue_row(Cause cause)
{
	return &ROWS[cause];
}

/* Up to `end`: FALSE when a fact in it is not known. */
static gboolean
append(GString *out, const char *at, const char *end, CatalogueFact fact, gconstpointer user)
{
	while (at < end) {
		const char *close = *at == '{' ? memchr(at, '}', (gsize)(end - at)) : NULL;
		g_autofree char *name = NULL;
		const char *value;

		if (!close) {
			g_string_append_c(out, *at++);
			continue;
		}
		name = g_strndup(at + 1, (gsize)(close - at - 1));
		value = fact(user, name);
		if (!value || !*value)
			return FALSE;
		g_string_append(out, value);
		at = close + 1;
	}
	return TRUE;
}

char *
catalogue_fill(const char *sentence, CatalogueFact fact, gconstpointer user)
{
	GString *out = g_string_new(NULL);

	for (const char *at = sentence; *at;) {
		const char *open = strchr(at, '['), *close;
		gsize before;

		/* "[media] port_min" is a section of the configuration */
		while (open && !memchr(open, '{', strcspn(open, "]")))
			open = strchr(open + 1, '[');
		append(out, at, open ? open : at + strlen(at), fact, user);
		if (!open)
			break;
		close = open + strcspn(open, "]");
		before = out->len;
		if (!append(out, open + 1, close, fact, user))
			g_string_truncate(out, before);
		at = *close ? close + 1 : close;
	}
	return g_string_free(out, FALSE);
}
