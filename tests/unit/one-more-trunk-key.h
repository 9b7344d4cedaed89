/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* one-more-trunk-key.h - the lines that test-trunk-key.py adds to the table of trunk keys. */
#define TRUNK_KEYS_MORE(ROW)                                                       \
	ROW("weather", weather, TEXT, CHOICE, "fair", "fair|rain|snow", TRUNK_WAY, \
	    "the weather where the carrier is")                                    \
	ROW("umbrellas", umbrellas, UINT, WHOLE, "3", "0…40", 0, "how many umbrellas there are")
