/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* mailbox.c - see mailbox.h; the media's queues (media/worker.c), and what is quiet. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "db/mailbox.h"

typedef struct Mail Mail;
struct Mail {
	Mail *next;
	MailFunc func;
	gpointer data;
};

struct Mailbox {
	int fd;
	pthread_mutex_t mutex; /* guards what follows */
	Mail *first, *last;
	gboolean woken; /* the reader, for what is in it */
	gboolean looks; /* it comes by itself for what is quiet */
};

Mailbox *
mailbox_new(void)
{
	Mailbox *mailbox = g_new0(Mailbox, 1);

	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd < 0)
		g_error("eventfd: %s", g_strerror(errno));
	pthread_mutex_init(&mailbox->mutex, NULL);
	return mailbox;
}

void
mailbox_free(Mailbox *mailbox)
{
	mailbox_run(mailbox, NULL);
	close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->mutex);
	g_free(mailbox);
}

int
mailbox_fd(const Mailbox *mailbox)
{
	return mailbox->fd;
}

static void
post(Mailbox *mailbox, MailFunc func, gpointer data, gboolean quietly)
{
	Mail *mail = g_new(Mail, 1);
	gboolean wakes;
	guint64 one = 1;

	*mail = (Mail){ .func = func, .data = data };
	pthread_mutex_lock(&mailbox->mutex);
	if (!mailbox->first)
		mailbox->first = mail;
	else
		mailbox->last->next = mail;
	mailbox->last = mail;
	wakes = !mailbox->woken && !(quietly && mailbox->looks);
	mailbox->woken = mailbox->woken || wakes;
	pthread_mutex_unlock(&mailbox->mutex);
	while (wakes && write(mailbox->fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void
mailbox_post(Mailbox *mailbox, MailFunc func, gpointer data)
{
	post(mailbox, func, data, FALSE);
}

void
mailbox_post_quietly(Mailbox *mailbox, MailFunc func, gpointer data)
{
	post(mailbox, func, data, TRUE);
}

void
mailbox_run(Mailbox *mailbox, gpointer reader)
{
	guint64 count;
	Mail *mail;

	while (read(mailbox->fd, &count, sizeof count) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&mailbox->mutex);
	mail = mailbox->first;
	mailbox->first = mailbox->last = NULL;
	mailbox->woken = FALSE;
	pthread_mutex_unlock(&mailbox->mutex);
	while (mail) {
		Mail *next = mail->next;

		mail->func(reader, mail->data);
		g_free(mail);
		mail = next;
	}
}

void
mailbox_wait(Mailbox *mailbox, int ms, gboolean looks)
{
	struct pollfd fd = { .fd = mailbox->fd, .events = POLLIN };
	gboolean has_quiet;

	pthread_mutex_lock(&mailbox->mutex);
	mailbox->looks = looks;
	has_quiet = mailbox->first != NULL && !looks;
	pthread_mutex_unlock(&mailbox->mutex);
	if (!has_quiet)
		poll(&fd, 1, ms);
}
