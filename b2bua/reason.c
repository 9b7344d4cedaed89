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
	guint telling; /* the higher, the more it tells a caller who was refused */
	guint is;
} ReasonRow;

enum {
	NETWORK = 1 << 0,  /* the network refused, not the person: another way may work */
	PERSON = 1 << 1,   /* a person ended it, or said no: no failure */
	FAILED = 1 << 2,   /* each row has one of the two */
	ABNORMAL = 1 << 3, /* what was said goes into the log */
	MISSED = 1 << 4,   /* who was called has missed it, when nobody took it */
};

static const ReasonRow ROWS[N_REASONS] = {
	[REASON_NONE] = { "none", "The call has not ended", 0, 0 },
	[REASON_HANGUP] = { "hangup", "The call was hung up", 31, PERSON },
	[REASON_CANCELLED] = { "cancelled", "The caller gave up before the answer", 3,
			       PERSON | MISSED },
	[REASON_ANSWERED_ELSEWHERE] = { "answered-elsewhere",
					"The call was answered on another device", 1, PERSON },
	[REASON_TRANSFERRED] = { "transferred", "The call was transferred", 4, PERSON },
	[REASON_BUSY] = { "busy", "The line is busy", 30, PERSON },
	[REASON_DECLINED] = { "declined", "The call was declined", 29, PERSON },
	[REASON_NO_ANSWER] = { "no-answer", "Nobody answered", 28, PERSON | MISSED },
	[REASON_GONE] = { "gone", "The number is no longer in service", 27, FAILED },
	[REASON_NOT_FOUND] = { "not-found", "The number is not in service", 26, FAILED },
	[REASON_INCOMPLETE] = { "incomplete", "The number is incomplete or ambiguous", 25, FAILED },
	[REASON_UNREACHABLE] = { "unreachable", "The person called cannot be reached now", 24,
				 FAILED | MISSED },
	[REASON_SECURITY] = { "security", "The encryption or identity of the call was refused", 23,
			      FAILED | ABNORMAL | MISSED },
	[REASON_INCOMPATIBLE] = { "incompatible", "The two sides have no codec in common", 22,
				  NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_NO_TRANSCODING] = { "no-transcoding",
				    "The two sides have no codec in common, and the audio of this "
				    "call is not transcoded",
				    21, NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_TRANSCODING_BUSY] = { "transcoding-busy",
				      "The two sides have no codec in common, and the gateway has "
				      "no time to transcode more audio",
				      20, NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_IP_VERSION] = { "ip-version", "One side has only IPv4 and the other only IPv6", 19,
				NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_FORBIDDEN] = { "forbidden", "The call is not allowed", 18, NETWORK | FAILED },
	[REASON_NOT_AUTHORIZED] = { "not-authorized",
				    "The telephone network did not accept the gateway's "
				    "credentials",
				    17, NETWORK | FAILED },
	[REASON_NO_MEDIA] = { "no-media", "No audio connection could be made", 16,
			      NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_MEDIA_LOST] = { "media-lost", "The audio connection was lost", 15,
				NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_OVERLOAD] = { "overload", "The network is full or busy, please try again later", 14,
			      NETWORK | FAILED | MISSED },
	[REASON_TIMEOUT] = { "timeout", "The far end did not respond in time", 13,
			     NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_NETWORK_ERROR] = { "network-error", "The far network failed", 12,
				   NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_PROTOCOL_ERROR] = { "protocol-error", "The far end sent something unintelligible",
				    11, NETWORK | FAILED | ABNORMAL | MISSED },
	[REASON_ADMIN] = { "admin", "The operator ended the call", 33, FAILED },
	[REASON_SHUTDOWN] = { "shutdown", "The gateway is shutting down", 32, FAILED | MISSED },
	[REASON_LOOP] = { "loop", "The call was forwarded in a circle", 10, FAILED },
	[REASON_CRASHED] = { "crashed", "The gateway failed during the call", 2, FAILED },
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

static gboolean
is(Reason reason, guint what)
{
	return (ROWS[reason].is & what) != 0;
}

gboolean
reason_is_network(Reason reason)
{
	return is(reason, NETWORK);
}

gboolean
reason_is_failure(Reason reason)
{
	return is(reason, FAILED);
}

gboolean
reason_is_by_person(Reason reason)
{
	return is(reason, PERSON);
}

gboolean
reason_is_abnormal(Reason reason)
{
	return is(reason, ABNORMAL);
}

gboolean
reason_is_missed(Reason reason)
{
	return is(reason, MISSED);
}
