// Preloaded into squid: squid ends when one of its helpers does.
//
// By itself it starts another one, and takes a question that the first has not answered for no objection: a tunnel
// whose greeting was with the helper is opened, whatever name is in it. Hence the end of a helper's connection, seen
// where squid would see it, ends the process before it can go on. The supervisor ends with it.

#define _GNU_SOURCE
#include "preload.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool is_helper[MOST_DESCRIPTORS];
// What squid forks closes its copies of these connections.
static pid_t squid;

static ssize_t (*next_write)(int, const void *, size_t);

__attribute__((constructor)) static void find_next(void)
{
    next_write = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
}

static void end(void)
{
    static const char reason[] = "firewall: a helper ended\n";
    if (next_write(STDERR_FILENO, reason, sizeof reason - 1) < 0) perror("firewall");
    _exit(1);
}

static bool is_watched(int descriptor)
{
    return descriptor >= 0 && descriptor < MOST_DESCRIPTORS && is_helper[descriptor] && getpid() == squid;
}

void watch_helper(int socket)
{
    squid = getpid();
    if (socket < 0 || socket >= MOST_DESCRIPTORS) end();
    is_helper[socket] = true;
}

void heard_from(int descriptor, ssize_t count)
{
    if (count > 0 || !is_watched(descriptor)) return;
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) end();
}

void closing(int descriptor)
{
    if (is_watched(descriptor)) end();
}

ssize_t write(int descriptor, const void *buffer, size_t size)
{
    ssize_t count = next_write(descriptor, buffer, size);
    if (size > 0) heard_from(descriptor, count);
    return count;
}
