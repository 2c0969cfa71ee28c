// What the parts of the preloaded library know of each other, and of the firewall's configuration.

#ifndef PRELOAD_H
#define PRELOAD_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/types.h>

// squid's inner port, on 127.0.0.1 (see `firewall` and lib/squid.conf).
#define INNER_PORT 8889

// Twice what squid may open.
#define MOST_DESCRIPTORS 8192

// `squid` listens at this address of loopback: it may connect to it.
void permit_own(const struct in6_addr *address, in_port_t port);

// This is squid's connection to a helper that it has just started.
void watch_helper(int socket);

// What `read` or `write` came to.
void heard_from(int descriptor, ssize_t count);

// More of a client's head or greeting is due; `there` bytes of it are left in the kernel.
void wait_for_more(int socket, size_t there);

// It is whole, or refused, or the connection ends.
void wait_no_more(int socket);

// A client stopped in the middle of what was waited for: what is read next refuses it.
void given_up(int socket);

// A descriptor is about to be closed.
void closing(int descriptor);

#endif
