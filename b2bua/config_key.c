/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_key.c - the one table of keys: default, range and help of each stand here. */
#include <stddef.h>
#include "b2bua/config_key.h"

#define FIELD(member) offsetof(struct Config, member)
#define SECONDS_A_DAY 86400

const ConfigKey config_keys[] = {
	{ "gateway", "database", TYPE_PATH, LOCALSTATEDIR "/lib/tandem/tandem.db", 0, 0,
	  FIELD(database), "SQLite file with users, numbers, trunks and call records" },
	{ "gateway", "control_socket", TYPE_SOCKET_PATH, RUNSTATEDIR "/tandem/control.sock", 0, 0,
	  FIELD(control_socket), "Unix socket for tandemctl" },
	{ "gateway", "plugins", TYPE_NAME_LIST, "xmpp;sip;echo", 0, 0, FIELD(plugins),
	  "protocols, in the order they are started; a plugin of somebody else's reads its section "
	  "[NAME], which may have any keys" },
	{ "gateway", "plugin_dir", TYPE_PATH, PKGLIBDIR "/plugins", 0, 0, FIELD(plugin_dir),
	  "folder of the plugins (NAME.so)" },
	{ "gateway", "log_level", TYPE_LOG_LEVEL, "info", 0, 0, FIELD(log_level),
	  "error, warning, info or debug" },
	{ "gateway", "log_format", TYPE_LOG_FORMAT, "auto", 0, 0, FIELD(log_format),
	  "text or json (a JSON object a line) to standard error, journal (with the fields "
	  "TANDEM_CALL and MESSAGE_ID), or auto: journal where standard error is the journal, "
	  "otherwise text" },
	{ "gateway", "drain_seconds", TYPE_NUMBER, "60", 0, SECONDS_A_DAY, FIELD(drain_seconds),
	  "seconds that an orderly stop waits for calls to end" },
	{ "gateway", "country", TYPE_COUNTRY, NULL, 0, 0, FIELD(country),
	  "country in which users dial numbers without a \"+\", such as DE (user set JID country=… "
	  "for one user); default: such numbers are refused" },
	{ "gateway", "emergency", TYPE_EMERGENCY, NULL, 0, 0, FIELD(emergency),
	  "calls to emergency numbers: refuse, or trunk:NAME; must be chosen before the daemon "
	  "starts with the plugin sip" },

	{ "xmpp", "domain", TYPE_DOMAIN, "gateway.localhost", 0, 0, FIELD(xmpp_domain),
	  "name of the component; numbers are +NUMBER@domain" },
	{ "xmpp", "host", TYPE_HOST, "127.0.0.1", 0, 0, FIELD(xmpp_host),
	  "host of the XMPP server" },
	{ "xmpp", "port", TYPE_NUMBER, "5347", 1, 65535, FIELD(xmpp_port),
	  "component port of the XMPP server" },
	{ "xmpp", "secret", TYPE_SECRET, NULL, 0, 0, FIELD(xmpp_secret),
	  "secret that the XMPP server has for this component (component_secret in Prosody)" },
	{ "xmpp", "plain_rtp", TYPE_PLAIN_RTP, "no", 0, 0, FIELD(xmpp_plain_rtp),
	  "calls with clients that have no DTLS (Gajim up to 1.9), whose audio is not encrypted "
	  "between the client and the gateway: no, local (users of local_domain only) or yes; a "
	  "client that has DTLS is always encrypted" },
	{ "xmpp", "local_domain", TYPE_DOMAIN, NULL, 0, 0, FIELD(xmpp_local_domain),
	  "domain of the users that plain_rtp = local means; default: domain without its first "
	  "part, so example.org for gw.example.org" },

	{ "xmpp", "operators", TYPE_JID_LIST, NULL, 0, 0, FIELD(xmpp_operators),
	  "who may use the commands of tandemctl by chat and by form, and is told there of what "
	  "needs "
	  "a person, such as a limit that is reached: bare JIDs separated by \";\"" },

	{ "sip", "address", TYPE_ADDRESS, "127.0.0.1", 0, 0, FIELD(sip_address),
	  "address of this machine that SIP is bound to" },
	{ "sip", "port", TYPE_NUMBER, "5060", 0, 65535, FIELD(sip_port),
	  "UDP and TCP port; 0: any free port" },
	{ "sip", "tls_port", TYPE_NUMBER, "0", 0, 65535, FIELD(sip_tls_port),
	  "TLS port, for softphones and for trunks by TLS; 0: no TLS" },
	{ "sip", "tls_certificate", TYPE_PATH, NULL, 0, 0, FIELD(sip_tls_certificate),
	  "PEM file with the certificate and the intermediate certificates; read again when the "
	  "file changes" },
	{ "sip", "tls_key", TYPE_PATH, NULL, 0, 0, FIELD(sip_tls_key),
	  "PEM file with the key; default: the file of the certificate" },
	{ "sip", "domain", TYPE_HOST, NULL, 0, 0, FIELD(sip_domain),
	  "host part of the gateway's From; default: public_address, or address where that is not "
	  "set" },
	{ "sip", "min_expires", TYPE_NUMBER, "60", 1, 3600, FIELD(sip_min_expires),
	  "shortest registration of a softphone, in seconds" },
	{ "sip", "max_expires", TYPE_NUMBER, "3600", 60, SECONDS_A_DAY, FIELD(sip_max_expires),
	  "longest registration of a softphone, in seconds; longer requests are cut to this" },
	{ "sip", "keepalive", TYPE_NUMBER, "25", 0, 3600, FIELD(sip_keepalive_s),
	  "seconds in which the gateway asks a softphone by UDP, and a trunk behind a NAT, twice "
	  "by OPTIONS; this keeps the NAT open and shows a new address; write fewer seconds than "
	  "the NAT remembers; 0: never" },
	{ "sip", "throttle_failures", TYPE_NUMBER, "20", 0, 100000, FIELD(sip_throttle_failures),
	  "failures (wrong passwords, unknown callers) of one address until the address is "
	  "ignored; from half of them on the address is slowed; 0: never" },
	{ "sip", "throttle_window", TYPE_NUMBER, "600", 1, SECONDS_A_DAY,
	  FIELD(sip_throttle_window_s), "seconds within which failures are counted" },
	{ "sip", "throttle_block", TYPE_NUMBER, "60", 1, 7 * SECONDS_A_DAY,
	  FIELD(sip_throttle_block_s),
	  "seconds that an address is ignored the first time; doubled each time" },
	{ "sip", "throttle_max_block", TYPE_NUMBER, "3600", 1, 7 * SECONDS_A_DAY,
	  FIELD(sip_throttle_max_block_s), "most seconds that an address is ignored" },
	{ "sip", "dial_uris", TYPE_URI_LIST, "no", 0, 0, FIELD(sip_dial_uris),
	  "SIP addresses outside (bob@example.org) that users may call: no, any, or hosts "
	  "separated by \";\"; a host in a private network must be named" },
	{ "sip", "public_address", TYPE_ADDRESS, NULL, 0, 0, FIELD(sip_public_address),
	  "announced instead of address; changes when the trunks see another one; default: each "
	  "trunk is told the address at which it sees the gateway" },

	{ "media", "rtp_address", TYPE_ADDRESS, NULL, 0, 0, FIELD(media.rtp_address),
	  "address for plain RTP (SIP side); default: the SIP address" },
	{ "media", "local_addresses", TYPE_ADDRESS_LIST, NULL, 0, 0, FIELD(media.local_addresses),
	  "addresses for ICE (XMPP side), separated by \";\"; also for RTP with a peer of the "
	  "other IP version; default: rtp_address" },
	{ "media", "public_address", TYPE_ADDRESS, NULL, 0, 0, FIELD(media.public_address),
	  "announced instead of these two, behind a 1:1 NAT" },
	{ "media", "port_min", TYPE_PORT, "20000", 1024, 65535, FIELD(media.port_min),
	  "first UDP port of RTP and ICE; open the range in the firewall" },
	{ "media", "port_max", TYPE_PORT, "29999", 1024, 65535, FIELD(media.port_max), "last one" },
	{ "media", "ice_threads", TYPE_NUMBER, "0", 0, 64, FIELD(media.n_ice),
	  "0: one for each processor" },
	{ "media", "media_threads", TYPE_NUMBER, "0", 0, 64, FIELD(media.n_media),
	  "0: one for each processor" },
	{ "media", "ice_timeout", TYPE_NUMBER, "14", 1, 300, FIELD(media.ice_timeout_s),
	  "seconds for ICE and DTLS to come up; keep this below [calls] connect_timeout, so that "
	  "the failure names its cause" },
	{ "media", "rtp_timeout", TYPE_NUMBER, "0", 0, SECONDS_A_DAY, FIELD(media.rtp_timeout_s),
	  "seconds of silence after which a call is ended; 0: never (a held call may be silent)" },
	{ "media", "transcode", TYPE_TRANSCODE, "adaptive", 0, 0, FIELD(transcode),
	  "when audio is made into another codec. needed: when the two sides share none; adaptive: "
	  "also for a device whose last calls lost packets, or whose client asks for it: it gets "
	  "Opus; always: each device gets Opus; never: a call that needs it is refused" },
	{ "media", "opus_complexity", TYPE_NUMBER, "5", 1, 10, FIELD(media.opus_complexity),
	  "CPU time for quality where audio is converted to Opus: 10 takes twice the time of 5, 1 "
	  "takes a third" },
	{ "media", "keep_first_words", TYPE_BOOLEAN, "yes", 0, 0, FIELD(media.keep_first_words),
	  "yes: the first words of the person called are kept until the client's encryption is up "
	  "(3 s at most), then played 25 % faster, pauses faster still, until the sound has caught "
	  "up" },
	{ "media", "stun_server", TYPE_SERVER, NULL, 0, 0, FIELD(media.stun),
	  "STUN server, host or host:port: users are told of it (XEP-0215), and the gateway asks "
	  "it for its public address where public_address is not set" },
	{ "media", "turn_server", TYPE_SERVER, NULL, 0, 0, FIELD(media.turn),
	  "TURN server for UDP and TCP, host or host:port: users are told of it, with credentials "
	  "of their own" },
	{ "media", "turn_secret", TYPE_SECRET, NULL, 0, 0, FIELD(media.turn_secret),
	  "secret that the TURN server has for such credentials (static-auth-secret in coturn)" },
	{ "media", "turn_tls_port", TYPE_PORT, "0", 0, 65535, FIELD(media.turn_tls_port),
	  "TLS port of the TURN server; 0: none" },
	{ "media", "turn_ttl", TYPE_NUMBER, "43200", 60, 30 * SECONDS_A_DAY,
	  FIELD(media.turn_ttl_s), "seconds that such credentials are valid" },
	{ "media", "turn_relay", TYPE_BOOLEAN, "no", 0, 0, FIELD(media.turn_relay),
	  "yes: the gateway itself takes a relayed address of the TURN server for each call "
	  "(behind a NAT that forwards no ports)" },
	{ "media", "kernel_split", TYPE_BOOLEAN, "yes", 0, 0, FIELD(media.kernel_split),
	  "no: RTP goes through the ICE library, which is slower (where socket filters are "
	  "forbidden)" },

	{ "http", "address", TYPE_ADDRESS, "127.0.0.1", 0, 0, FIELD(http_address),
	  "address of this machine at which /metrics, /health, /ready and /report are asked for by "
	  "HTTP" },
	{ "http", "port", TYPE_NUMBER, "0", 0, 65535, FIELD(http_port), "TCP port; 0: no HTTP" },

	{ "calls", "setup_timeout", TYPE_NUMBER, "5", 1, 60, FIELD(setup_timeout_s),
	  "seconds to prepare the media of a call" },
	{ "calls", "ring_timeout", TYPE_NUMBER, "120", 1, 3600, FIELD(ring_timeout_s),
	  "seconds that a user's devices ring (for a trunk: trunk set NAME ring-seconds=N)" },
	{ "calls", "first_ring", TYPE_NUMBER, "20", 1, 3600, FIELD(first_ring_s),
	  "seconds that the first devices ring, for a user with ring=xmpp-then-sip or "
	  "ring=sip-then-xmpp" },
	{ "calls", "connect_timeout", TYPE_NUMBER, "15", 1, 300, FIELD(connect_timeout_s),
	  "seconds from the answer until audio must flow" },
	{ "calls", "change_timeout", TYPE_NUMBER, "10", 1, 60, FIELD(change_timeout_s),
	  "seconds that a side has to agree to hold, resume or a new codec" },
	{ "calls", "dead_timeout", TYPE_NUMBER, "60", 0, SECONDS_A_DAY, FIELD(dead_timeout_s),
	  "seconds after which a call is ended in which no audio comes from either side, and "
	  "neither is on hold; 0: never" },
	{ "calls", "max_duration", TYPE_NUMBER, "14400", 0, 7 * SECONDS_A_DAY,
	  FIELD(max_duration_s), "seconds after which a call is hung up; 0: never" },
	{ "calls", "hide_digits", TYPE_BOOLEAN, "yes", 0, 0, FIELD(hide_digits),
	  "yes: keys pressed during a call (PINs) are written as *** in ladders and logs; no: as "
	  "they are" },

	{ "records", "keep_days", TYPE_NUMBER, "365", 0, 36500, FIELD(keep_days),
	  "days that records of calls are kept; 0: for ever" },
	{ "records", "keep_ladder_days", TYPE_NUMBER, "30", 0, 36500, FIELD(keep_ladder_days),
	  "days that the ladder of a call (who said what when) is kept; 0: as long as its "
	  "record" },
	{ "records", "hook", TYPE_HOOK, NULL, 0, 0, FIELD(hook),
	  "who is told of each call that has ended: the path of a program, which reads a JSON line "
	  "for each from its standard input, or an http:// or https:// URL, which gets each by "
	  "POST; default: nobody" },
	{ "records", "hook_token", TYPE_SECRET, NULL, 0, 0, FIELD(hook_token),
	  "sent to the URL of hook as a bearer token (RFC 6750)" },
	{ "records", "hook_hours", TYPE_NUMBER, "72", 1, 8760, FIELD(hook_hours),
	  "hours after which a call is dropped that the hook has not taken" },

	{ "texts", "account_a_minute", TYPE_NUMBER, "20", 0, 100000, FIELD(texts_account_minute),
	  "text messages that one user may write in a minute" },
	{ "texts", "account_a_day", TYPE_NUMBER, "500", 0, 1000000, FIELD(texts_account_day),
	  "text messages that one user may write in 24 hours" },
	{ "texts", "trunk_a_minute", TYPE_NUMBER, "600", 0, 1000000, FIELD(texts_trunk_minute),
	  "text messages that are taken from one trunk in a minute" },
	{ "texts", "most_waiting", TYPE_NUMBER, "100000", 1, 1000000, FIELD(texts_waiting),
	  "text messages that may wait to be sent, of all users; then no more are taken" },

	{ "limits", "max_calls", TYPE_NUMBER, "1000", 1, 100000, FIELD(max_calls),
	  "calls at once" },
	{ "limits", "max_calls_per_user", TYPE_NUMBER, "10", 1, 100000, FIELD(max_calls_per_user),
	  "calls at once of one user" },
	{ "limits", "max_setup_per_second", TYPE_NUMBER, "50", 1, 100000,
	  FIELD(max_setup_per_second), "new calls a second" },
	{ "limits", "max_stanza_bytes", TYPE_NUMBER, "262144", 10000, 10485760,
	  FIELD(max_stanza_bytes), "longest XMPP stanza, in bytes" },
	{ "limits", "max_sdp_bytes", TYPE_NUMBER, "65536", 1024, 1048576, FIELD(max_sdp_bytes),
	  "longest SIP body, in bytes" },
	{ "limits", "max_iqs", TYPE_NUMBER, "10000", 10, 1000000, FIELD(max_iqs),
	  "XMPP requests that wait for an answer" },
	{ "limits", "max_connections", TYPE_NUMBER, "4000", 10, 100000, FIELD(max_connections),
	  "SIP connections by TCP and TLS that others open; at most a quarter of the file "
	  "descriptors" },
#define ROW(id, section, key, measure, classes, span, fallback, words, help) \
	{ section, key, TYPE_NUMBER, fallback, 0, GUARD_NO_LIMIT, FIELD(guard[GUARD_##id]), help },
	GUARD_RULES(ROW)
#undef ROW
		{ "guard", "countries", TYPE_COUNTRY_LIST, NULL, 0, 0, FIELD(guard_countries),
		  "countries abroad that every user may call without being asked: any, or letters "
		  "such as "
		  "AT;CH; default: each user is asked in the chat at the first call to a country" },
	{ "guard", "abroad_hours", TYPE_HOURS, NULL, 0, 0, FIELD(abroad_hours),
	  "hours of the day in which calls abroad may begin, such as 7-22; default: all" },
	{ "guard", "more", TYPE_NUMBER, "3", 0, 100, FIELD(guard_more),
	  "how often a day a user may answer YES in the chat and have abroad_minutes and "
	  "abroad_calls once more; 0: never" },
	{ "guard", "currency", TYPE_TEXT, "EUR", 0, 0, FIELD(currency),
	  "the currency of the prices of routes" },
};

const guint config_n_keys = G_N_ELEMENTS(config_keys);
