/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dino_windows.c - see dino_windows.h.
 *
 * A word is looked for until it is shown; a field is the one beside or below its label.  What is
 * used of GTK 4 is declared here: the tests need no headers of it.
 */
#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "dino_windows.h"

#define PATIENCE_US (15 * G_USEC_PER_SEC)
#define EVERY_MS    50
#define SAME_LINE   10 /* pixels that a field may stand higher than its label */

GListModel *gtk_window_get_toplevels(void);
gpointer gtk_widget_get_first_child(gpointer widget);
gpointer gtk_widget_get_next_sibling(gpointer widget);
gboolean gtk_widget_get_mapped(gpointer widget);
gboolean gtk_widget_is_sensitive(gpointer widget);
int gtk_widget_get_height(gpointer widget);
gboolean gtk_widget_translate_coordinates(gpointer from, gpointer to, double x, double y,
					  double *to_x, double *to_y);

typedef struct {
	char *verb, *label, *what;
	gint64 end_us;
} Step;

typedef void (*Visit)(gpointer widget, gpointer user);

static gboolean
is(gpointer widget, const char *name)
{
	GType type = g_type_from_name(name);

	return type && g_type_is_a(G_OBJECT_TYPE(widget), type);
}

/* What is shown of it, itself first. */
static void
walk(gpointer widget, Visit visit, gpointer user)
{
	if (!gtk_widget_get_mapped(widget))
		return;
	visit(widget, user);
	for (gpointer child = gtk_widget_get_first_child(widget); child;
	     child = gtk_widget_get_next_sibling(child))
		walk(child, visit, user);
}

/* What is to be read in this one widget; of a picture its name. */
static char *
words(gpointer widget)
{
	const char *property = is(widget, "GtkLabel")	? "label"
			       : is(widget, "GtkEntry") ? "text"
			       : is(widget, "GtkImage") ? "icon-name"
							: NULL;
	char *text = NULL;

	if (property)
		g_object_get(widget, property, &text, NULL);
	return text;
}

static gpointer
newest(void)
{
	GListModel *all = gtk_window_get_toplevels();

	for (guint i = g_list_model_get_n_items(all); i > 0; i--) {
		g_autoptr(GObject) window = g_list_model_get_item(all, i - 1);

		if (gtk_widget_get_mapped(window))
			return window; /* GTK has it as well */
	}
	return NULL;
}

/* --- what is looked for --- */

typedef struct {
	const char *text;
	gboolean exactly;
	gpointer found;
} Search;

static void
look_for_words(gpointer widget, gpointer user)
{
	Search *search = user;
	g_autofree char *text = words(widget);

	if (!search->found && text &&
	    (search->exactly ? strcmp(text, search->text) == 0 : !!strstr(text, search->text)))
		search->found = widget;
}

static gpointer
find_words(gpointer parent, const char *text, gboolean exactly)
{
	Search search = { text, exactly, NULL };

	walk(parent, look_for_words, &search);
	return search.found;
}

static void
look_for_button(gpointer widget, gpointer user)
{
	Search *search = user;

	if (!search->found && is(widget, "GtkButton") && gtk_widget_is_sensitive(widget) &&
	    find_words(widget, search->text, TRUE))
		search->found = widget;
}

typedef struct {
	gpointer window, found;
	double label_y, distance;
} Nearest;

static double
middle(gpointer widget, gpointer window)
{
	double x, y = 0;

	gtk_widget_translate_coordinates(widget, window, 0, gtk_widget_get_height(widget) / 2.0, &x,
					 &y);
	return y;
}

static void
look_for_field(gpointer widget, gpointer user)
{
	Nearest *nearest = user;
	double y;

	if (!is(widget, "GtkEntry"))
		return;
	y = middle(widget, nearest->window);
	if (y < nearest->label_y - SAME_LINE ||
	    (nearest->found && fabs(y - nearest->label_y) >= nearest->distance))
		return;
	nearest->found = widget;
	nearest->distance = fabs(y - nearest->label_y);
}

static gpointer
find_field(gpointer window, const char *label)
{
	gpointer words_at = find_words(window, label, TRUE);
	Nearest nearest = { window, NULL, words_at ? middle(words_at, window) : 0, 0 };

	if (words_at)
		walk(window, look_for_field, &nearest);
	return nearest.found;
}

/* --- steps --- */

static gboolean
press(gpointer button)
{
	g_signal_emit_by_name(button, "clicked");
	g_object_unref(button);
	return G_SOURCE_REMOVE;
}

static gboolean
take(gpointer window, const Step *step)
{
	gpointer found;

	if (strcmp(step->verb, "read") == 0)
		return find_words(window, step->what, FALSE) != NULL;
	if (strcmp(step->verb, "click") == 0) {
		Search search = { step->what, TRUE, NULL };

		walk(window, look_for_button, &search);
		found = search.found;
		if (found)
			g_idle_add(press, g_object_ref(found));
		return found != NULL;
	}
	found = find_field(window, step->label);
	if (found)
		g_object_set(found, "text", step->what, NULL);
	return found != NULL;
}

static void
add_words(gpointer widget, gpointer user)
{
	GString *list = user;
	g_autofree char *text = words(widget), *json = text && *text ? quoted(text) : NULL;

	if (json)
		g_string_append_printf(list, "%s%s", list->len ? ", " : "", json);
}

static void
tell(gpointer window, gboolean found)
{
	g_autoptr(GString) list = g_string_new(NULL);

	if (window)
		walk(window, add_words, list);
	printf("{\"event\": \"shown\", \"found\": %s, \"text\": [%s]}\n", found ? "true" : "false",
	       list->str);
	fflush(stdout);
}

static gboolean
look(gpointer data)
{
	Step *step = data;
	gpointer window = newest();
	gboolean found = window && take(window, step);

	if (!found && g_get_monotonic_time() < step->end_us)
		return G_SOURCE_CONTINUE;
	tell(window, found);
	g_free(step->verb);
	g_free(step->label);
	g_free(step->what);
	g_free(step);
	return G_SOURCE_REMOVE;
}

gboolean
windows_obey(const char *verb, const char *label, const char *what)
{
	Step *step;

	if (strcmp(verb, "read") != 0 && strcmp(verb, "click") != 0 && strcmp(verb, "type") != 0)
		return FALSE;
	step = g_new0(Step, 1);
	step->verb = g_strdup(verb);
	step->label = g_strdup(label);
	step->what = g_strdup(what);
	step->end_us = g_get_monotonic_time() + PATIENCE_US;
	g_timeout_add(EVERY_MS, look, step);
	return TRUE;
}
