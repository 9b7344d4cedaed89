/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hook_post.c - a line as the body of a POST.
 *
 * What the server says beside its status is read, so that the connection can be used again,
 * up to MOST_ANSWER bytes, and forgotten.
 */
#include <string.h>
#include <libsoup/soup.h>
#include "b2bua/http/hook_way.h"

#define MOST_ANSWER 65536
#define PIECE	    4096

typedef struct {
	int references; /* the owner's, and that of the try under way */
	SoupSession *session;
	char *url, *token;
	guint seconds;
	HookDoneFunc done; /* NULL: the owner is gone */
	gpointer user;
	/* of the try */
	SoupMessage *message;
	GCancellable *stop;
	GSource *timeout;
	gboolean late;
	gsize read;
} Post;

static void
post_unref(Post *post)
{
	if (--post->references > 0)
		return;
	g_object_unref(post->session);
	g_free(post->url);
	g_free(post->token);
	g_free(post);
}

static HookResult
result_of(guint status)
{
	switch (status) {
	case SOUP_STATUS_BAD_REQUEST:
	case SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE:
	case SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE:
	case SOUP_STATUS_UNPROCESSABLE_ENTITY:
		return HOOK_REFUSED;
	default:
		return SOUP_STATUS_IS_SUCCESSFUL(status) ? HOOK_TAKEN : HOOK_FAILED;
	}
}

static void
finish(Post *post, const char *problem)
{
	guint status = soup_message_get_status(post->message);
	HookResult result = problem ? HOOK_FAILED : result_of(status);
	g_autofree char *why =
		post->late ? g_strdup_printf("no answer within %u s", post->seconds)
		: problem  ? g_strdup(problem)
			   : g_strdup_printf("the server said %u %s", status,
					     soup_message_get_reason_phrase(post->message));

	g_source_destroy(post->timeout);
	g_clear_pointer(&post->timeout, g_source_unref);
	g_clear_object(&post->message);
	g_clear_object(&post->stop);
	if (post->done)
		post->done(post->user, result, result == HOOK_TAKEN ? NULL : why);
	post_unref(post);
}

static void
on_skipped(GObject *source, GAsyncResult *result, gpointer user)
{
	GInputStream *body = G_INPUT_STREAM(source);
	gssize n = g_input_stream_skip_finish(body, result, NULL);
	Post *post = user;

	post->read += n > 0 ? (gsize)n : 0;
	if (n > 0 && post->read < MOST_ANSWER)
		g_input_stream_skip_async(body, PIECE, G_PRIORITY_DEFAULT, post->stop, on_skipped,
					  post);
	else
		finish(post, NULL); /* the status has come, whatever became of the rest */
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) body =
		soup_session_send_finish(SOUP_SESSION(source), result, &error);
	Post *post = user;

	if (!body) {
		finish(post, error->message);
		return;
	}
	post->read = 0;
	g_input_stream_skip_async(body, PIECE, G_PRIORITY_DEFAULT, post->stop, on_skipped, post);
}

static gboolean
on_time(gpointer user)
{
	Post *post = user;

	post->late = TRUE;
	g_cancellable_cancel(post->stop);
	return G_SOURCE_REMOVE;
}

static void
tell(gpointer way, const char *text)
{
	Post *post = way;
	g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
	SoupMessageHeaders *headers;

	post->message = soup_message_new(SOUP_METHOD_POST, post->url);
	soup_message_add_flags(post->message, SOUP_MESSAGE_NO_REDIRECT);
	soup_message_set_request_body_from_bytes(post->message, "application/json", body);
	headers = soup_message_get_request_headers(post->message);
	if (post->token) {
		g_autofree char *value = g_strconcat("Bearer ", post->token, NULL);

		soup_message_headers_replace(headers, "Authorization", value);
	}
	post->stop = g_cancellable_new();
	post->late = FALSE;
	post->timeout = g_timeout_source_new_seconds(post->seconds);
	g_source_set_callback(post->timeout, on_time, post, NULL);
	g_source_attach(post->timeout, g_main_context_get_thread_default());
	post->references++;
	soup_session_send_async(post->session, post->message, G_PRIORITY_DEFAULT, post->stop,
				on_answered, post);
}

static void
free_post(gpointer way)
{
	Post *post = way;

	if (!post)
		return;
	post->done = NULL;
	if (post->stop)
		g_cancellable_cancel(post->stop);
	soup_session_abort(post->session);
	/* the try under way hears of it, which may take a moment: a name is looked up in a thread
	 */
	while (post->references > 1)
		g_main_context_iteration(g_main_context_get_thread_default(), TRUE);
	while (g_main_context_iteration(g_main_context_get_thread_default(), FALSE))
		continue;
	post_unref(post);
}

gpointer
hook_post_new(const char *url, const char *token, guint seconds, HookDoneFunc done, gpointer user)
{
	Post *post = g_new0(Post, 1);

	post->references = 1;
	/* no cookies, no cache, no proxy of somebody's environment */
	post->session =
		soup_session_new_with_options("user-agent", "tandem", "timeout", seconds,
					      "idle-timeout", 60, "proxy-resolver", NULL, NULL);
	post->url = g_strdup(url);
	post->token = g_strdup(token);
	post->seconds = seconds;
	post->done = done;
	post->user = user;
	return post;
}

const HookWay hook_post = { 1, tell, free_post };
