/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ng.h - rtpengine in a process, and its control protocol: a cookie, then a bencoded
 * dictionary.
 */
#pragma once
#include "bench/bench.h"

/* In the process measured: says its control port and "ready", and becomes rtpengine. */
void ng_run(Talk *talk);
/* In the generator: a socket to it. */
int ng_connect(Talk *talk);

GString *ng_command(guint cookie, const char *name, guint call); /* "offer" */
void ng_put(GString *request, const char *key, const char *value);
void ng_begin(GString *request, const char *key, char kind); /* 'd' or 'l'; ends with "e" */
void ng_say(GString *request, const char *value);	     /* an item of a list */
/* Sends the command, which is freed; the port in the answer's SDP. */
guint16 ng_ask(int socket, GString *request);
