/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* setting.c - the one table of what a user has of his own. */
#include "b2bua/setting.h"
#include "b2bua/address.h"
#include "b2bua/location.h"
#include "b2bua/numberplan.h"
#include "b2bua/words.h"
#include <string.h>

#define SETTING_ERROR (g_quark_from_static_string("tandem-setting"))

typedef struct SettingRow SettingRow;

struct SettingRow {
	const char *name;
	const char *values; /* as usage shows them */
	const char *fallback;
	char *(*check)(const SettingRow *row, const char *value, GError **error);
	const char *help;
};

static char *
refuse(const SettingRow *row, const char *value, GError **error)
{
	g_set_error(error, SETTING_ERROR, 0, "%s=%s: write %s", row->name, value, row->values);
	return NULL;
}

static char *
check_yes(const SettingRow *row, const char *value, GError **error)
{
	gboolean yes;

	if (!word_is_yes_or_no(value, &yes))
		return refuse(row, value, error);
	return g_strdup(yes ? "yes" : "no");
}

/* One of the words that usage shows. */
static char *
check_word(const SettingRow *row, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit(row->values, "|", -1);

	return g_strv_contains((const char *const *)words, value) ? g_strdup(value)
								  : refuse(row, value, error);
}

/* "least…most" */
static char *
check_number(const SettingRow *row, const char *value, GError **error)
{
	const char *most = strstr(row->values, "…") + strlen("…");
	guint64 number;

	if (g_ascii_string_to_unsigned(value, 10, g_ascii_strtoull(row->values, NULL, 10),
				       g_ascii_strtoull(most, NULL, 10), &number, NULL))
		return g_strdup_printf("%" G_GUINT64_FORMAT, number);
	g_set_error(error, SETTING_ERROR, 0, "%s=%s: write a whole number, %s", row->name, value,
		    row->values);
	return NULL;
}

static char *
check_destination(const SettingRow *row, const char *value, GError **error)
{
	char *number = NULL;

	if (!number_normalise(value, &number))
		g_set_error(error, SETTING_ERROR, 0,
			    "%s=%s: not a number; write one such as +14155550101", row->name,
			    value);
	return number;
}

/* Numbers, beginnings of such with a "*" after them, and "anonymous". */
static char *
check_blocked(const SettingRow *row, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(value, " ,", -1);

	for (char **word = words; *word; word++) {
		gsize digits = strspn(*word, "+0123456789");

		if (strcmp(*word, "anonymous") == 0 || !(*word)[digits] ||
		    (digits > 0 && strcmp(*word + digits, "*") == 0))
			continue;
		g_set_error(error, SETTING_ERROR, 0,
			    "%s=%s: %s is no number; write such as +14155550101,+49900*,anonymous",
			    row->name, value, *word);
		return NULL;
	}
	return strlen(value) < 4096 ? g_strjoinv(" ", words) : refuse(row, "…", error);
}

static char *
check_location(const SettingRow *row, const char *value, GError **error)
{
	char *location = location_check(value, error);

	if (!location)
		g_prefix_error(error, "%s=%s: ", row->name, value);
	return location;
}

static char *
check_country(const SettingRow *row, const char *value, GError **error)
{
	if (numberplan_knows(value))
		return g_ascii_strup(value, -1);
	g_set_error(error, SETTING_ERROR, 0,
		    "%s=%s: not a country; write its two letters of ISO 3166, such as DE",
		    row->name, value);
	return NULL;
}

static const SettingRow ROWS[N_SETTINGS] = {
	[SETTING_CALL_FAILED_MESSAGES] = { "call-failed-messages", "yes|no", "yes", check_yes,
					   "a chat message from the number says why a call "
					   "failed" },
	[SETTING_MISSED_CALL_MESSAGES] = { "missed-call-messages", "yes|no", "yes", check_yes,
					   "a chat message from the number tells of a missed "
					   "call" },
	[SETTING_RING] = { "ring", "both|xmpp|sip|xmpp-then-sip|sip-then-xmpp", "both", check_word,
			   "which devices ring: XMPP clients, softphones, or one after the "
			   "other" },
	[SETTING_COUNTRY] = { "country", "DE", NULL, check_country,
			      "country in which the user dials numbers without a \"+\"; default: "
			      "the gateway's" },
	[SETTING_MAX_COST] = { "max-cost", "0…9", "9", check_number,
			       "the highest cost of a route that the user may call by" },
	[SETTING_MAX_CALLS] = { "max-calls", "1…1000", NULL, check_number,
				"calls at once; default: the gateway's" },
	[SETTING_LOCATION] = { "location", "geo:52.52,13.40|country=DE;A3=…;RD=…;HNO=…|URI", NULL,
			       check_location,
			       "where the user is, sent with emergency calls: a position, an "
			       "address, or a URI to ask" },
	[SETTING_FORWARD_ALWAYS] = { "forward-always", "NUMBER", NULL, check_destination,
				     "all calls to the user go to this number" },
	[SETTING_FORWARD_BUSY] = { "forward-busy", "NUMBER", NULL, check_destination,
				   "calls while the user is busy go to this number" },
	[SETTING_FORWARD_NO_ANSWER] = { "forward-no-answer", "NUMBER", NULL, check_destination,
					"calls that nobody answers go to this number" },
	[SETTING_FORWARD_UNREACHABLE] = { "forward-unreachable", "NUMBER", NULL, check_destination,
					  "calls while no device of the user can be reached go to "
					  "this number" },
	[SETTING_RING_SECONDS] = { "ring-seconds", "5…600", NULL, check_number,
				   "seconds that the user's devices ring; default: the gateway's" },
	[SETTING_DO_NOT_DISTURB] = { "do-not-disturb", "yes|no", "no", check_yes,
				     "yes: no device rings; callers hear that the user is busy" },
	[SETTING_BLOCKED] = { "blocked", "NUMBER,+49900*,anonymous", NULL, check_blocked,
			      "callers who are declined" },
	[SETTING_BLOCK_ANONYMOUS] = { "block-anonymous", "yes|no", "no", check_yes,
				      "yes: callers who withhold their number are declined" },
	[SETTING_HIDE_NUMBER] = { "hide-number", "yes|no", "no", check_yes,
				  "yes: telephones that the user calls do not see the number, "
				  "except in an emergency" },
	[SETTING_ABROAD_MINUTES] = { "abroad-minutes", "0…100000", NULL, check_number,
				     "minutes a day to numbers outside the user's country, all "
				     "calls together; default: the gateway's" },
};

const char *
setting_name(Setting setting)
{
	return ROWS[setting].name;
}

const char *
setting_help(Setting setting)
{
	return ROWS[setting].help;
}

const char *
setting_values(Setting setting)
{
	return ROWS[setting].values;
}

const char *
setting_fallback(Setting setting)
{
	return ROWS[setting].fallback;
}

char *
setting_usage(void)
{
	GString *text = g_string_new(NULL);

	for (Setting setting = 0; setting < N_SETTINGS; setting++)
		g_string_append_printf(text, "%s%s=%s", setting ? " " : "", ROWS[setting].name,
				       ROWS[setting].values);
	return g_string_free(text, FALSE);
}

gboolean
setting_find(const char *name, Setting *setting)
{
	g_autofree char *hyphened = g_strdelimit(g_strdup(name), "_", '-');

	for (*setting = 0; *setting < N_SETTINGS; (*setting)++)
		if (strcmp(ROWS[*setting].name, hyphened) == 0)
			return TRUE;
	return FALSE;
}

char *
setting_check(Setting setting, const char *value, GError **error)
{
	return *value ? ROWS[setting].check(&ROWS[setting], value, error) : g_strdup("");
}

char *
setting_text(Store *store, const char *user, Setting setting)
{
	char *value = store_setting_get(store, user, ROWS[setting].name);
	gboolean yes;

	/* it has been kept as on and off */
	if (value && ROWS[setting].check == check_yes && word_is_yes_or_no(value, &yes)) {
		g_free(value);
		return g_strdup(yes ? "yes" : "no");
	}
	return value ? value : g_strdup(ROWS[setting].fallback);
}

gboolean
setting_on(Store *store, const char *user, Setting setting)
{
	g_autofree char *value = setting_text(store, user, setting);

	return g_strcmp0(value, "yes") == 0;
}
