/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-guard.c - why there is a guard.
 *
 * A bare nua calls a peer that answers with a Contact or Record-Route that is no
 * SIP URI, and hangs up.  Without the guard that brings the process down, in a
 * process of its own; with it the call is an ordinary one.  When the first half
 * is skipped, sofia-sip has been mended and the guard may be looked at again.
 */
#include "tests/legs/sip-peer.h"
#include "plugins/sip/stack/sip_guard.h"
#include <string.h>
#include <sys/resource.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_log.h>

static const char *const hostile[] = {
	"Contact: <urn:x:y>\r\n",
	"Contact: <foo>\r\n",
	"Contact: *\r\n",
	"Contact: <tel:+14155550100>\r\n",
	"Record-Route: <urn:x:y>\r\n",
	"Record-Route: <tel:+14155550100>\r\n",
};

static gboolean answered, ended, down;

static void
on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, nua_magic_t *magic,
	 nua_handle_t *nh, nua_hmagic_t *hmagic, sip_t const *sip, tagi_t tags[])
{
	if (event == nua_r_invite && status >= 200 && status < 300) {
		nua_ack(nh, TAG_END());
		nua_bye(nh, TAG_END());
		answered = TRUE;
	}
	if (event == nua_i_terminated || (event == nua_r_bye && status >= 200))
		ended = TRUE;
	if (event == nua_r_shutdown)
		down = status >= 200;
}

static void
quiet(void *stream, char const *format, va_list arguments)
{
}

static void
wait_for(const gboolean *what)
{
	gint64 deadline = g_get_monotonic_time() + 3 * G_USEC_PER_SEC;

	while (!*what && g_get_monotonic_time() < deadline) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

static void
call_and_hang_up(msg_mclass_t const *mclass, const char *line)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *target = g_strdup_printf("sip:x@127.0.0.1:%u", peer->port);
	g_autofree char *url = NULL, *invite = NULL, *bye = NULL;
	su_root_t *root;
	nua_t *nua;
	nua_handle_t *nh;

	answered = ended = down = FALSE;
	su_init();
	su_log_redirect(NULL, quiet, NULL);
	root = su_glib_root_create(NULL);
	g_source_attach(su_glib_root_gsource(root), NULL);
	su_root_threading(root, 0);
	peer_gateway_port = peer_free_port();
	url = g_strdup_printf("sip:127.0.0.1:%u", peer_gateway_port);
	nua = nua_create(root, on_event, NULL, NUTAG_URL(url), NUTAG_MEDIA_ENABLE(0),
			 NUTAG_AUTOACK(0), TAG_IF(mclass, NTATAG_MCLASS(mclass)), TAG_END());
	g_assert_nonnull(nua);
	nh = nua_handle(nua, NULL, NUTAG_URL(target), SIPTAG_TO_STR(target),
			SIPTAG_FROM_STR("<sip:y@127.0.0.1>"), TAG_END());
	nua_invite(nh, SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(sdp_one),
		   TAG_END());
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "200 OK", "t", line, sdp_two);
	peer_reply(peer, invite, "200 OK", "t", NULL, sdp_two); /* for who passes over that */
	wait_for(&answered);
	g_assert_true(answered);
	bye = peer_wait(peer, "BYE ");
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	wait_for(&ended);
	nua_handle_destroy(nh);
	nua_shutdown(nua);
	wait_for(&down);
	g_assert_true(down);
	nua_destroy(nua);
	g_source_destroy(su_glib_root_gsource(root));
	su_root_destroy(root);
}

static void
unguarded(gconstpointer line)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	call_and_hang_up(NULL, line);
}

/* Each of them, so that none is in the list for nothing. */
static void
goes_down_without(gconstpointer number)
{
	g_autofree char *path =
		g_strdup_printf("/sip/guard/subprocess/%u", GPOINTER_TO_UINT(number));

	g_test_trap_subprocess(path, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
	g_assert_false(g_test_trap_reached_timeout());
	if (g_test_trap_has_passed())
		g_test_skip("this sofia-sip is mended: the guard need not look for it any more");
}

static void
stands_with(gconstpointer line)
{
	call_and_hang_up(guard_mclass(), line);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_autofree char *with = g_strdup_printf("/sip/guard/with/%u", i);
		g_autofree char *without = g_strdup_printf("/sip/guard/without/%u", i);
		g_autofree char *child = g_strdup_printf("/sip/guard/subprocess/%u", i);

		g_test_add_data_func(with, hostile[i], stands_with);
		g_test_add_data_func(without, GUINT_TO_POINTER(i), goes_down_without);
		g_test_add_data_func(child, hostile[i], unguarded);
	}
	return g_test_run();
}
