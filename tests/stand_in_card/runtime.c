/* The runtime that CuPy links statically: its functions are replaced by these, named runtime_X. */
#include "card.h"

#define RUNTIME(name) EXPORT cudaError_t runtime_##name
extern CUresult cuCtxSetCurrent(CUcontext), cuDevicePrimaryCtxRetain(CUcontext *, CUdevice);
extern CUresult cuMemGetInfo_v2(size_t *, size_t *);
extern void card_graph_launch(void *);

RUNTIME(cudaGetLastError)(void) { return 0; }
RUNTIME(cudaPeekAtLastError)(void) { return 0; }
EXPORT const char *runtime_cudaGetErrorName(cudaError_t error) {
    static char text[32];
    sprintf(text, "cudaError%d", (int)error);
    return text;
}
EXPORT const char *runtime_cudaGetErrorString(cudaError_t error) { return "(stand-in card)"; }
RUNTIME(cudaDriverGetVersion)(int *version) { *version = CUDA_VERSION; return 0; }
RUNTIME(cudaRuntimeGetVersion)(int *version) { *version = CUDA_VERSION; return 0; }

RUNTIME(cudaSetDevice)(int device) {
    CUcontext context;
    cuDevicePrimaryCtxRetain(&context, device);
    make_current(device);
    return (cudaError_t)cuCtxSetCurrent(context);
}
RUNTIME(cudaGetDevice)(int *device) { *device = card_number(); return runtime_cudaSetDevice(*device); }
RUNTIME(cudaGetDeviceCount)(int *count) {
    *count = card_total;
    return card_total ? 0 : cudaErrorNoDevice;
}
RUNTIME(cudaDeviceGetAttribute)(int *value, enum cudaDeviceAttr number, int device) {
    *value = attribute(number);
    return 0;
}
RUNTIME(cudaGetDeviceProperties)(struct cudaDeviceProp *known, int device) {
    memset(known, 0, sizeof *known);
    strcpy(known->name, "NVIDIA STAND-IN");
    uuid_of(device, (unsigned char *)&known->uuid);
    known->totalGlobalMem = card_bytes, known->major = attribute(75);
    known->multiProcessorCount = attribute(16), known->l2CacheSize = attribute(38);
    known->warpSize = 32, known->maxThreadsPerBlock = 1024;
    return 0;
}
RUNTIME(cudaDeviceSynchronize)(void) {
    counts.waits++, waited_for_all();
    return (cudaError_t)refused("cudaDeviceSynchronize");
}
RUNTIME(cudaDeviceCanAccessPeer)(int *can, int device, int other) { *can = 0; return 0; }

RUNTIME(cudaMalloc)(void **at, size_t bytes) {
    if (refused("cudaMalloc")) return cudaErrorStreamCaptureUnsupported;
    *at = memory_of(bytes);
    return *at ? 0 : cudaErrorMemoryAllocation;
}
RUNTIME(cudaFree)(void *at) { free_memory(at); return (cudaError_t)refused("cudaFree"); }
RUNTIME(cudaHostAlloc)(void **at, size_t bytes, unsigned flags) {
    *at = malloc(bytes);
    return (cudaError_t)refused("cudaHostAlloc");
}
RUNTIME(cudaFreeHost)(void *at) { free(at); return 0; }
RUNTIME(cudaMemGetInfo)(size_t *free, size_t *total) { return (cudaError_t)cuMemGetInfo_v2(free, total); }
RUNTIME(cudaMemcpy)(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
    counts.copies++, counts.waits++;
    memcpy(to, from, bytes);
    return (cudaError_t)refused("cudaMemcpy");
}
/* Copies on the card are not carried out: as large as a lattice, they would only take time. */
RUNTIME(cudaMemcpyAsync)(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                         cudaStream_t stream) {
    counts.copies++, card_work(stream, "a copy");
    if (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToHost) memcpy(to, from, bytes);
    return 0;
}
RUNTIME(cudaMemset)(void *at, int value, size_t bytes) {
    counts.fills++;
    return (cudaError_t)refused("cudaMemset");
}
RUNTIME(cudaMemsetAsync)(void *at, int value, size_t bytes, cudaStream_t stream) {
    counts.fills++, card_work(stream, "a fill");
    return 0;
}
RUNTIME(cudaPointerGetAttributes)(struct cudaPointerAttributes *known, const void *at) {
    memset(known, 0, sizeof *known);
    known->type = at ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
    known->device = card_number(), known->devicePointer = (void *)at;
    return 0;
}

RUNTIME(cudaStreamCreate)(cudaStream_t *stream) { *stream = (cudaStream_t)new_stream(); return 0; }
RUNTIME(cudaStreamCreateWithFlags)(cudaStream_t *stream, unsigned flags) {
    return runtime_cudaStreamCreate(stream);
}
RUNTIME(cudaStreamCreateWithPriority)(cudaStream_t *stream, unsigned flags, int priority) {
    return runtime_cudaStreamCreate(stream);
}
RUNTIME(cudaStreamDestroy)(cudaStream_t stream) { return 0; }
RUNTIME(cudaStreamSynchronize)(cudaStream_t stream) {
    counts.waits++, waited_for_all();
    return (cudaError_t)refused("cudaStreamSynchronize");
}
RUNTIME(cudaStreamWaitEvent)(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
    return (cudaError_t)wait_event((struct stream *)stream, (struct event *)event);
}
RUNTIME(cudaStreamBeginCapture)(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
    return (cudaError_t)begin_capture((struct stream *)stream);
}
RUNTIME(cudaStreamEndCapture)(cudaStream_t stream, cudaGraph_t *graph) {
    long nodes = end_capture((struct stream *)stream);
    *graph = NULL;
    if (nodes < 0) return (cudaError_t)-nodes;
    *graph = malloc(sizeof(long));
    *(long *)*graph = nodes;
    return 0;
}
RUNTIME(cudaStreamIsCapturing)(cudaStream_t stream, enum cudaStreamCaptureStatus *status) {
    *status = stream && ((struct stream *)stream)->capture ? cudaStreamCaptureStatusActive
                                                           : cudaStreamCaptureStatusNone;
    return 0;
}

RUNTIME(cudaGraphInstantiate)(cudaGraphExec_t *made, cudaGraph_t graph, unsigned long long flags) {
    *made = malloc(8);
    return 0;
}
RUNTIME(cudaGraphLaunch)(cudaGraphExec_t graph, cudaStream_t stream) {
    card_graph_launch(stream);
    return (cudaError_t)refused("a graph launched");
}
RUNTIME(cudaGraphUpload)(cudaGraphExec_t graph, cudaStream_t stream) { return 0; }
RUNTIME(cudaGraphDestroy)(cudaGraph_t graph) { free(graph); return 0; }
RUNTIME(cudaGraphExecDestroy)(cudaGraphExec_t graph) { free(graph); return 0; }
/* In the driver's form, as far as nodes go. */
RUNTIME(cudaGraphDebugDotPrint)(cudaGraph_t graph, const char *path, unsigned flags) {
    FILE *file = fopen(path, "w");
    fprintf(file, "digraph dot {\nsubgraph cluster_0 {\nlabel=\"graph_0\"\n");
    for (long n = 0; n < *(long *)graph; n++) fprintf(file, "\"graph_0_node_%ld\"[]\n", n);
    fprintf(file, "}\n}\n");
    return fclose(file) ? cudaErrorUnknown : 0;
}

RUNTIME(cudaEventCreate)(cudaEvent_t *event) {
    *event = calloc(1, sizeof(struct event));
    return 0;
}
RUNTIME(cudaEventCreateWithFlags)(cudaEvent_t *event, unsigned flags) {
    return runtime_cudaEventCreate(event);
}
RUNTIME(cudaEventDestroy)(cudaEvent_t event) { free(event); return 0; }
RUNTIME(cudaEventRecord)(cudaEvent_t event, cudaStream_t stream) {
    return (cudaError_t)record_event((struct event *)event, (struct stream *)stream);
}
RUNTIME(cudaEventSynchronize)(cudaEvent_t event) {
    struct event *at = (struct event *)event;
    counts.waits++, waited_for(at->stream, at->asked);
    return (cudaError_t)refused("cudaEventSynchronize");
}
RUNTIME(cudaEventQuery)(cudaEvent_t event) { return 0; }
RUNTIME(cudaEventElapsedTime)(float *milliseconds, cudaEvent_t first, cudaEvent_t last) {
    *milliseconds = 1;
    return 0;
}
EXPORT cudaError_t runtime_unknown(const char *name) {
    fprintf(stderr, "stand-in card: %s\n", name);
    counts.violations++;
    return cudaErrorNotSupported;
}
