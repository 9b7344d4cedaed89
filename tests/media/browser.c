/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* browser.c - a WebRTC peer whose every packet the test decides. */
#include "tests/media/browser.h"
#include <string.h>
#include <unistd.h>
#include "media/demux.h"
#include "media/dtls.h"
#include "media/ice.h"

struct Browser {
	Ice *ice;
	DtlsContext *context;
	Dtls *dtls;
	Transport *ours;
	gboolean selected;
	Protection *receive, *send;
	BrowserHeard heard;
	gpointer user;
	guint refused;
};

static void
on_selected(gpointer user, guint component, guint socket, const NetAddress *peer,
	    const MediaPath *path, const char *text)
{
	Browser *browser = user;

	browser->selected = TRUE;
	if (browser->dtls)
		dtls_start(browser->dtls);
}

static void
unprotect(Browser *browser, const guint8 *data, gsize length)
{
	_Alignas(8) guint8 copy[2048];
	const gboolean rtcp = packet_kind(data, length) == PACKET_RTCP;
	ProtectionResult result;

	g_assert_cmpuint(length, <=, sizeof copy);
	memcpy(copy, data, length);
	if (!browser->receive)
		return;
	result = rtcp ? protection_unprotect_rtcp(browser->receive, copy, &length)
		      : protection_unprotect(browser->receive, copy, &length);
	if (result == PROTECTION_OK)
		browser->heard(browser->user, copy, length, rtcp);
	else
		browser->refused++;
}

static void
on_datagram(gpointer user, const guint8 *data, gsize length)
{
	Browser *browser = user;

	switch (packet_kind(data, length)) {
	case PACKET_DTLS:
		if (browser->dtls)
			dtls_receive(browser->dtls, data, length);
		break;
	case PACKET_RTP:
	case PACKET_RTCP:
		unprotect(browser, data, length);
		break;
	default:
		break;
	}
}

static void
on_alive(gpointer user, gboolean alive)
{
}

static const IceEvents ice_events = { .selected = on_selected,
				      .datagram = on_datagram,
				      .alive = on_alive };

static void
dtls_send(gpointer user, const guint8 *data, gsize length)
{
	ice_send(((Browser *)user)->ice, ICE_RTP, data, length);
}

static void
dtls_done(gpointer user, const SrtpKeys *keys)
{
	Browser *browser = user;

	browser->receive = protection_new(keys->profile, keys->receive, FALSE);
	browser->send = protection_new(keys->profile, keys->send, TRUE);
}

static void
dtls_failed(gpointer user, MediaLoss why, const char *text)
{
	g_error("the browser's handshake failed: %s", text);
}

static const DtlsEvents dtls_events = { .send = dtls_send,
					.done = dtls_done,
					.failed = dtls_failed };

Browser *
browser_new(BrowserHeard heard, gpointer user)
{
	char *addresses[] = { (char *)"127.0.0.1", NULL };
	const IceOptions options = {
		.loop = g_main_context_default(),
		.controlling = TRUE,
		.local_addresses = addresses,
		.port_min = 20000,
		.port_max = 59999,
	};
	Browser *browser = g_new0(Browser, 1);
	g_autoptr(GError) error = NULL;

	browser->heard = heard;
	browser->user = user;
	browser->context = dtls_context_new(&error);
	g_assert_no_error(error);
	browser->ice = ice_new(&options, &ice_events, browser);
	g_assert_true(ice_gather(browser->ice, &error));
	browser->ours = ice_transport(browser->ice);
	browser->ours->fingerprint_hash = g_strdup("sha-256");
	browser->ours->fingerprint = g_strdup(dtls_context_fingerprint(browser->context));
	browser->ours->setup = SETUP_ACTIVE;
	return browser;
}

void
browser_free(Browser *browser)
{
	const IceSocket *sockets;
	guint n;

	if (!browser)
		return;
	dtls_free(browser->dtls);
	sockets = ice_sockets(browser->ice, &n);
	for (guint i = 0; i < n; i++)
		close(sockets[i].fd);
	ice_free(browser->ice);
	transport_free(browser->ours);
	protection_free(browser->receive);
	protection_free(browser->send);
	dtls_context_free(browser->context);
	g_free(browser);
}

const Transport *
browser_transport(const Browser *browser)
{
	return browser->ours;
}

void
browser_connect(Browser *browser, const Transport *theirs)
{
	const DtlsOptions options = {
		.client = TRUE,
		.hash = theirs->fingerprint_hash,
		.fingerprint = theirs->fingerprint,
		.timeout_ms = 20000,
	};

	browser->dtls = dtls_new(browser->context, g_main_context_default(), &options, &dtls_events,
				 browser);
	ice_connect(browser->ice, theirs);
	if (browser->selected)
		dtls_start(browser->dtls);
}

gboolean
browser_up(const Browser *browser)
{
	return browser->send != NULL;
}

void
browser_protect(Browser *browser, guint8 *data, gsize *length)
{
	g_assert_cmpint(protection_protect(browser->send, data, length), ==, PROTECTION_OK);
}

gboolean
browser_send(Browser *browser, const void *data, gsize length, gboolean rtcp)
{
	_Alignas(8) guint8 copy[1500 + PROTECTION_TRAILER];
	ProtectionResult result;

	g_assert_cmpuint(length, <=, 1500);
	memcpy(copy, data, length);
	result = rtcp ? protection_protect_rtcp(browser->send, copy, &length)
		      : protection_protect(browser->send, copy, &length);
	if (result != PROTECTION_OK)
		return FALSE;
	ice_send(browser->ice, ICE_RTP, copy, length);
	return TRUE;
}

void
browser_send_raw(Browser *browser, const void *data, gsize length)
{
	ice_send(browser->ice, ICE_RTP, data, length);
}

guint
browser_refused(const Browser *browser)
{
	return browser->refused;
}
