/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_keys.h - the one table of the keys of tandem.conf.
 *
 * From a row follow what config.c reads and checks, the template of `tandemd --print-config`,
 * the manual page, `tandemctl help config show` and the completion.  The member stands in
 * config.h.
 * Thread: any; immutable.
 */
#pragma once

#define SECONDS_A_DAY 86400

/* Section, key, type (TYPE_… of config.c), default as text (NULL: none), least and most of a
 * number, member of Config, help: one sentence without a full stop. */
#define CONFIG_KEYS(ROW)                                                                           \
	ROW("gateway", "database", PATH, LOCALSTATEDIR "/lib/tandem/tandem.db", 0, 0, database,    \
	    "SQLite file: users, numbers, trunks, call records")                                   \
	ROW("gateway", "control_socket", SOCKET_PATH, RUNSTATEDIR "/tandem/control.sock", 0, 0,    \
	    control_socket, "Unix socket tandemctl talks to")                                      \
	ROW("gateway", "plugins", NAME_LIST, "xmpp;sip;echo", 0, 0, plugins,                       \
	    "protocols, in the order they are started")                                            \
	ROW("gateway", "plugin_dir", PATH, PKGLIBDIR "/plugins", 0, 0, plugin_dir,                 \
	    "folder of NAME.so")                                                                   \
	ROW("gateway", "log_level", LOG_LEVEL, "info", 0, 0, log_level,                            \
	    "error, warning, info or debug")                                                       \
	ROW("gateway", "drain_seconds", NUMBER, "60", 0, SECONDS_A_DAY, drain_seconds,             \
	    "how long an orderly stop waits for calls to end")                                     \
	ROW("gateway", "country", COUNTRY, NULL, 0, 0, country,                                    \
	    "where users dial numbers without a \"+\", such as DE (user set JID country=… for "  \
	    "one); default: such are refused")                                                     \
	ROW("gateway", "emergency", EMERGENCY, NULL, 0, 0, emergency,                              \
	    "calls to emergency numbers, to be chosen before the daemon starts with plugin sip: "  \
	    "refuse, or trunk:NAME")                                                               \
	ROW("xmpp", "domain", DOMAIN, "gateway.localhost", 0, 0, xmpp_domain,                      \
	    "name of the component: numbers are +NUMBER@domain")                                   \
	ROW("xmpp", "host", HOST, "127.0.0.1", 0, 0, xmpp_host,                                    \
	    "where the XMPP server listens for components")                                        \
	ROW("xmpp", "port", NUMBER, "5347", 1, 65535, xmpp_port, "its component port")             \
	ROW("xmpp", "secret", SECRET, NULL, 0, 0, xmpp_secret,                                     \
	    "the secret the XMPP server has for this component (component_secret in Prosody)")     \
	ROW("sip", "address", ADDRESS, "127.0.0.1", 0, 0, sip_address,                             \
	    "address of this machine that SIP is bound to")                                        \
	ROW("sip", "port", NUMBER, "5060", 0, 65535, sip_port,                                     \
	    "UDP and TCP port; 0: any free one")                                                   \
	ROW("sip", "tls_port", NUMBER, "0", 0, 65535, sip_tls_port,                                \
	    "TLS port, for softphones and for trunks by TLS; 0: no TLS")                           \
	ROW("sip", "tls_certificate", PATH, NULL, 0, 0, sip_tls_certificate,                       \
	    "PEM file with the certificate and those between it and its authority; read again "    \
	    "when it changes")                                                                     \
	ROW("sip", "tls_key", PATH, NULL, 0, 0, sip_tls_key,                                       \
	    "PEM file with its key; default: it is in the certificate's file")                     \
	ROW("sip", "domain", HOST, NULL, 0, 0, sip_domain,                                         \
	    "host part of our From; default: public_address, else the address")                    \
	ROW("sip", "min_expires", NUMBER, "60", 1, 3600, sip_min_expires,                          \
	    "shortest registration of a softphone, in seconds")                                    \
	ROW("sip", "max_expires", NUMBER, "3600", 60, SECONDS_A_DAY, sip_max_expires,              \
	    "longest one: what is asked beyond is cut to this")                                    \
	ROW("sip", "keepalive", NUMBER, "25", 0, 3600, sip_keepalive_s,                            \
	    "seconds in which a softphone by UDP, and a trunk behind a NAT, is asked twice by "    \
	    "OPTIONS, which keeps the NAT open and sees its address change: fewer than it "        \
	    "forgets "                                                                             \
	    "after; 0: not at all")                                                                \
	ROW("sip", "throttle_failures", NUMBER, "20", 0, 100000, sip_throttle_failures,            \
	    "wrong passwords and unknown callers of one address until it is ignored, from the "    \
	    "half on it is slowed; 0: never")                                                      \
	ROW("sip", "throttle_window", NUMBER, "600", 1, SECONDS_A_DAY, sip_throttle_window_s,      \
	    "within so many seconds")                                                              \
	ROW("sip", "throttle_block", NUMBER, "60", 1, 7 * SECONDS_A_DAY, sip_throttle_block_s,     \
	    "seconds it is ignored the first time; doubled each time")                             \
	ROW("sip", "throttle_max_block", NUMBER, "3600", 1, 7 * SECONDS_A_DAY,                     \
	    sip_throttle_max_block_s, "up to so many")                                             \
	ROW("sip", "dial_uris", URI_LIST, "no", 0, 0, sip_dial_uris,                               \
	    "SIP addresses outside (bob@example.org) that users may call: no, any, or the hosts "  \
	    "by \";\"; hosts in private networks only by name")                                    \
	ROW("sip", "public_address", ADDRESS, NULL, 0, 0, sip_public_address,                      \
	    "announced instead of the address, and followed when the trunks see another one; "     \
	    "default: a trunk is told what it sees us by")                                         \
	ROW("media", "rtp_address", ADDRESS, NULL, 0, 0, media.rtp_address,                        \
	    "plain RTP (SIP side) is bound here; default: the SIP address")                        \
	ROW("media", "local_addresses", ADDRESS_LIST, NULL, 0, 0, media.local_addresses,           \
	    "ICE host candidates (XMPP side), by \";\"; RTP with who calls by the other IP "       \
	    "version; default: rtp_address")                                                       \
	ROW("media", "public_address", ADDRESS, NULL, 0, 0, media.public_address,                  \
	    "announced instead of both, behind a 1:1 NAT")                                         \
	ROW("media", "port_min", PORT, "20000", 1024, 65535, media.port_min,                       \
	    "first UDP port of RTP and ICE: open the range in the firewall")                       \
	ROW("media", "port_max", PORT, "29999", 1024, 65535, media.port_max, "last one")           \
	ROW("media", "ice_threads", NUMBER, "0", 0, 64, media.n_ice, "0: one for each processor")  \
	ROW("media", "media_threads", NUMBER, "0", 0, 64, media.n_media,                           \
	    "0: one for each processor")                                                           \
	ROW("media", "ice_timeout", NUMBER, "14", 1, 300, media.ice_timeout_s,                     \
	    "seconds for ICE and DTLS to come up; below [calls] connect_timeout, whose end tells " \
	    "less")                                                                                \
	ROW("media", "rtp_timeout", NUMBER, "0", 0, SECONDS_A_DAY, media.rtp_timeout_s,            \
	    "seconds of silence after which a call is ended; 0: never (a held call may be "        \
	    "silent)")                                                                             \
	ROW("media", "transcode", BOOLEAN, "yes", 0, 0, media.transcode,                           \
	    "make audio that the other side does not take into what it takes, where no codec is "  \
	    "shared; no: such a call is refused")                                                  \
	ROW("media", "keep_first_words", BOOLEAN, "yes", 0, 0, media.keep_first_words,             \
	    "keep what the callee says before the client's encryption is up (3 s at most) and "    \
	    "play it 25 % fast, and pauses faster, until it has caught up")                        \
	ROW("media", "stun_server", SERVER, NULL, 0, 0, media.stun,                                \
	    "host or host:port: told to users (XEP-0215), and asked which address we have "        \
	    "outside "                                                                             \
	    "where public_address does not say")                                                   \
	ROW("media", "turn_server", SERVER, NULL, 0, 0, media.turn,                                \
	    "host or host:port: told to users with credentials of their own; takes UDP and TCP")   \
	ROW("media", "turn_secret", SECRET, NULL, 0, 0, media.turn_secret,                         \
	    "the secret it has for such credentials (static-auth-secret in coturn)")               \
	ROW("media", "turn_tls_port", PORT, "0", 0, 65535, media.turn_tls_port,                    \
	    "where it takes TLS; 0: it does not")                                                  \
	ROW("media", "turn_ttl", NUMBER, "43200", 60, 30 * SECONDS_A_DAY, media.turn_ttl_s,        \
	    "seconds the credentials are good for")                                                \
	ROW("media", "turn_relay", BOOLEAN, "no", 0, 0, media.turn_relay,                          \
	    "yes: the gateway too takes a relayed address there, for each call (behind a NAT "     \
	    "that "                                                                                \
	    "forwards no ports)")                                                                  \
	ROW("media", "kernel_split", BOOLEAN, "yes", 0, 0, media.kernel_split,                     \
	    "no: take RTP through the ICE library, slower (where a filter on sockets is "          \
	    "forbidden)")                                                                          \
	ROW("calls", "setup_timeout", NUMBER, "5", 1, 60, setup_timeout_s,                         \
	    "seconds to prepare a call's media")                                                   \
	ROW("calls", "ring_timeout", NUMBER, "120", 1, 3600, ring_timeout_s,                       \
	    "seconds a user's devices ring (a trunk has its own: trunk set NAME ring-seconds=N)")  \
	ROW("calls", "first_ring", NUMBER, "20", 1, 3600, first_ring_s,                            \
	    "seconds the first devices ring where a user has ring=xmpp-then-sip or the reverse")   \
	ROW("calls", "connect_timeout", NUMBER, "15", 1, 300, connect_timeout_s,                   \
	    "seconds from the answer until audio can flow")                                        \
	ROW("calls", "change_timeout", NUMBER, "10", 1, 60, change_timeout_s,                      \
	    "seconds a party has to agree to hold, resume or a new codec")                         \
	ROW("calls", "max_duration", NUMBER, "14400", 0, 7 * SECONDS_A_DAY, max_duration_s,        \
	    "seconds after which a call is hung up; 0: never")                                     \
	ROW("calls", "hide_digits", BOOLEAN, "yes", 0, 0, hide_digits,                             \
	    "keys pressed during a call (PINs) are *** in ladders and logs; no: they are written " \
	    "down")                                                                                \
	ROW("records", "keep_days", NUMBER, "365", 0, 36500, keep_days,                            \
	    "days that records of calls are kept; 0: for ever")                                    \
	ROW("records", "keep_ladder_days", NUMBER, "30", 0, 36500, keep_ladder_days,               \
	    "days that the ladder of a call (who said what when) is kept; 0: as long as its "      \
	    "record")                                                                              \
	ROW("limits", "max_calls", NUMBER, "1000", 1, 100000, max_calls, "calls at once")          \
	ROW("limits", "max_calls_per_user", NUMBER, "10", 1, 100000, max_calls_per_user,           \
	    "calls at once of one user")                                                           \
	ROW("limits", "max_setup_per_second", NUMBER, "50", 1, 100000, max_setup_per_second,       \
	    "new calls a second")                                                                  \
	ROW("limits", "abroad_minutes", NUMBER, "60", 0, 100000, abroad_minutes,                   \
	    "minutes a day that one user may talk to numbers outside his country, all his calls "  \
	    "together; 0: none (user set JID abroad-minutes=… for one)")                           \
	ROW("limits", "max_stanza_bytes", NUMBER, "262144", 10000, 10485760, max_stanza_bytes,     \
	    "longest XMPP stanza")                                                                 \
	ROW("limits", "max_sdp_bytes", NUMBER, "65536", 1024, 1048576, max_sdp_bytes,              \
	    "longest SIP body")                                                                    \
	ROW("limits", "max_iqs", NUMBER, "10000", 10, 1000000, max_iqs,                            \
	    "XMPP requests waiting for their answer")                                              \
	ROW("limits", "max_connections", NUMBER, "4000", 10, 100000, max_connections,              \
	    "SIP connections by TCP and TLS that others have opened; a quarter of the "            \
	    "descriptors "                                                                         \
	    "at most")
