/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* reason.c - the one table of why calls end.
 *
 * Thread: any (pure).
 */
#include "b2bua/reason.h"
#include <string.h>

typedef struct {
	const char *name;
	const char *sentence;
	guint telling;	  /* the higher, the more it tells a caller who was refused */
	gboolean network; /* the network refused, not the person: another way may work */
} ReasonRow;

static const ReasonRow ROWS[N_REASONS] = {
	[REASON_NONE] = { "none", "The call has not ended", 0, FALSE },
	[REASON_HANGUP] = { "hangup", "The call was hung up", 31, FALSE },
	[REASON_CANCELLED] = { "cancelled", "The caller gave up before the answer", 3, FALSE },
	[REASON_ANSWERED_ELSEWHERE] = { "answered-elsewhere",
					"The call was answered on another device", 1, FALSE },
	[REASON_TRANSFERRED] = { "transferred", "The call was transferred", 4, FALSE },
	[REASON_BUSY] = { "busy", "The line is busy", 30, FALSE },
	[REASON_DECLINED] = { "declined", "The call was declined", 29, FALSE },
	[REASON_NO_ANSWER] = { "no-answer", "Nobody answered", 28, FALSE },
	[REASON_GONE] = { "gone", "The number is no longer in service", 27, FALSE },
	[REASON_NOT_FOUND] = { "not-found", "The number is not in service", 26, FALSE },
	[REASON_INCOMPLETE] = { "incomplete", "The number is incomplete or ambiguous", 25, FALSE },
	[REASON_UNREACHABLE] = { "unreachable", "The person called cannot be reached now", 24,
				 FALSE },
	[REASON_SECURITY] = { "security", "The encryption or identity of the call was refused", 23,
			      FALSE },
	[REASON_INCOMPATIBLE] = { "incompatible", "The two sides have no codec in common", 22,
				  TRUE },
	[REASON_NO_TRANSCODING] = { "no-transcoding",
				    "The two sides have no codec in common, and the audio of this "
				    "call is not transcoded",
				    21, TRUE },
	[REASON_TRANSCODING_BUSY] = { "transcoding-busy",
				      "The two sides have no codec in common, and the gateway has "
				      "no time to transcode more audio",
				      20, TRUE },
	[REASON_IP_VERSION] = { "ip-version", "One side has only IPv4 and the other only IPv6", 19,
				TRUE },
	[REASON_FORBIDDEN] = { "forbidden", "The call is not allowed", 18, TRUE },
	[REASON_NOT_AUTHORIZED] = { "not-authorized",
				    "The telephone network did not accept the gateway's "
				    "credentials",
				    17, TRUE },
	[REASON_NO_MEDIA] = { "no-media", "No audio connection could be made", 16, TRUE },
	[REASON_MEDIA_LOST] = { "media-lost", "The audio connection was lost", 15, TRUE },
	[REASON_OVERLOAD] = { "overload", "The network is full or busy, please try again later", 14,
			      TRUE },
	[REASON_TIMEOUT] = { "timeout", "The far end did not respond in time", 13, TRUE },
	[REASON_NETWORK_ERROR] = { "network-error", "The far network failed", 12, TRUE },
	[REASON_PROTOCOL_ERROR] = { "protocol-error", "The far end sent something unintelligible",
				    11, TRUE },
	[REASON_ADMIN] = { "admin", "The operator ended the call", 33, FALSE },
	[REASON_SHUTDOWN] = { "shutdown", "The gateway is shutting down", 32, FALSE },
	[REASON_LOOP] = { "loop", "The call was forwarded in a circle", 10, FALSE },
	[REASON_CRASHED] = { "crashed", "The gateway failed during the call", 2, FALSE },
};

const char *
reason_name(Reason reason)
{
	return ROWS[reason].name;
}

Reason
reason_from_name(const char *name)
{
	for (Reason reason = REASON_NONE; name && reason < N_REASONS; reason++)
		if (strcmp(ROWS[reason].name, name) == 0)
			return reason;
	return REASON_NONE;
}

const char *
reason_sentence(Reason reason)
{
	return ROWS[reason].sentence;
}

Reason
reason_more_telling(Reason one, Reason other)
{
	return ROWS[other].telling > ROWS[one].telling ? other : one;
}

gboolean
reason_is_network(Reason reason)
{
	return ROWS[reason].network;
}
