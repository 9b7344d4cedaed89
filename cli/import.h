/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* import.h - `tandemctl import FILE`: many users, numbers, trunks … as JSON lines.
 *
 * A request has a portion of the lines: ["import", NUMBER-OF-THE-FIRST, LINE, LINE…].
 */
#pragma once
#include "cli/session.h"
#include "cli/show.h"

Status import_file(const Options *options);
