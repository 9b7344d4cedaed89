/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-naptr.c - answers of a name server, as they were captured. */
#include "plugins/sip/stack/sip_naptr.h"

static char *
ways_of(const char *name)
{
	g_autofree char *file =
		g_test_build_filename(G_TEST_DIST, "fuzz", "corpus", "naptr", name, NULL);
	g_autofree char *data = NULL;
	g_autoptr(GPtrArray) ways = NULL;
	GString *text = g_string_new(NULL);
	gsize length;

	g_assert_true(g_file_get_contents(file, &data, &length, NULL));
	ways = naptr_parse((const guint8 *)data, length);
	for (guint i = 0; i < ways->len; i++) {
		const NaptrWay *way = ways->pdata[i];

		g_string_append_printf(text, "%s%s:_%s._%s.%s", i ? " " : "", way->transport,
				       way->service, way->protocol, way->domain);
	}
	/* cut short anywhere, it is not misread */
	for (gsize cut = 0; cut < length; cut++) {
		g_autofree guint8 *part = g_memdup2(data, cut);
		g_autoptr(GPtrArray) fewer = naptr_parse(part, cut);

		g_assert_cmpuint(fewer->len, <=, ways->len);
	}
	return g_string_free(text, FALSE);
}

static void
answers(gconstpointer data)
{
	const char *const *expected = data;
	g_autofree char *ways = ways_of(expected[0]);

	g_assert_cmpstr(ways, ==, expected[1]);
}

int
main(int argc, char **argv)
{
	/* the name of a file, what it says: by order, then preference; ENUM is another matter, and
	 * a target without a service is none of SRV's */
	static const char *const cases[][2] = {
		{ "carrier", "tls:_sips._tcp.carrier.test tcp:_sip._tcp.carrier.test "
			     "udp:_sip._udp.carrier.test" },
		{ "number", "" },
		{ "odd", "" },
		{ "nothing", "" },
	};

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/naptr/", cases[i][0], NULL);

		g_test_add_data_func(path, cases[i], answers);
	}
	return g_test_run();
}
