/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config.c - the whole configuration: read, checked, renewed, shown.
 *
 * The table of config_key.c drives it.  What one value asks of another is in
 * check_together(), what is derived from another in derive().  Every error is one line:
 * file, [group] key = value, what is wrong, the remedy.
 */
#include <string.h>
#include "b2bua/config_key.h"
#include "b2bua/words.h"

#define MAX_FILE_BYTES (1024 * 1024)

/* --- groups and keys --- */

static gboolean
group_exists(const char *group)
{
	for (guint i = 0; i < config_n_keys; i++)
		if (g_str_equal(config_keys[i].group, group))
			return TRUE;
	return FALSE;
}

static const char *
nearest_group(const char *group)
{
	const char *best = NULL;

	for (guint i = 0; i < config_n_keys; i++)
		if (words_are_near(group, config_keys[i].group) &&
		    (!best ||
		     words_distance(group, config_keys[i].group) < words_distance(group, best)))
			best = config_keys[i].group;
	return best;
}

/* The same word in another group comes first, then the nearest in this one. */
static const ConfigKey *
nearest_key(const char *group, const char *word)
{
	const ConfigKey *best = NULL;

	for (guint i = 0; i < config_n_keys; i++) {
		if (g_str_equal(config_keys[i].key, word))
			return &config_keys[i];
		if (g_str_equal(config_keys[i].group, group) &&
		    words_are_near(word, config_keys[i].key) &&
		    (!best ||
		     words_distance(word, config_keys[i].key) < words_distance(word, best->key)))
			best = &config_keys[i];
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
	const ConfigKey *near = nearest_key(group, word);

	if (near)
		g_set_error(error, CONFIG_ERROR, 0, "[%s] %s: unknown key; did you mean [%s] %s?",
			    group, word, near->group, near->key);
	else
		g_set_error(error, CONFIG_ERROR, 0,
			    "[%s] %s: unknown key; remove it: tandemd --print-config shows all",
			    group, word);
	return FALSE;
}

/* --- the whole --- */

static void
set_defaults(Config *config)
{
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < config_n_keys; i++)
		if (config_keys[i].fallback &&
		    !config_value_set(config, &config_keys[i], config_keys[i].fallback, &error))
			g_error("config_key.c: %s", error->message);
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
	media->transcode = strcmp(config->transcode, "never") != 0;
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

/* Somebody else's plugin reads its own section: the keys are not ours to know. */
static gboolean
read_own_group(Config *config, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) words = g_key_file_get_keys(file, group, NULL, NULL);

	if (!g_strv_contains((const char *const *)config->plugins, group))
		return unknown_group(group, error);
	for (char **word = words; word && *word; word++) {
		g_autofree char *raw = g_key_file_get_value(file, group, *word, NULL);
		char *value = raw && escapes_are_known(raw)
				      ? g_key_file_get_string(file, group, *word, NULL)
				      : NULL;

		if (!value) {
			g_set_error(error, CONFIG_ERROR, 0,
				    "[%s] %s: not to be read; a \"\\\" must be written as \"\\\\\"",
				    group, *word);
			return FALSE;
		}
		g_hash_table_insert(config->own, g_strconcat(group, " ", *word, NULL),
				    g_strstrip(value));
	}
	return TRUE;
}

static gboolean
read_group(Config *config, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) words = g_key_file_get_keys(file, group, NULL, NULL);

	for (char **word = words; word && *word; word++) {
		g_autofree char *raw = NULL, *value = NULL;
		const ConfigKey *key = NULL;

		for (guint i = 0; !key && i < config_n_keys; i++)
			if (g_str_equal(config_keys[i].group, group) &&
			    g_str_equal(config_keys[i].key, *word))
				key = &config_keys[i];
		if (!key)
			return unknown_key(group, *word, error);
		raw = g_key_file_get_value(file, group, *word, NULL);
		if (!raw || !escapes_are_known(raw))
			return config_value_refuse(key, raw ? raw : "?", error,
						   "a \"\\\" must be written as \"\\\\\"");
		value = g_key_file_get_string(file, group, *word, NULL);
		if (!value)
			return config_value_refuse(key, raw, error,
						   "cannot be read; write the value again");
		if (!config_value_set(config, key, g_strstrip(value), error))
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
		if (group_exists(*group) && !read_group(config, file, *group, error))
			return FALSE;
	for (char **group = groups; *group; group++) /* which plugins there are is known now */
		if (!group_exists(*group) && !read_own_group(config, file, *group, error))
			return FALSE;
	return check_together(config, error);
}

static Config *
config_new(void)
{
	Config *config = g_new0(Config, 1);

	config->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	set_defaults(config);
	return config;
}

Config *
config_from_text(const char *text, const char *name, GError **error)
{
	g_autoptr(Config) config = config_new();
	g_autoptr(GError) cause = NULL;

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
		Config *config = config_new();

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
	"gateway log_format",
	"gateway log_level",
	"gateway country",
	"gateway emergency",
	"gateway drain_seconds",
	"media transcode",
	"xmpp operators",
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
	"guard abroad_at_once",
	"guard abroad_calls",
	"guard abroad_calls_hour",
	"guard abroad_hours",
	"guard abroad_minutes_hour",
	"guard calls_day",
	"guard calls_hour",
	"guard countries",
	"guard currency",
	"guard longest_abroad",
	"guard longest_home",
	"guard longest_premium",
	"guard minutes_day",
	"guard minutes_hour",
	"guard money_day",
	"guard money_hour",
	"guard more",
	"guard new_countries",
	"guard new_countries_hour",
	"guard premium_calls",
	"guard premium_minutes",
	"limits abroad_minutes",
	"limits max_calls",
	"limits max_calls_per_user",
	"limits max_setup_per_second",
};

static gboolean
is_live(const ConfigKey *key)
{
	g_autofree char *name = g_strdup_printf("%s %s", key->group, key->key);

	for (guint i = 0; i < G_N_ELEMENTS(LIVE); i++)
		if (strcmp(LIVE[i], name) == 0)
			return TRUE;
	return FALSE;
}

static gboolean
own_is_equal(GHashTable *one, GHashTable *other)
{
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, one);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (g_strcmp0(g_hash_table_lookup(other, key), value) != 0)
			return FALSE;
	return g_hash_table_size(one) == g_hash_table_size(other);
}

gboolean
config_renew(Config *config, const char *path, char **text, GError **error)
{
	g_autoptr(Config) fresh = config_load(path, error);
	g_autoptr(GString) taken = g_string_new(NULL), waiting = g_string_new(NULL);

	if (!fresh)
		return FALSE;
	for (guint i = 0; i < config_n_keys; i++) {
		GString *list = is_live(&config_keys[i]) ? taken : waiting;

		if (!config_value_differs(config, fresh, &config_keys[i]))
			continue;
		g_string_append_printf(list, "%s[%s] %s", list->len ? ", " : "",
				       config_keys[i].group, config_keys[i].key);
		if (list == taken)
			config_value_swap(config, fresh, &config_keys[i]);
	}
	if (!own_is_equal(config->own, fresh->own)) {
		GHashTable *before = config->own;

		g_string_append_printf(taken, "%swhat plugins have of their own",
				       taken->len ? ", " : "");
		config->own = fresh->own;
		fresh->own = before;
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
	for (guint i = 0; i < config_n_keys; i++)
		config_value_free(config, &config_keys[i]);
	g_clear_pointer(&config->own, g_hash_table_unref);
	g_free(config);
}

char *
config_text(const Config *config, const char *section, const char *key)
{
	g_autofree char *name = g_strconcat(section, " ", key, NULL);

	for (guint i = 0; i < config_n_keys; i++)
		if (g_str_equal(config_keys[i].group, section) &&
		    g_str_equal(config_keys[i].key, key))
			return config_value_text(config, &config_keys[i]);
	return config->own ? g_strdup(g_hash_table_lookup(config->own, name)) : NULL;
}

char *
config_template(void)
{
	GString *text = g_string_new(
		"# Configuration of tandemd.  Each line shows the default; remove the\n"
		"# \"#\" before a key to change it.\n");
	const char *group = "";

	for (guint i = 0; i < config_n_keys; i++) {
		const ConfigKey *key = &config_keys[i];

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
