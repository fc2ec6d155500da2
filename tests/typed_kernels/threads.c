// What a kernel asks of a card about its thread: of one thread after the other, or of as many threads of
// the host as a block has, where these wait for each other.
#include <pthread.h>
#include <stdlib.h>

static __thread int place[7]; // thread, block x y z, threads of a block, blocks x, blocks y
static pthread_barrier_t all;
static int together;

int thread_x(void) { return place[0]; }
int block_x(void) { return place[1]; }
int block_y(void) { return place[2]; }
int block_z(void) { return place[3]; }
int threads_x(void) { return place[4]; }
int blocks_x(void) { return place[5]; }
int blocks_y(void) { return place[6]; }

void set_place(const int *now) {
    for (int i = 0; i < 7; i++) place[i] = now[i];
}
void begin_block(int threads) { together = threads, pthread_barrier_init(&all, NULL, threads); }
void end_block(void) { together = 0, pthread_barrier_destroy(&all); }
void wait_for_block(void) {
    if (!together) abort();
    pthread_barrier_wait(&all);
}
