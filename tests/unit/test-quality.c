/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-quality.c - the E-model against what is published of it. */
#include <math.h>
#include "media/quality.h"

static const QualityCodec G711 = { "PCMU", FALSE, 0, 25.1 };
static const QualityCodec WIDE = { "wide", TRUE, 0, 4.3 };

static void
assert_near(double is, double should, double by)
{
	g_assert_cmpfloat_with_epsilon(is, should, by);
}

/* G.107 table B.1 and clause 7.7: the defaults give 93.2. */
static void
test_mos(void)
{
	static const struct {
		double rating, mos;
	} table[] = { { 93.2, 4.41 }, { 90, 4.34 }, { 80, 4.03 }, { 70, 3.60 }, { 60, 3.10 },
		      { 50, 2.58 },   { 0, 1 },	    { -7, 1 },	  { 100, 4.5 }, { 140, 4.5 } };

	for (guint i = 0; i < G_N_ELEMENTS(table); i++)
		assert_near(quality_mos(&G711, table[i].rating), table[i].mos,
			    0.0075); /* it rounds up */
	assert_near(quality_mos(&WIDE, 129), 4.5, 0.001);
	assert_near(quality_mos(&WIDE, 129 * 0.8), 4.03, 0.01);
}

/* G.107 with its defaults (TELR 65 dB), by delay; G.113 I: what loss costs G.711. */
static void
test_rating(void)
{
	static const struct {
		double loss, burst, delay_ms, rating, by;
	} table[] = {
		{ 0, 1, 0, 93.2, 0.05 },
		{ 0, 1, 100, 90.7, 0.5 },
		{ 0, 1, 150, 89.5, 1 },
		{ 0, 1, 400, 60, 3 },
		{ 0.01, 1, 0, 93.2 - 95 / 26.1, 0.05 },
		{ 0.05, 1, 0, 93.2 - 95 * 5 / 30.1, 0.05 },
		{ 0.05, 2, 0, 93.2 - 95 * 5 / 27.6, 0.05 },
		{ 0.05, 0, 0, 93.2 - 95 * 5 / 30.1, 0.05 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
		const QualityPath path = { table[i].loss, table[i].burst, table[i].delay_ms };

		assert_near(quality_rating(&G711, &path), table[i].rating, table[i].by);
	}
	assert_near(quality_rating(&WIDE, &(QualityPath){ 0, 1, 100 }), 129, 0.001);
}

/* More loss, longer bursts or more delay never make it better; nothing leaves its bounds. */
static void
test_bounds(void)
{
	static const char *const names[] = {
		"PCMU", "pcma", "G722", "OPUS", "G729", "AMR", "AMR-WB"
	};
	static const double odd[] = { -1, 0, 0.5, 1, 2, 1e300, INFINITY, -INFINITY, NAN };

	for (guint c = 0; c < 2 * G_N_ELEMENTS(names); c++) {
		const QualityCodec *codec = quality_codec(names[c / 2], c % 2);
		double before = 1e9;

		g_assert_nonnull(codec);
		for (guint i = 0; i < 1000; i++) {
			QualityPath path = { i / 1000.0, 1 + i / 500.0, i };
			double rating = quality_rating(codec, &path);

			g_assert_cmpfloat(rating, <=, before + 1e-9);
			before = rating;
		}
		for (guint i = 0; i < G_N_ELEMENTS(odd) * G_N_ELEMENTS(odd); i++) {
			QualityPath path = { odd[i % 9], odd[i / 9], odd[(i + i / 9) % 9] };
			double rating = quality_rating(codec, &path);
			double mos = quality_mos(codec, rating);

			g_assert_true(rating >= 0 && rating <= 129);
			g_assert_true(mos >= 1 && mos <= 4.5);
		}
	}
	g_assert_null(quality_codec("telephone-event", TRUE));
	g_assert_cmpfloat(quality_codec("PCMU", FALSE)->robustness, <,
			  quality_codec("PCMU", TRUE)->robustness);
	assert_near(quality_delay_ms(0, 0), 40, 0.001);
	assert_near(quality_delay_ms(100000, 30000), 130, 0.001);
}

static void
test_classes(void)
{
	g_assert_cmpint(quality_class(4.41), ==, QUALITY_BEST);
	g_assert_cmpint(quality_class(4.2), ==, QUALITY_GOOD);
	g_assert_cmpint(quality_class(3.6), ==, QUALITY_FAIR);
	g_assert_cmpint(quality_class(3.2), ==, QUALITY_POOR);
	g_assert_cmpint(quality_class(2.6), ==, QUALITY_BAD);
	g_assert_cmpint(quality_class(1), ==, QUALITY_USELESS);
	g_assert_cmpint(quality_class(NAN), ==, QUALITY_USELESS);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/quality/mos", test_mos);
	g_test_add_func("/quality/rating", test_rating);
	g_test_add_func("/quality/bounds", test_bounds);
	g_test_add_func("/quality/classes", test_classes);
	return g_test_run();
}
