/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* location.c - where a user is: checked, and as PIDF-LO. */
#include "b2bua/location.h"
#include <math.h>
#include <string.h>

#define LOCATION_ERROR (g_quark_from_static_string("tandem-location"))
#define MAX_BYTES      1024

/* RFC 5139 3.1 and RFC 4119 2.2.1, in the order of the schema. */
static const char *const CIVIC[] = {
	"country", "A1",  "A2",	   "A3",   "A4",      "A5",  "A6",  "PRM",   "PRD",    "RD",  "STS",
	"POD",	   "POM", "RDSEC", "RDBR", "RDSUBBR", "HNO", "HNS", "LMK",   "LOC",    "FLR", "NAM",
	"PC",	   "BLD", "UNIT",  "ROOM", "SEAT",    "PLC", "PCN", "POBOX", "ADDCODE"
};

static gboolean
fail(GError **error, const char *what)
{
	g_set_error(error, LOCATION_ERROR, 0,
		    "%s; write a position such as geo:52.52,13.40, an address such as "
		    "country=DE;A3=Berlin;RD=Hauptstraße;HNO=1 (RFC 5139), or a URI",
		    what);
	return FALSE;
}

/* --- positions --- */

typedef struct {
	double at[3];  /* latitude, longitude, altitude in m */
	guint n;       /* 2 or 3 of them */
	double radius; /* m; 0: not said */
} Position;

static gboolean
read_number(const char *text, double *number)
{
	char *end;

	/* digits alone: no "nan", "inf" and "0x1p4" */
	if (!*text || text[strspn(text, "+-.0123456789")])
		return FALSE;
	*number = g_ascii_strtod(text, &end);
	return *end == '\0' && isfinite(*number);
}

/* RFC 5870 3.3 */
static gboolean
read_position(const char *text, Position *position)
{
	g_auto(GStrv) parts = g_strsplit(text + strlen("geo:"), ";", -1);
	g_auto(GStrv) numbers = g_strsplit(parts[0] ? parts[0] : "", ",", -1);

	*position = (Position){ .n = g_strv_length(numbers) };
	if (position->n < 2 || position->n > 3)
		return FALSE;
	for (guint i = 0; i < position->n; i++)
		if (!read_number(numbers[i], &position->at[i]))
			return FALSE;
	for (char **part = parts + 1; *part; part++) {
		if (g_ascii_strncasecmp(*part, "u=", 2) == 0) {
			if (!read_number(*part + 2, &position->radius) || position->radius < 0)
				return FALSE;
		} else if (g_ascii_strcasecmp(*part, "crs=wgs84") != 0)
			return FALSE;
	}
	return fabs(position->at[0]) <= 90 && fabs(position->at[1]) <= 180;
}

static void
append_number(GString *xml, double number)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(xml, g_ascii_formatd(text, sizeof(text), "%.10g", number));
}

/* RFC 5491 5.2: a point, or where he is somewhere within. */
static void
append_position(GString *xml, const Position *position)
{
	const char *shape = position->radius == 0 ? "gml:Point"
			    : position->n == 2	  ? "gs:Circle"
						  : "gs:Sphere";

	g_string_append_printf(xml, "<%s srsName=\"urn:ogc:def:crs:EPSG::%s\"><gml:pos>", shape,
			       position->n == 2 ? "4326" : "4979");
	for (guint i = 0; i < position->n; i++) {
		if (i > 0)
			g_string_append_c(xml, ' ');
		append_number(xml, position->at[i]);
	}
	g_string_append(xml, "</gml:pos>");
	if (position->radius > 0) {
		g_string_append(xml, "<gs:radius uom=\"urn:ogc:def:uom:EPSG::9001\">");
		append_number(xml, position->radius);
		g_string_append(xml, "</gs:radius>");
	}
	g_string_append_printf(xml, "</%s>", shape);
}

/* --- civic addresses --- */

static const char *
civic_element(const char *name, gsize length)
{
	for (guint i = 0; i < G_N_ELEMENTS(CIVIC); i++)
		if (strlen(CIVIC[i]) == length && g_ascii_strncasecmp(CIVIC[i], name, length) == 0)
			return CIVIC[i];
	return NULL;
}

/* "NAME=": a URI has a ":" before any "=". */
static gboolean
is_civic(const char *text)
{
	gsize length = strcspn(text, "=:;");

	return text[length] == '=';
}

/* Element → value, by the table's strings; NULL with an error. */
static GHashTable *
read_civic(const char *text, GError **error)
{
	g_autoptr(GHashTable) address = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_auto(GStrv) parts = g_strsplit(text, ";", -1);

	for (char **part = parts; *part; part++) {
		const char *word = g_strstrip(*part), *equals = strchr(word, '=');
		const char *name = equals ? civic_element(word, (gsize)(equals - word)) : NULL;
		g_autofree char *what = NULL;

		if (!*word)
			continue;
		if (name && equals[1] && !g_hash_table_contains(address, name)) {
			g_hash_table_insert(address, (gpointer)name, g_strdup(equals + 1));
			continue;
		}
		what = g_strdup_printf("%s: %s", word,
				       !name	    ? "no element of an address"
				       : !equals[1] ? "empty"
						    : "there twice");
		fail(error, what);
		return NULL;
	}
	return g_steal_pointer(&address);
}

static gboolean
check_civic(const char *text, GError **error)
{
	g_autoptr(GHashTable) address = read_civic(text, error);
	const char *country =
		address ? g_hash_table_lookup(address, civic_element("country", 7)) : NULL;

	if (!address)
		return FALSE;
	return (country && strlen(country) == 2 && g_ascii_isalpha(country[0]) &&
		g_ascii_isalpha(country[1])) ||
	       fail(error, "an address has country= and its two letters of ISO 3166");
}

static void
append_civic(GString *xml, GHashTable *address)
{
	g_string_append(xml, "<cl:civicAddress>");
	for (guint i = 0; i < G_N_ELEMENTS(CIVIC); i++) {
		const char *value = g_hash_table_lookup(address, CIVIC[i]);
		g_autofree char *upper = value && i == 0 ? g_ascii_strup(value, -1) : NULL;
		g_autofree char *escaped =
			value ? g_markup_escape_text(upper ? upper : value, -1) : NULL;

		if (escaped)
			g_string_append_printf(xml, "<cl:%s>%s</cl:%s>", CIVIC[i], escaped,
					       CIVIC[i]);
	}
	g_string_append(xml, "</cl:civicAddress>");
}

/* --- the line --- */

static gboolean
is_position(const char *text)
{
	return g_ascii_strncasecmp(text, "geo:", strlen("geo:")) == 0;
}

/* It becomes a header. */
static gboolean
check_uri(const char *text, GError **error)
{
	for (const char *at = text; *at; at++)
		if (!g_ascii_isgraph(*at) || strchr("<>\"", *at))
			return fail(error, "not a URI");
	return g_uri_is_valid(text, G_URI_FLAGS_NONE, NULL) || fail(error, "not a URI");
}

char *
location_check(const char *text, GError **error)
{
	Position position;
	gboolean right;

	if (strlen(text) >= MAX_BYTES || !g_utf8_validate(text, -1, NULL)) {
		fail(error, "too long, or not UTF-8");
		return NULL;
	}
	for (const char *at = text; *at; at++)
		if ((guchar)*at < ' ' || *at == 0x7f) {
			fail(error, "not one line of text");
			return NULL;
		}
	if (is_position(text))
		right = read_position(text, &position) || fail(error, "not a position");
	else
		right = is_civic(text) ? check_civic(text, error) : check_uri(text, error);
	return right ? g_strdup(text) : NULL;
}

static const char PIDF_HEAD[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""
	" xmlns:gp=\"urn:ietf:params:xml:ns:pidf:geopriv10\""
	" xmlns:cl=\"urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr\""
	" xmlns:gml=\"http://www.opengis.net/gml\" xmlns:gs=\"http://www.opengis.net/pidflo/1.0\"";

char *
location_pidf(const char *location, const char *entity, gint64 unix_time)
{
	g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(unix_time);
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	g_autofree char *about = g_markup_escape_text(entity, -1);
	g_autoptr(GHashTable) address = NULL;
	GString *xml;
	Position position;

	if (is_position(location) ? !read_position(location, &position) : !is_civic(location))
		return NULL;
	if (!is_position(location) && !(address = read_civic(location, NULL)))
		return NULL;
	xml = g_string_new(PIDF_HEAD);
	g_string_append_printf(xml,
			       " entity=\"%s\"><tuple id=\"here\"><status><gp:geopriv>"
			       "<gp:location-info>",
			       about);
	if (address)
		append_civic(xml, address);
	else
		append_position(xml, &position);
	g_string_append_printf(xml,
			       "</gp:location-info><gp:usage-rules/><gp:method>Manual</gp:method>"
			       "</gp:geopriv></status><timestamp>%s</timestamp></tuple></presence>",
			       time);
	return g_string_free(xml, FALSE);
}
