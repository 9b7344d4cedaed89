/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config.h - the key file, checked, as a struct.  Every default stands in the
 * one table of config_key.c.
 *
 * A mistake is one line that names the file, the key, the value and the remedy.
 * Thread: any; immutable after config_load(), but for config_renew(): what that changes is
 * asked for by the signalling thread alone.
 */
#pragma once
#include <glib.h>
#include "b2bua/guard_rule.h"
#include "media/media.h"

struct Config {
	/* [gateway] */
	char *database;	      /* path of the SQLite file */
	char *control_socket; /* path of tandemctl's socket */
	char **plugins;	      /* in start order: "xmpp;sip;echo" */
	char *plugin_dir;
	char *log_format;    /* a name of log_line.h */
	char *log_level;     /* "error", "warning", "info", "debug" */
	char *country;	     /* "DE": of users and their numbers without a "+"; NULL: none */
	char *emergency;     /* "refuse", "trunk:NAME"; NULL: without plugin sip */
	guint drain_seconds; /* how long an orderly stop waits for calls to end */
	/* [xmpp] */
	char *xmpp_domain; /* "gw.example.org": the component's name */
	char *xmpp_host;   /* address of the server's component port */
	guint xmpp_port;
	char *xmpp_secret;
	char *xmpp_plain_rtp;	 /* "no", "local", "yes": calls without DTLS */
	char *xmpp_local_domain; /* whose users "local" means, or NULL: the domain above ours */
	char **xmpp_operators;	 /* bare JIDs, told of what needs a person; NULL: nobody */
	/* [sip] */
	char *sip_address; /* numeric; bound and put in Contact and Via */
	guint sip_port;
	char *sip_domain;			 /* host part of our From; default: sip_address */
	guint sip_tls_port;			 /* 0: no TLS */
	char *sip_tls_certificate, *sip_tls_key; /* PEM files; the key's may be NULL */
	guint sip_min_expires, sip_max_expires;	 /* of a registration, in s */
	guint sip_keepalive_s;			 /* between OPTIONS to a softphone; 0: none */
	guint sip_throttle_failures, sip_throttle_window_s;
	guint sip_throttle_block_s, sip_throttle_max_block_s;
	char **sip_dial_uris;	  /* hosts, "any", "no": dial_uri.h */
	char *sip_public_address; /* put in Contact instead, or NULL */
	/* [media] */
	MediaOptions media;
	char *transcode; /* a policy's name: transcoding.h */
	/* [calls] */
	guint first_ring_s; /* before the next devices of a user ring */
	guint setup_timeout_s, ring_timeout_s, connect_timeout_s, change_timeout_s, max_duration_s;
	guint dead_timeout_s; /* 0: never */
	gboolean hide_digits; /* keys pressed are "***" in ladders and logs */
	/* [records]; 0: for ever */
	guint keep_days, keep_ladder_days;
	char *hook; /* a program's path or a URL, told of each call that has ended; NULL: none */
	char *hook_token; /* for the URL; or NULL */
	guint hook_hours; /* how long a call waits to be taken */
	/* [texts] */
	guint texts_account_minute, texts_account_day, texts_trunk_minute, texts_waiting;
	/* [limits]: what a stranger can make us allocate */
	guint max_calls, max_calls_per_user, max_setup_per_second;
	guint max_stanza_bytes, max_sdp_bytes, max_iqs, max_connections;
	/* [http] */
	char *http_address; /* numeric */
	guint http_port;    /* 0: no HTTP */
	/* [guard]: what one account may use; also in [limits] */
	guint guard[N_GUARD_RULES];
	char **guard_countries; /* "any", or those that nobody is asked about; NULL: each is */
	char *abroad_hours;	/* "7-22"; NULL: always */
	guint guard_more;	/* how often a day the person may say yes to as much again */
	char *currency;		/* "EUR" */
	/* [NAME] of other plugins than ours: "NAME key" → text; NULL: none */
	GHashTable *own;
};
typedef struct Config Config;

#define CONFIG_ERROR (g_quark_from_static_string("tandem-config"))

/* Path NULL: embedded defaults alone, which do for loopback; xmpp_secret is then
 * NULL and the xmpp plugin must say so.  In a file it must be set when xmpp is
 * among the plugins.  `error` is one line. */
Config *config_load(const char *path, GError **error);
Config *config_from_text(const char *text, const char *name, GError **error);
/* Takes over what `path` says now and can change while calls are up; `text` says what that
 * was, and which other changes wait for a restart.  On an error all stays. */
gboolean config_renew(Config *config, const char *path, char **text, GError **error);
void config_free(Config *config);
/* One value as it would be written, its default included; of a secret as well.  A section
 * that has the name of a plugin in `plugins`, and no key of ours, may have any key.  New; NULL:
 * nothing. */
char *config_text(const Config *config, const char *section, const char *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)
/* The whole table as a commented key file: what `tandemd --print-config` shows. */
char *config_template(void);
