/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* word_type.c - one check for each type of word. */
#include <string.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include "b2bua/address.h"
#include "b2bua/admin/word_type.h"
#include "b2bua/config_key.h"
#include "b2bua/country.h"
#include "b2bua/location.h"
#include "b2bua/number.h"
#include "b2bua/numberplan.h"
#include "b2bua/route/way_out.h"
#include "b2bua/words.h"
#include "media/codec.h"

#define MAX_FILE_BYTES (4 * 1024 * 1024)
#define MAX_TEXT_BYTES 255
#define MAX_LONG_BYTES 4096
#define LOWER	       "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	       "0123456789"
#define NUMBER_EXAMPLE "+14155550101"

/* What stands before the value in an error: "port=", "user ", "--last ". */
static char *
label(const Word *word)
{
	static const char *const nouns[N_WORD_TYPES] = {
		[WORD_USER] = "user",	   [WORD_NUMBER] = "number", [WORD_SOFTPHONE] = "softphone",
		[WORD_TRUNK] = "trunk",	   [WORD_TARGET] = "route",  [WORD_CALL] = "call",
		[WORD_SOURCE] = "address",
	};
	g_autofree char *lower = NULL;

	if (g_ascii_islower(word->name[0]) && !strchr(word->name, '|'))
		return g_strdup_printf("%s=", word->name);
	if (word_is_option(word))
		return g_strdup_printf("%s ", word->name);
	if (nouns[word->type])
		return g_strdup_printf("%s ", nouns[word->type]);
	if (word->type == WORD_CHOICE)
		return g_strdup("");
	lower = g_ascii_strdown(word->name, -1);
	return g_strdup_printf("%s ", lower);
}

gboolean
word_refuse(const Word *word, const char *text, GError **error, const char *format, ...)
{
	g_autofree char *before = label(word), *why = NULL;
	va_list arguments;

	va_start(arguments, format);
	why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (word->type == WORD_SECRET)
		text = "…";
	g_set_error(error, VERB_ERROR, 0, "%s%s: %s", before, text, why);
	return FALSE;
}

/* --- what a check of many types has in common --- */

/* "a, b or c" */
static char *
alternatives(const char *values)
{
	g_auto(GStrv) parts = g_strsplit(values, "|", -1);
	GString *text = g_string_new(NULL);

	for (char **part = parts; *part; part++)
		g_string_append_printf(text, "%s%s",
				       part == parts ? ""
				       : part[1]     ? ", "
						     : " or ",
				       *part);
	return g_string_free(text, FALSE);
}

typedef gboolean (*Item)(const Word *word, const char *whole, const char *item, GError **error);

/* Each of a list by blanks or commas, which is kept by blanks. */
static char *
check_list(const Word *word, const char *text, Item check, GError **error)
{
	g_auto(GStrv) parts = g_strsplit_set(text, " ,", -1);
	g_autoptr(GString) list = g_string_new(NULL);

	for (char **part = parts; *part; part++) {
		if (!**part)
			continue;
		if (!check(word, text, *part, error))
			return NULL;
		g_string_append_printf(list, "%s%s", list->len ? " " : "", *part);
	}
	return g_strdup(list->str);
}

static char *
keep(gboolean good, const char *text)
{
	return good ? g_strdup(text) : NULL;
}

/* --- texts, choices, numbers --- */

static char *
check_any(const Word *word, const char *text, GError **error)
{
	return g_strdup(text);
}

static char *
check_choice(const Word *word, const char *text, GError **error)
{
	g_auto(GStrv) choices = g_strsplit(word->values, "|", -1);
	g_autofree char *all = alternatives(word->values);

	return keep(g_strv_contains((const char *const *)choices, text) ||
			    word_refuse(word, text, error, "write %s", all),
		    text);
}

static const char *
yes_or_no(const char *text)
{
	static const char *const yes[] = { "yes", "y", "yep", "yeah", "ok", "true", "on", "1" };
	static const char *const no[] = { "no", "n", "nope", "false", "off", "0" };

	for (guint i = 0; i < G_N_ELEMENTS(yes); i++)
		if (g_ascii_strcasecmp(text, yes[i]) == 0)
			return "yes";
	for (guint i = 0; i < G_N_ELEMENTS(no); i++)
		if (g_ascii_strcasecmp(text, no[i]) == 0)
			return "no";
	return NULL;
}

static char *
check_yes(const Word *word, const char *text, GError **error)
{
	const char *said = yes_or_no(text);

	if (said)
		return g_strdup(said);
	word_refuse(word, text, error, "write yes or no");
	return NULL;
}

/* "30", or "1…30" */
static gboolean
is_within(gint64 number, const char *range)
{
	const char *dots = strstr(range, "…");
	gint64 least = g_ascii_strtoll(range, NULL, 10);

	return number >= least &&
	       number <= (dots ? g_ascii_strtoll(dots + strlen("…"), NULL, 10) : least);
}

static char *
check_whole(const Word *word, const char *text, GError **error)
{
	g_auto(GStrv) ranges = g_strsplit(word->values, "|", -1);
	g_auto(GStrv) parts = NULL;
	g_autofree char *from_to = NULL, *all = NULL;
	gint64 number;

	if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
		for (char **range = ranges; *range; range++)
			if (is_within(number, *range))
				return g_strdup_printf("%" G_GINT64_FORMAT, number);
	parts = g_strsplit(word->values, "…", -1);
	from_to = g_strjoinv(" to ", parts);
	all = alternatives(from_to);
	word_refuse(word, text, error, "write a whole number, %s", all);
	return NULL;
}

static char *
check_digits(const Word *word, const char *text, GError **error)
{
	return keep(strspn(text, DIGITS "*#") == strlen(text) ||
			    word_refuse(word, text, error, "write digits, * and # alone"),
		    text);
}

/* --- who --- */

static char *
check_user(const Word *word, const char *text, GError **error)
{
	g_autoptr(Address) address = address_from_jid(text);

	if (address && address->user && address->host && !address->resource)
		return address_bare_jid(address);
	word_refuse(word, text, error, "not a bare JID; write one such as alice@example.org");
	return NULL;
}

static char *
check_number(const Word *word, const char *text, GError **error)
{
	g_autofree char *number = NULL;

	if (number_normalise(text, &number) && number_is_e164(number))
		return g_steal_pointer(&number);
	word_refuse(word, text, error,
		    "not E.164; write + and 7 to 15 digits, such as " NUMBER_EXAMPLE);
	return NULL;
}

static char *
check_trunk(const Word *word, const char *text, GError **error)
{
	gsize length = strlen(text);

	return keep((length > 0 && length <= 32 && strspn(text, LOWER DIGITS "-") == length) ||
			    word_refuse(word, text, error,
					"not a name; write 1 to 32 of a-z, 0-9 and -"),
		    text);
}

/* The name stands in SIP URIs beside numbers, and must be none. */
static char *
check_softphone(const Word *word, const char *text, GError **error)
{
	gsize length = strlen(text);

	return keep((length > 0 && length <= 32 && g_ascii_islower(text[0]) &&
		     strspn(text, LOWER DIGITS "._-") == length) ||
			    word_refuse(word, text, error,
					"not a name; write 1 to 32 of a-z, 0-9, \".\", \"_\" and "
					"\"-\", beginning with a letter"),
		    text);
}

static char *
check_call(const Word *word, const char *text, GError **error)
{
	gint64 id;

	return keep(g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &id, NULL) ||
			    word_refuse(word, text, error, "not the id of a call; see 'calls'"),
		    text);
}

static char *
check_whose(const Word *word, const char *text, GError **error)
{
	if (strchr(text, '@'))
		return check_user(word, text, error);
	return keep(g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, NULL, NULL) ||
			    word_refuse(word, text, error,
					"neither a bare JID nor the id of a call; see 'calls'"),
		    text);
}

static char *
check_destination(const Word *word, const char *text, const char *country, GError **error)
{
	char *number = NULL;

	if (!number_dialled(text, country, &number))
		word_refuse(word, text, error,
			    "not a number%s%s; write one such as " NUMBER_EXAMPLE,
			    country ? " in " : "", country ? country : "");
	return number;
}

/* Who has no number: "GOOGLE", "bob@example.org", and the JID that a client shows of it. */
static gboolean
is_sender(const char *item)
{
	gboolean has_letter = FALSE;

	for (const char *c = item; *c; c++) {
		if (g_ascii_iscntrl(*c) || strchr("*\"<>;", *c))
			return FALSE;
		has_letter = has_letter || g_ascii_isalpha(*c) || (guchar)*c >= 0x80;
	}
	return has_letter && (*item != '+' || strchr(item, '@'));
}

static gboolean
check_caller(const Word *word, const char *whole, const char *item, GError **error)
{
	gsize digits = strspn(item, "+" DIGITS);

	return !item[digits] || (digits > 0 && strcmp(item + digits, "*") == 0) ||
	       is_sender(item) ||
	       word_refuse(word, whole, error,
			   "%s is not a number, and no sender's name; write such as " NUMBER_EXAMPLE
			   ",+49900*,GOOGLE,anonymous",
			   item);
}

static char *
check_callers(const Word *word, const char *text, GError **error)
{
	return check_list(word, text, check_caller, error);
}

/* --- where --- */

static gboolean
is_host(const char *text)
{
	return g_hostname_is_ip_address(text) ||
	       (*text &&
		strspn(text, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_.") == strlen(text));
}

/* An IPv6 address may stand in brackets, as in a URI; it is kept without. */
static char *
check_host(const Word *word, const char *text, GError **error)
{
	gsize length = strlen(text);
	gboolean brackets = text[0] == '[' && text[length - 1] == ']' && strchr(text, ':');
	g_autofree char *bare = brackets ? g_strndup(text + 1, length - 2) : g_strdup(text);

	if (is_host(bare))
		return g_steal_pointer(&bare);
	word_refuse(word, text, error,
		    "not a host name or address; write one such as sip.example.net (a port has "
		    "its own key)");
	return NULL;
}

/* "host" or "host:port"; an IPv6 address stands in brackets. */
static char *
check_proxy(const Word *word, const char *text, GError **error)
{
	g_autoptr(GSocketConnectable) address = g_network_address_parse(text, 5060, NULL);

	return keep(
		(address && is_host(g_network_address_get_hostname(G_NETWORK_ADDRESS(address)))) ||
			word_refuse(word, text, error,
				    "not a host; write one such as sip.example.net or "
				    "192.0.2.1:5062"),
		text);
}

static gboolean
check_network(const Word *word, const char *whole, const char *item, GError **error)
{
	g_autoptr(GInetAddressMask) mask = word_network(item);

	return mask || word_refuse(word, whole, error,
				   "%s is not an address or network; write such as "
				   "\"198.51.100.0/24 192.0.2.7\"",
				   item);
}

static char *
check_networks(const Word *word, const char *text, GError **error)
{
	return check_list(word, text, check_network, error);
}

static char *
check_country(const Word *word, const char *text, GError **error)
{
	if (numberplan_knows(text))
		return g_ascii_strup(text, -1);
	word_refuse(word, text, error,
		    "not a country; write its two letters of ISO 3166, such as DE");
	return NULL;
}

static gboolean
check_country_item(const Word *word, const char *whole, const char *item, GError **error)
{
	return numberplan_knows(item) || g_ascii_strcasecmp(item, COUNTRY_NONE) == 0 ||
	       word_refuse(
		       word, whole, error,
		       "%s is not a country; write any, or the two letters of ISO 3166 of each, "
		       "such as AT,CH",
		       item);
}

static char *
check_countries(const Word *word, const char *text, GError **error)
{
	g_autofree char *list = NULL;

	if (strcmp(text, "any") == 0)
		return g_strdup(text);
	list = check_list(word, text, check_country_item, error);
	return list ? g_ascii_strup(list, -1) : NULL;
}

static char *
check_hours(const Word *word, const char *text, GError **error)
{
	guint from, to;

	return keep(word_hours(text, &from, &to) ||
			    word_refuse(word, text, error,
					"not hours; write such as 7-22, or 22-6 over midnight"),
		    text);
}

static char *
check_money(const Word *word, const char *text, GError **error)
{
	guint amount;

	if (word_money(text, &amount))
		return word_of_money(amount);
	word_refuse(word, text, error, "not an amount; write such as 0.12");
	return NULL;
}

static char *
check_location(const Word *word, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;
	char *location = location_check(text, &cause);

	if (!location)
		word_refuse(word, text, error, "%s", cause->message);
	return location;
}

static char *
check_target(const Word *word, const char *text, GError **error)
{
	gsize length = strlen(text);

	/* digits alone are a short code, and none has so few, so many or such */
	if (length > 0 && strspn(text, DIGITS) == length &&
	    (length < 3 || length > 6 || text[0] == '0'))
		word_refuse(word, text, error,
			    "a short code has 3 to 6 digits and does not begin with 0; numbers are "
			    "written from + and the country on, such as +%s",
			    text + strspn(text, "0"));
	else if (!route_target_is_valid(text))
		word_refuse(word, text, error,
			    "write the beginning of numbers such as +49, a short code, "
			    "\"default\", or a class: fixed mobile toll-free premium shared-cost "
			    "satellite other short star");
	else
		return g_strdup(text);
	return NULL;
}

/* --- what else --- */

static gboolean
check_codec(const Word *word, const char *whole, const char *item, GError **error)
{
	g_autofree char *names = codec_names();

	return codec_type_named(item) ||
	       word_refuse(word, whole, error,
			   "%s is not a codec of this gateway, which has %s; write such as \"PCMA "
			   "PCMU\", the wanted one first",
			   item, names);
}

static char *
check_codecs(const Word *word, const char *text, GError **error)
{
	return check_list(word, text, check_codec, error);
}

static gboolean
check_trunk_item(const Word *word, const char *whole, const char *item, GError **error)
{
	return strspn(item, LOWER DIGITS "-") == strlen(item) ||
	       word_refuse(word, whole, error, "%s is not the name of a trunk; see 'trunk list'",
			   item);
}

static char *
check_trunks(const Word *word, const char *text, GError **error)
{
	return check_list(word, text, check_trunk_item, error);
}

static char *
check_section(const Word *word, const char *text, GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; i < config_n_keys; i++) {
		if (strcmp(config_keys[i].group, text) == 0)
			return g_strdup(text);
		if (i == 0 || strcmp(config_keys[i].group, config_keys[i - 1].group) != 0)
			g_string_append_printf(all, " %s", config_keys[i].group);
	}
	word_refuse(word, text, error, "no section of tandem.conf; there are:%s", all->str);
	return NULL;
}

/* A file that is not there fails each call later on, and says so to the caller alone. */
static char *
check_pem(const Word *word, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *held = NULL;
	GStatBuf status;

	if (!g_path_is_absolute(text))
		word_refuse(word, text, error, "write the whole path, from / on");
	else if (g_stat(text, &status) < 0 || !S_ISREG(status.st_mode))
		word_refuse(word, text, error, "no such file; put it there first");
	else if (status.st_size > MAX_FILE_BYTES || !g_file_get_contents(text, &held, NULL, &cause))
		word_refuse(word, text, error, "cannot be read%s%s; tandemd must be able to",
			    cause ? ": " : "", cause ? cause->message : "");
	else if (!strstr(held, "-----BEGIN "))
		word_refuse(word, text, error, "not a PEM file (\"-----BEGIN CERTIFICATE-----\")");
	else
		return g_strdup(text);
	return NULL;
}

static char *(*const CHECKS[N_WORD_TYPES])(const Word *word, const char *text, GError **error) = {
	[WORD_TEXT] = check_any,
	[WORD_SECRET] = check_any,
	[WORD_CHOICE] = check_choice,
	[WORD_YES] = check_yes,
	[WORD_WHOLE] = check_whole,
	[WORD_FLAG] = check_yes,
	[WORD_KEYS] = check_any,
	[WORD_NOUN] = check_any,
	[WORD_VERB] = check_any,
	[WORD_USER] = check_user,
	[WORD_NUMBER] = check_number,
	[WORD_SOFTPHONE] = check_softphone,
	[WORD_TRUNK] = check_trunk,
	[WORD_TRUNKS] = check_trunks,
	[WORD_TARGET] = check_target,
	[WORD_CALL] = check_call,
	[WORD_WHOSE] = check_whose,
	[WORD_SOURCE] = check_any,
	[WORD_DIALLED] = check_any,
	[WORD_PATH] = check_any,
	[WORD_HOST] = check_host,
	[WORD_PROXY] = check_proxy,
	[WORD_NETWORKS] = check_networks,
	[WORD_CODECS] = check_codecs,
	[WORD_PEM] = check_pem,
	[WORD_COUNTRY] = check_country,
	[WORD_COUNTRIES] = check_countries,
	[WORD_HOURS] = check_hours,
	[WORD_MONEY] = check_money,
	[WORD_DIGITS] = check_digits,
	[WORD_CALLERS] = check_callers,
	[WORD_LOCATION] = check_location,
	[WORD_SECTION] = check_section,
};

static gboolean
is_long(WordType type)
{
	return type == WORD_USER || type == WORD_COUNTRIES || type == WORD_CALLERS ||
	       type == WORD_NETWORKS || type == WORD_CODECS || type == WORD_TRUNKS ||
	       type == WORD_LOCATION || type == WORD_PATH || type == WORD_PEM ||
	       type == WORD_DIALLED;
}

/* Where calls are sent to, a person says "off" to send them nowhere. */
static gboolean
is_off(const Word *word, const char *text)
{
	return word->type == WORD_DESTINATION && g_ascii_strcasecmp(text, "off") == 0;
}

char *
word_check(const Word *word, const char *text, const char *country, GError **error)
{
	gsize most = is_long(word->type) ? MAX_LONG_BYTES : MAX_TEXT_BYTES;
	g_autofree char *before = label(word);

	/* values end up in SIP headers and in tables; what is shown of a bad one is its name */
	if (strlen(text) > most) {
		g_set_error(error, VERB_ERROR, 0,
			    "%s…: longer than %" G_GSIZE_FORMAT " bytes; shorten it", before, most);
		return NULL;
	}
	for (const char *at = text; *at; at++)
		if (g_ascii_iscntrl(*at)) {
			g_set_error(error, VERB_ERROR, 0, "%s…: has a control character; remove it",
				    before);
			return NULL;
		}
	if (word->flags & WORD_UNSETTABLE && (!*text || is_off(word, text)))
		return g_strdup("");
	return word->type == WORD_DESTINATION ? check_destination(word, text, country, error)
					      : CHECKS[word->type](word, text, error);
}
