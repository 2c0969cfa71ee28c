// Feeds greetings (hexadecimal, one a line) to the reader of first flights, each as it grows byte by byte. Built with
// sanitizers; every beginning is copied to an allocation of its own size, so that a byte too far is seen.
//
// Holds of any bytes: what is asked for is more than there is and fits the buffer; once whole or bad, always so.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "first-flight.c"

static int judge_copy(const uint8_t *bytes, size_t count)
{
    uint8_t *copy = malloc(count ? count : 1);
    assert(copy);
    memcpy(copy, bytes, count);
    int verdict = judge_flight(copy, count);
    free(copy);
    return verdict;
}

int main(void)
{
    static char line[4 * LARGEST_FLIGHT];
    static uint8_t bytes[LARGEST_FLIGHT];
    unsigned whole = 0, bad = 0, begun = 0;
    while (fgets(line, sizeof line, stdin)) {
        size_t size = strspn(line, "0123456789abcdef") / 2;
        if (size > sizeof bytes) size = sizeof bytes;
        for (size_t i = 0; i < size; i++) {
            unsigned value;
            assert(sscanf(line + 2 * i, "%2x", &value) == 1);
            bytes[i] = (uint8_t)value;
        }
        int verdict = 0, before = 1;
        for (size_t count = 0; count <= size; count++) {
            verdict = judge_copy(bytes, count);
            assert(verdict == WHOLE || verdict == BAD || ((size_t)verdict > count && verdict <= LARGEST_FLIGHT));
            assert(before > 0 || verdict == before);
            before = verdict;
        }
        if (verdict == WHOLE) whole++;
        else if (verdict == BAD) bad++;
        else begun++;
    }
    printf("%u whole, %u bad, %u begun\n", whole, bad, begun);
    return whole > 100 && bad > 100 && begun > 100 ? 0 : 1;
}
