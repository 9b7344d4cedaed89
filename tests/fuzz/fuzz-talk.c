/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-talk.c - lines of a conversation, of a user and of an operator: each is answered, the
 * sessions stay bounded, and no request of a user names another account. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "b2bua/admin/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
say(Talk *talk, const TalkPerson *person, const char *line, gint64 now_us)
{
	TalkReply reply;

	talk_says(talk, person, line, now_us, &reply);
	if (!reply.text == !reply.words || (reply.text && !g_utf8_validate(reply.text, -1, NULL)))
		abort();
	if (reply.words && !person->is_operator && reply.kind != VERB_SELF)
		abort();
	talk_reply_clear(&reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const TalkPerson user = { "a@example.org", "a@example.org/1", TRUE, FALSE };
	static const TalkPerson operator= { "o@example.org", "o@example.org/1", TRUE, TRUE };
	static Store *store; /* opening costs more than the rest */
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 100);
	Talk *talk;

	if (!store) {
		store = store_open(":memory:", NULL);
		if (!store || !store_user_add(store, "a@example.org", NULL))
			abort();
	}
	talk = talk_new(store);
	for (char **line = lines; *line; line++) {
		say(talk, &user, *line, 1);
		say(talk, &operator, * line, 1);
	}
	if (talk_n_sessions(talk) > 2)
		abort();
	talk_free(talk);
	return 0;
}
