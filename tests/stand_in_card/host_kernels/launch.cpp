// Launches of the kernel: blocks one after the other, the threads of a block at once.
#include KERNEL

extern "C" void launch(int across, int sources, const void *source, const long long *strides,
                       const void *kernels, void *responses, const int *numbers) {
    const long long *s = strides;
    const int *n = numbers, width = LENGTH / POINTS;
    for (int block = 0; block < across * sources; block++) {
        together = std::make_unique<std::barrier<>>(width * COLUMNS);
        std::vector<std::thread> threads;
        for (int thread = 0; thread < width * COLUMNS; thread++)
            threads.emplace_back([=] {
                threadIdx = {thread % width, thread / width};
                blockIdx = {block % across, block / across};
                convolve((const Mode *)source, s[0], s[1], (const REAL *)kernels, s[2], s[3],
                         (Mode *)responses, s[4], s[5], n[0], n[1], n[2], n[3], n[4]);
            });
        for (auto &thread : threads) thread.join();
    }
}
