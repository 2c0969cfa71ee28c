// What the parts of the preloaded library know of each other, and of the firewall's configuration.

#ifndef PRELOAD_H
#define PRELOAD_H

#include <netinet/in.h>

// squid's inner port, on 127.0.0.1 (see `firewall` and lib/squid.conf).
#define INNER_PORT 8889

// `squid` listens at this address of loopback: it may connect to it.
void permit_own(const struct in6_addr *address, in_port_t port);

#endif
