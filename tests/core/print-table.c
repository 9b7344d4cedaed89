/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* print-table.c - docs/call-states.md on standard output. */
#include "b2bua/call/call_private.h"
#include <stdio.h>

int
main(void)
{
	g_autofree char *table = call_table_markdown();

	printf("# The states of a call\n\n"
	       "Printed from the table in `b2bua/call/call_table.c` by `make call-states`; do not "
	       "edit.  "
	       "A "
	       "cell\n"
	       "is what is done and the state that follows; an empty one means that the event is\n"
	       "ignored, counted (`events_ignored`) and noted in the call's ladder.  The timeouts "
	       "are\n"
	       "keys of `[calls]` in the configuration; a stage has its own (`ring-seconds` of "
	       "the\n"
	       "trunk or the user, `first_ring`, or `ring_timeout`), which ringing does not begin "
	       "anew.\n\n%s\n"
	       "An event of a leg that the core has let go of, or of a callee that is no longer in "
	       "the\n"
	       "stage, never reaches the table.  A caller answers when he has been told an offer "
	       "of\n"
	       "ours: with the answer to a call without an offer, or with early media.  A callee "
	       "that\n"
	       "has lost the race is let go while the winner is connected, so nobody is left to "
	       "answer\n"
	       "in CONNECTING.\n\n"
	       "Beside the table: a call that is refused while it begins goes from SETUP to ENDED "
	       "without\n"
	       "an event.  A device that takes the place of another one (INVITE with Replaces, or "
	       "a\n"
	       "propose to the same number) puts the call from ACTIVE into TRANSFERRING.  In "
	       "ENDED nothing\n"
	       "is heard, counted or noted.  What a cell does last may bring the next change at "
	       "once: so\n"
	       "ACTIVE may become CHANGING again.\n",
	       table);
	return 0;
}
