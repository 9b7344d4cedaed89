/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-reason.c - both tables are total, and say what was agreed. */
#include <string.h>
#include "plugins/xmpp/xmpp_reason.h"

/* XEP-0166 section 7.4 */
static const char *const names[] = {
	"alternative-session",
	"busy",
	"cancel",
	"connectivity-error",
	"decline",
	"expired",
	"failed-application",
	"failed-transport",
	"general-error",
	"gone",
	"incompatible-parameters",
	"media-error",
	"security-error",
	"success",
	"timeout",
	"unsupported-applications",
	"unsupported-transports",
};

static gboolean
is_name(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_strcmp0(name, names[i]) == 0)
			return TRUE;
	return FALSE;
}

static void
test_total(void)
{
	for (Reason reason = 0; reason < N_REASONS; reason++)
		g_assert_true(is_name(xmpp_reason_to_jingle(reason)));
	g_assert_true(is_name(xmpp_reason_to_jingle(N_REASONS)));
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_assert_cmpstr(xmpp_reason_jingle_name(i), ==, names[i]);
		for (XmppMoment moment = 0; moment < N_MOMENTS; moment++) {
			Reason reason = xmpp_reason_from_jingle(names[i], moment);

			g_assert_cmpint(reason, >, REASON_NONE);
			g_assert_cmpint(reason, <, N_REASONS);
		}
	}
	g_assert_null(xmpp_reason_jingle_name(G_N_ELEMENTS(names)));
}

static void
test_to_jingle(void)
{
	static const struct {
		Reason reason;
		const char *name;
	} cases[] = {
		{ REASON_HANGUP, "success" },
		{ REASON_CANCELLED, "cancel" },
		{ REASON_BUSY, "busy" },
		{ REASON_DECLINED, "decline" },
		{ REASON_NO_ANSWER, "timeout" },
		{ REASON_NOT_FOUND, "gone" },
		{ REASON_NETWORK_ERROR, "general-error" },
		{ REASON_SECURITY, "security-error" },
		{ REASON_NO_MEDIA, "connectivity-error" },
		{ REASON_INCOMPATIBLE, "failed-application" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(xmpp_reason_to_jingle(cases[i].reason), ==, cases[i].name);
}

static void
test_from_jingle(void)
{
	static const struct {
		const char *name;
		Reason caller, callee, answered;
	} cases[] = {
		{ NULL, REASON_CANCELLED, REASON_DECLINED, REASON_HANGUP },
		{ "", REASON_CANCELLED, REASON_DECLINED, REASON_HANGUP },
		{ "never-heard-of", REASON_CANCELLED, REASON_DECLINED, REASON_HANGUP },
		{ "busy", REASON_CANCELLED, REASON_BUSY, REASON_HANGUP },
		{ "success", REASON_CANCELLED, REASON_DECLINED, REASON_HANGUP },
		{ "cancel", REASON_CANCELLED, REASON_NO_ANSWER, REASON_HANGUP },
		{ "timeout", REASON_CANCELLED, REASON_NO_ANSWER, REASON_HANGUP },
		{ "security-error", REASON_SECURITY, REASON_SECURITY, REASON_SECURITY },
		{ "failed-transport", REASON_NO_MEDIA, REASON_NO_MEDIA, REASON_MEDIA_LOST },
		{ "failed_transport", REASON_NO_MEDIA, REASON_NO_MEDIA, REASON_MEDIA_LOST },
		{ "failed_application", REASON_INCOMPATIBLE, REASON_INCOMPATIBLE,
		  REASON_INCOMPATIBLE },
		{ "unsupported_applications", REASON_INCOMPATIBLE, REASON_INCOMPATIBLE,
		  REASON_INCOMPATIBLE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *name = cases[i].name;

		g_assert_cmpint(xmpp_reason_from_jingle(name, MOMENT_CALLER_GIVES_UP), ==,
				cases[i].caller);
		g_assert_cmpint(xmpp_reason_from_jingle(name, MOMENT_CALLEE_REFUSES), ==,
				cases[i].callee);
		g_assert_cmpint(xmpp_reason_from_jingle(name, MOMENT_ANSWERED), ==,
				cases[i].answered);
	}
}

static void
test_reject(void)
{
	g_assert_cmpint(xmpp_reason_from_reject(NULL, 0), ==, REASON_DECLINED);
	g_assert_cmpint(xmpp_reason_from_reject(NULL, 27), ==, REASON_DECLINED);
	g_assert_cmpint(xmpp_reason_from_reject(NULL, 28), ==, REASON_NO_ANSWER);
	g_assert_cmpint(xmpp_reason_from_reject("decline", 30), ==, REASON_NO_ANSWER);
	g_assert_cmpint(xmpp_reason_from_reject("busy", 1), ==, REASON_BUSY);
	g_assert_cmpint(xmpp_reason_from_reject("busy", 40), ==, REASON_BUSY);
	g_assert_cmpint(xmpp_reason_from_reject("security-error", 1), ==, REASON_SECURITY);
}

static void
test_errors(void)
{
	/* RFC 6120 section 8.3.3 */
	static const char *const conditions[] = {
		"bad-request",
		"conflict",
		"feature-not-implemented",
		"forbidden",
		"gone",
		"internal-server-error",
		"item-not-found",
		"jid-malformed",
		"not-acceptable",
		"not-allowed",
		"not-authorized",
		"policy-violation",
		"recipient-unavailable",
		"redirect",
		"registration-required",
		"remote-server-not-found",
		"remote-server-timeout",
		"resource-constraint",
		"service-unavailable",
		"subscription-required",
		"undefined-condition",
		"unexpected-request",
	};

	for (guint i = 0; i < G_N_ELEMENTS(conditions); i++) {
		Reason reason = xmpp_reason_from_error(conditions[i]);

		g_assert_cmpint(reason, >, REASON_NONE);
		g_assert_cmpint(reason, <, N_REASONS);
	}
	g_assert_cmpint(xmpp_reason_from_error("item-not-found"), ==, REASON_NOT_FOUND);
	g_assert_cmpint(xmpp_reason_from_error("service-unavailable"), ==, REASON_UNREACHABLE);
	g_assert_cmpint(xmpp_reason_from_error("recipient-unavailable"), ==, REASON_UNREACHABLE);
	g_assert_cmpint(xmpp_reason_from_error("remote-server-timeout"), ==, REASON_TIMEOUT);
	g_assert_cmpint(xmpp_reason_from_error(NULL), ==, REASON_PROTOCOL_ERROR);
	g_assert_cmpint(xmpp_reason_from_error("zzz"), ==, REASON_PROTOCOL_ERROR);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xmpp-reason/total", test_total);
	g_test_add_func("/xmpp-reason/to-jingle", test_to_jingle);
	g_test_add_func("/xmpp-reason/from-jingle", test_from_jingle);
	g_test_add_func("/xmpp-reason/reject", test_reject);
	g_test_add_func("/xmpp-reason/errors", test_errors);
	return g_test_run();
}
