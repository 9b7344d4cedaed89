/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-location.c - where a user is: what may be written, and what is made of it. */
#include "b2bua/location.h"
#include <libxml/parser.h>
#include <string.h>

static void
test_location(void)
{
	static const struct {
		const char *text;
		const char *has; /* in the document; NULL: by reference; "": refused */
	} CASES[] = {
		{ "geo:52.52,13.40", "<gml:Point srsName=\"urn:ogc:def:crs:EPSG::4326\">"
				     "<gml:pos>52.52 13.4</gml:pos></gml:Point>" },
		{ "GEO:-33.865,151.2094;crs=WGS84;u=50",
		  "<gs:Circle srsName=\"urn:ogc:def:crs:EPSG::4326\"><gml:pos>-33.865 151.2094"
		  "</gml:pos><gs:radius "
		  "uom=\"urn:ogc:def:uom:EPSG::9001\">50</gs:radius></gs:Circle>" },
		{ "geo:52.52,13.40,34;u=5", "<gs:Sphere srsName=\"urn:ogc:def:crs:EPSG::4979\">"
					    "<gml:pos>52.52 13.4 34</gml:pos>" },
		{ "HNO=117; rd=Invalidenstraße;A3=Berlin;country=de;PC=10115",
		  "<cl:civicAddress><cl:country>DE</cl:country><cl:A3>Berlin</cl:A3>"
		  "<cl:RD>Invalidenstraße</cl:RD><cl:HNO>117</cl:HNO><cl:PC>10115</cl:PC>"
		  "</cl:civicAddress>" },
		{ "country=US;RD=A <b> & \"c\"", "<cl:RD>A &lt;b&gt; &amp; &quot;c&quot;</cl:RD>" },
		{ "https://lis.example.org/a?b=c;d=e", NULL },
		{ "pres:anna@example.org", NULL },
		{ "geo:91,0", "" },
		{ "geo:0,181", "" },
		{ "geo:1", "" },
		{ "geo:1,2,3,4", "" },
		{ "geo:nan,0", "" },
		{ "geo:1,2;u=-1", "" },
		{ "geo:1,2;crs=moon", "" },
		{ "geo:,", "" },
		{ "country=DEU;A3=Berlin", "" },
		{ "A3=Berlin", "" },
		{ "country=DE;A3=", "" },
		{ "country=DE;A3=Berlin;a3=Bonn", "" },
		{ "country=DE;street=x", "" },
		{ "country=DE;A3=Ber\nlin", "" },
		{ "Invalidenstraße 117", "" },
		{ "https://x/<y>", "" },
		{ "", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *location = location_check(CASES[i].text, &error);
		g_autofree char *pidf =
			location ? location_pidf(location, "sip:+1@gw&", 1800000000) : NULL;
		xmlDoc *document;

		g_test_message("%s: %s", CASES[i].text, error ? error->message : "fine");
		g_assert_cmpint(!location, ==, CASES[i].has && !*CASES[i].has);
		if (!CASES[i].has || !*CASES[i].has) {
			g_assert_null(pidf);
			continue;
		}
		if (!strstr(pidf, CASES[i].has))
			g_error("no \"%s\" in %s", CASES[i].has, pidf);
		g_assert_nonnull(strstr(pidf, " entity=\"sip:+1@gw&amp;\">"));
		g_assert_nonnull(strstr(pidf, "<timestamp>2027-01-15T08:00:00Z</timestamp>"));
		document = xmlReadMemory(pidf, (int)strlen(pidf), NULL, NULL, XML_PARSE_NONET);
		g_assert_nonnull(document);
		xmlFreeDoc(document);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/location", test_location);
	return g_test_run();
}
