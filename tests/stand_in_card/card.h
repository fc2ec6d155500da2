/* A card that executes nothing: what its parts share. See __init__.py. */
#define _GNU_SOURCE
#define __CUDA_API_VERSION_INTERNAL /* the functions keep the names that their callers look up */
#include <cuda.h>
#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden")))

/* What Python reads, in this order; see NAMES in __init__.py. */
struct counts {
    long waits, allocations, launches, copies, fills, events, graph_launches, transforms, plans;
    long exchanges, nodes, most_in_flight, drained, astray, violations;
};
extern HIDDEN struct counts counts;

/* A stream; `capture` is the one that it belongs to while it is captured. */
struct stream {
    struct stream *capture; /* the stream whose capture this one has joined: itself, or another */
    struct stream *next;    /* of those that have joined */
    long nodes, joined;     /* captured here; captured here before an event that was waited for */
    long total;             /* nodes of all streams of the capture, in the one that began it */
    long asked, done;       /* graphs asked for; those that were waited for */
};

/* Where an event stands in its stream. */
struct event {
    struct stream *stream, *capture;
    long nodes, asked;
};

HIDDEN int violation(const char *what);
/* Note work in a stream: counted, captured where the stream is. */
EXPORT void card_work(void *stream, const char *what);
/* Refuse what must not be done while a stream is captured; 0 where none is. */
HIDDEN int refused(const char *what);
HIDDEN void waited_for(struct stream *stream, long asked);
HIDDEN void waited_for_all(void);
HIDDEN int attribute(int number);
HIDDEN void uuid_of(int device, unsigned char *uuid);
HIDDEN void *memory_of(size_t bytes);
HIDDEN void free_memory(void *at);
HIDDEN int card_number(void);
HIDDEN struct stream *new_stream(void);
HIDDEN int record_event(struct event *event, struct stream *stream);
HIDDEN int wait_event(struct stream *stream, struct event *event);
HIDDEN int begin_capture(struct stream *stream);
HIDDEN long end_capture(struct stream *stream);
HIDDEN void make_current(int device);
EXPORT extern int card_total;
EXPORT extern size_t card_bytes;
