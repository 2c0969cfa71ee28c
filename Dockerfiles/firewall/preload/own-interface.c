// Preloaded into squid: a port that is not on loopback takes connections through the interface that has its address,
// and through no other. Linux by itself takes them through any, so that a neighbour on the network behind would be
// served too; squid has no option for this. Needs no capability since Linux 5.7. Without an interface nothing listens.

#define _GNU_SOURCE
#include "preload.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// squid's own children listen nowhere.
__attribute__((constructor)) static void end_inheritance(void)
{
    unsetenv("LD_PRELOAD");
}

static int bind_to_interface_of(struct in_addr address, int socket)
{
    struct ifaddrs *all, *each;
    int status = -1;
    if (getifaddrs(&all)) return -1;
    errno = EADDRNOTAVAIL;
    for (each = all; each; each = each->ifa_next) {
        if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET) continue;
        if (((struct sockaddr_in *)each->ifa_addr)->sin_addr.s_addr != address.s_addr) continue;
        status = setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, each->ifa_name, strlen(each->ifa_name) + 1);
        break;
    }
    freeifaddrs(all);
    return status;
}

int listen(int socket, int backlog)
{
    struct sockaddr_storage own = {0};
    const struct in_addr *address = &((struct sockaddr_in *)&own)->sin_addr;
    const struct sockaddr_in6 *six = (struct sockaddr_in6 *)&own;
    socklen_t length = sizeof own;
    int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "listen");
    if (getsockname(socket, (struct sockaddr *)&own, &length)) return -1;
    // squid talks with its helpers over loopback, by IPv6 where there is any.
    if (own.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)) {
        permit_own(&six->sin6_addr, six->sin6_port);
        return next(socket, backlog);
    }
    if (own.ss_family != AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (address->s_addr == htonl(INADDR_LOOPBACK)) {
        struct in6_addr mapped = {.s6_addr32 = {0, 0, htonl(0xffff), address->s_addr}};
        permit_own(&mapped, ((struct sockaddr_in *)&own)->sin_port);
    } else if (bind_to_interface_of(*address, socket)) {
        perror("firewall: no port on its own interface");
        return -1;
    }
    return next(socket, backlog);
}
