/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* side.h - the two sides of a call. */
#pragma once

typedef enum { SIDE_CALLER, SIDE_CALLEE } Side;
