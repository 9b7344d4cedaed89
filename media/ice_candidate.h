/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice_candidate.h - candidates as libnice has them, and as we do.
 *
 * Thread: any (pure).  RFC 8445 section 5.1.1.
 */
#pragma once
#include "media/desc.h"
#include "media/udp.h"
#include <nice/agent.h>

/* FALSE: it is of no family that we have. */
gboolean ice_address_from_nice(const NiceAddress *nice, NetAddress *address);
CandidateType ice_candidate_type(const NiceCandidate *nice);
/* One of ours, as it is announced.  `public_address`: that host candidates have outside, or NULL.
 * FALSE: it cannot be announced. */
gboolean ice_candidate_from_nice(const NiceCandidate *nice, const char *public_address,
				 guint generation, Candidate *ours);
/* One of the peer's; freed by nice_candidate_free().  NULL: its address is none. */
NiceCandidate *ice_candidate_to_nice(const Candidate *candidate, guint stream);
