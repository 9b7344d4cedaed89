/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trunk_key.c - the one table of what a trunk has. */
#include "db/store.h"
#include "db/trunk_key.h"
#include <string.h>

/* name, kind, column and member, default, least, most, values, flags, help */
#define ROW(name_, kind_, member_, fallback_, least_, most_, values_, flags_, help_)        \
	{                                                                                   \
		.name = (name_), .column = #member_, .kind = (kind_),                       \
		.offset = G_STRUCT_OFFSET(Trunk, member_), .fallback = (fallback_),         \
		.least = (least_), .most = (most_), .values = (values_), .flags = (flags_), \
		.help = (help_),                                                            \
	}

/* By what belongs together, as the manual page shows them. */
static const TrunkKey KEYS[] = {
	ROW("host", TRUNK_HOST, host, NULL, 0, 0, "HOST",
	    TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE | TRUNK_EMPTY,
	    "host name or address of the carrier or PBX"),
	ROW("port", TRUNK_UINT, port, "0", 0, 65535, "0…65535",
	    TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE, "its SIP port; 0: 5060, with TLS 5061"),
	ROW("transport", TRUNK_CHOICE, transport, "udp", 0, 0, "udp|tcp|tls|auto",
	    TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE | TRUNK_EMPTY,
	    "how it is reached; auto: what the NAPTR and SRV records of the host prefer, else "
	    "udp"),
	ROW("proxy", TRUNK_PROXY, proxy, "", 0, 0, "HOST[:PORT]",
	    TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE, "where requests are sent instead of the host"),
	ROW("tls-verify", TRUNK_YES, tls_verify, "yes", 0, 0, "yes|no", TRUNK_PROBE,
	    "no: whatever certificate it shows is taken, and so is whoever shows it"),
	ROW("tls-ca", TRUNK_FILE, tls_ca, "", 0, 0, "FILE", TRUNK_PROBE,
	    "PEM file of the authorities, or of the certificate itself, that its certificate is "
	    "checked with; default: those of the system"),
	ROW("username", TRUNK_TEXT, username, NULL, 0, 0, "NAME", TRUNK_PROBE | TRUNK_EMPTY,
	    "our name when the carrier asks for one; goes with password"),
	ROW("password", TRUNK_TEXT, password, NULL, 0, 0, "SECRET",
	    TRUNK_SECRET | TRUNK_PROBE | TRUNK_EMPTY, "our password there"),
	ROW("realm", TRUNK_TEXT, realm, NULL, 0, 0, "REALM", TRUNK_EMPTY,
	    "credentials are given to this realm alone"),
	ROW("register", TRUNK_YES, registers, "no", 0, 0, "yes|no", TRUNK_PROBE,
	    "yes: register there, so that the carrier finds us"),
	ROW("account", TRUNK_TEXT, account, "", 0, 0, "NAME", TRUNK_PROBE,
	    "our number or name at the carrier, where it differs from the user name"),
	ROW("caller-id", TRUNK_CHOICE, caller_id, "pai", 0, 0, "pai|from|rpid|account", TRUNK_EMPTY,
	    "how the caller's number is told"),
	ROW("codecs", TRUNK_CODECS, codecs, "", 0, 0, "NAME,…", 0,
	    "those of this trunk, the wanted one first; default: all there are"),
	ROW("priority", TRUNK_INT, priority, "10", -1000, 1000, "-1000…1000", 0,
	    "calls out go to the lowest first"),
	ROW("response-seconds", TRUNK_UINT, response_seconds, "5", 1, 30, "1…30", 0,
	    "how long the carrier has to respond at all before the next trunk is tried"),
	ROW("ring-seconds", TRUNK_UINT, ring_seconds, "120", 1, 3600, "1…3600", 0,
	    "how long it has to answer before the next trunk is tried"),
	ROW("options-seconds", TRUNK_UINT, options_seconds, "60", 0, 3600, "0…3600", TRUNK_PROBE,
	    "how often the trunk is asked whether it is there; 0: never"),
	ROW("session-seconds", TRUNK_UINT, session_seconds, "1800", 0, 86400, "0|90…86400", 0,
	    "session timer (RFC 4028); 0: none"),
	ROW("follow-redirects", TRUNK_YES, follow_redirects, "no", 0, 0, "yes|no", 0,
	    "yes: a 3xx answer is followed"),
	ROW("country", TRUNK_COUNTRY, country, "", 0, 0, "DE", 0,
	    "where it is, in two letters: numbers without a + are of this country"),
	ROW("called", TRUNK_CHOICE, called, "auto", 0, 0, "auto|uri|to|p-called-party-id",
	    TRUNK_EMPTY,
	    "where its calls say the number that is called: uri (the Request-URI), to, "
	    "p-called-party-id, or auto: the Request-URI, and where that is our account there "
	    "P-Called-Party-ID, then To"),
	ROW("number-form", TRUNK_CHOICE, number_form, "e164", 0, 0, "e164|national|prefix",
	    TRUNK_EMPTY,
	    "how it is sent numbers: e164 (+491711234567), national (01711234567) or prefix (the "
	    "digits after number-prefix)"),
	ROW("number-prefix", TRUNK_DIGITS, number_prefix, "", 0, 0, "DIGITS", 0,
	    "what stands before the digits with number-form=prefix"),
	ROW("sources", TRUNK_NETWORKS, sources, "", 0, 0, "NETWORK,…", TRUNK_SOURCE,
	    "addresses and networks calls in are taken from; default: those of the host"),
	ROW("in-username", TRUNK_TEXT, in_username, NULL, 0, 0, "NAME", TRUNK_EMPTY,
	    "name the carrier must give for calls in; goes with in-password"),
	ROW("in-password", TRUNK_TEXT, in_password, NULL, 0, 0, "SECRET",
	    TRUNK_SECRET | TRUNK_EMPTY, "and its password"),
	ROW("wait-for-media", TRUNK_YES, wait_for_media, "yes", 0, 0, "yes|no", 0,
	    "no: a call in is answered at once, not when the one called can be heard"),
	ROW("early-media", TRUNK_CHOICE, early_media, "ring", 0, 0, "ring|accept", TRUNK_EMPTY,
	    "ring: a client hears it ring until the call is answered; accept: he is answered when "
	    "the carrier begins to speak, and hears its announcements"),
	ROW("media-hosts", TRUNK_NETWORKS, media_hosts, "", 0, 0, "NETWORK,…", 0,
	    "addresses and networks its audio may come from, besides the host that its SIP names "
	    "and the one it comes from"),
	ROW("rtp-source", TRUNK_CHOICE, rtp_source, "signalled", 0, 0, "signalled|any", TRUNK_EMPTY,
	    "signalled: audio from any other host is dropped, and the ladder says so; any: after "
	    "half a second of it, with no other such source, it is taken, and then whoever sends "
	    "first is heard and hears: prefer media-hosts"),
	ROW("srtp", TRUNK_CHOICE, srtp, "off", 0, 0, "off|offer|require", TRUNK_EMPTY,
	    "off: RTP in the clear is offered, and a carrier that offers SRTP gets it; offer: keys "
	    "are offered beside it (RTP/AVP with a=crypto), and RTP/SAVP alone to who says 488; "
	    "require: RTP/SAVP alone, both ways; the keys are as safe as the SIP: use it with "
	    "transport=tls"),
	ROW("enabled", TRUNK_YES, enabled, "yes", 0, 0, "yes|no", TRUNK_PROBE | TRUNK_SOURCE,
	    "no: the trunk is not used"),
};

const TrunkKey *
trunk_keys(guint *n)
{
	*n = G_N_ELEMENTS(KEYS);
	return KEYS;
}

const TrunkKey *
trunk_key_find(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
		if (strcmp(KEYS[i].name, name) == 0)
			return &KEYS[i];
	return NULL;
}

gboolean
trunk_key_is_number(const TrunkKey *key)
{
	return key->kind >= TRUNK_UINT;
}
