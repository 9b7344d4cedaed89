/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_cpim.h - message/cpim: a text in an envelope of its own, which no server on the way
 * opens.
 *
 * The envelope says who wrote to whom and when, by which name its author knows the text, and
 * of what the author wants to hear.
 * Thread: any (pure).  RFC 3862, RFC 5438.
 */
#pragma once
#include <glib.h>

#define CPIM_TYPE      "message/cpim"
#define CPIM_MAX_VALUE 512 /* bytes of one header's value; one that is longer is passed over */

/* Disposition-Notification: of what the author wants to hear. */
typedef enum {
	CPIM_POSITIVE = 1 << 0, /* that it was delivered */
	CPIM_NEGATIVE = 1 << 1, /* that it was not */
	CPIM_DISPLAY = 1 << 2	/* that it was read */
} CpimWants;

/* Each may be NULL but `body`. */
typedef struct {
	char *from, *to; /* URIs */
	char *date_time; /* RFC 3339 */
	char *id;	 /* imdn.Message-ID */
	guint wants;	 /* CpimWants flags */
	/* Of what is inside. */
	char *type, *language, *disposition, *encoding; /* the last: Content-Transfer-Encoding */
	char *body;					/* `size` bytes and a NUL */
	gsize size;
} Cpim;

/* FALSE: it is none.  What it has not is NULL. */
gboolean cpim_read(const char *data, gsize size, Cpim *cpim);
/* What read() reads the same.  Line breaks in a value become blanks. */
char *cpim_write(const Cpim *cpim, gsize *size);
void cpim_clear(Cpim *cpim);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cpim, cpim_clear)
