/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* mailbox.h - what one thread posts to another: a function and what it is given, in
 * order, once each.
 *
 * The list has a pthread mutex of its own, held for two assignments; the descriptor is
 * readable while there is something in it that its reader does not wait for anyhow.
 * Thread: mailbox_post() any, the rest that of the reader.
 */
#pragma once
#include <glib.h>

typedef struct Mailbox Mailbox;
typedef void (*MailFunc)(gpointer reader, gpointer data); /* owns data */

Mailbox *mailbox_new(void);
void mailbox_free(Mailbox *mailbox); /* what is still in it is run with a reader of NULL */
int mailbox_fd(const Mailbox *mailbox);
void mailbox_post(Mailbox *mailbox, MailFunc func, gpointer data);
/* It need not wake a reader that has said that it looks by itself. */
void mailbox_post_quietly(Mailbox *mailbox, MailFunc func, gpointer data);
void mailbox_run(Mailbox *mailbox, gpointer reader);
/* Until there is something, or so long; negative: for ever.  `looks`: what is posted quietly
 * may wait for the end of that time. */
void mailbox_wait(Mailbox *mailbox, int ms, gboolean looks);
