/* libcufft: plans have the work area that a batch of this size may take; nothing is transformed. */
#include <cufft.h>

extern void card_work(void *stream, const char *what);
extern void card_transform(void *stream), card_plan(void);
static struct { cudaStream_t stream; } plans[65536];
static int count = 1;

cufftResult cufftCreate(cufftHandle *plan) { *plan = count++; return 0; }
cufftResult cufftDestroy(cufftHandle plan) { return 0; }
cufftResult cufftSetAutoAllocation(cufftHandle plan, int allocate) { return 0; }
cufftResult cufftMakePlanMany(cufftHandle plan, int rank, int *length, int *embedded, int stride,
                              int distance, int *out, int out_stride, int out_distance, cufftType type,
                              int batch, size_t *work) {
    int doubles = type == CUFFT_D2Z || type == CUFFT_Z2D || type == CUFFT_Z2Z;
    int points = type == CUFFT_Z2Z || type == CUFFT_C2C ? length[0] : length[0] / 2 + 1;
    card_plan();
    *work = (size_t)points * batch * (doubles ? 16 : 8); /* as much as is transformed */
    return 0;
}
cufftResult cufftSetWorkArea(cufftHandle plan, void *area) { return 0; }
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream) {
    plans[plan].stream = stream;
    return 0;
}
static cufftResult carry_out(cufftHandle plan) {
    card_transform(plans[plan].stream);
    return 0;
}
cufftResult cufftExecC2C(cufftHandle p, cufftComplex *a, cufftComplex *b, int d) { return carry_out(p); }
cufftResult cufftExecZ2Z(cufftHandle p, cufftDoubleComplex *a, cufftDoubleComplex *b, int d) {
    return carry_out(p);
}
cufftResult cufftExecR2C(cufftHandle p, cufftReal *a, cufftComplex *b) { return carry_out(p); }
cufftResult cufftExecD2Z(cufftHandle p, cufftDoubleReal *a, cufftDoubleComplex *b) { return carry_out(p); }
cufftResult cufftExecC2R(cufftHandle p, cufftComplex *a, cufftReal *b) { return carry_out(p); }
cufftResult cufftExecZ2D(cufftHandle p, cufftDoubleComplex *a, cufftDoubleReal *b) { return carry_out(p); }
cufftResult cufftGetVersion(int *version) { *version = 12000; return 0; }
