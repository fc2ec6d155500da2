// cuFFTDx on the host, for src/epmpi/devices/gpu/fused_columns.cu: each thread of a block is one of the
// host, and a transform is the sum that defines it.
#include <barrier>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#define __global__
#define __shared__
#define __align__(bytes)
#define __launch_bounds__(threads)
struct Index { int x, y; };
static thread_local Index threadIdx, blockIdx;
static std::unique_ptr<std::barrier<>> together;
static unsigned char memory[1 << 20];
static void __syncthreads() { together->arrive_and_wait(); }

namespace cufftdx {
enum class fft_type { c2c };
enum class fft_direction { forward, inverse };
struct Block {};
template <int N> struct Size {};
template <fft_type> struct Type {};
template <class R> struct Precision {};
template <int N> struct ElementsPerThread {};
template <int N> struct FFTsPerBlock {};
template <int N> struct SM {};
template <fft_direction> struct Direction {};

template <int N, class R = double, int E = 1, int F = 1, int sign = 0> struct Fft {
    struct value_type { R x, y; };
    static constexpr int stride = N / E, storage_size = E, max_threads_per_block = N / E * F;
    static constexpr long long shared_memory_size = F * N * sizeof(value_type);
    template <class Mode> void execute(Mode *line, Mode *shared) {
        Mode *mine = shared + threadIdx.y * N;
        for (int i = 0; i < E; i++) mine[i * stride + threadIdx.x] = line[i];
        __syncthreads();
        for (int i = 0; i < E; i++) {
            double x = 0, y = 0;
            for (long n = 0; n < N; n++) {
                double angle = sign * 2 * M_PI * (n * (i * stride + threadIdx.x) % N) / N;
                x += mine[n].x * cos(angle) - mine[n].y * sin(angle);
                y += mine[n].x * sin(angle) + mine[n].y * cos(angle);
            }
            line[i].x = x, line[i].y = y;
        }
    }
};
template <int N> Fft<N> operator+(Block, Size<N>);
#define WITH(what) template <int N, class R, int E, int F, int s, what> auto operator+(Fft<N, R, E, F, s>,
WITH(fft_type t) Type<t>) -> Fft<N, R, E, F, s>;
WITH(class P) Precision<P>) -> Fft<N, P, E, F, s>;
WITH(int n) ElementsPerThread<n>) -> Fft<N, R, n, F, s>;
WITH(int n) FFTsPerBlock<n>) -> Fft<N, R, E, n, s>;
WITH(int n) SM<n>) -> Fft<N, R, E, F, s>;
WITH(fft_direction d) Direction<d>)
    -> Fft<N, R, E, F, d == fft_direction::forward ? -1 : 1>;
} // namespace cufftdx
