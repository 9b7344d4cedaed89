/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_key.c - the one table of keys: default, range and help of each stand here. */
#include <stddef.h>
#include "b2bua/config_key.h"

#define FIELD(member) offsetof(struct Config, member)
#define SECONDS_A_DAY 86400

const ConfigKey config_keys[] = {
	{ "gateway", "database", TYPE_PATH, LOCALSTATEDIR "/lib/tandem/tandem.db", 0, 0,
	  FIELD(database), "SQLite file: users, numbers, trunks, call records" },
	{ "gateway", "control_socket", TYPE_SOCKET_PATH, RUNSTATEDIR "/tandem/control.sock", 0, 0,
	  FIELD(control_socket), "Unix socket tandemctl talks to" },
	{ "gateway", "plugins", TYPE_NAME_LIST, "xmpp;sip;echo", 0, 0, FIELD(plugins),
	  "protocols, in the order they are started; a plugin of somebody else's reads its section "
	  "[NAME], which may have any keys" },
	{ "gateway", "plugin_dir", TYPE_PATH, PKGLIBDIR "/plugins", 0, 0, FIELD(plugin_dir),
	  "folder of NAME.so" },
	{ "gateway", "log_level", TYPE_LOG_LEVEL, "info", 0, 0, FIELD(log_level),
	  "error, warning, info or debug" },
	{ "gateway", "drain_seconds", TYPE_NUMBER, "60", 0, SECONDS_A_DAY, FIELD(drain_seconds),
	  "how long an orderly stop waits for calls to end" },
	{ "gateway", "country", TYPE_COUNTRY, NULL, 0, 0, FIELD(country),
	  "where users dial numbers without a \"+\", such as DE (user set JID country=… for one); "
	  "default: such are refused" },
	{ "gateway", "emergency", TYPE_EMERGENCY, NULL, 0, 0, FIELD(emergency),
	  "calls to emergency numbers, to be chosen before the daemon starts with plugin sip: "
	  "refuse, or trunk:NAME" },

	{ "xmpp", "domain", TYPE_DOMAIN, "gateway.localhost", 0, 0, FIELD(xmpp_domain),
	  "name of the component: numbers are +NUMBER@domain" },
	{ "xmpp", "host", TYPE_HOST, "127.0.0.1", 0, 0, FIELD(xmpp_host),
	  "where the XMPP server listens for components" },
	{ "xmpp", "port", TYPE_NUMBER, "5347", 1, 65535, FIELD(xmpp_port), "its component port" },
	{ "xmpp", "secret", TYPE_SECRET, NULL, 0, 0, FIELD(xmpp_secret),
	  "the secret the XMPP server has for this component (component_secret in Prosody)" },

	{ "sip", "address", TYPE_ADDRESS, "127.0.0.1", 0, 0, FIELD(sip_address),
	  "address of this machine that SIP is bound to" },
	{ "sip", "port", TYPE_NUMBER, "5060", 0, 65535, FIELD(sip_port),
	  "UDP and TCP port; 0: any free one" },
	{ "sip", "tls_port", TYPE_NUMBER, "0", 0, 65535, FIELD(sip_tls_port),
	  "TLS port, for softphones and for trunks by TLS; 0: no TLS" },
	{ "sip", "tls_certificate", TYPE_PATH, NULL, 0, 0, FIELD(sip_tls_certificate),
	  "PEM file with the certificate and those between it and its authority; read again when "
	  "it changes" },
	{ "sip", "tls_key", TYPE_PATH, NULL, 0, 0, FIELD(sip_tls_key),
	  "PEM file with its key; default: it is in the certificate's file" },
	{ "sip", "domain", TYPE_HOST, NULL, 0, 0, FIELD(sip_domain),
	  "host part of our From; default: public_address, else the address" },
	{ "sip", "min_expires", TYPE_NUMBER, "60", 1, 3600, FIELD(sip_min_expires),
	  "shortest registration of a softphone, in seconds" },
	{ "sip", "max_expires", TYPE_NUMBER, "3600", 60, SECONDS_A_DAY, FIELD(sip_max_expires),
	  "longest one: what is asked beyond is cut to this" },
	{ "sip", "keepalive", TYPE_NUMBER, "25", 0, 3600, FIELD(sip_keepalive_s),
	  "seconds in which a softphone by UDP, and a trunk behind a NAT, is asked twice by "
	  "OPTIONS, which keeps the NAT open and sees its address change: fewer than it forgets "
	  "after; 0: not at all" },
	{ "sip", "throttle_failures", TYPE_NUMBER, "20", 0, 100000, FIELD(sip_throttle_failures),
	  "wrong passwords and unknown callers of one address until it is ignored, from the half "
	  "on it is slowed; 0: never" },
	{ "sip", "throttle_window", TYPE_NUMBER, "600", 1, SECONDS_A_DAY,
	  FIELD(sip_throttle_window_s), "within so many seconds" },
	{ "sip", "throttle_block", TYPE_NUMBER, "60", 1, 7 * SECONDS_A_DAY,
	  FIELD(sip_throttle_block_s), "seconds it is ignored the first time; doubled each time" },
	{ "sip", "throttle_max_block", TYPE_NUMBER, "3600", 1, 7 * SECONDS_A_DAY,
	  FIELD(sip_throttle_max_block_s), "up to so many" },
	{ "sip", "dial_uris", TYPE_URI_LIST, "no", 0, 0, FIELD(sip_dial_uris),
	  "SIP addresses outside (bob@example.org) that users may call: no, any, or the hosts by "
	  "\";\"; hosts in private networks only by name" },
	{ "sip", "public_address", TYPE_ADDRESS, NULL, 0, 0, FIELD(sip_public_address),
	  "announced instead of the address, and followed when the trunks see another one; "
	  "default: a trunk is told what it sees us by" },

	{ "media", "rtp_address", TYPE_ADDRESS, NULL, 0, 0, FIELD(media.rtp_address),
	  "plain RTP (SIP side) is bound here; default: the SIP address" },
	{ "media", "local_addresses", TYPE_ADDRESS_LIST, NULL, 0, 0, FIELD(media.local_addresses),
	  "ICE host candidates (XMPP side), by \";\"; RTP with who calls by the other IP version; "
	  "default: rtp_address" },
	{ "media", "public_address", TYPE_ADDRESS, NULL, 0, 0, FIELD(media.public_address),
	  "announced instead of both, behind a 1:1 NAT" },
	{ "media", "port_min", TYPE_PORT, "20000", 1024, 65535, FIELD(media.port_min),
	  "first UDP port of RTP and ICE: open the range in the firewall" },
	{ "media", "port_max", TYPE_PORT, "29999", 1024, 65535, FIELD(media.port_max), "last one" },
	{ "media", "ice_threads", TYPE_NUMBER, "0", 0, 64, FIELD(media.n_ice),
	  "0: one for each processor" },
	{ "media", "media_threads", TYPE_NUMBER, "0", 0, 64, FIELD(media.n_media),
	  "0: one for each processor" },
	{ "media", "ice_timeout", TYPE_NUMBER, "14", 1, 300, FIELD(media.ice_timeout_s),
	  "seconds for ICE and DTLS to come up; below [calls] connect_timeout, whose end "
	  "tells less" },
	{ "media", "rtp_timeout", TYPE_NUMBER, "0", 0, SECONDS_A_DAY, FIELD(media.rtp_timeout_s),
	  "seconds of silence after which a call is ended; 0: never (a held call may be silent)" },
	{ "media", "transcode", TYPE_BOOLEAN, "yes", 0, 0, FIELD(media.transcode),
	  "make audio that the other side does not take into what it takes, where no codec is "
	  "shared; no: such a call is refused" },
	{ "media", "opus_complexity", TYPE_NUMBER, "5", 1, 10, FIELD(media.opus_complexity),
	  "CPU time for quality where audio is transcoded to Opus: 10 takes twice the time of 5, "
	  "1 a third" },
	{ "media", "keep_first_words", TYPE_BOOLEAN, "yes", 0, 0, FIELD(media.keep_first_words),
	  "keep what the callee says before the client's encryption is up (3 s at most) and play "
	  "it 25 % fast, and pauses faster, until it has caught up" },
	{ "media", "stun_server", TYPE_SERVER, NULL, 0, 0, FIELD(media.stun),
	  "host or host:port: told to users (XEP-0215), and asked which address we have outside "
	  "where public_address does not say" },
	{ "media", "turn_server", TYPE_SERVER, NULL, 0, 0, FIELD(media.turn),
	  "host or host:port: told to users with credentials of their own; takes UDP and TCP" },
	{ "media", "turn_secret", TYPE_SECRET, NULL, 0, 0, FIELD(media.turn_secret),
	  "the secret it has for such credentials (static-auth-secret in coturn)" },
	{ "media", "turn_tls_port", TYPE_PORT, "0", 0, 65535, FIELD(media.turn_tls_port),
	  "where it takes TLS; 0: it does not" },
	{ "media", "turn_ttl", TYPE_NUMBER, "43200", 60, 30 * SECONDS_A_DAY,
	  FIELD(media.turn_ttl_s), "seconds the credentials are good for" },
	{ "media", "turn_relay", TYPE_BOOLEAN, "no", 0, 0, FIELD(media.turn_relay),
	  "yes: the gateway too takes a relayed address there, for each call (behind a NAT that "
	  "forwards no ports)" },
	{ "media", "kernel_split", TYPE_BOOLEAN, "yes", 0, 0, FIELD(media.kernel_split),
	  "no: take RTP through the ICE library, slower (where a filter on sockets is "
	  "forbidden)" },

	{ "calls", "setup_timeout", TYPE_NUMBER, "5", 1, 60, FIELD(setup_timeout_s),
	  "seconds to prepare a call's media" },
	{ "calls", "ring_timeout", TYPE_NUMBER, "120", 1, 3600, FIELD(ring_timeout_s),
	  "seconds a user's devices ring (a trunk has its own: trunk set NAME ring-seconds=N)" },
	{ "calls", "first_ring", TYPE_NUMBER, "20", 1, 3600, FIELD(first_ring_s),
	  "seconds the first devices ring where a user has ring=xmpp-then-sip or the reverse" },
	{ "calls", "connect_timeout", TYPE_NUMBER, "15", 1, 300, FIELD(connect_timeout_s),
	  "seconds from the answer until audio can flow" },
	{ "calls", "change_timeout", TYPE_NUMBER, "10", 1, 60, FIELD(change_timeout_s),
	  "seconds a party has to agree to hold, resume or a new codec" },
	{ "calls", "max_duration", TYPE_NUMBER, "14400", 0, 7 * SECONDS_A_DAY,
	  FIELD(max_duration_s), "seconds after which a call is hung up; 0: never" },
	{ "calls", "hide_digits", TYPE_BOOLEAN, "yes", 0, 0, FIELD(hide_digits),
	  "keys pressed during a call (PINs) are *** in ladders and logs; no: they are "
	  "written down" },

	{ "records", "keep_days", TYPE_NUMBER, "365", 0, 36500, FIELD(keep_days),
	  "days that records of calls are kept; 0: for ever" },
	{ "records", "keep_ladder_days", TYPE_NUMBER, "30", 0, 36500, FIELD(keep_ladder_days),
	  "days that the ladder of a call (who said what when) is kept; 0: as long as its "
	  "record" },

	{ "limits", "max_calls", TYPE_NUMBER, "1000", 1, 100000, FIELD(max_calls),
	  "calls at once" },
	{ "limits", "max_calls_per_user", TYPE_NUMBER, "10", 1, 100000, FIELD(max_calls_per_user),
	  "calls at once of one user" },
	{ "limits", "max_setup_per_second", TYPE_NUMBER, "50", 1, 100000,
	  FIELD(max_setup_per_second), "new calls a second" },
	{ "limits", "abroad_minutes", TYPE_NUMBER, "60", 0, 100000, FIELD(abroad_minutes),
	  "minutes a day that one user may talk to numbers outside his country, all his calls "
	  "together; 0: none (user set JID abroad-minutes=… for one)" },
	{ "limits", "max_stanza_bytes", TYPE_NUMBER, "262144", 10000, 10485760,
	  FIELD(max_stanza_bytes), "longest XMPP stanza" },
	{ "limits", "max_sdp_bytes", TYPE_NUMBER, "65536", 1024, 1048576, FIELD(max_sdp_bytes),
	  "longest SIP body" },
	{ "limits", "max_iqs", TYPE_NUMBER, "10000", 10, 1000000, FIELD(max_iqs),
	  "XMPP requests waiting for their answer" },
	{ "limits", "max_connections", TYPE_NUMBER, "4000", 10, 100000, FIELD(max_connections),
	  "SIP connections by TCP and TLS that others have opened; a quarter of the descriptors at "
	  "most" },
};

const guint config_n_keys = G_N_ELEMENTS(config_keys);
