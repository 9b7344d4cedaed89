/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trunk_key.h - the one table of what a trunk has: a key is a line.
 *
 * From a line follow the member of Trunk, the column (store_open() adds one that the file
 * does not have yet), its default, what `tandemctl trunk` takes and says, import, the help,
 * the manual page and the completion, and what a change of the key means to the SIP plugin.
 * Thread: any; immutable.
 */
#pragma once
#include <glib.h>

/* What a change of the key touches. */
typedef enum {
	TRUNK_WAY = 1 << 0,    /* where calls go out */
	TRUNK_SOURCE = 1 << 1, /* from where calls may come in */
	TRUNK_PROBE = 1 << 2,  /* registration and OPTIONS begin anew */
	TRUNK_SECRET = 1 << 3, /* never shown, never logged */
	TRUNK_LOGIN = 1 << 4,  /* of no use without the trunk's password */
} TrunkFlags;

/* How a value is kept: TRUNK_TEXT is a char *. */
typedef enum { TRUNK_TEXT, TRUNK_UINT, TRUNK_INT, TRUNK_YES } TrunkKind;
typedef char *TrunkTEXT;
typedef guint TrunkUINT;
typedef gint TrunkINT;
typedef gboolean TrunkYES;

/* Key, member and column, how it is kept, type (WORD_… of b2bua/admin/verbs.h), default as text
 * (NULL: nothing, and NULL in the column), values as usage shows them, flags, help: one sentence
 * for the operator, without a full stop.  A list is kept by blanks.  The order is that of the
 * manual page: what belongs together. */
#define TRUNK_KEYS(ROW)                                                                            \
	ROW("host", host, TEXT, HOST, NULL, "HOST", TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE,        \
	    "the host name or the address of the carrier or PBX")                                  \
	ROW("port", port, UINT, WHOLE, "0", "0…65535", TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE,     \
	    "the SIP port of the host; 0: 5060, with TLS 5061")                                    \
	ROW("transport", transport, TEXT, CHOICE, "udp", "udp|tcp|tls|auto",                       \
	    TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE,                                                \
	    "how the host is reached; auto: as the NAPTR and SRV records of the host say, else "   \
	    "udp")                                                                                 \
	ROW("proxy", proxy, TEXT, PROXY, "", "HOST[:PORT]",                                        \
	    TRUNK_WAY | TRUNK_SOURCE | TRUNK_PROBE, "where requests are sent instead of the host") \
	ROW("tls-verify", tls_verify, YES, YES, "yes", "yes|no", TRUNK_PROBE,                      \
	    "no: any certificate is taken, and so is any host that answers in the trunk's place")  \
	ROW("tls-ca", tls_ca, TEXT, PEM, "", "FILE", TRUNK_PROBE,                                  \
	    "a PEM file of the authorities that the trunk's certificate is checked with, or of "   \
	    "the certificate itself; default: the authorities of the system")                      \
	ROW("username", username, TEXT, TEXT, NULL, "NAME", TRUNK_PROBE | TRUNK_LOGIN,             \
	    "the gateway's name when the carrier asks for one; goes with password")                \
	ROW("password", password, TEXT, SECRET, NULL, "SECRET", TRUNK_SECRET | TRUNK_PROBE,        \
	    "the password that belongs to username")                                               \
	ROW("realm", realm, TEXT, TEXT, NULL, "REALM", 0,                                          \
	    "the only realm that username and password are given to; default: any")                \
	ROW("register", registers, YES, YES, "no", "yes|no", TRUNK_PROBE | TRUNK_LOGIN,            \
	    "yes: the gateway registers there, so that the carrier knows its address")             \
	ROW("account", account, TEXT, TEXT, "", "NAME", TRUNK_PROBE,                               \
	    "the gateway's number or name at the carrier, where that is not username")             \
	ROW("caller-id", caller_id, TEXT, CHOICE, "pai", "pai|from|rpid|account", 0,               \
	    "where the carrier is told the caller's number: in P-Asserted-Identity, From or "      \
	    "Remote-Party-ID; account: From has the account, P-Asserted-Identity the caller")      \
	ROW("codecs", codecs, TEXT, CODECS, "", "NAME,…", 0,                                       \
	    "the codecs of the trunk, the wanted one first; default: all that the gateway has "    \
	    "but G729, AMR, AMR-WB")                                                               \
	ROW("transcode", transcode, TEXT, CHOICE, "default",                                       \
	    "default|needed|adaptive|always|never", 0,                                             \
	    "when audio of the trunk's calls is made into another codec, as [media] transcode; "   \
	    "default: the gateway's; a user's own setting comes first")                            \
	ROW("priority", priority, INT, WHOLE, "10", "-1000…1000", 0,                               \
	    "calls out go to the trunk with the lowest priority first")                            \
	ROW("response-seconds", response_seconds, UINT, WHOLE, "5", "1…30", 0,                     \
	    "how long the carrier may be silent before the next trunk is tried")                   \
	ROW("ring-seconds", ring_seconds, UINT, WHOLE, "120", "1…3600", 0,                         \
	    "how long a call may ring; then it ends as not answered")                              \
	ROW("options-seconds", options_seconds, UINT, WHOLE, "60", "0…3600", TRUNK_PROBE,          \
	    "how often the gateway asks by OPTIONS whether the trunk answers; 0: never")           \
	ROW("session-seconds", session_seconds, UINT, WHOLE, "1800", "0|90…86400", 0,              \
	    "the session timer (RFC 4028); 0: none")                                               \
	ROW("follow-redirects", follow_redirects, YES, YES, "no", "yes|no", 0,                     \
	    "yes: a 3xx response is followed; no: it is a refusal")                                \
	ROW("country", country, TEXT, COUNTRY, "", "DE", 0,                                        \
	    "the trunk's country in two letters: numbers without a + are of this country")         \
	ROW("called", called, TEXT, CHOICE, "auto", "auto|uri|to|p-called-party-id", 0,            \
	    "where a call in names the number that is called: uri (the Request-URI), to, "         \
	    "p-called-party-id, or auto: the Request-URI, and where that is the gateway's "        \
	    "account P-Called-Party-ID, then To")                                                  \
	ROW("number-form", number_form, TEXT, CHOICE, "e164", "e164|national|prefix", 0,           \
	    "how numbers are sent: e164 (+491711234567), national (01711234567) or prefix (the "   \
	    "digits after number-prefix)")                                                         \
	ROW("number-prefix", number_prefix, TEXT, DIGITS, "", "DIGITS", 0,                         \
	    "the digits before each number with number-form=prefix")                               \
	ROW("sources", sources, TEXT, NETWORKS, "", "NETWORK,…", TRUNK_SOURCE,                     \
	    "the addresses and networks that calls in are taken from; default: those of the "      \
	    "host")                                                                                \
	ROW("in-username", in_username, TEXT, TEXT, NULL, "NAME", TRUNK_LOGIN,                     \
	    "the name that the carrier must give for calls in; goes with in-password")             \
	ROW("in-password", in_password, TEXT, SECRET, NULL, "SECRET", TRUNK_SECRET,                \
	    "the password that belongs to in-username")                                            \
	ROW("wait-for-media", wait_for_media, YES, YES, "yes", "yes|no", 0,                        \
	    "yes: a call in is answered when the callee can be heard; no: at once")                \
	ROW("early-media", early_media, TEXT, CHOICE, "ring", "ring|accept", 0,                    \
	    "ring: an XMPP client rings until the call is answered; accept: the client is "        \
	    "answered when the carrier begins to speak, and its user hears announcements")         \
	ROW("media-hosts", media_hosts, TEXT, NETWORKS, "", "NETWORK,…", 0,                        \
	    "addresses and networks that audio may come from, besides the host that the SIP "      \
	    "names and the host that the SIP comes from")                                          \
	ROW("rtp-source", rtp_source, TEXT, CHOICE, "signalled", "signalled|any", 0,               \
	    "signalled: audio from any other host is dropped, and the ladder says so; any: such "  \
	    "audio is taken after half a second without another such source, and then the "        \
	    "first host that sends is heard and hears: prefer media-hosts")                        \
	ROW("srtp", srtp, TEXT, CHOICE, "off", "off|offer|require", 0,                             \
	    "off: plain RTP is offered, and a carrier that offers SRTP gets SRTP; offer: keys "    \
	    "are offered beside plain RTP (RTP/AVP with a=crypto), and RTP/SAVP alone after a "    \
	    "488; require: RTP/SAVP alone, both ways; keys are as safe as the SIP is: use "        \
	    "transport=tls")                                                                       \
	ROW("text", text, TEXT, CHOICE, "none", "none|message", 0,                                 \
	    "how text messages go by the trunk: message (SIP MESSAGE), or none")                   \
	ROW("minutes-a-day", minutes_a_day, UINT, WHOLE, "100000", "0…100000", 0,                  \
	    "how many minutes a day calls may go out by the trunk; 100000: no limit")              \
	ROW("calls-a-day", calls_a_day, UINT, WHOLE, "100000", "0…100000", 0,                      \
	    "how many calls out that are answered the trunk may carry a day; 100000: no limit")    \
	ROW("money-a-day", money_a_day, UINT, WHOLE, "100000", "0…100000", 0,                      \
	    "what calls out by the trunk may cost a day, by the price of their routes; 100000: "   \
	    "no limit")                                                                            \
	ROW("enabled", enabled, YES, YES, "yes", "yes|no", TRUNK_PROBE | TRUNK_SOURCE,             \
	    "no: the trunk is not used")                                                           \
	TRUNK_KEYS_MORE(ROW)

/* A test builds the programs with one more line. */
#ifdef TRUNK_KEYS_MORE_H
#include TRUNK_KEYS_MORE_H
#else
#define TRUNK_KEYS_MORE(ROW)
#endif

/* A carrier or PBX that the gateway exchanges calls with. */
#define TRUNK_MEMBER(name_, member_, kind_, type_, fallback_, values_, flags_, help_) \
	Trunk##kind_ member_;
typedef struct {
	char *name;	/* [a-z0-9-]{1,32}; no two are alike */
	gint64 created; /* s since 1970 */
	TRUNK_KEYS(TRUNK_MEMBER)
} Trunk;
#undef TRUNK_MEMBER

typedef struct {
	const char *name, *column;
	TrunkKind kind;
	gsize offset;	      /* of the member of Trunk */
	const char *fallback; /* as text, or NULL */
	guint flags;
} TrunkKey;

const TrunkKey *trunk_keys(guint *n);
const TrunkKey *trunk_key_find(const char *name); /* NULL: there is no such key */
gboolean trunk_key_is_number(const TrunkKey *key);
