/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_key.h - the table of the keys of tandem.conf, and what is done with a value of each
 * type: for config*.c, and for the help and the completion of tandemctl.
 *
 * Thread: any.
 */
#pragma once
#include "b2bua/config.h"

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
	TYPE_JID_LIST,	   /* bare JIDs by ";" */
	TYPE_COUNTRY_LIST, /* "any", or two letters each, by ";" */
	TYPE_HOURS,	   /* "7-22" */
	TYPE_LOG_LEVEL,
	TYPE_TRANSCODE, /* a policy of transcoding.h */
	TYPE_EMERGENCY,
	TYPE_PLAIN_RTP, /* no, local, yes */
	TYPE_HOOK,	/* "/program", "http://…", "https://…" */
	TYPE_COUNTRY,	/* two letters, upper case */
	TYPE_NUMBER,	/* guint within min … max */
	TYPE_PORT,	/* guint16 within min … max */
	TYPE_BOOLEAN,
	N_TYPES
} ConfigType;

typedef struct {
	const char *group, *key;
	ConfigType type;
	const char *fallback; /* as text; NULL: none */
	guint min, max;
	size_t offset;
	const char *help;
} ConfigKey;

/* --- config_key.c --- */
extern const ConfigKey config_keys[];
extern const guint config_n_keys;

/* --- config_value.c --- */
/* FALSE, with an error that names the key, the value unless it is secret, and why. */
gboolean config_value_refuse(const ConfigKey *key, const char *value, GError **error,
			     const char *format, ...) G_GNUC_PRINTF(4, 5);
gboolean config_value_set(Config *config, const ConfigKey *key, const char *value, GError **error);
/* New; NULL: it has none. */
char *config_value_text(const Config *config, const ConfigKey *key);
gboolean config_value_differs(const Config *one, const Config *other, const ConfigKey *key);
void config_value_swap(Config *one, Config *other, const ConfigKey *key);
void config_value_free(Config *config, const ConfigKey *key);
