/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* clients.h - the generator's WebRTC clients: ICE and DTLS of many calls. */
#pragma once
#include "bench/bench.h"

/* Connects them to the gateway that `talk` leads to. */
void clients_introduce(Talk *talk, Load *load);
