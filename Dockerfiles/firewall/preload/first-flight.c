// Preloaded into squid: what comes first in a tunnel reaches squid's parser as one whole ClientHello, or as bytes that
// it refuses at once.
//
// By itself squid waits for ten seconds on TLS records that hold no greeting and on greetings that say they have
// megabytes; and it refuses good ones whose records come one by one. So on the connections of the inner port, behind
// the head of CONNECT, the bytes are looked at where they lie in the kernel. While the greeting isn't whole, squid is
// told that nothing has come, and the kernel to wake it only when so much is there. What a whole greeting says is
// judged by lib/same-name, from what squid sends on.
//
// Nothing is allocated: a few bytes for each descriptor, and one buffer. squid reads its clients in one thread.

#define _GNU_SOURCE
#include "preload.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LARGEST_GREETING = 16384,
    LARGEST_FLIGHT = 20480, // with its records' heads
    LARGEST_RECORD = 16384,
    RECORD_HEAD = 5,
    MESSAGE_HEAD = 4,
    HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    WHOLE = 0,
    BAD = -1,
};

enum place { WITHIN = 0, AT_START, AFTER_CR };

// On the outer port there is a head only, and what follows it is none of ours.
enum phase { ELSEWHERE = 0, IN_OUTER_HEAD, IN_HEAD, IN_GREETING, OUTER_HEAD_GIVEN_UP, GREETING_GIVEN_UP };

static struct {
    uint8_t phase;
    uint8_t line; // where in a line of a head the last byte was
    uint16_t looked_at;
} connections[MOST_DESCRIPTORS];

static uint8_t flight[LARGEST_FLIGHT];
// What squid's parser takes neither for TLS nor for the beginning of an SSLv2 greeting.
static const char not_tls[] = "not tls";
// What ends any head, and makes it one that squid's parser refuses: no line of a head may hold a NUL, and with
// `relaxed_header_parser off` nor may the request line.
static const char bad_end[] = "\0\r\n\r\n";

static int (*next_accept)(int, struct sockaddr *restrict, socklen_t *restrict);
static int (*next_close)(int);
static ssize_t (*next_read)(int, void *, size_t);

__attribute__((constructor)) static void find_next(void)
{
    next_accept = (int (*)(int, struct sockaddr *restrict, socklen_t *restrict))dlsym(RTLD_NEXT, "accept");
    next_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
    next_read = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
}

// WHOLE, BAD, or how many bytes there must be to say more (always more than `count`).
int judge_flight(const uint8_t *bytes, size_t count)
{
    size_t start = 0, received = 0, wanted = MESSAGE_HEAD;
    for (;;) {
        const uint8_t *record = bytes + start;
        size_t there = count - start;
        if (there > 0 && record[0] != HANDSHAKE) return BAD;
        if (there > 1 && record[1] != 3) return BAD;
        if (there < RECORD_HEAD) return (int)(start + RECORD_HEAD);
        size_t length = (size_t)record[3] << 8 | record[4];
        // A first record without the head of its message is what nobody sends.
        if (length == 0 || length > LARGEST_RECORD || (start == 0 && length < MESSAGE_HEAD)) return BAD;
        if (start == 0) {
            if (there > RECORD_HEAD && record[RECORD_HEAD] != CLIENT_HELLO) return BAD;
            if (there < RECORD_HEAD + MESSAGE_HEAD) return RECORD_HEAD + MESSAGE_HEAD;
            wanted += (size_t)record[6] << 16 | (size_t)record[7] << 8 | record[8];
            if (wanted > LARGEST_GREETING) return BAD;
        }
        received += length;
        if (received > wanted) return BAD;
        start += RECORD_HEAD + length;
        if (start > LARGEST_FLIGHT - RECORD_HEAD) return BAD;
        if (start > count) return (int)start;
        if (received == wanted) return WHOLE;
    }
}

// How many of the bytes complete the head; 0: none do. Like squid it takes a line feed alone for the end of a line.
static size_t end_of_head(int socket, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *line = &connections[socket].line;
        if (bytes[i] == '\n') {
            if (*line != WITHIN) return i + 1;
            *line = AT_START;
        } else {
            *line = bytes[i] == '\r' && *line == AT_START ? AFTER_CR : WITHIN;
        }
    }
    return 0;
}

static ssize_t read_outer_head(int socket, uint8_t *buffer, size_t size)
{
    ssize_t count = next_read(socket, buffer, size);
    if (count <= 0) return count;
    if (end_of_head(socket, buffer, (size_t)count)) {
        connections[socket].phase = ELSEWHERE;
        wait_no_more(socket);
    } else {
        wait_for_more(socket, 0);
    }
    return count;
}

static ssize_t read_head(int socket, uint8_t *buffer, size_t size)
{
    ssize_t count = recv(socket, buffer, size, MSG_PEEK);
    if (count <= 0) return count;
    size_t end = end_of_head(socket, buffer, (size_t)count);
    if (!end) return next_read(socket, buffer, (size_t)count);
    connections[socket].phase = IN_GREETING;
    return next_read(socket, buffer, end);
}

// Hands squid bytes of ours. Fewer than all of them are refused no less.
static ssize_t hand(const char *bytes, size_t count, void *buffer, size_t size)
{
    if (count > size) count = size;
    memcpy(buffer, bytes, count);
    return (ssize_t)count;
}

static ssize_t refuse_greeting(void *buffer, size_t size) { return hand(not_tls, sizeof not_tls, buffer, size); }

static ssize_t refuse_head(void *buffer, size_t size) { return hand(bad_end, sizeof bad_end - 1, buffer, size); }

static ssize_t read_greeting(int socket, void *buffer, size_t size)
{
    ssize_t count = recv(socket, flight, sizeof flight, MSG_PEEK);
    if (count < 0) return count;
    int verdict = count ? judge_flight(flight, (size_t)count) : WHOLE;
    int least = verdict > 0 ? verdict : 1;
    // Awake without more than before: the client sends no more, or the kernel doesn't wait. Then squid waits.
    bool grew = (size_t)count > connections[socket].looked_at;
    connections[socket].looked_at = (uint16_t)count;
    if (verdict > 0 && grew && !setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least)) {
        wait_for_more(socket, (size_t)count);
        errno = EAGAIN;
        return -1;
    }
    connections[socket].phase = ELSEWHERE;
    wait_no_more(socket);
    least = 1;
    setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    return verdict == BAD ? refuse_greeting(buffer, size) : next_read(socket, buffer, size);
}

void given_up(int socket)
{
    bool greets = connections[socket].phase == IN_GREETING;
    connections[socket].phase = greets ? GREETING_GIVEN_UP : OUTER_HEAD_GIVEN_UP;
}

ssize_t read(int descriptor, void *buffer, size_t size)
{
    if (descriptor >= 0 && descriptor < MOST_DESCRIPTORS) {
        switch (connections[descriptor].phase) {
        case IN_OUTER_HEAD: return read_outer_head(descriptor, buffer, size);
        case IN_HEAD: return read_head(descriptor, buffer, size);
        case IN_GREETING: return read_greeting(descriptor, buffer, size);
        case OUTER_HEAD_GIVEN_UP: connections[descriptor].phase = ELSEWHERE; return refuse_head(buffer, size);
        case GREETING_GIVEN_UP: connections[descriptor].phase = ELSEWHERE; return refuse_greeting(buffer, size);
        }
    }
    ssize_t count = next_read(descriptor, buffer, size);
    if (size > 0) heard_from(descriptor, count);
    return count;
}

static bool is_inner(int socket)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    return !getsockname(socket, (struct sockaddr *)&own, &length) && own.sin_family == AF_INET
        && own.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && own.sin_port == htons(INNER_PORT);
}

int accept(int listener, struct sockaddr *restrict address, socklen_t *restrict length)
{
    int socket = next_accept(listener, address, length);
    if (socket < 0) return socket;
    if (socket >= MOST_DESCRIPTORS) {
        next_close(socket);
        errno = EMFILE;
        return -1;
    }
    memset(&connections[socket], 0, sizeof connections[socket]);
    wait_no_more(socket);
    connections[socket].phase = is_inner(socket) ? IN_HEAD : IN_OUTER_HEAD;
    return socket;
}

int close(int descriptor)
{
    closing(descriptor);
    if (descriptor >= 0 && descriptor < MOST_DESCRIPTORS) {
        connections[descriptor].phase = ELSEWHERE;
        wait_no_more(descriptor);
    }
    return next_close(descriptor);
}
