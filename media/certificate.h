/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* certificate.h - a certificate and its key as files, looked at before a server uses them.
 *
 * The files are read and nothing is kept.  Thread: any that may wait for a disk.
 */
#pragma once
#include <glib.h>

typedef enum {
	CERTIFICATE_GOOD,
	CERTIFICATE_NOT_PEM,	/* the file is not there, not readable, or not a certificate */
	CERTIFICATE_NO_KEY,	/* nor is the other one a key that can be used as it is */
	CERTIFICATE_OTHERS_KEY, /* the two do not belong together */
	CERTIFICATE_EARLY,	/* it is not valid yet */
	CERTIFICATE_EXPIRED
} CertificateState;

typedef struct {
	gint64 since, until; /* s since 1970; 0: not known */
	GError *error;	     /* of G_FILE_ERROR: what kept a file from being read; NULL: nothing */
} CertificateFacts;

/* Of the first certificate in `file`, PEM, and of the key in `key_file`, NULL: the same file.
 * The times are set from CERTIFICATE_EARLY and CERTIFICATE_EXPIRED on, and where it is good; the
 * error is the caller's. */
CertificateState
certificate_look(const char *file, const char *key_file, gint64 now, CertificateFacts *facts);
