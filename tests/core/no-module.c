/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* no-module.c - a shared object that is no plugin. */
#include <gmodule.h>

G_MODULE_EXPORT extern const int something_else;

const int something_else = 1;
