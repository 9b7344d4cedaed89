/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice_candidate.c - candidates as libnice has them, and as we do. */
#include "media/ice_candidate.h"
#include <string.h>

gboolean
ice_address_from_nice(const NiceAddress *nice, NetAddress *address)
{
	memset(address, 0, sizeof *address);
	if (nice->s.addr.sa_family == AF_INET)
		address->length = sizeof address->ip4;
	else if (nice->s.addr.sa_family == AF_INET6)
		address->length = sizeof address->ip6;
	else
		return FALSE;
	nice_address_copy_to_sockaddr(nice, &address->any);
	return TRUE;
}

CandidateType
ice_candidate_type(const NiceCandidate *nice)
{
	switch (nice->type) {
	case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
		return CANDIDATE_SRFLX;
	case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
		return CANDIDATE_PRFLX;
	case NICE_CANDIDATE_TYPE_RELAYED:
		return CANDIDATE_RELAY;
	default:
		return CANDIDATE_HOST;
	}
}

/* RFC 8445 5.1.1.1 knows no 1:1 NAT: the host candidate is announced as the
 * address it has outside. */
gboolean
ice_candidate_from_nice(const NiceCandidate *nice, const char *public_address, guint generation,
			Candidate *ours)
{
	NetAddress address, outside, base;

	*ours = (Candidate){ .component = nice->component_id,
			     .priority = nice->priority,
			     .generation = generation,
			     .type = ice_candidate_type(nice) };
	if (!ice_address_from_nice(&nice->addr, &address))
		return FALSE;
	ours->port = net_address_port(&address);
	if (ours->type != CANDIDATE_HOST && ice_address_from_nice(&nice->base_addr, &base)) {
		net_address_host_text(&base, ours->related_address);
		ours->related_port = net_address_port(&base);
	}
	if (ours->type == CANDIDATE_HOST && public_address &&
	    net_address_parse(public_address, ours->port, &outside) &&
	    outside.any.sa_family == address.any.sa_family)
		address = outside;
	net_address_host_text(&address, ours->address);
	g_strlcpy(ours->foundation, nice->foundation, sizeof ours->foundation);
	return TRUE;
}

static const NiceCandidateType nice_types[] = {
	[CANDIDATE_HOST] = NICE_CANDIDATE_TYPE_HOST,
	[CANDIDATE_SRFLX] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
	[CANDIDATE_PRFLX] = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE,
	[CANDIDATE_RELAY] = NICE_CANDIDATE_TYPE_RELAYED,
};

NiceCandidate *
ice_candidate_to_nice(const Candidate *candidate, guint stream)
{
	NiceCandidate *nice = nice_candidate_new(nice_types[candidate->type]);

	nice->transport = NICE_CANDIDATE_TRANSPORT_UDP;
	nice->component_id = candidate->component;
	nice->stream_id = stream;
	nice->priority = candidate->priority;
	g_strlcpy(nice->foundation, candidate->foundation, sizeof nice->foundation);
	if (!nice_address_set_from_string(&nice->addr, candidate->address)) {
		nice_candidate_free(nice);
		return NULL;
	}
	nice_address_set_port(&nice->addr, candidate->port);
	nice->base_addr = nice->addr;
	return nice;
}
