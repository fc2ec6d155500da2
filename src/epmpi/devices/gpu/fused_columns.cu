// The columns of a convolution in one kernel: forward, product, back; see fused_columns.py.
// A column is in a block's own memory from its reading to its last writing.
// LENGTH, REAL, POINTS (of a column in a thread), COLUMNS (in a block) and ARCHITECTURE are given.
#include <cufftdx.hpp>

using namespace cufftdx;
using Shape = decltype(Block() + Size<LENGTH>() + Type<fft_type::c2c>() + Precision<REAL>() +
                       ElementsPerThread<POINTS>() + FFTsPerBlock<COLUMNS>() + SM<ARCHITECTURE>());
using Forward = decltype(Shape() + Direction<fft_direction::forward>());
using Back = decltype(Shape() + Direction<fft_direction::inverse>());
using Mode = typename Forward::value_type;

extern "C" __global__ void shared_bytes(long long *found) {
    *found = Forward::shared_memory_size > Back::shared_memory_size ? Forward::shared_memory_size
                                                                    : Back::shared_memory_size;
}

// Distances between rows and fields are in elements; `responses` begins where kx = 0 is written.
// A block takes COLUMNS neighbours of one source; beyond the last column it takes that again.
extern "C" __global__ void __launch_bounds__(Forward::max_threads_per_block)
convolve(const Mode *source, long long source_row, long long source_field, const REAL *kernels,
         long long kernel_row, long long kernel_field, Mode *responses, long long response_row,
         long long response_field, int columns, int sources, int fields, int imaginary, int odd) {
    extern __shared__ __align__(16) unsigned char memory[];
    Mode *shared = reinterpret_cast<Mode *>(memory);
    Mode spectrum[Forward::storage_size], line[Forward::storage_size];
    const int first = blockIdx.x * COLUMNS + threadIdx.y, which = blockIdx.y;
    const int column = first < columns ? first : columns - 1;
    source += which * source_field + column;
    for (int i = 0; i < POINTS; i++)
        spectrum[i] = source[(i * Forward::stride + threadIdx.x) * source_row];
    Forward().execute(spectrum, shared);
    for (int field = 0; field < fields; field++) {
        const bool times_i = imaginary >> field & 1, is_odd = odd >> field & 1;
        const REAL *kernel = kernels + field * kernel_field + column;
        Mode *response = responses + (field * sources + which) * response_field + column;
        for (int i = 0; i < POINTS; i++) {
            const int x = i * Forward::stride + threadIdx.x, mirror = LENGTH - x;
            REAL factor = kernel[(x < mirror ? x : mirror) * kernel_row];
            if (is_odd && x > mirror) factor = -factor;
            line[i].x = factor * (times_i ? -spectrum[i].y : spectrum[i].x);
            line[i].y = factor * (times_i ? spectrum[i].x : spectrum[i].y);
        }
        __syncthreads(); // the transform before may still read the shared memory
        Back().execute(line, shared);
        for (int i = 0; i < POINTS; i++)
            response[(i * Forward::stride + threadIdx.x) * response_row] = line[i];
    }
}
