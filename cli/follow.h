/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* follow.h - calls --follow: asks again and again for what has changed.
 *
 * The daemon keeps what has changed lately, so that an answer reads the rows alone that have.
 */
#pragma once
#include "cli/session.h"
#include "cli/show.h"

Status follow_calls(const Options *options); /* until it fails, or is interrupted */
