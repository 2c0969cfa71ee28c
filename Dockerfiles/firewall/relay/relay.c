// relay LISTEN CONNECT READY: hands what comes to one socket on to another, byte by byte and both ways. Each is
// unix:PATH or tcp:ADDRESS:PORT. READY is made once it listens.
//
// Two of them, and the folder that they share, are the only way out of a network namespace that has nothing but
// loopback: no interface there leads anywhere, so no packet can, however it is forged.
//
// Each direction of a connection is a process of its own that may block: neither can hold up the other. How many there
// may be is the container's limit.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct place {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in internet;
        struct sockaddr_un local;
    } address;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int parse(const char *text, struct place *place)
{
    memset(place, 0, sizeof *place);
    if (strncmp(text, "unix:", 5) == 0) {
        place->address.local.sun_family = AF_UNIX;
        place->length = sizeof place->address.local;
        if (strlen(text + 5) >= sizeof place->address.local.sun_path) return -1;
        strcpy(place->address.local.sun_path, text + 5);
        return 0;
    }
    char address[INET_ADDRSTRLEN];
    unsigned short port;
    if (sscanf(text, "tcp:%15[0-9.]:%hu", address, &port) != 2) return -1;
    place->address.internet.sin_family = AF_INET;
    place->address.internet.sin_port = htons(port);
    place->length = sizeof place->address.internet;
    return inet_pton(AF_INET, address, &place->address.internet.sin_addr) == 1 ? 0 : -1;
}

static int open_socket(const struct place *place)
{
    return socket(place->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

// Until nothing more comes; that is passed on as an end, or as a break where there was one.
static void copy(int from, int to)
{
    static char bytes[65536];
    ssize_t count;
    while ((count = read(from, bytes, sizeof bytes)) > 0) {
        for (ssize_t done = 0; done < count;) {
            ssize_t written = write(to, bytes + done, (size_t)(count - done));
            if (written < 0) {
                shutdown(from, SHUT_RDWR);
                shutdown(to, SHUT_RDWR);
                return;
            }
            done += written;
        }
    }
    shutdown(to, count == 0 ? SHUT_WR : SHUT_RDWR);
    if (count < 0) shutdown(from, SHUT_RDWR);
}

static void serve(int client, const struct place *target)
{
    int server = open_socket(target);
    if (server < 0 || connect(server, &target->address.any, target->length)) return;
    switch (fork()) {
    case -1: return;
    case 0: copy(server, client); return;
    default: copy(client, server);
    }
}

int main(int count, char **arguments)
{
    struct place own, target;
    if (count != 4 || parse(arguments[1], &own) || parse(arguments[2], &target)) {
        fputs("usage: relay LISTEN CONNECT READY\n", stderr);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    // Process 1 has no default handlers, and children that nobody waits for are not kept.
    signal(SIGTERM, exit);
    signal(SIGINT, exit);
    signal(SIGCHLD, SIG_IGN);
    int listener = open_socket(&own);
    if (listener < 0) fail("socket");
    if (own.address.any.sa_family == AF_UNIX) unlink(own.address.local.sun_path);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, &own.address.any, own.length) || listen(listener, 64)) fail("listen");
    int ready = open(arguments[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (ready < 0) fail("ready");
    close(ready);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) continue;
        if (fork() == 0) {
            close(listener);
            serve(client, &target);
            return 0;
        }
        close(client);
    }
}
