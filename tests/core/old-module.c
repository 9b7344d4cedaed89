/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* old-module.c - a plugin of another interface version, to be refused. */
#include "b2bua/leg.h"

G_MODULE_EXPORT extern const Plugin tandem_plugin;

const Plugin tandem_plugin = { .interface_version = PLUGIN_INTERFACE_VERSION - 1, .name = "old" };
