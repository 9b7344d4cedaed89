/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text_address.h - an address as one word of ASCII for the store, and back.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/address.h"

char *text_address_save(const Address *address); /* new */
Address *text_address_load(const char *word);	 /* NULL: it is none */
/* For people and for lists of conversations: the number alone where it is one.  New, UTF-8. */
char *text_address_word(const Address *address);
