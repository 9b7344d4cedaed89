/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control.h - what tandemctl asks for: a line in, a line out.
 *
 * A request is one JSON array of strings, the words of the command line; the
 * reply one JSON object: {"ok":true,"columns":[..],"rows":[[..]..]},
 * {"ok":true,"text":".."} or {"ok":false,"status":N,"error":".."}: N is 2 when the
 * words were wrong and nothing was changed, 1 when it failed.  A long list comes in
 * portions, and where it cannot be read to its end there is "error" beside its rows.
 * The same code serves
 * the socket of a running daemon and, with no gateway, `tandemd --control` for
 * tandemctl when no daemon runs: provisioning has one path.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/answer.h"

typedef struct Control Control;

/* After so many seconds of silence a client makes way: 60, less for a test. */
extern guint control_idle_s;

/* gateway may be NULL: then only what needs the store alone is answered. */
char *control_execute(Gateway *gateway, Store *store, const char *request_line);

/* The request ["backup", FILE], without opening the store at `path` for good; and any request
 * that failed before it was looked at. */
char *control_backup(const char *path, const char *request_line);
char *control_failed(const GError *error);

/* Listens on the configured socket (mode 0660), replacing a dead one; refuses
 * when another daemon answers on it. */
Control *control_start(Gateway *gateway, GError **error);
void control_stop(Control *control); /* NULL is fine */
