/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_identity.c - who calls, by all that a request says of it, and whether he wants
 * it known. */
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/stack/sip_tel.h"
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>

#define MAX_NAME    128	 /* bytes of a display name that are kept */
#define MAX_VALUE   4096 /* bytes of a header line that are read */
#define MAX_ENTRIES 32	 /* of all lines of a header */

/* --- lists --- */

static void
name_addr_free(gpointer data)
{
	NameAddr *entry = data;

	g_free(entry->name);
	g_free(entry->uri);
	g_free(entry->params);
	g_free(entry);
}

char *
identity_name(const char *display)
{
	g_autoptr(GString) name = g_string_new(NULL);
	gsize length = display ? strlen(display) : 0;
	gboolean quoted = length >= 2 && display[0] == '"' && display[length - 1] == '"';
	g_autofree char *valid = NULL;
	const char *end;

	for (gsize i = quoted; i < length - quoted; i++) {
		if (quoted && display[i] == '\\' && i + 1 < length - quoted)
			i++;
		if ((guchar)display[i] >= 0x20 && display[i] != 0x7f)
			g_string_append_c(name, display[i]);
	}
	valid = g_utf8_make_valid(name->str, name->len);
	if (strlen(valid) > MAX_NAME) {
		end = g_utf8_find_prev_char(valid, valid + MAX_NAME);
		valid[end ? end - valid : 0] = '\0';
	}
	return valid[0] ? g_steal_pointer(&valid) : NULL;
}

/* A bracket that is closed before another opens. */
static gboolean
is_bracket(const char *text)
{
	return *text == '<' && text[1 + strcspn(text + 1, "<>")] == '>';
}

/* The first of these characters that stands neither in quotes nor in brackets; the end
 * when there is none. */
static const char *
find_outside(const char *text, const char *wanted)
{
	gboolean quoted = FALSE, bracketed = FALSE;

	for (; *text; text++) {
		if (!quoted && !bracketed && strchr(wanted, *text))
			break;
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"' && !bracketed)
			quoted = !quoted;
		else if (!quoted && (is_bracket(text) || *text == '>'))
			bracketed = *text == '<';
	}
	return text;
}

/* name-addr, or addr-spec, whose parameters may be its own: "tel:…;phone-context=…". */
static NameAddr *
read_entry(char *text)
{
	const char *open, *close;
	NameAddr *entry;

	g_strstrip(text);
	open = find_outside(text, "<");
	close = *open ? strchr(open, '>') : NULL;
	if (!*text || (*open && !close))
		return NULL;
	entry = g_new0(NameAddr, 1);
	if (!*open) {
		entry->uri = g_strdup(text);
		entry->params = g_strdup(text + strcspn(text, ";"));
		return entry;
	}
	entry->uri = g_strstrip(g_strndup(open + 1, (gsize)(close - open - 1)));
	entry->params = g_strdup(close + 1);
	if (open > text) {
		g_autofree char *display = g_strchomp(g_strndup(text, (gsize)(open - text)));

		entry->name = identity_name(display);
	}
	return entry;
}

static void
add_entries(GPtrArray *entries, const char *value)
{
	if (strlen(value) > MAX_VALUE)
		return;
	while (*value && entries->len < MAX_ENTRIES) {
		const char *end = find_outside(value, ",");
		g_autofree char *text = g_strndup(value, (gsize)(end - value));
		NameAddr *entry = read_entry(g_strdelimit(text, "\r\n\t", ' '));

		if (entry)
			g_ptr_array_add(entries, entry);
		value = *end ? end + 1 : end;
	}
}

GPtrArray *
identity_split(const char *value)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(name_addr_free);

	add_entries(entries, value);
	return entries;
}

GPtrArray *
identity_entries(const sip_t *sip, const char *header)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(name_addr_free);

	for (const sip_unknown_t *line = sip->sip_unknown; line; line = line->un_next)
		if (line->un_name && line->un_value &&
		    g_ascii_strcasecmp(line->un_name, header) == 0)
			add_entries(entries, line->un_value);
	return entries;
}

/* From one parameter to the next: `at` stands on its semicolon. */
static const char *
next_param(const char *at)
{
	return *at ? find_outside(at + 1, ";") : at;
}

static gboolean
read_param(const char *at, const char *name, char **value)
{
	g_autofree char *text = g_strstrip(g_strndup(at, (gsize)(find_outside(at, ";") - at)));
	char *equals = strchr(text, '=');
	g_autofree char *given = equals ? g_strdup(equals + 1) : g_strdup("");

	if (equals)
		*equals = '\0';
	if (g_ascii_strcasecmp(g_strchomp(text), name) != 0)
		return FALSE;
	g_free(*value);
	*value = identity_name(g_strstrip(given));
	if (!*value)
		*value = g_strdup("");
	return TRUE;
}

gboolean
identity_param(const NameAddr *entry, const char *name, char **value)
{
	*value = NULL;
	for (const char *at = find_outside(entry->params, ";"); *at; at = next_param(at))
		if (read_param(at + 1, name, value))
			return TRUE;
	return FALSE;
}

/* --- addresses --- */

Address *
identity_address(const url_t *url)
{
	g_autofree char *user = tel_user(url);
	g_autofree char *number = NULL;

	if (!user)
		return NULL;
	/* digits without a "+" mean something in a country alone: the route knows which */
	if (number_normalise(user, &number))
		return address_new(ADDRESS_NUMBER, number, url->url_host, NULL);
	return address_new(ADDRESS_SIP, user, url->url_host ? url->url_host : "invalid", NULL);
}

Address *
identity_address_of(const NameAddr *entry)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autoptr(Address) address = NULL;
	url_t *url;

	if (strpbrk(entry->uri, " <>\""))
		return NULL;
	su_home_init(home);
	url = url_make(home, entry->uri);
	address = url ? identity_address(url) : NULL;
	su_home_deinit(home);
	return address ? address_with_name(address, entry->name) : NULL;
}

/* --- how private --- */

static gboolean
is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (g_ascii_strcasecmp(word, *words) == 0)
			return TRUE;
	return FALSE;
}

/* The last two are what a telephone's keys make of ANONYMOUS and UNAVAILABLE, as
 * networks write it that have room for digits alone. */
static gboolean
is_nobody(const char *user)
{
	static const char *const NAMES[] = { "anonymous", "restricted", "unavailable",
					     "unknown",	  "private",	"withheld",
					     "blocked",	  "266696687",	"86282452253",
					     NULL };

	return is_one_of(user[0] == '+' ? user + 1 : user, NAMES);
}

/* Of a display name less is certain: "Unknown" and "Unavailable" are said of names. */
static gboolean
is_nameless(const char *name)
{
	static const char *const NAMES[] = { "anonymous", "restricted", "withheld", NULL };

	return name && is_one_of(name, NAMES);
}

static gboolean
url_is_nobody(const url_t *url)
{
	const char *host = url->url_host ? url->url_host : "";
	g_autofree char *user = tel_user(url);
	gsize length = strlen(host);

	return (user && is_nobody(user)) || g_ascii_strcasecmp(host, "invalid") == 0 ||
	       (length > 8 && g_ascii_strcasecmp(host + length - 8, ".invalid") == 0);
}

gboolean
identity_is_anonymous(const sip_t *sip)
{
	g_autofree char *name = identity_name(sip->sip_from->a_display);

	return url_is_nobody(sip->sip_from->a_url) || is_nameless(name);
}

typedef enum {
	PRIVACY_NONE = 1 << 0,
	PRIVACY_NUMBER = 1 << 1,
	PRIVACY_CRITICAL = 1 << 2,
	PRIVACY_UNKNOWN = 1 << 3, /* something else, or something that cannot be read */
} PrivacyValues;

/* "full" and "uri" are from the drafts, and from Remote-Party-ID.
 * RFC 3323 4.2, RFC 3325 9.3: "header" is not about the From, but networks say it of a
 * number that is withheld (3GPP TS 29.163), and too much hidden harms less.  Of a
 * session, a device and the history nothing is passed on here. */
static PrivacyValues
privacy_value(const char *word)
{
	static const struct {
		const char *word;
		PrivacyValues value;
	} WORDS[] = {
		{ "none", PRIVACY_NONE },
		{ "id", PRIVACY_NUMBER },
		{ "user", PRIVACY_NUMBER },
		{ "header", PRIVACY_NUMBER },
		{ "full", PRIVACY_NUMBER },
		{ "uri", PRIVACY_NUMBER },
		{ "critical", PRIVACY_CRITICAL },
		{ "session", 0 },
		{ "history", 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++)
		if (g_ascii_strcasecmp(word, WORDS[i].word) == 0)
			return WORDS[i].value;
	return PRIVACY_UNKNOWN;
}

static PrivacyValues
values_of(const sip_privacy_t *privacy)
{
	PrivacyValues values = 0;

	for (const msg_param_t *word = privacy->priv_values; word && *word; word++)
		values |= privacy_value(*word);
	return values;
}

/* A second line of it is among the errors, as what it is; so is one that could not be
 * read, by its name. */
static PrivacyValues
privacy_of(const sip_t *sip)
{
	PrivacyValues values = sip->sip_privacy ? values_of(sip->sip_privacy) : 0;

	for (const sip_header_t *header = (const sip_header_t *)sip->sip_error; header;
	     header = header->sh_next) {
		if (header->sh_class->hc_hash == sip_privacy_class->hc_hash)
			values |= values_of(header->sh_privacy);
		else if (header->sh_class == sip_error_class && header->sh_error->er_name &&
			 g_ascii_strcasecmp(header->sh_error->er_name, "Privacy") == 0)
			values |= PRIVACY_NUMBER | PRIVACY_UNKNOWN;
	}
	return values;
}

/* "full", "uri", and both with "-network" behind; only these words say that it is shown. */
static gboolean
party_is_shown(const NameAddr *party)
{
	static const char *const SHOWN[] = {
		"off",	       "no", "none", "name", "name-network", "ipaddr", "ipaddr-network",
		"off-network", NULL
	};

	for (const char *at = find_outside(party->params, ";"); *at; at = next_param(at)) {
		g_autofree char *value = NULL;

		if (read_param(at + 1, "privacy", &value) && !is_one_of(value, SHOWN))
			return FALSE;
	}
	return TRUE;
}

static gboolean
is_calling(const NameAddr *party)
{
	g_autofree char *side = NULL;

	return !identity_param(party, "party", &side) || g_ascii_strcasecmp(side, "calling") == 0;
}

static gboolean
party_hides(GPtrArray *parties)
{
	for (guint i = 0; i < parties->len; i++)
		if (is_calling(parties->pdata[i]) && !party_is_shown(parties->pdata[i]))
			return TRUE;
	return FALSE;
}

/* "privacy=name": the number is shown, who that is is not. */
static gboolean
party_hides_name(const sip_t *sip)
{
	g_autoptr(GPtrArray) parties = identity_entries(sip, "Remote-Party-ID");
	gboolean hides = FALSE;

	for (guint i = 0; i < parties->len; i++) {
		g_autofree char *value = NULL;

		hides = hides || (is_calling(parties->pdata[i]) &&
				  identity_param(parties->pdata[i], "privacy", &value) &&
				  g_ascii_strncasecmp(value, "name", 4) == 0);
	}
	return hides;
}

NumberPrivacy
identity_privacy(const sip_t *sip)
{
	g_autoptr(GPtrArray) parties = identity_entries(sip, "Remote-Party-ID");
	PrivacyValues values = privacy_of(sip);

	if ((values & PRIVACY_NUMBER) || party_hides(parties))
		return NUMBER_HIDDEN;
	if (values & PRIVACY_NONE)
		return NUMBER_SHOWN;
	return identity_is_anonymous(sip) ? NUMBER_HIDDEN : NUMBER_AS_SET;
}

gboolean
identity_wants_too_much(const sip_t *sip)
{
	PrivacyValues values = privacy_of(sip);

	return (values & PRIVACY_CRITICAL) && (values & PRIVACY_UNKNOWN);
}

/* --- who calls --- */

static gboolean
is_number(const Address *address)
{
	return address->scheme == ADDRESS_NUMBER ||
	       !address->user[strspn(address->user, "0123456789")];
}

static void
add(GPtrArray *all, Address *address)
{
	if (address && !is_nobody(address->user))
		g_ptr_array_add(all, address);
	else
		address_free(address);
}

/* By how much they are trusted: what the network says of him first. */
static GPtrArray *
all_of(const sip_t *sip)
{
	g_autoptr(GPtrArray) asserted = identity_entries(sip, "P-Asserted-Identity");
	g_autoptr(GPtrArray) parties = identity_entries(sip, "Remote-Party-ID");
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)address_free);

	for (guint i = 0; i < asserted->len; i++)
		add(all, identity_address_of(asserted->pdata[i]));
	for (guint i = 0; i < parties->len; i++)
		if (is_calling(parties->pdata[i]))
			add(all, identity_address_of(parties->pdata[i]));
	if (!url_is_nobody(sip->sip_from->a_url)) {
		g_autofree char *name = identity_name(sip->sip_from->a_display);
		g_autoptr(Address) from = identity_address(sip->sip_from->a_url);

		if (from)
			add(all, address_with_name(from, is_nameless(name) ? NULL : name));
	}
	return all;
}

/* RFC 3325 9.1: a tel: URI beside the sip: URI of an account is his number. */
static const Address *
best_of(GPtrArray *all)
{
	for (guint i = 0; i < all->len; i++)
		if (is_number(all->pdata[i]))
			return all->pdata[i];
	return all->len ? all->pdata[0] : NULL;
}

/* A name is the one that stands beside the number, else another of him. */
static Address *
with_some_name(const Address *best, GPtrArray *all)
{
	const char *name = best->name;

	for (guint i = all->len; !name && i-- > 0;)
		name = ((const Address *)all->pdata[i])->name;
	return address_with_name(best, name);
}

void
identity_read(const sip_t *sip, Identity *identity)
{
	const Address *best;

	identity->all = all_of(sip);
	best = best_of(identity->all);
	identity->shown = identity->hidden = NULL;
	if (best && identity_privacy(sip) == NUMBER_HIDDEN)
		identity->hidden = address_copy(best);
	else if (best)
		identity->shown = party_hides_name(sip) ? address_with_name(best, NULL)
							: with_some_name(best, identity->all);
	if (!identity->shown)
		identity->shown = address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
}

void
identity_clear(Identity *identity)
{
	g_clear_pointer(&identity->shown, address_free);
	g_clear_pointer(&identity->hidden, address_free);
	g_clear_pointer(&identity->all, g_ptr_array_unref);
}

/* --- what a phone wants --- */

static void
add_number(GPtrArray *numbers, const Address *address)
{
	if (address && is_number(address) && !is_nobody(address->user))
		g_ptr_array_add(numbers, g_strdup(address->user));
}

static void
add_numbers(GPtrArray *numbers, const sip_t *sip, const char *header)
{
	g_autoptr(GPtrArray) entries = identity_entries(sip, header);

	for (guint i = 0; i < entries->len; i++) {
		g_autoptr(Address) address = identity_address_of(entries->pdata[i]);

		add_number(numbers, address);
	}
}

GPtrArray *
identity_numbers(const sip_t *sip, const char *header)
{
	GPtrArray *numbers = g_ptr_array_new_with_free_func(g_free);

	add_numbers(numbers, sip, header);
	return numbers;
}

GPtrArray *
identity_preferred(const sip_t *sip)
{
	GPtrArray *numbers = identity_numbers(sip, "P-Preferred-Identity");
	g_autoptr(Address) from = identity_address(sip->sip_from->a_url);

	add_numbers(numbers, sip, "P-Asserted-Identity");
	add_numbers(numbers, sip, "Remote-Party-ID");
	add_number(numbers, from);
	return numbers;
}
