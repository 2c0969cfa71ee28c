// Preloaded into squid: a client that stops in the middle of a head or of its greeting is not waited for.
//
// By itself squid waits for ten seconds from the first byte on, whether more comes or not. Clients write both in one
// go, so after a second without a byte squid is handed, where it waits for more, what makes of it something that it
// refuses at once. Before the first byte a client may take its time.

#define _GNU_SOURCE
#include "preload.h"
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
    LONGEST_PAUSE = 1000, // milliseconds, as all below
    LOOK_EVERY = 250,
};

static struct {
    bool waits;
    int there; // bytes in the kernel when last looked at
    int64_t since;
} clients[MOST_DESCRIPTORS];
static int waiting, highest;
static int64_t looked;

static int (*next_epoll_wait)(int, struct epoll_event *, int, int);

__attribute__((constructor)) static void find_next(void)
{
    next_epoll_wait = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void wait_for_more(int socket, size_t there)
{
    if (!clients[socket].waits) waiting++;
    if (socket > highest) highest = socket;
    clients[socket].waits = true;
    clients[socket].there = (int)there;
    clients[socket].since = now();
}

void wait_no_more(int socket)
{
    if (clients[socket].waits) waiting--;
    clients[socket].waits = false;
}

static void end_pauses(void)
{
    int64_t moment = now();
    if (waiting == 0 || moment - looked < LOOK_EVERY) return;
    looked = moment;
    for (int socket = 0; socket <= highest; socket++) {
        if (!clients[socket].waits || moment - clients[socket].since <= LONGEST_PAUSE) continue;
        // What has come is no pause, whether squid was late or the kernel was told not to wake it for so little.
        int there = 0;
        if (!ioctl(socket, FIONREAD, &there) && there > clients[socket].there) {
            clients[socket].there = there;
            clients[socket].since = moment;
            continue;
        }
        wait_no_more(socket);
        given_up(socket);
        shutdown(socket, SHUT_RD);
    }
}

int epoll_wait(int queue, struct epoll_event *events, int most, int timeout)
{
    end_pauses();
    if (waiting > 0 && (timeout < 0 || timeout > LOOK_EVERY)) timeout = LOOK_EVERY;
    return next_epoll_wait(queue, events, most, timeout);
}
