/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config.c - one table of keys: default, range and help of each stand here.
 *
 * The table drives reading, checking and the template.  What one value asks of
 * another is in check_together(), what is derived from another in derive().
 * Every error is one line: file, [group] key = value, what is wrong, the remedy.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <gio/gio.h>
#include "b2bua/config.h"
#include "b2bua/numberplan.h"
#include "b2bua/words.h"

#define MAX_FILE_BYTES (1024 * 1024)

typedef enum {
	TYPE_TEXT,	   /* any, not empty */
	TYPE_PATH,	   /* of a file; not empty */
	TYPE_SOCKET_PATH,  /* as above, short enough for a Unix socket */
	TYPE_SECRET,	   /* never printed */
	TYPE_DOMAIN,	   /* host name, lower-cased */
	TYPE_HOST,	   /* host name or numeric address */
	TYPE_SERVER,	   /* MediaServer: the same, with ":port" or without */
	TYPE_ADDRESS,	   /* numeric, not a wildcard */
	TYPE_ADDRESS_LIST, /* of the same, by ";" */
	TYPE_NAME_LIST,	   /* [a-z0-9_-]+ by ";" */
	TYPE_URI_LIST,	   /* "no", or "any" and hosts by ";" */
	TYPE_LOG_LEVEL,
	TYPE_EMERGENCY,
	TYPE_COUNTRY, /* two letters, upper case */
	TYPE_NUMBER,  /* guint within min … max */
	TYPE_PORT,    /* guint16 within min … max */
	TYPE_BOOLEAN,
	N_TYPES
} Type;

typedef struct {
	const char *group, *key;
	Type type;
	const char *fallback; /* as text; NULL: none */
	guint min, max;
	size_t offset;
	const char *help;
} Key;

#define FIELD(member) offsetof(struct Config, member)
#define SECONDS_A_DAY 86400
#define STUN_PORT     3478 /* RFC 8489 section 17.3.1 */

static const Key keys[] = {
	{ "gateway", "database", TYPE_PATH, LOCALSTATEDIR "/lib/tandem/tandem.db", 0, 0,
	  FIELD(database), "SQLite file with users, numbers, trunks and call records" },
	{ "gateway", "control_socket", TYPE_SOCKET_PATH, RUNSTATEDIR "/tandem/control.sock", 0, 0,
	  FIELD(control_socket), "Unix socket for tandemctl" },
	{ "gateway", "plugins", TYPE_NAME_LIST, "xmpp;sip;echo", 0, 0, FIELD(plugins),
	  "protocols, in the order in which they start" },
	{ "gateway", "plugin_dir", TYPE_PATH, PKGLIBDIR "/plugins", 0, 0, FIELD(plugin_dir),
	  "folder of the plugins (NAME.so)" },
	{ "gateway", "log_level", TYPE_LOG_LEVEL, "info", 0, 0, FIELD(log_level),
	  "error, warning, info or debug" },
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
	{ "media", "transcode", TYPE_BOOLEAN, "yes", 0, 0, FIELD(media.transcode),
	  "yes: audio is converted when the two sides share no codec; no: such a call is refused" },
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

	{ "limits", "max_calls", TYPE_NUMBER, "1000", 1, 100000, FIELD(max_calls),
	  "calls at once" },
	{ "limits", "max_calls_per_user", TYPE_NUMBER, "10", 1, 100000, FIELD(max_calls_per_user),
	  "calls at once of one user" },
	{ "limits", "max_setup_per_second", TYPE_NUMBER, "50", 1, 100000,
	  FIELD(max_setup_per_second), "new calls a second" },
	{ "limits", "abroad_minutes", TYPE_NUMBER, "60", 0, 100000, FIELD(abroad_minutes),
	  "minutes a day that one user may talk to numbers abroad, all calls together; 0: none "
	  "(user set JID abroad-minutes=… for one user)" },
	{ "limits", "max_stanza_bytes", TYPE_NUMBER, "262144", 10000, 10485760,
	  FIELD(max_stanza_bytes), "longest XMPP stanza, in bytes" },
	{ "limits", "max_sdp_bytes", TYPE_NUMBER, "65536", 1024, 1048576, FIELD(max_sdp_bytes),
	  "longest SIP body, in bytes" },
	{ "limits", "max_iqs", TYPE_NUMBER, "10000", 10, 1000000, FIELD(max_iqs),
	  "XMPP requests that wait for an answer" },
	{ "limits", "max_connections", TYPE_NUMBER, "4000", 10, 100000, FIELD(max_connections),
	  "SIP connections by TCP and TLS that others open; at most a quarter of the file "
	  "descriptors" },
};

/* --- errors --- */

/* A value as it may be shown: one line, no escape sequences, no secrets. */
static char *
printable(const Key *key, const char *value)
{
	g_autofree char *valid = g_utf8_make_valid(value, -1);

	if (key->type == TYPE_SECRET)
		return g_strdup("(hidden)");
	for (char *at = valid; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = '?';
	return g_steal_pointer(&valid);
}

static gboolean G_GNUC_PRINTF(4, 5)
	refuse(const Key *key, const char *value, GError **error, const char *format, ...)
{
	g_autofree char *shown = printable(key, value);
	g_autofree char *why = NULL;
	va_list arguments;

	va_start(arguments, format);
	why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, CONFIG_ERROR, 0, "[%s] %s = %s: %s", key->group, key->key, shown, why);
	return FALSE;
}

static gboolean
group_exists(const char *group)
{
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].group, group))
			return TRUE;
	return FALSE;
}

static const char *
nearest_group(const char *group)
{
	const char *best = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (words_are_near(group, keys[i].group) &&
		    (!best || words_distance(group, keys[i].group) < words_distance(group, best)))
			best = keys[i].group;
	return best;
}

/* The same word in another group comes first, then the nearest in this one. */
static const Key *
nearest_key(const char *group, const char *word)
{
	const Key *best = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (g_str_equal(keys[i].key, word))
			return &keys[i];
		if (g_str_equal(keys[i].group, group) && words_are_near(word, keys[i].key) &&
		    (!best || words_distance(word, keys[i].key) < words_distance(word, best->key)))
			best = &keys[i];
	}
	return best;
}

static gboolean
unknown_group(const char *group, GError **error)
{
	const char *near = nearest_group(group);

	if (near)
		g_set_error(error, CONFIG_ERROR, 0, "[%s]: unknown group; did you mean [%s]?",
			    group, near);
	else
		g_set_error(error, CONFIG_ERROR, 0,
			    "[%s]: unknown group; remove it: tandemd --print-config shows all",
			    group);
	return FALSE;
}

static gboolean
unknown_key(const char *group, const char *word, GError **error)
{
	const Key *near = nearest_key(group, word);

	if (near)
		g_set_error(error, CONFIG_ERROR, 0, "[%s] %s: unknown key; did you mean [%s] %s?",
			    group, word, near->group, near->key);
	else
		g_set_error(error, CONFIG_ERROR, 0,
			    "[%s] %s: unknown key; remove it: tandemd --print-config shows all",
			    group, word);
	return FALSE;
}

/* --- one value --- */

static gboolean
is_wildcard(const char *address)
{
	return g_str_equal(address, "0.0.0.0") || g_str_equal(address, "::");
}

static gboolean
check_address(const Key *key, const char *whole, const char *address, GError **error)
{
	g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(address);

	if (!parsed)
		return refuse(
			key, whole, error,
			"%s is not a numeric address; write one such as 192.0.2.1 or 2001:db8::1",
			address[0] ? address : "that");
	if (g_inet_address_get_is_any(parsed) || is_wildcard(address))
		return refuse(key, whole, error,
			      "peers are told this address, so it must be one address; write the "
			      "address at which they reach this machine");
	return TRUE;
}

static gboolean
set_number(const Key *key, const char *value, gpointer field, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, key->min, key->max, &number, NULL))
		return refuse(key, value, error,
			      "not a whole number from %u to %u; the default is %s", key->min,
			      key->max, key->fallback);
	if (key->type == TYPE_PORT)
		*(guint16 *)field = (guint16)number;
	else
		*(guint *)field = (guint)number;
	return TRUE;
}

static gboolean
set_boolean(const Key *key, const char *value, gpointer field, GError **error)
{
	if (word_is_yes_or_no(value, field))
		return TRUE;
	return refuse(key, value, error, "write yes or no");
}

/* RFC 3986: the colons of an IPv6 address are told from that of a port by "[…]". */
static gboolean
set_server(const Key *key, const char *value, gpointer field, GError **error)
{
	MediaServer *server = field;
	GSocketConnectable *parsed = NULL;
	const char *host = NULL;

	if (g_hostname_is_ip_address(value))
		parsed = g_network_address_new(value, STUN_PORT);
	else if (!strpbrk(value, "@/?%"))
		parsed = g_network_address_parse(value, STUN_PORT, NULL);
	if (parsed)
		host = g_network_address_get_hostname(G_NETWORK_ADDRESS(parsed));
	if (!host || !(word_is_host_name(host) || g_hostname_is_ip_address(host)) ||
	    g_network_address_get_port(G_NETWORK_ADDRESS(parsed)) == 0) {
		g_clear_object(&parsed);
		return refuse(key, value, error,
			      "not a server; write one such as turn.example.org, 192.0.2.1:3478 or "
			      "[2001:db8::1]:3478");
	}
	g_free(server->host);
	server->host = g_strdup(host);
	server->port = g_network_address_get_port(G_NETWORK_ADDRESS(parsed));
	g_object_unref(parsed);
	return TRUE;
}

static gboolean
check_name(const Key *key, const char *value, const char *name, GError **error)
{
	gsize length = strlen(name);

	if (length > 0 && length <= 32 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length)
		return TRUE;
	return refuse(key, value, error, "%s is not a name; write names such as %s",
		      name[0] ? name : "that", key->fallback);
}

/* "no" would be lost among others. */
static gboolean
check_uri_host(const Key *key, const char *value, const char *host, GError **error)
{
	if (g_str_equal(value, "no") || g_str_equal(host, "any"))
		return TRUE;
	if (!g_str_equal(host, "no") && (word_is_host_name(host) || g_hostname_is_ip_address(host)))
		return TRUE;
	return refuse(key, value, error, "write no, any, or hosts such as example.org;192.0.2.1");
}

static gboolean
check_item(const Key *key, const char *value, const char *item, GError **error)
{
	switch (key->type) {
	case TYPE_ADDRESS_LIST:
		return check_address(key, value, item, error);
	case TYPE_URI_LIST:
		return check_uri_host(key, value, item, error);
	default:
		return check_name(key, value, item, error);
	}
}

static gboolean
set_list(const Key *key, const char *value, gpointer field, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(value, ";", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (char **part = parts; *part; part++) {
		g_strstrip(*part);
		if (!**part)
			continue; /* "a;b;" as key files like it */
		if (!check_item(key, value, *part, error))
			return FALSE;
		if (!g_hash_table_add(seen, *part))
			return refuse(key, value, error, "%s is there twice; remove one", *part);
		g_strv_builder_add(builder, *part);
	}
	if (g_hash_table_size(seen) == 0)
		return refuse(key, value, error, "empty; write at least one, or remove the line");
	g_strfreev(*(char ***)field);
	*(char ***)field = g_strv_builder_end(builder);
	return TRUE;
}

static gboolean
check_log_level(const Key *key, const char *value, GError **error)
{
	static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

	return g_strv_contains(levels, value) ||
	       refuse(key, value, error, "write error, warning, info or debug");
}

static gboolean
check_path(const Key *key, const char *value, GError **error)
{
	gsize limit = sizeof((struct sockaddr_un *)0)->sun_path - 1;

	if (key->type == TYPE_SOCKET_PATH && strlen(value) > limit)
		return refuse(key, value, error,
			      "longer than the %u bytes the path of a socket may have; choose a "
			      "shorter folder",
			      (guint)limit);
	return TRUE;
}

static gboolean
check_text(const Key *key, const char *value, GError **error)
{
	if (!*value)
		return refuse(key, value, error,
			      "empty; write a value, or remove the line for the default");
	switch (key->type) {
	case TYPE_PATH:
	case TYPE_SOCKET_PATH:
		return check_path(key, value, error);
	case TYPE_ADDRESS:
		return check_address(key, value, value, error);
	case TYPE_DOMAIN:
		return word_is_host_name(value) ||
		       refuse(key, value, error, "not a domain; write one such as gw.example.org");
	case TYPE_HOST:
		return word_is_host_name(value) || g_hostname_is_ip_address(value) ||
		       refuse(key, value, error,
			      "neither a host name nor an address; write one such as "
			      "xmpp.example.org or 192.0.2.1");
	case TYPE_LOG_LEVEL:
		return check_log_level(key, value, error);
	case TYPE_EMERGENCY:
		return strcmp(value, "refuse") == 0 ||
		       (g_str_has_prefix(value, "trunk:") && value[strlen("trunk:")]) ||
		       refuse(key, value, error, "write refuse, or trunk: and the name of a trunk");
	case TYPE_COUNTRY:
		return numberplan_knows(value) ||
		       refuse(key, value, error,
			      "not a country; write its two letters of ISO 3166, such as DE");
	default:
		return TRUE;
	}
}

static gboolean
set_text(const Key *key, const char *value, gpointer field, GError **error)
{
	if (!check_text(key, value, error))
		return FALSE;
	g_free(*(char **)field);
	*(char **)field = key->type == TYPE_DOMAIN    ? g_ascii_strdown(value, -1)
			  : key->type == TYPE_COUNTRY ? g_ascii_strup(value, -1)
						      : g_strdup(value);
	return TRUE;
}

static gboolean
set_value(Config *config, const Key *key, const char *value, GError **error)
{
	gpointer field = (char *)config + key->offset;

	switch (key->type) {
	case TYPE_NUMBER:
	case TYPE_PORT:
		return set_number(key, value, field, error);
	case TYPE_BOOLEAN:
		return set_boolean(key, value, field, error);
	case TYPE_ADDRESS_LIST:
	case TYPE_NAME_LIST:
	case TYPE_URI_LIST:
		return set_list(key, value, field, error);
	case TYPE_SERVER:
		return set_server(key, value, field, error);
	default:
		return set_text(key, value, field, error);
	}
}

/* --- the whole --- */

static void
set_defaults(Config *config)
{
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (keys[i].fallback && !set_value(config, &keys[i], keys[i].fallback, &error))
			g_error("config.c: %s", error->message);
}

/* A host as it stands in a URI: RFC 3261 25.1, an IPv6 address in brackets. */
static char *
host_in_uri(const char *host)
{
	return strchr(host, ':') && host[0] != '[' ? g_strdup_printf("[%s]", host) : g_strdup(host);
}

static void
derive(Config *config)
{
	MediaOptions *media = &config->media;
	g_autofree char *domain = config->sip_domain;

	if (!domain)
		domain = g_strdup(config->sip_public_address ? config->sip_public_address
							     : config->sip_address);
	config->sip_domain = host_in_uri(domain);
	if (!media->rtp_address)
		media->rtp_address = g_strdup(config->sip_address);
	if (!media->local_addresses) {
		media->local_addresses = g_new0(char *, 2);
		media->local_addresses[0] = g_strdup(media->rtp_address);
	}
}

static gboolean
check_together(const Config *config, GError **error)
{
	const MediaOptions *media = &config->media;

	if (media->port_max <= media->port_min)
		g_set_error(
			error, CONFIG_ERROR, 0,
			"[media] port_max = %u: not above port_min = %u; a call needs at least two "
			"ports, 1000 calls 3000",
			media->port_max, media->port_min);
	else if (config->sip_port >= media->port_min && config->sip_port <= media->port_max)
		g_set_error(error, CONFIG_ERROR, 0,
			    "[sip] port = %u: within the media ports %u to %u; move one of them",
			    config->sip_port, media->port_min, media->port_max);
	else if (config->sip_throttle_max_block_s < config->sip_throttle_block_s)
		g_set_error(
			error, CONFIG_ERROR, 0,
			"[sip] throttle_max_block = %u: below throttle_block = %u; write that or "
			"more",
			config->sip_throttle_max_block_s, config->sip_throttle_block_s);
	else if (config->sip_min_expires > config->sip_max_expires)
		g_set_error(error, CONFIG_ERROR, 0,
			    "[sip] min_expires = %u: above max_expires = %u; write that or less",
			    config->sip_min_expires, config->sip_max_expires);
	else if (config->sip_tls_port && !config->sip_tls_certificate)
		g_set_error(error, CONFIG_ERROR, 0,
			    "[sip] tls_port = %u: without a certificate; write tls_certificate, a "
			    "PEM file, and tls_key if the key is in another one",
			    config->sip_tls_port);
	else if (config->sip_tls_port && config->sip_tls_port == config->sip_port)
		g_set_error(error, CONFIG_ERROR, 0,
			    "[sip] tls_port = %u: the same as port; 5061 is usual",
			    config->sip_tls_port);
	else if (media->turn.host && !media->turn_secret)
		g_set_error(error, CONFIG_ERROR, 0,
			    "[media] turn_secret: not set; write the secret that %s has for "
			    "time-limited credentials (static-auth-secret in coturn)",
			    media->turn.host);
	else if (!media->turn.host && (media->turn_secret || media->turn_relay))
		g_set_error(error, CONFIG_ERROR, 0,
			    "[media] turn_server: not set, but %s is; write the server, or remove "
			    "that line",
			    media->turn_secret ? "turn_secret" : "turn_relay");
	else if (!config->xmpp_secret &&
		 g_strv_contains((const char *const *)config->plugins, "xmpp"))
		g_set_error(error, CONFIG_ERROR, 0,
			    "[xmpp] secret: not set; write the secret your XMPP server has for the "
			    "component %s (component_secret in Prosody)",
			    config->xmpp_domain);
	else
		return TRUE;
	return FALSE;
}

/* GKeyFile would take the last of two equal keys in silence, and shows a line
 * that it does not understand, which may hold a secret. */
static gboolean
check_lines(const char *text, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *group = NULL;

	for (guint i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]), *equals = strchr(line, '=');

		if (!*line || *line == '#')
			continue;
		if (*line == '[' && line[strlen(line) - 1] == ']') {
			group = line;
			continue;
		}
		if (!equals || equals == line || !group) {
			g_set_error(
				error, CONFIG_ERROR, 0, "line %u: %s", i + 1,
				equals && equals != line
					? "a key before the first group; write [gateway] above it"
					: "write [group], key = value, or # and a comment");
			return FALSE;
		}
		*equals = '\0';
		g_strchomp(line);
		if (!g_hash_table_add(seen, g_strconcat(group, " ", line, NULL))) {
			g_set_error(error, CONFIG_ERROR, 0,
				    "line %u: %s %s is there a second time; remove one", i + 1,
				    group, line);
			return FALSE;
		}
	}
	return TRUE;
}

/* GLib warns of its own error handling when a value has two that it does not know. */
static gboolean
escapes_are_known(const char *raw)
{
	for (; *raw; raw++)
		if (*raw == '\\' && (!raw[1] || !strchr("sntr\\", *++raw)))
			return FALSE;
	return TRUE;
}

static gboolean
read_group(Config *config, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) words = g_key_file_get_keys(file, group, NULL, NULL);

	if (!group_exists(group))
		return unknown_group(group, error);
	for (char **word = words; word && *word; word++) {
		g_autofree char *raw = NULL, *value = NULL;
		const Key *key = NULL;

		for (guint i = 0; !key && i < G_N_ELEMENTS(keys); i++)
			if (g_str_equal(keys[i].group, group) && g_str_equal(keys[i].key, *word))
				key = &keys[i];
		if (!key)
			return unknown_key(group, *word, error);
		raw = g_key_file_get_value(file, group, *word, NULL);
		if (!raw || !escapes_are_known(raw))
			return refuse(key, raw ? raw : "?", error,
				      "a \"\\\" must be written as \"\\\\\"");
		value = g_key_file_get_string(file, group, *word, NULL);
		if (!value)
			return refuse(key, raw, error, "cannot be read; write the value again");
		if (!set_value(config, key, g_strstrip(value), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_text(Config *config, const char *text, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_auto(GStrv) groups = NULL;

	if (!g_utf8_validate(text, -1, NULL)) {
		g_set_error(error, CONFIG_ERROR, 0, "not UTF-8; save it in that encoding");
		return FALSE;
	}
	if (g_str_has_prefix(text, "\xef\xbb\xbf")) /* some editors begin a file so */
		text += 3;
	if (!check_lines(text, error) ||
	    (*text && !g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, error)))
		return FALSE;
	groups = g_key_file_get_groups(file, NULL);
	for (char **group = groups; *group; group++)
		if (!read_group(config, file, *group, error))
			return FALSE;
	return check_together(config, error);
}

Config *
config_from_text(const char *text, const char *name, GError **error)
{
	g_autoptr(Config) config = g_new0(Config, 1);
	g_autoptr(GError) cause = NULL;

	set_defaults(config);
	if (!read_text(config, text, &cause)) {
		g_set_error(error, CONFIG_ERROR, 0, "%s: %s", name, cause->message);
		return NULL;
	}
	derive(config);
	return g_steal_pointer(&config);
}

Config *
config_load(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) cause = NULL;
	gsize length;

	if (!path) {
		Config *config = g_new0(Config, 1);

		set_defaults(config);
		derive(config);
		return config;
	}
	if (!g_file_get_contents(path, &text, &length, &cause)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "%s; tandemd --print-config shows what to write there", cause->message);
		return NULL;
	}
	if (length > MAX_FILE_BYTES || strlen(text) != length) {
		g_set_error(error, CONFIG_ERROR, 0, "%s: not a text file of at most 1 MB", path);
		return NULL;
	}
	return config_from_text(text, path, error);
}

/* --- while it runs --- */

/* Asked for each time by the signalling thread; all others are bound, opened or handed to
 * another thread at the start. */
static const char *const LIVE[] = {
	"gateway log_level",
	"gateway country",
	"gateway emergency",
	"gateway drain_seconds",
	"sip min_expires",
	"sip max_expires",
	"sip dial_uris",
	"calls setup_timeout",
	"calls ring_timeout",
	"calls first_ring",
	"calls connect_timeout",
	"calls change_timeout",
	"calls max_duration",
	"calls hide_digits",
	"limits max_calls",
	"limits max_calls_per_user",
	"limits max_setup_per_second",
};

static gboolean
is_live(const Key *key)
{
	g_autofree char *name = g_strdup_printf("%s %s", key->group, key->key);

	for (guint i = 0; i < G_N_ELEMENTS(LIVE); i++)
		if (strcmp(LIVE[i], name) == 0)
			return TRUE;
	return FALSE;
}

static gsize
field_size(const Key *key)
{
	switch (key->type) {
	case TYPE_NUMBER:
		return sizeof(guint);
	case TYPE_PORT:
		return sizeof(guint16);
	case TYPE_BOOLEAN:
		return sizeof(gboolean);
	case TYPE_SERVER:
		return sizeof(MediaServer);
	default:
		return sizeof(gpointer);
	}
}

static gboolean
differs(const Config *one, const Config *other, const Key *key)
{
	gconstpointer a = (const char *)one + key->offset, b = (const char *)other + key->offset;
	const MediaServer *server = a, *other_server = b;
	const char *const *list = NULL, *const *other_list = NULL;

	switch (key->type) {
	case TYPE_NUMBER:
	case TYPE_PORT:
	case TYPE_BOOLEAN:
		return memcmp(a, b, field_size(key)) != 0;
	case TYPE_SERVER:
		return g_strcmp0(server->host, other_server->host) != 0 ||
		       server->port != other_server->port;
	case TYPE_ADDRESS_LIST:
	case TYPE_NAME_LIST:
	case TYPE_URI_LIST:
		list = *(const char *const *const *)a;
		other_list = *(const char *const *const *)b;
		return !list != !other_list || (list && !g_strv_equal(list, other_list));
	default:
		return g_strcmp0(*(char *const *)a, *(char *const *)b) != 0;
	}
}

static void
swap(Config *one, Config *other, const Key *key)
{
	char *a = (char *)one + key->offset, *b = (char *)other + key->offset;

	for (gsize i = 0; i < field_size(key); i++) {
		char byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

gboolean
config_renew(Config *config, const char *path, char **text, GError **error)
{
	g_autoptr(Config) fresh = config_load(path, error);
	g_autoptr(GString) taken = g_string_new(NULL), waiting = g_string_new(NULL);

	if (!fresh)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		GString *list = is_live(&keys[i]) ? taken : waiting;

		if (!differs(config, fresh, &keys[i]))
			continue;
		g_string_append_printf(list, "%s[%s] %s", list->len ? ", " : "", keys[i].group,
				       keys[i].key);
		if (list == taken)
			swap(config, fresh, &keys[i]);
	}
	*text = g_strdup_printf("taken over: %s; waiting for a restart: %s",
				taken->len ? taken->str : "nothing",
				waiting->len ? waiting->str : "nothing");
	return TRUE;
}

void
config_free(Config *config)
{
	if (!config)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		gpointer field = (char *)config + keys[i].offset;

		switch (keys[i].type) {
		case TYPE_NUMBER:
		case TYPE_PORT:
		case TYPE_BOOLEAN:
			break;
		case TYPE_ADDRESS_LIST:
		case TYPE_NAME_LIST:
		case TYPE_URI_LIST:
			g_strfreev(*(char ***)field);
			break;
		case TYPE_SERVER:
			g_free(((MediaServer *)field)->host);
			break;
		default:
			g_free(*(char **)field);
		}
	}
	g_free(config);
}

char *
config_template(void)
{
	GString *text = g_string_new(
		"# Configuration of tandemd.  Each line shows the default; remove the\n"
		"# \"#\" before a key to change it.\n");
	const char *group = "";

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		const Key *key = &keys[i];

		if (!g_str_equal(group, key->group))
			g_string_append_printf(text, "\n[%s]\n", key->group);
		group = key->group;
		g_string_append_printf(text, "# %s", key->help);
		if (key->max > 0)
			g_string_append_printf(text, " (%u to %u)", key->min, key->max);
		if (is_live(key))
			g_string_append(text, "; a reload takes it over");
		g_string_append_printf(text, "\n#%s = %s\n", key->key,
				       key->fallback ? key->fallback : "");
	}
	return g_string_free(text, FALSE);
}
