/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-chat.c - lines of a conversation, of a user and of an operator: each is answered, the
 * sessions stay bounded, and no request of a user names another account. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "b2bua/admin/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
say(Chat *chat, const ChatPerson *person, const char *line, gint64 now_us)
{
	ChatReply reply;

	chat_says(chat, person, line, now_us, &reply);
	if (!reply.text == !reply.words || (reply.text && !g_utf8_validate(reply.text, -1, NULL)))
		abort();
	if (reply.words && !person->is_operator && reply.kind != VERB_SELF)
		abort();
	chat_reply_clear(&reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ChatPerson user = { "a@example.org", "a@example.org/1", TRUE, FALSE };
	static const ChatPerson operator= { "o@example.org", "o@example.org/1", TRUE, TRUE };
	static Store *store; /* opening costs more than the rest */
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 100);
	Chat *chat;

	if (!store) {
		store = store_open(":memory:", NULL);
		if (!store || !store_user_add(store, "a@example.org", NULL))
			abort();
	}
	chat = chat_new(NULL, store);
	for (char **line = lines; *line; line++) {
		say(chat, &user, *line, 1);
		say(chat, &operator, * line, 1);
	}
	if (chat_n_sessions(chat) > 2)
		abort();
	chat_free(chat);
	return 0;
}
