/* libcuda.so.1: the functions of the driver that Numba and CuPy ask for by name. */
#include "card.h"
#include <dlfcn.h>

#define DRIVER(name) EXPORT CUresult name
static int contexts[16];
static __thread void *stack[64];
static __thread int depth;

static void *current(void) { return depth ? stack[depth - 1] : NULL; }
static CUcontext context_of(int device) { return (CUcontext)&contexts[device]; }
static void *named(const char *name) {
    char *kept = calloc(1, 1024);
    strncpy(kept, name, 1023);
    return kept;
}

DRIVER(cuInit)(unsigned flags) { return 0; }
DRIVER(cuDriverGetVersion)(int *version) { *version = CUDA_VERSION; return 0; }
DRIVER(cuGetErrorName)(CUresult error, const char **name) {
    static char text[32];
    sprintf(text, "CUDA_ERROR_%d", (int)error);
    *name = text;
    return 0;
}
DRIVER(cuGetErrorString)(CUresult error, const char **text) { *text = "(stand-in card)"; return 0; }

DRIVER(cuDeviceGet)(CUdevice *device, int number) {
    *device = number;
    return number < card_total ? 0 : CUDA_ERROR_INVALID_DEVICE;
}
DRIVER(cuDeviceGetCount)(int *count) { *count = card_total; return 0; }
DRIVER(cuDeviceGetName)(char *name, int length, CUdevice device) {
    strncpy(name, "NVIDIA STAND-IN", length);
    return 0;
}
DRIVER(cuDeviceGetUuid)(CUuuid *uuid, CUdevice device) {
    uuid_of(device, (unsigned char *)uuid);
    return 0;
}
DRIVER(cuDeviceGetUuid_v2)(CUuuid *uuid, CUdevice device) { return cuDeviceGetUuid(uuid, device); }
DRIVER(cuDeviceTotalMem_v2)(size_t *bytes, CUdevice device) { *bytes = card_bytes; return 0; }
DRIVER(cuDeviceGetAttribute)(int *value, CUdevice_attribute number, CUdevice device) {
    *value = attribute(number);
    return 0;
}

DRIVER(cuDevicePrimaryCtxRetain)(CUcontext *context, CUdevice device) {
    *context = context_of(device);
    return 0;
}
DRIVER(cuDevicePrimaryCtxRelease_v2)(CUdevice device) { return 0; }
DRIVER(cuDevicePrimaryCtxReset_v2)(CUdevice device) { return 0; }
DRIVER(cuDevicePrimaryCtxGetState)(CUdevice device, unsigned *flags, int *active) {
    *flags = 0, *active = 1;
    return 0;
}
DRIVER(cuCtxGetCurrent)(CUcontext *context) { *context = current(); return 0; }
DRIVER(cuCtxSetCurrent)(CUcontext context) {
    if (!depth) depth = 1;
    stack[depth - 1] = context;
    return 0;
}
DRIVER(cuCtxPushCurrent_v2)(CUcontext context) { stack[depth++] = context; return 0; }
DRIVER(cuCtxPopCurrent_v2)(CUcontext *context) {
    if (!depth) return CUDA_ERROR_INVALID_CONTEXT;
    depth--;
    if (context) *context = stack[depth];
    return 0;
}
DRIVER(cuCtxGetDevice)(CUdevice *device) {
    if (!current()) return CUDA_ERROR_INVALID_CONTEXT;
    *device = (int *)current() - contexts;
    return 0;
}
DRIVER(cuCtxGetDevice_v2)(CUdevice *device, CUcontext context) {
    *device = (int *)(context ? (void *)context : current()) - contexts;
    return 0;
}
DRIVER(cuCtxGetApiVersion)(CUcontext context, unsigned *version) { *version = 3020; return 0; }
DRIVER(cuCtxGetFlags)(unsigned *flags) { *flags = 0; return 0; }
DRIVER(cuCtxGetId)(CUcontext context, unsigned long long *id) { *id = 1; return 0; }
DRIVER(cuCtxGetLimit)(size_t *value, CUlimit limit) { *value = 0; return 0; }
DRIVER(cuCtxSynchronize)(void) {
    counts.waits++, waited_for_all();
    return refused("cuCtxSynchronize");
}

DRIVER(cuMemGetInfo_v2)(size_t *free, size_t *total) {
    extern size_t card_taken(void);
    *total = card_bytes, *free = card_bytes - card_taken();
    return 0;
}
DRIVER(cuMemAlloc_v2)(CUdeviceptr *at, size_t bytes) {
    if (refused("cuMemAlloc")) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    *at = (CUdeviceptr)memory_of(bytes);
    return *at ? 0 : CUDA_ERROR_OUT_OF_MEMORY;
}
DRIVER(cuMemFree_v2)(CUdeviceptr at) { free_memory((void *)at); return refused("cuMemFree"); }
DRIVER(cuMemcpyHtoD_v2)(CUdeviceptr to, const void *from, size_t bytes) {
    counts.copies++;
    memcpy((void *)to, from, bytes);
    return refused("cuMemcpyHtoD");
}
DRIVER(cuMemcpyDtoH_v2)(void *to, CUdeviceptr from, size_t bytes) {
    counts.copies++, counts.waits++;
    memcpy(to, (void *)from, bytes);
    return refused("cuMemcpyDtoH");
}
DRIVER(cuMemcpyHtoDAsync_v2)(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
    counts.copies++, card_work(stream, "a copy to the card");
    memcpy((void *)to, from, bytes);
    return 0;
}
DRIVER(cuMemcpyDtoHAsync_v2)(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
    counts.copies++, card_work(stream, "a copy to the host");
    memcpy(to, (void *)from, bytes);
    return 0;
}
DRIVER(cuPointerGetAttribute)(void *value, CUpointer_attribute number, CUdeviceptr at) {
    switch (number) {
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: *(CUdeviceptr *)value = at; return 0;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *(int *)value = card_number(); return 0;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: *(int *)value = CU_MEMORYTYPE_DEVICE; return 0;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED: *(int *)value = 0; return 0;
    default: return CUDA_ERROR_INVALID_VALUE;
    }
}
DRIVER(cuPointerGetAttributes)(unsigned count, CUpointer_attribute *numbers, void **values,
                               CUdeviceptr at) {
    for (unsigned n = 0; n < count; n++) cuPointerGetAttribute(values[n], numbers[n], at);
    return 0;
}

/* Modules: a function is its name. */
DRIVER(cuModuleLoadData)(CUmodule *module, const void *image) {
    *module = malloc(8);
    return refused("a module loaded");
}
DRIVER(cuModuleLoadDataEx)(CUmodule *module, const void *image, unsigned count, CUjit_option *options,
                           void **values) {
    return cuModuleLoadData(module, image);
}
DRIVER(cuModuleUnload)(CUmodule module) { return 0; }
DRIVER(cuModuleGetFunction)(CUfunction *function, CUmodule module, const char *name) {
    *function = named(name);
    return 0;
}
DRIVER(cuModuleGetGlobal_v2)(CUdeviceptr *at, size_t *bytes, CUmodule module, const char *name) {
    return CUDA_ERROR_NOT_FOUND;
}
DRIVER(cuModuleGetLoadingMode)(CUmoduleLoadingMode *mode) { *mode = CU_MODULE_EAGER_LOADING; return 0; }
DRIVER(cuLibraryLoadData)(CUlibrary *library, const void *code, CUjit_option *options, void **values,
                          unsigned count, CUlibraryOption *more, void **more_values, unsigned number) {
    *library = malloc(8);
    return refused("a library loaded");
}
DRIVER(cuLibraryUnload)(CUlibrary library) { return 0; }
DRIVER(cuLibraryGetKernel)(CUkernel *kernel, CUlibrary library, const char *name) {
    *kernel = named(name);
    return 0;
}
DRIVER(cuLibraryGetModule)(CUmodule *module, CUlibrary library) { *module = malloc(8); return 0; }
DRIVER(cuLibraryGetGlobal)(CUdeviceptr *at, size_t *bytes, CUlibrary library, const char *name) {
    return CUDA_ERROR_NOT_FOUND;
}
DRIVER(cuKernelGetFunction)(CUfunction *function, CUkernel kernel) {
    *function = (CUfunction)kernel;
    return 0;
}
DRIVER(cuKernelGetLibrary)(CUlibrary *library, CUkernel kernel) { *library = malloc(8); return 0; }
DRIVER(cuKernelGetParamInfo)(CUkernel kernel, size_t number, size_t *offset, size_t *bytes) {
    return CUDA_ERROR_INVALID_VALUE;
}
DRIVER(cuFuncGetAttribute)(int *value, CUfunction_attribute number, CUfunction function) {
    *value = number == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? 1024 : 0;
    return 0;
}
DRIVER(cuKernelGetAttribute)(int *value, CUfunction_attribute number, CUkernel kernel, CUdevice d) {
    return cuFuncGetAttribute(value, number, (CUfunction)kernel);
}
DRIVER(cuFuncSetAttribute)(CUfunction function, CUfunction_attribute number, int value) { return 0; }
DRIVER(cuFuncGetModule)(CUmodule *module, CUfunction function) { *module = malloc(8); return 0; }

DRIVER(cuLaunchKernel)(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                       unsigned by, unsigned bz, unsigned shared, CUstream stream, void **arguments,
                       void **extra) {
    counts.launches++, card_work(stream, (const char *)function);
    return gx && bx ? 0 : violation("a launch of no threads");
}
DRIVER(cuLaunchKernelEx)(const CUlaunchConfig *how, CUfunction function, void **arguments,
                         void **extra) {
    return cuLaunchKernel(function, how->gridDimX, how->gridDimY, how->gridDimZ, how->blockDimX,
                          how->blockDimY, how->blockDimZ, how->sharedMemBytes, how->hStream,
                          arguments, extra);
}
DRIVER(cuOccupancyMaxActiveBlocksPerMultiprocessor)(int *count, CUfunction f, int block, size_t s) {
    *count = 8;
    return 0;
}
DRIVER(cuOccupancyMaxPotentialBlockSize)(int *grid, int *block, CUfunction function,
                                         CUoccupancyB2DSize size, size_t shared, int limit) {
    *grid = 132, *block = 256;
    return 0;
}

DRIVER(cuStreamCreate)(CUstream *stream, unsigned flags) {
    *stream = (CUstream)new_stream();
    return 0;
}
DRIVER(cuStreamCreateWithPriority)(CUstream *stream, unsigned flags, int priority) {
    return cuStreamCreate(stream, flags);
}
DRIVER(cuStreamDestroy_v2)(CUstream stream) { return 0; }
DRIVER(cuStreamGetCtx)(CUstream stream, CUcontext *context) {
    *context = context_of(card_number());
    return 0;
}
DRIVER(cuStreamGetCtx_v2)(CUstream stream, CUcontext *context, CUgreenCtx *green) {
    if (green) *(void **)green = NULL;
    return cuStreamGetCtx(stream, context);
}
DRIVER(cuStreamGetDevice)(CUstream stream, CUdevice *device) { *device = card_number(); return 0; }
DRIVER(cuStreamGetFlags)(CUstream stream, unsigned *flags) { *flags = CU_STREAM_NON_BLOCKING; return 0; }
DRIVER(cuStreamGetPriority)(CUstream stream, int *priority) { *priority = 0; return 0; }
DRIVER(cuStreamSynchronize)(CUstream stream) {
    counts.waits++, waited_for_all();
    return refused("cuStreamSynchronize");
}
DRIVER(cuStreamIsCapturing)(CUstream stream, CUstreamCaptureStatus *status) {
    *status = stream && ((struct stream *)stream)->capture ? CU_STREAM_CAPTURE_STATUS_ACTIVE
                                                           : CU_STREAM_CAPTURE_STATUS_NONE;
    return 0;
}
DRIVER(cuStreamWaitEvent)(CUstream stream, CUevent event, unsigned flags) {
    return wait_event((struct stream *)stream, (struct event *)event);
}
DRIVER(cuEventCreate)(CUevent *event, unsigned flags) {
    *event = calloc(1, sizeof(struct event));
    return 0;
}
DRIVER(cuEventRecord)(CUevent event, CUstream stream) {
    return record_event((struct event *)event, (struct stream *)stream);
}
DRIVER(cuEventDestroy_v2)(CUevent event) { free(event); return 0; }
DRIVER(cuEventSynchronize)(CUevent event) {
    struct event *at = (struct event *)event;
    counts.waits++, waited_for(at->stream, at->asked);
    return refused("cuEventSynchronize");
}
DRIVER(cuDeviceGetDefaultMemPool)(CUmemoryPool *pool, CUdevice device) { *pool = malloc(8); return 0; }
DRIVER(cuDeviceGetMemPool)(CUmemoryPool *pool, CUdevice device) { *pool = malloc(8); return 0; }
DRIVER(cuMemPoolGetAttribute)(CUmemoryPool pool, CUmemPool_attribute number, void *value) {
    *(unsigned long long *)value = 0;
    return 0;
}
DRIVER(cuMemPoolSetAttribute)(CUmemoryPool pool, CUmemPool_attribute number, void *value) { return 0; }

EXPORT CUresult cuGetProcAddress_v2(const char *name, void **at, int version, cuuint64_t flags,
                                    CUdriverProcAddressQueryResult *found) {
    static void *self;
    char newest[256];
    Dl_info here;
    if (!self && dladdr((void *)cuInit, &here)) self = dlopen(here.dli_fname, RTLD_NOW);
    snprintf(newest, sizeof newest, "%s_v2", name);
    *at = dlsym(self, newest);
    if (!*at) *at = dlsym(self, name);
    if (found) *found = *at ? CU_GET_PROC_ADDRESS_SUCCESS : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    return *at ? 0 : CUDA_ERROR_NOT_FOUND;
}
EXPORT CUresult cuGetProcAddress(const char *name, void **at, int version, cuuint64_t flags) {
    return cuGetProcAddress_v2(name, at, version, flags, NULL);
}
DRIVER(cuGetExportTable)(const void **table, const CUuuid *id) { return CUDA_ERROR_NOT_FOUND; }
