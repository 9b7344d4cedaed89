/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* core.h - the core put together: the gateway, and what each folder keeps in it.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

Gateway *core_new(const Config *config, Store *store, Workers *workers); /* borrows all three */
/* Every call is ended first, then the plugins stop. */
void core_free(Gateway *gateway);
