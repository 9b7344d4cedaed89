/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-stanza-mutations.c - every stanza of the corpus, broken in every place.
 *
 * Each element and each attribute in turn is removed, doubled and garbled; all
 * parsers run on the result and what they took is built again.  In a quick run a
 * change that some other stanza has had in the same place, in the same action, is
 * left out; `-m slow` makes them all (two minutes).
 */
#include <string.h>
#include "tests/fuzz/exercise.h"

#define LIMIT (256 * 1024)

static const char *const values[] = {
	"",
	"0",
	"-1",
	"65536",
	"4294967296",
	"18446744073709551616",
	"none",
	"\r\na=b",
	"\xef\xbf\xbd",
	"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
};

static GHashTable *done; /* char *, keys of is_new() */

/* Where this is: the action, the names from the top, and what is to be done. */
static gboolean
is_new(const xmlNode *node, const char *attribute, guint how)
{
	GString *key = g_string_new(NULL);

	g_string_printf(key, "%u %s", how, attribute);
	for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
		const char *action = xml_attribute(node, "action");

		g_string_append_printf(key, " %s %s", xml_name(node), action ? action : "");
	}
	return g_hash_table_add(done, g_string_free(key, FALSE)) || g_test_slow();
}

static void
exercise(const xmlNode *stanza)
{
	exercise_im(stanza);
	exercise_jmi(stanza);
	exercise_jingle(stanza);
	exercise_caps(stanza);
	exercise_services(stanza);
}

/* The n-th element in document order, the top one being 0; counts down. */
static xmlNode *
nth_element(xmlNode *node, guint *n)
{
	xmlNode *child, *found;

	if ((*n)-- == 0)
		return node;
	for (child = xml_child(node, NULL, NULL); child; child = xml_next(child, NULL, NULL)) {
		found = nth_element(child, n);
		if (found)
			return found;
	}
	return NULL;
}

typedef enum { REMOVE, DOUBLE, RENAME, EMPTY, SPEAK, MOVE, N_CHANGES } Change;

static void
change_element(xmlNode *node, Change change)
{
	switch (change) {
	case REMOVE:
		xmlUnlinkNode(node);
		xmlFreeNode(node);
		break;
	case DOUBLE:
		xml_add_copy(node->parent, node);
		break;
	case RENAME:
		xmlNodeSetName(node, BAD_CAST "zzz");
		break;
	case EMPTY:
		while (node->children) {
			xmlNode *child = node->children;

			xmlUnlinkNode(child);
			xmlFreeNode(child);
		}
		break;
	case SPEAK:
		xml_add_text(node, "AB:\xc3\xbc<&");
		break;
	default: /* into another namespace */
		node->ns = xmlNewNs(node, BAD_CAST "urn:other", BAD_CAST "q");
		break;
	}
}

static guint
mutate_elements(const xmlNode *stanza)
{
	guint count = 0;

	for (guint n = 1;; n++) {
		for (Change change = REMOVE; change < N_CHANGES; change++) {
			g_autoptr(xmlNode) copy = xml_copy(stanza);
			guint down = n;
			xmlNode *node = nth_element(copy, &down);

			if (!node)
				return count;
			count++;
			if (!is_new(node, "", change))
				continue;
			change_element(node, change);
			exercise(copy);
		}
	}
}

static xmlAttr *
nth_attribute(xmlNode *node, guint n)
{
	xmlAttr *attribute = node->properties;

	while (attribute && n-- > 0)
		attribute = attribute->next;
	return attribute;
}

/* FALSE when the element has no such attribute. */
static gboolean
mutate_attribute(const xmlNode *stanza, guint element, guint attribute, guint how)
{
	g_autoptr(xmlNode) copy = xml_copy(stanza);
	xmlNode *node = nth_element(copy, &element);
	xmlAttr *found = nth_attribute(node, attribute);
	g_autofree char *name = NULL, *twice = NULL;

	if (!found)
		return FALSE;
	name = g_strdup((const char *)found->name);
	if (!is_new(node, name, how))
		return TRUE;
	twice = g_strconcat(xml_attribute(node, name), xml_attribute(node, name), NULL);
	if (how < G_N_ELEMENTS(values))
		xml_set(node, name, values[how]);
	else if (how == G_N_ELEMENTS(values))
		xml_set(node, name, twice);
	else
		xmlRemoveProp(found);
	exercise(copy);
	return TRUE;
}

static guint
mutate_attributes(const xmlNode *stanza)
{
	guint count = 0;

	for (guint element = 0;; element++) {
		guint down = element;

		if (!nth_element((xmlNode *)stanza, &down))
			return count;
		for (guint attribute = 0;; attribute++) {
			guint how = 0;

			while (how < G_N_ELEMENTS(values) + 2 &&
			       mutate_attribute(stanza, element, attribute, how))
				how++;
			count += how;
			if (how == 0)
				break;
		}
	}
}

static void
test_mutations(gconstpointer data)
{
	g_autofree char *text = NULL;
	g_autoptr(xmlNode) stanza = NULL;
	g_autoptr(GError) error = NULL;
	gsize length;
	guint count;

	g_file_get_contents(data, &text, &length, &error);
	g_assert_no_error(error);
	stanza = xml_parse(text, length, LIMIT, &error);
	g_assert_no_error(error);
	exercise_xml(stanza);
	exercise(stanza);
	count = mutate_elements(stanza) + mutate_attributes(stanza);
	g_assert_cmpuint(count, >, 10);
}

static gint
compare(gconstpointer one, gconstpointer other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Paths, in the same order everywhere. */
static GPtrArray *
list(const char *folder)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".xml"))
			g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
	if (paths->len == 0)
		g_error("%s: no stanzas", folder);
	g_ptr_array_sort(paths, compare);
	return paths;
}

int
main(int argc, char **argv)
{
	g_autofree char *folder = NULL;
	g_autoptr(GPtrArray) paths = NULL;
	int status;

	g_test_init(&argc, &argv, NULL);
	done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	folder = g_test_build_filename(G_TEST_DIST, "data", "stanzas", NULL);
	paths = list(folder);
	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *name = g_path_get_basename(g_ptr_array_index(paths, i));
		g_autofree char *test = g_strconcat("/stanza-mutations/", name, NULL);

		g_test_add_data_func(test, g_ptr_array_index(paths, i), test_mutations);
	}
	status = g_test_run();
	g_hash_table_unref(done);
	return status;
}
