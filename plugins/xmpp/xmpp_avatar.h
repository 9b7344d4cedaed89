/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_avatar.h - the picture of the gateway and of numbers, a PNG in base64; made by
 * avatar.py. */
#pragma once

#define XMPP_AVATAR_TYPE "image/png"
#define XMPP_AVATAR_SHA1 "59067c544986a8ac7a4a726422770ed366a474a1"

static const char xmpp_avatar[] =
	"iVBORw0KGgoAAAANSUhEUgAAAGAAAABgBAMAAAAQtmoLAAAAMFBMVEUXXmsXXmsXXmsXXmsXXmsXXmsX"
	"XmsXXms0cn5RhpBumqKLrrWow8jF19ri6+z///8IJRHVAAAACHRSTlMAJEltkrbb/1y0/6IAAAJHSURB"
	"VHjatdg7TwJBEABgNBpbfwKFiT/B1tjQWskvMLbGB3Ocr3IblZKEP0CMiZQUGi2NMZFSKyzBVygRBdZF"
	"b1/32J0pnOqK+3I3uzu3N5vLRbGwBo5YX8nZMV0ET+zmrfs3wBslQ0wVARG78wosASq25f0zgIzlCBSw"
	"YIf4APmIJTz4zWIKCDEZqFkKWBVgkQK2BNiggJJYFUCKPC2FSRJzNLBp5xzUrtrvVXfWxroIrvkkhsy5"
	"OoyVfcr/4ta1xo1RDXoR+HKOq77ei+7nQ1cSBjiUYIwERxJwMmDEV+JVHDhQoI4D+wo0cUANq3PmDBAq"
	"8IgDZQU6KKDfiPf/B+gUkK+kU0AOqwZj5NJQoItcfLJ+3hgSPPsr2gY3/uqxQcNfDDao+Nd2agF10CCq"
	"hwEaBIiPjAXkRDA0aPnLxwYVTBImOEB8+CwQIr4BFpBZD9CgQasH/bHsYoEsuhEWyJlwpW0DucuNGBKE"
	"8bIWG+vH/RnLBFGZioGqWo98r2eBU3tjVBurrvQY0B+nl4wdIAbk3Il4snaxQRbQ2xC/M/fJYRZQUyHi"
	"lVV4Yu9OAOMRfNxCAPMRRoyywX4qyM7BHCgjvh2g3EsBXw4AJylg4AJwkQSfThAkR6rvBClpdNwAwrho"
	"egCEz9b9Y+YDEDyYoAteAHD891riZ9ncWB0AgvN28o/R0z6Ua5fxH11Uk2j+ShdoYIfWAk3aAXLDQW5p"
	"yE0TuS2jN37k1pLcvJLbY3oDTm7x6YcI5GMK+kEI+aiFfphDOC76AXWFcB90jOmjAAAAAElFTkSuQmCC";
