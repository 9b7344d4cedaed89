/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* reception.h - who is behind the desk of desk.h: conversations, forms, and errands for both.
 *
 * Opened once the gateway is there, closed before its plugins stop: nobody is answered after.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

void reception_open(Gateway *gateway);
void reception_close(Gateway *gateway); /* also when it was never opened */
