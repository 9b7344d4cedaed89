/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* usage.h - `tandemctl --help`: every command of the table of verbs, by its noun. */
#pragma once

void usage_print(void);
