/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-reason.c - Reason to and from SIP status, Q.850 cause and header. */
#include <string.h>
#include "plugins/sip/stack/sip_reason.h"

static void
test_total(void)
{
	for (guint i = 0; i < N_REASONS; i++) {
		const char *phrase = NULL;
		guint status = sip_reason_to_status((Reason)i, &phrase);
		guint cause = sip_reason_to_q850((Reason)i);

		g_assert_cmpuint(status, >=, 400);
		g_assert_cmpuint(status, <=, 699);
		g_assert_nonnull(phrase);
		g_assert_cmpuint(sip_reason_to_status((Reason)i, NULL), ==, status);
		g_assert_cmpuint(cause, >=, 1);
		g_assert_cmpuint(cause, <=, 127);
	}
	for (guint status = 300; status <= 699; status++) {
		g_assert_cmpint(sip_reason_from_status(status), >, REASON_NONE);
		g_assert_cmpint(sip_reason_from_status(status), <, N_REASONS);
		g_assert_cmpint(sip_reason_from_status(status), !=, REASON_HANGUP);
	}
	for (guint cause = 0; cause <= 127; cause++) {
		g_assert_cmpint(sip_reason_from_q850(cause), >, REASON_NONE);
		g_assert_cmpint(sip_reason_from_q850(cause), <, N_REASONS);
	}
	g_assert_cmpint(sip_reason_from_status(0), ==, REASON_NETWORK_ERROR);
	g_assert_cmpint(sip_reason_from_status(G_MAXUINT), ==, REASON_NETWORK_ERROR);
	g_assert_cmpint(sip_reason_from_q850(128), ==, REASON_NETWORK_ERROR);
}

/* What carriers answer, and what it becomes for the next one who asks. */
static void
test_statuses(void)
{
	static const struct {
		guint status;
		Reason reason;
		guint again; /* what a SIP caller of ours is told for it */
	} cases[] = {
		{ 301, REASON_GONE, 410 },	     { 302, REASON_UNREACHABLE, 480 },
		{ 400, REASON_PROTOCOL_ERROR, 500 }, { 401, REASON_NOT_AUTHORIZED, 403 },
		{ 403, REASON_FORBIDDEN, 403 },	     { 404, REASON_NOT_FOUND, 404 },
		{ 407, REASON_NOT_AUTHORIZED, 403 }, { 408, REASON_TIMEOUT, 408 },
		{ 410, REASON_GONE, 410 },	     { 415, REASON_INCOMPATIBLE, 488 },
		{ 428, REASON_SECURITY, 488 },	     { 433, REASON_FORBIDDEN, 403 },
		{ 438, REASON_SECURITY, 488 },	     { 480, REASON_UNREACHABLE, 480 },
		{ 482, REASON_LOOP, 482 },	     { 483, REASON_LOOP, 482 },

		{ 484, REASON_INCOMPLETE, 484 },     { 485, REASON_INCOMPLETE, 484 },
		{ 486, REASON_BUSY, 486 },	     { 487, REASON_NO_ANSWER, 480 },
		{ 488, REASON_INCOMPATIBLE, 488 },   { 499, REASON_NETWORK_ERROR, 500 },
		{ 500, REASON_NETWORK_ERROR, 500 },  { 502, REASON_NETWORK_ERROR, 500 },
		{ 503, REASON_OVERLOAD, 503 },	     { 504, REASON_TIMEOUT, 408 },
		{ 600, REASON_BUSY, 486 },	     { 603, REASON_DECLINED, 603 },
		{ 604, REASON_NOT_FOUND, 404 },	     { 606, REASON_INCOMPATIBLE, 488 },
		{ 607, REASON_DECLINED, 603 },	     { 608, REASON_DECLINED, 603 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Reason reason = sip_reason_from_status(cases[i].status);

		g_test_message("%u", cases[i].status);
		g_assert_cmpint(reason, ==, cases[i].reason);
		g_assert_cmpuint(sip_reason_to_status(reason, NULL), ==, cases[i].again);
	}
}

/* What the other protocol's legs end with, as a SIP caller hears it. */
static void
test_to_status(void)
{
	static const struct {
		Reason reason;
		guint status;
		const char *phrase;
	} cases[] = {
		{ REASON_CANCELLED, 487, "Request Terminated" },
		{ REASON_BUSY, 486, "Busy Here" },
		{ REASON_DECLINED, 603, "Decline" },
		{ REASON_NO_ANSWER, 480, "Temporarily Unavailable" },
		{ REASON_SECURITY, 488, "Not Acceptable Here" },
		{ REASON_NO_MEDIA, 500, "Server Internal Error" },
		{ REASON_SHUTDOWN, 503, "Service Unavailable" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *phrase;

		g_assert_cmpuint(sip_reason_to_status(cases[i].reason, &phrase), ==,
				 cases[i].status);
		g_assert_cmpstr(phrase, ==, cases[i].phrase);
	}
}

static void
test_q850(void)
{
	/* the cause of each of these comes back as the same */
	static const Reason same[] = {
		REASON_HANGUP,	       REASON_ANSWERED_ELSEWHERE,
		REASON_BUSY,	       REASON_DECLINED,
		REASON_NO_ANSWER,      REASON_UNREACHABLE,
		REASON_NOT_FOUND,      REASON_GONE,
		REASON_INCOMPLETE,     REASON_FORBIDDEN,
		REASON_NOT_AUTHORIZED, REASON_INCOMPATIBLE,
		REASON_TIMEOUT,	       REASON_OVERLOAD,
		REASON_NETWORK_ERROR,  REASON_PROTOCOL_ERROR,
	};

	for (guint i = 0; i < G_N_ELEMENTS(same); i++)
		g_assert_cmpint(sip_reason_from_q850(sip_reason_to_q850(same[i])), ==, same[i]);
	g_assert_cmpint(sip_reason_from_q850(18), ==, REASON_NO_ANSWER);
	g_assert_cmpint(sip_reason_from_q850(31), ==, REASON_HANGUP);
	g_assert_cmpint(sip_reason_from_q850(127), ==, REASON_NETWORK_ERROR);
}

static void
test_header_build(void)
{
	static const struct {
		Reason reason;
		const char *text, *header;
	} cases[] = {
		{ REASON_HANGUP, NULL, "Q.850;cause=16" },
		{ REASON_BUSY, "", "Q.850;cause=17" },
		{ REASON_BUSY, "The line is busy", "Q.850;cause=17;text=\"The line is busy\"" },
		{ REASON_BUSY, "a\"b\\c", "Q.850;cause=17;text=\"a\\\"b\\\\c\"" },
		{ REASON_BUSY, "x\r\nVia: y\t\x7fz", "Q.850;cause=17;text=\"x  Via: y  z\"" },
		{ REASON_BUSY, "\xff", "Q.850;cause=17;text=\"\xef\xbf\xbd\"" },
		{ REASON_ANSWERED_ELSEWHERE, NULL,
		  "SIP;cause=200;text=\"Call completed elsewhere\"" },
	};
	g_autofree char *many = g_strnfill(100000, 'x');
	g_autofree char *bounded = sip_reason_to_header(REASON_BUSY, many);
	g_autofree char *cut = sip_reason_to_header(
		REASON_NO_MEDIA, "No audio could pass between your phone and the gateway: the "
				 "network of your phone seems to block calls (UDP). Another "
				 "network may help");

	g_assert_true(g_str_has_suffix(cut, "(UDP). Another network\""));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *header = sip_reason_to_header(cases[i].reason, cases[i].text);
		Reason reason;

		g_assert_cmpstr(header, ==, cases[i].header);
		g_assert_true(sip_reason_from_header(header, &reason));
		g_assert_cmpint(reason, ==, cases[i].reason);
	}
	g_assert_cmpuint(strlen(bounded), <, 200);
}

static void
test_header_parse(void)
{
	static const struct {
		const char *value;
		int reason; /* -1: says nothing */
	} cases[] = {
		{ "Q.850 ; cause = 17 ; text=\"User busy\"", REASON_BUSY },
		{ "q.850;CAUSE=17", REASON_BUSY },
		{ "SIP;cause=603;text=\"a, b; cause=1\"", REASON_DECLINED },
		{ "SIP;cause=486, Q.850;cause=21", REASON_DECLINED },
		{ "Q.850;cause=16,SIP;cause=200;text=\"Call completed elsewhere\"",
		  REASON_ANSWERED_ELSEWHERE },
		{ "SIP;text=\"a\\\"b\";cause=404", REASON_NOT_FOUND },
		{ "Preemption;cause=1", -1 },
		{ "SIP;cause=180", -1 },
		{ "SIP;cause=9999", -1 },
		{ "Q.850;cause=128", -1 },
		{ "Q.850;cause=", -1 },
		{ "Q.850;cause=-1", -1 },
		{ "Q.850;cause=17x", -1 },
		{ "Q.850;text=\"cause=17\"", -1 },
		{ "Q.850;text=\"open;cause=17", -1 },
		{ "Q.850", -1 },
		{ ",;,=\"\\", -1 },
		{ "", -1 },
		{ NULL, -1 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Reason reason = REASON_NONE;
		gboolean known = sip_reason_from_header(cases[i].value, &reason);

		g_test_message("%s", cases[i].value ? cases[i].value : "(none)");
		g_assert_cmpint(known ? (int)reason : -1, ==, cases[i].reason);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-reason/total", test_total);
	g_test_add_func("/sip-reason/statuses", test_statuses);
	g_test_add_func("/sip-reason/to-status", test_to_status);
	g_test_add_func("/sip-reason/q850", test_q850);
	g_test_add_func("/sip-reason/header/build", test_header_build);
	g_test_add_func("/sip-reason/header/parse", test_header_parse);
	return g_test_run();
}
