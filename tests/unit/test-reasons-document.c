/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-reasons-document.c - the table of reasons in docs/mapping.md says what the code does. */
#include "b2bua/reason.h"
#include "plugins/sip/stack/sip_reason.h"
#include "plugins/xmpp/xmpp_reason.h"
#include <string.h>

#define HEAD "| reason | means | to SIP (unanswered) | Q.850 | to Jingle | next carrier |\n"

enum { NAME = 1, MEANS, STATUS, CAUSE, JINGLE, NEXT, N_CELLS = 8 };

static void
check_row(char **cells)
{
	const Reason reason = reason_from_name(cells[NAME]);
	g_autofree char *status = g_strdup_printf("%u", sip_reason_to_status(reason, NULL));
	g_autofree char *cause = g_strdup_printf("%u", sip_reason_to_q850(reason));

	g_test_message("%s", cells[NAME]);
	g_assert_cmpint(reason, !=, REASON_NONE);
	/* a call that was answered has no status any more */
	if (!g_str_has_prefix(cells[STATUS], "BYE"))
		g_assert_nonnull(strstr(cells[STATUS], status));
	g_assert_cmpstr(cells[CAUSE], ==, cause);
	g_assert_cmpstr(cells[JINGLE], ==, xmpp_reason_to_jingle(reason));
	g_assert_cmpstr(cells[NEXT], ==, reason_is_network(reason) ? "yes" : "no");
}

static void
test_table(void)
{
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "..", "docs", "mapping.md", NULL);
	g_autofree char *document = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *table;

	g_assert_true(g_file_get_contents(path, &document, NULL, NULL));
	table = strstr(document, HEAD);
	g_assert_nonnull(table);
	lines = g_strsplit(table + strlen(HEAD), "\n", -1);
	for (char **line = lines + 1; g_str_has_prefix(*line, "|"); line++) {
		g_auto(GStrv) cells = g_strsplit(*line, "|", -1);

		g_assert_cmpuint(g_strv_length(cells), ==, N_CELLS);
		for (char **cell = cells; *cell; cell++)
			g_strstrip(*cell);
		check_row(cells);
		g_assert_true(g_hash_table_add(seen, g_strdup(cells[NAME])));
	}
	g_assert_cmpuint(g_hash_table_size(seen), ==, N_REASONS - 1); /* all but "none" */
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reasons-document/table", test_table);
	return g_test_run();
}
