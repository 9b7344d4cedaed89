/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_reason.c - why a call ended: two tables.
 *
 * No XEP or RFC maps these reasons; they are chosen by what clients show for
 * them (docs/mapping.md).  The far end's own words go into <text/>.
 * Thread: any (pure).
 */
#include "plugins/xmpp/xmpp_reason.h"

#include <string.h>

static const char *const to_jingle[N_REASONS] = {
	[REASON_NONE] = "success",
	[REASON_HANGUP] = "success",
	[REASON_CANCELLED] = "cancel",
	[REASON_ANSWERED_ELSEWHERE] = "cancel",
	[REASON_TRANSFERRED] = "success",
	[REASON_BUSY] = "busy",
	[REASON_DECLINED] = "decline",
	[REASON_NO_ANSWER] = "timeout",
	[REASON_UNREACHABLE] = "timeout",
	[REASON_NOT_FOUND] = "gone",
	[REASON_GONE] = "gone",
	[REASON_INCOMPLETE] = "gone",
	[REASON_FORBIDDEN] = "decline",
	[REASON_NOT_AUTHORIZED] = "connectivity-error",
	[REASON_INCOMPATIBLE] = "failed-application",
	[REASON_NO_TRANSCODING] = "failed-application",
	[REASON_TRANSCODING_BUSY] = "general-error",
	[REASON_IP_VERSION] = "failed-transport",
	[REASON_SECURITY] = "security-error",
	[REASON_NO_MEDIA] = "connectivity-error",
	[REASON_MEDIA_LOST] = "connectivity-error",
	[REASON_TIMEOUT] = "timeout",
	[REASON_OVERLOAD] = "general-error",
	[REASON_NETWORK_ERROR] = "general-error",
	[REASON_PROTOCOL_ERROR] = "failed-application",
	[REASON_ADMIN] = "success",
	[REASON_SHUTDOWN] = "gone",
	[REASON_LOOP] = "general-error",
	[REASON_CRASHED] = "general-error",
};

/* XEP-0166 section 7.4, in its order. */
static const struct {
	const char *name;
	Reason means[N_MOMENTS];
} from_jingle[] = {
	{ "alternative-session", { REASON_CANCELLED, REASON_BUSY, REASON_HANGUP } },
	{ "busy", { REASON_CANCELLED, REASON_BUSY, REASON_HANGUP } },
	{ "cancel", { REASON_CANCELLED, REASON_NO_ANSWER, REASON_HANGUP } },
	{ "connectivity-error", { REASON_NO_MEDIA, REASON_NO_MEDIA, REASON_MEDIA_LOST } },
	{ "decline", { REASON_CANCELLED, REASON_DECLINED, REASON_HANGUP } },
	{ "expired", { REASON_CANCELLED, REASON_NO_ANSWER, REASON_HANGUP } },
	{ "failed-application", { REASON_INCOMPATIBLE, REASON_INCOMPATIBLE, REASON_INCOMPATIBLE } },
	{ "failed-transport", { REASON_NO_MEDIA, REASON_NO_MEDIA, REASON_MEDIA_LOST } },
	{ "general-error", { REASON_NETWORK_ERROR, REASON_NETWORK_ERROR, REASON_NETWORK_ERROR } },
	{ "gone", { REASON_CANCELLED, REASON_UNREACHABLE, REASON_HANGUP } },
	{ "incompatible-parameters",
	  { REASON_INCOMPATIBLE, REASON_INCOMPATIBLE, REASON_INCOMPATIBLE } },
	{ "media-error", { REASON_INCOMPATIBLE, REASON_INCOMPATIBLE, REASON_MEDIA_LOST } },
	{ "security-error", { REASON_SECURITY, REASON_SECURITY, REASON_SECURITY } },
	{ "success", { REASON_CANCELLED, REASON_DECLINED, REASON_HANGUP } },
	{ "timeout", { REASON_CANCELLED, REASON_NO_ANSWER, REASON_HANGUP } },
	{ "unsupported-applications",
	  { REASON_INCOMPATIBLE, REASON_INCOMPATIBLE, REASON_INCOMPATIBLE } },
	{ "unsupported-transports",
	  { REASON_INCOMPATIBLE, REASON_INCOMPATIBLE, REASON_INCOMPATIBLE } },
};

static const Reason normal_end[N_MOMENTS] = {
	[MOMENT_CALLER_GIVES_UP] = REASON_CANCELLED,
	[MOMENT_CALLEE_REFUSES] = REASON_DECLINED,
	[MOMENT_ANSWERED] = REASON_HANGUP,
};

/* RFC 6120 section 8.3.3, as RFC 7247 section 5 reads it. */
static const struct {
	const char *name;
	Reason reason;
} from_error[] = {
	{ "bad-request", REASON_PROTOCOL_ERROR },
	{ "conflict", REASON_PROTOCOL_ERROR },
	{ "feature-not-implemented", REASON_INCOMPATIBLE },
	{ "forbidden", REASON_FORBIDDEN },
	{ "gone", REASON_GONE },
	{ "internal-server-error", REASON_NETWORK_ERROR },
	{ "item-not-found", REASON_NOT_FOUND },
	{ "jid-malformed", REASON_NOT_FOUND },
	{ "not-acceptable", REASON_INCOMPATIBLE },
	{ "not-allowed", REASON_FORBIDDEN },
	{ "not-authorized", REASON_NOT_AUTHORIZED },
	{ "policy-violation", REASON_FORBIDDEN },
	{ "recipient-unavailable", REASON_UNREACHABLE },
	{ "redirect", REASON_GONE },
	{ "registration-required", REASON_FORBIDDEN },
	{ "remote-server-not-found", REASON_NETWORK_ERROR },
	{ "remote-server-timeout", REASON_TIMEOUT },
	{ "resource-constraint", REASON_OVERLOAD },
	{ "service-unavailable", REASON_UNREACHABLE },
	{ "subscription-required", REASON_FORBIDDEN },
	{ "undefined-condition", REASON_PROTOCOL_ERROR },
	{ "unexpected-request", REASON_PROTOCOL_ERROR },
};

const char *
xmpp_reason_to_jingle(Reason reason)
{
	return (guint)reason < N_REASONS ? to_jingle[reason] : "general-error";
}

/* Dino writes failed_transport. */
static gboolean
same_name(const char *sent, const char *name)
{
	for (; *sent && *name; sent++, name++)
		if (*sent != *name && !(*sent == '_' && *name == '-'))
			return FALSE;
	return *sent == *name;
}

static int
find_name(const char *name)
{
	for (guint i = 0; name && i < G_N_ELEMENTS(from_jingle); i++)
		if (same_name(name, from_jingle[i].name))
			return (int)i;
	return -1;
}

Reason
xmpp_reason_from_jingle(const char *name, XmppMoment moment)
{
	int found = find_name(name);

	return found >= 0 ? from_jingle[found].means[moment] : normal_end[moment];
}

Reason
xmpp_reason_from_reject(const char *name, guint seconds)
{
	Reason reason = xmpp_reason_from_jingle(name, MOMENT_CALLEE_REFUSES);

	if (reason == REASON_DECLINED && seconds >= XMPP_REASON_NO_ANSWER_S)
		return REASON_NO_ANSWER;
	return reason;
}

Reason
xmpp_reason_from_error(const char *condition)
{
	for (guint i = 0; condition && i < G_N_ELEMENTS(from_error); i++)
		if (strcmp(condition, from_error[i].name) == 0)
			return from_error[i].reason;
	return REASON_PROTOCOL_ERROR;
}

const char *
xmpp_reason_jingle_name(guint n)
{
	return n < G_N_ELEMENTS(from_jingle) ? from_jingle[n].name : NULL;
}
