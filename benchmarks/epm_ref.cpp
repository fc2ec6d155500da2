// The model's step as an expert would write it by hand: the yardstick of benchmarks/step.py.
//
// The thermal elastoplastic model in two dimensions on an L x L lattice, with tracers, in one process:
// C++17, OpenMP, two-dimensional transforms by FFTW with measured plans.  A step, with time in tau,
// stress in its threshold and 2 mu = 1:
//
//     stress += dt G * n                  the elastic response to the sites n = -1, 0, 1 that yield (Eq. 1)
//     n = +-1 with probability dt min(1, exp((stress^2 - 1) / 2T)) where n = 0, the stress's sign (Eq. 2)
//     n = 0   with probability dt         where n = +-1
//     r += dt u(r)                        tracers, u = U * n, bilinear between sites
//
// The probabilities are of first order in dt.  Random numbers are hashes of (step, site), so that a run is the
// same each time.
//
// compile: g++ -O3 -march=native -std=c++17 -fopenmp epm_ref.cpp -o epm_ref -lfftw3_omp -lfftw3 -lm
// run:     ./epm_ref L T dt steps warm tracers fields threads [file]
//          warm: steps before the clock starts; fields: 0 stress only, 1 stress, velocity and tracers
// prints:  ns a site and step, ms a step, mean activity of the steps that are timed
// file:    stress (L, L), n (L, L) and tracers (tracers, 2) after the last step, as doubles
#include <fftw3.h>
#include <omp.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

using Complex = std::complex<double>;

// SplitMix64 as a hash.
static inline uint64_t mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

static inline double uniform(uint64_t bits) { return (bits >> 11) * 0x1p-53; }

// The propagators of stress and velocity at every wavevector, over the number of sites.
static void propagators(int L, std::vector<double>& G, std::vector<double>& Ux, std::vector<double>& Uy) {
  const int H = L / 2 + 1;
  const double w = 1.0 / ((double)L * L);
  for (int i = 0; i < L; i++)
    for (int j = 0; j < H; j++) {
      const double qx = 2 * M_PI * (i <= L / 2 ? i : i - L) / L, qy = 2 * M_PI * j / L;
      const double q2 = qx * qx + qy * qy;
      const size_t k = (size_t)i * H + j;
      if (q2 == 0) {
        G[k] = -w;  // the macroscopic strain is held
        Ux[k] = Uy[k] = 0;
        continue;
      }
      G[k] = -4 * qx * qx * qy * qy / (q2 * q2) * w;
      const bool nyquist = i == L / 2 || j == L / 2;  // an odd derivative has no real value there
      Ux[k] = nyquist ? 0 : -qy * (qy * qy - qx * qx) / (q2 * q2) * w;
      Uy[k] = nyquist ? 0 : -qx * (qx * qx - qy * qy) / (q2 * q2) * w;
    }
}

int main(int count, char** word) {
  if (count != 9 && count != 10) {
    std::fprintf(stderr, "usage: %s L T dt steps warm tracers fields threads [file]\n", word[0]);
    return 2;
  }
  const int L = atoi(word[1]);
  const double T = atof(word[2]), dt = atof(word[3]);
  const long steps = atol(word[4]), warm = atol(word[5]);
  const int M = atoi(word[6]), fields = atoi(word[7]), threads = atoi(word[8]);
  omp_set_num_threads(threads);
  fftw_init_threads();
  fftw_plan_with_nthreads(threads);

  const size_t N = (size_t)L * L, K = (size_t)L * (L / 2 + 1);
  double *source = fftw_alloc_real(N), *rate = fftw_alloc_real(N);
  double *vx = fftw_alloc_real(N), *vy = fftw_alloc_real(N);
  fftw_complex *spectrum = fftw_alloc_complex(K), *product = fftw_alloc_complex(K);
  std::vector<double> s(N, 0.0), r(2 * (size_t)M);
  std::vector<int8_t> n(N, 0);
  auto forward = fftw_plan_dft_r2c_2d(L, L, source, spectrum, FFTW_MEASURE);
  auto inverse = fftw_plan_dft_c2r_2d(L, L, product, rate, FFTW_MEASURE);
  for (double* field : {source, rate, vx, vy}) memset(field, 0, N * sizeof(double));
  std::vector<double> G(K), Ux(K), Uy(K);
  propagators(L, G, Ux, Uy);
  for (size_t m = 0; m < r.size(); m++) r[m] = uniform(mix(m * 77 + 5)) * L;

  double start = 0, activity = 0;
  for (long step = 0; step < warm + steps; step++) {
    if (step == warm) start = omp_get_wtime();
    long active = 0;
#pragma omp parallel for reduction(+ : active) schedule(static)
    for (size_t i = 0; i < N; i++) {
      const double x = s[i] += rate[i] * dt;
      const double draw = uniform(mix(mix(step) + i));
      if (n[i]) {
        if (draw < dt)
          n[i] = 0;
        else
          active++;
      } else {
        const double e = (x * x - 1) / (2 * T);
        if (e > -30) {
          const double p = e >= 0 ? 1.0 : std::exp(e);
          if (draw < p * dt) {
            n[i] = x > 0 ? 1 : -1;
            active++;
          }
        }
      }
      source[i] = n[i];
    }
    fftw_execute(forward);
    Complex *from = (Complex*)spectrum, *to = (Complex*)product;
#pragma omp parallel for
    for (size_t k = 0; k < K; k++) to[k] = from[k] * G[k];
    fftw_execute_dft_c2r(inverse, product, rate);
    if (fields) {
#pragma omp parallel for
      for (size_t k = 0; k < K; k++) to[k] = Complex(-from[k].imag(), from[k].real()) * Ux[k];
      fftw_execute_dft_c2r(inverse, product, vx);
#pragma omp parallel for
      for (size_t k = 0; k < K; k++) to[k] = Complex(-from[k].imag(), from[k].real()) * Uy[k];
      fftw_execute_dft_c2r(inverse, product, vy);
#pragma omp parallel for
      for (int m = 0; m < M; m++) {
        const double x = r[2 * m], y = r[2 * m + 1];
        double fx = std::floor(x), fy = std::floor(y);
        const int i0 = ((int)fx % L + L) % L, j0 = ((int)fy % L + L) % L;
        const int i1 = (i0 + 1) % L, j1 = (j0 + 1) % L;
        fx = x - fx;
        fy = y - fy;
        const double a = (1 - fx) * (1 - fy), b = fx * (1 - fy), c = (1 - fx) * fy, d = fx * fy;
        const size_t at = (size_t)i0 * L, next = (size_t)i1 * L;
        r[2 * m] += dt * (a * vx[at + j0] + b * vx[next + j0] + c * vx[at + j1] + d * vx[next + j1]);
        r[2 * m + 1] += dt * (a * vy[at + j0] + b * vy[next + j0] + c * vy[at + j1] + d * vy[next + j1]);
      }
    }
    if (step >= warm) activity += (double)active / N;
  }
  const double spent = (omp_get_wtime() - start) / steps;
  std::printf("L=%d T=%g threads=%d fields=%d  %.2f ns/site/step  %.4f ms/step  a=%.8f\n", L, T, threads,
              fields, spent / N * 1e9, spent * 1e3, activity / steps);

  if (count == 10) {
    FILE* file = std::fopen(word[9], "wb");
    if (!file) {
      std::perror(word[9]);
      return 1;
    }
    std::fwrite(s.data(), sizeof(double), N, file);
    std::fwrite(source, sizeof(double), N, file);
    std::fwrite(r.data(), sizeof(double), r.size(), file);
    std::fclose(file);
  }
}
