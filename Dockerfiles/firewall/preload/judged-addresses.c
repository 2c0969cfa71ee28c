// Preloaded into squid: a connection goes to an address that the configuration lets through, whatever its name is.
//
// squid looks a name up when it judges it and again when it connects, and the second answer may be another one. So
// connect() is held against the ranges that lib/addresses.awk computes for the ACLs; those refused get EACCES and a
// line on standard output. On loopback squid reaches its inner port, the helper that it has just started, and the engine's
// resolver. Without the ranges squid doesn't start.
//
// connect() allocates nothing: the ranges are read once, into an array.

#define _GNU_SOURCE
#include "preload.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RANGES = 8192, MAPPED = 96, RESOLVER_PORT = 53 };

// All as IPv6; an IPv4 address is in ::ffff:0:0/96.
static struct range {
    struct in6_addr address;
    unsigned length;
} ranges[MOST_RANGES];
static size_t range_count;

static struct in6_addr own_address;
static in_port_t own_port;

static int (*next_connect)(int, const struct sockaddr *, socklen_t);

static struct in6_addr mapped(struct in_addr address)
{
    return (struct in6_addr){.s6_addr32 = {0, 0, htonl(0xffff), address.s_addr}};
}

// `10.0.0.0/8` or `fd00::/8`.
static bool parse_range(char *text, struct range *range)
{
    struct in_addr four;
    char *slash = strchr(text, '/'), *end;
    if (!slash) return false;
    *slash = 0;
    unsigned long length = strtoul(slash + 1, &end, 10);
    if (end == slash + 1 || (*end != '\n' && *end)) return false;
    if (inet_pton(AF_INET, text, &four) == 1) {
        range->address = mapped(four);
        length += MAPPED;
    } else if (inet_pton(AF_INET6, text, &range->address) != 1) {
        return false;
    }
    range->length = (unsigned)length;
    return length <= 128;
}

static bool read_ranges(const char *path)
{
    char line[80];
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file) return false;
    bool good = true;
    while (good && fgets(line, sizeof line, file)) {
        good = range_count < MOST_RANGES && parse_range(line, &ranges[range_count]);
        range_count++;
    }
    good = good && !ferror(file) && range_count > 0;
    fclose(file);
    return good;
}

__attribute__((constructor)) static void prepare(void)
{
    next_connect = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
    if (read_ranges(getenv("FIREWALL_GUARD"))) return;
    fputs("firewall: no ranges to guard connections by\n", stderr);
    _exit(64);
}

void permit_own(const struct in6_addr *address, in_port_t port)
{
    own_address = *address;
    own_port = port;
}

static bool is_within(const struct in6_addr *address, const struct range *range)
{
    unsigned bytes = range->length / 8, bits = range->length % 8;
    if (memcmp(address, &range->address, bytes)) return false;
    return !bits || !((address->s6_addr[bytes] ^ range->address.s6_addr[bytes]) >> (8 - bits));
}

static bool is_refused(const struct in6_addr *address)
{
    for (size_t i = 0; i < range_count; i++)
        if (is_within(address, &ranges[i])) return true;
    return false;
}

static bool is_own(const struct in6_addr *address, in_port_t port)
{
    return !memcmp(address, &own_address, sizeof own_address) && port == own_port;
}

static bool is_inside(const struct in6_addr *address, in_port_t port)
{
    static const struct in6_addr inner = {.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    static const struct in6_addr resolver = {.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 11}};
    if (!memcmp(address, &inner, sizeof inner) && port == htons(INNER_PORT)) return true;
    if (!memcmp(address, &resolver, sizeof resolver) && port == htons(RESOLVER_PORT)) return true;
    return is_own(address, port);
}

static void record_refusal(const struct in6_addr *address, in_port_t port)
{
    char line[400], when[32], text[INET6_ADDRSTRLEN] = "-";
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    if (IN6_IS_ADDR_V4MAPPED(address)) inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof text);
    else inet_ntop(AF_INET6, address, text, sizeof text);
    int length = snprintf(line, sizeof line,
        "{\"time\":\"%s.%03ldZ\",\"event\":\"refused\",\"host\":\"%s\",\"port\":\"%u\",\"method\":\"-\","
        "\"rule\":\"private-address\",\"reason\":\"the name moved to an address that is not public\"}\n",
        when, now.tv_nsec / 1000000, text, (unsigned)ntohs(port));
    if (length > 0 && (size_t)length < sizeof line && write(STDOUT_FILENO, line, (size_t)length) < 0)
        perror("firewall: a refusal is not on record");
}

int connect(int socket, const struct sockaddr *address, socklen_t length)
{
    struct in6_addr wanted;
    in_port_t port;
    if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
        wanted = mapped(((const struct sockaddr_in *)address)->sin_addr);
        port = ((const struct sockaddr_in *)address)->sin_port;
    } else if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
        wanted = ((const struct sockaddr_in6 *)address)->sin6_addr;
        port = ((const struct sockaddr_in6 *)address)->sin6_port;
    } else {
        errno = EAFNOSUPPORT;
        return -1;
    }
    // squid listens for a helper before it starts it, and last of all at the inner port.
    if (is_own(&wanted, port) && port != htons(INNER_PORT)) watch_helper(socket);
    if (!is_refused(&wanted) || is_inside(&wanted, port)) return next_connect(socket, address, length);
    record_refusal(&wanted, port);
    errno = EACCES;
    return -1;
}
