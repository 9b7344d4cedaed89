/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* exercise.h - every parser and builder of the XMPP plugin on one stanza.
 *
 * For the fuzz targets and the mutation test: what was parsed is built again,
 * and what was built must hold the rules whatever came in.  Aborts when not.
 */
#pragma once
#include "plugins/xmpp/xml.h"

/* A fuzz target's bytes as a stanza, where they are one; 0. */
int exercise_bytes(const guint8 *data, gsize size, void (*exercise)(const xmlNode *stanza));
void exercise_xml(const xmlNode *stanza);
void exercise_im(const xmlNode *stanza);
void exercise_jmi(const xmlNode *stanza);
void exercise_jingle(const xmlNode *stanza);
void exercise_caps(const xmlNode *stanza);
void exercise_services(const xmlNode *stanza);
