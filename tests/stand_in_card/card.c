/* The card itself: its memory is the host's, its streams know what was asked of them. */
#include "card.h"
#include <sys/mman.h>

HIDDEN struct counts counts;
EXPORT int card_total = 1;                    /* cards that a process sees */
EXPORT size_t card_bytes = 150000000000ul;    /* memory of each */
EXPORT unsigned char card_uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf1,
                                      0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
static struct stream *capturing; /* the stream that began the capture that goes on */
static struct stream streams[64];
static int stream_count = 1; /* the first is the default one, whose handle is 0 */
static size_t taken;
static int current;

EXPORT void card_counts(long *found) { memcpy(found, &counts, sizeof counts); }
EXPORT void card_forget_the_most(void) { counts.most_in_flight = 0; }
HIDDEN int card_number(void) { return current; }
HIDDEN void make_current(int device) { current = device; }

HIDDEN int violation(const char *what) {
    counts.violations++;
    fprintf(stderr, "stand-in card: %s%s\n", what, capturing ? ", while a stream is captured" : "");
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

HIDDEN int refused(const char *what) { return capturing ? violation(what) : 0; }

static struct stream *of(void *handle) { return handle ? handle : &streams[0]; }

HIDDEN struct stream *new_stream(void) {
    if (stream_count == 64) abort();
    return &streams[stream_count++];
}

/* Who waits for the last graph leaves the stream without work. */
static void wait_for(struct stream *stream, long asked) {
    if (asked <= stream->done) return;
    stream->done = asked;
    counts.drained += asked == stream->asked;
}

HIDDEN void waited_for(struct stream *handle, long asked) { wait_for(of(handle), asked); }

HIDDEN void waited_for_all(void) {
    for (int n = 0; n < stream_count; n++) wait_for(&streams[n], streams[n].asked);
}

EXPORT void card_work(void *handle, const char *what) {
    struct stream *stream = of(handle);
    counts.astray += !handle; /* the default stream does not wait for that of a card's work */
    if (stream->capture) {
        stream->nodes++, stream->capture->total++, counts.nodes++;
        return;
    }
    if (capturing) violation(what);
}

/* A graph is a step, or a part of one: how many are in flight is how far the host is ahead. */
EXPORT void card_graph_launch(void *handle) {
    struct stream *stream = of(handle);
    long flying = ++stream->asked - stream->done;
    counts.graph_launches++;
    if (flying > counts.most_in_flight) counts.most_in_flight = flying;
}

HIDDEN int record_event(struct event *event, struct stream *handle) {
    struct stream *stream = of(handle);
    counts.events++;
    *event = (struct event){stream, stream->capture, stream->nodes, stream->asked};
    if (capturing && !stream->capture) return violation("an event in another stream");
    return 0;
}

HIDDEN int wait_event(struct stream *handle, struct event *event) {
    struct stream *stream = of(handle);
    counts.events++;
    if (!event->capture && !stream->capture) return 0;
    if (!event->capture) return violation("a wait for an event that was not captured");
    if (!stream->capture) { /* the other stream joins the capture */
        stream->capture = event->capture, stream->nodes = stream->joined = 0;
        stream->next = event->capture->next, event->capture->next = stream;
    }
    if (event->nodes > event->stream->joined) event->stream->joined = event->nodes;
    return 0;
}

HIDDEN int begin_capture(struct stream *stream) {
    if (capturing || !stream) return violation("a second capture, or one of the default stream");
    capturing = stream->capture = stream;
    stream->next = NULL, stream->nodes = stream->joined = stream->total = 0;
    return 0;
}

HIDDEN long end_capture(struct stream *stream) {
    struct stream *other, *next;
    int left = 0;
    if (capturing != stream) return -violation("the end of no capture");
    for (other = stream->next; other; other = next) {
        left |= other->nodes > other->joined, next = other->next;
        other->capture = other->next = NULL;
    }
    stream->capture = stream->next = NULL, capturing = NULL;
    return left ? -violation("a stream that has not been joined again") : stream->total;
}

HIDDEN void *memory_of(size_t bytes) {
    /* Zeros, of which the host only has what is touched. */
    size_t *at;
    if (taken + bytes > card_bytes) return NULL;
    at = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return NULL;
    *at = bytes, taken += bytes, counts.allocations++;
    return (char *)at + 4096;
}

HIDDEN void free_memory(void *memory) {
    size_t *at = (size_t *)((char *)memory - 4096);
    if (!memory) return;
    taken -= *at;
    munmap(at, *at + 4096);
}

/* What the libraries beside the driver ask for. */
EXPORT void card_plan(void) { counts.plans++; refused("a plan made"); }
EXPORT void card_transform(void *stream) { counts.transforms++, card_work(stream, "a transform"); }
EXPORT void card_exchange(void *stream) { counts.exchanges++, card_work(stream, "an exchange"); }

EXPORT size_t card_taken(void) { return taken; }

HIDDEN void uuid_of(int device, unsigned char *uuid) {
    memcpy(uuid, card_uuid, 16);
    uuid[15] += device;
}

/* Those of an H200, as far as libraries ask. */
HIDDEN int attribute(int number) {
    switch (number) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return 9;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return 132;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE: return 32;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: return 1024;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: return 64;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: return 2147483647;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: return 65535;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: return 49152;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: return 232448;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK: return 65536;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: return 2048;
    case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: return 50 << 20;
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED: return 1;
    default: return 0;
    }
}
