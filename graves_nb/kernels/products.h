// Products of lines with matrices on a processor: vectors, the kinds of numbers, and the order in which they are read.
//
// Vectors of 16 floats are the compiler's own, so this runs on any processor. Products of bfloat16
// pairs, twice as fast, need AVX-512 BF16; a matrix unit (AMX), where there is one, does them faster again.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#if defined(__AMX_BF16__) && defined(__linux__)
#define MATRIX_UNIT
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

constexpr int LANES = 16, COLUMNS = 4;  // of a product at a time: 4 vectors of each of some lines

typedef float vec __attribute__((vector_size(64)));
typedef int32_t ivec __attribute__((vector_size(64)));
typedef uint32_t uvec __attribute__((vector_size(64)));

inline vec all(float x) { return x - vec{}; }

// The first n numbers of a vector. A copy of constant size is one instruction, any other a call.
inline vec load(const float* p, int n = LANES) {
  vec v{};
  if (n == LANES) std::memcpy(&v, p, sizeof v);
  else std::memcpy(&v, p, n * sizeof(float));
  return v;
}

inline void store(float* p, vec v, int n = LANES) {
  if (n == LANES) std::memcpy(p, &v, sizeof v);
  else std::memcpy(p, &v, n * sizeof(float));
}

inline vec least(vec a, vec b) { return a < b ? a : b; }
inline vec most(vec a, vec b) { return a > b ? a : b; }
inline vec clip(vec x, float limit) { return most(least(x, all(limit)), all(-limit)); }

// exp to about 2e-7: 2^n times a polynomial in what is left, |r| <= ln(2) / 2.
inline vec exp(vec x) {
  x = least(most(x, all(-87.0f)), all(88.0f));
  const vec shifted = x * 1.44269504f + 12582912.0f;  // adding 1.5 * 2^23 rounds to a whole number
  const vec n = shifted - 12582912.0f;
  const vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  vec p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const ivec power = ((ivec)shifted - 0x4B400000 + 127) << 23;
  return p * (vec)power;
}

inline vec sigmoid(vec x) { return 1.0f / (1.0f + exp(-x)); }
inline vec tanh(vec x) { return 2.0f / (1.0f + exp(-2.0f * x)) - 1.0f; }

// A thread of ours takes numbers below 1e-38 for zeros: far from the window all are, and they are slow.
inline void flush_tiny() {
#ifdef __SSE2__
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

// An array that starts on a cache line and holds zeros.
struct Array {
  std::unique_ptr<float, decltype(&std::free)> memory;
  explicit Array(size_t n)
      : memory(static_cast<float*>(std::aligned_alloc(64, round_up(std::max<size_t>(n, 1) * sizeof(float), 64))), &std::free) {
    std::memset(memory.get(), 0, n * sizeof(float));
  }
  operator float*() const { return memory.get(); }
};

// Products in vectors, at most ROWS lines at a time: 6 lines by 4 vectors fill the registers.
template <class P>
struct Vectors {
  static constexpr int ROWS = 6, DEPTH = 1;
  static constexpr bool EXACT = true;  // R is the number of lines, so that the compiler can unroll

  // acc (R, N) += x (R, words) times w, whose words lie as (words, N, LANES).
  template <int R, int N>
  static void add(const float* w, const float* x, int words, int, vec (&acc)[R][N]) {
    for (int k = 0; k < words; k++, w += N * LANES) {
      vec column[N];
      for (int n = 0; n < N; n++) column[n] = load(w + n * LANES);
      for (int r = 0; r < R; r++) {
        const vec number = all(x[r * words + k]);
        for (int n = 0; n < N; n++) acc[r][n] = P::dot(acc[r][n], column[n], number);
      }
    }
  }
};

// How numbers meet in a product: one float32, or two bfloat16, in each word of 32 bits.
struct Float32 : Vectors<Float32> {
  static constexpr int PACK = 1;
  static vec dot(vec sum, vec w, vec x) { return sum + w * x; }
  static vec words(const vec* x) { return x[0]; }
  static void put(float* words, vec x) { store(words, x); }
  static vec get(const void* array, size_t at, int n) { return load(static_cast<const float*>(array) + at, n); }
  static void keep(void* array, size_t at, vec x, int n) { store(static_cast<float*>(array) + at, x, n); }
};

#ifdef __AVX512BF16__
struct BFloat16 : Vectors<BFloat16> {
  static constexpr int PACK = 2;
  static vec dot(vec sum, vec w, vec x) { return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)w, (__m512bh)x); }
  static uvec round(vec x) { return ((uvec)x + 0x7FFF + (((uvec)x >> 16) & 1)) >> 16; }
  static vec words(const vec* x) { return (vec)(round(x[0]) | round(x[1]) << 16); }
  static void put(float* words, vec x) {
    keep(words, 0, x, LANES);
  }
  static vec get(const void* array, size_t at, int n) {
    __m256bh half{};
    const uint16_t* from = static_cast<const uint16_t*>(array) + at;
    if (n == LANES) std::memcpy(&half, from, sizeof half);
    else std::memcpy(&half, from, n * sizeof(uint16_t));
    return (vec)_mm512_cvtpbh_ps(half);
  }
  static void keep(void* array, size_t at, vec x, int n) {
    const __m256bh half = _mm512_cvtneps_pbh((__m512)x);
    uint16_t* to = static_cast<uint16_t*>(array) + at;
    if (n == LANES) std::memcpy(to, &half, sizeof half);
    else std::memcpy(to, &half, n * sizeof(uint16_t));
  }
};
#endif

#ifdef MATRIX_UNIT
// The same in a matrix unit. Each of its 8 registers takes 16 rows of 16 words: sums of 32 lines by 2
// vectors in the first four, then the lines' operands, then the weights.
struct Matrix : BFloat16 {
  static constexpr int ROWS = 32, DEPTH = 16;
  static constexpr bool EXACT = false;

  struct alignas(64) Shape {
    uint8_t palette = 1, start = 0, unused[14] = {};
    uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {};
    explicit Shape(int lines) {
      const uint8_t upper = std::min(lines, 16), lower = std::max(lines - 16, 1);
      for (int i : {0, 1, 4}) rows[i] = upper;
      for (int i : {2, 3, 5}) rows[i] = lower;
      rows[6] = rows[7] = 16;
    }
  };

  static bool granted() {  // a program must ask once: ARCH_REQ_XCOMP_PERM for the registers' content
    static const bool yes = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
    return yes;
  }

  template <int R, int N>
  static void add(const float* w, const float* x, int words, int lines, vec (&acc)[R][N]) {
    const Shape shape(lines);
    _tile_loadconfig(&shape);
    for (int n = 0; n < N; n += 2) {
      const bool two = n + 1 < N;
      if (lines > 16) two ? sums<true, true>(w, x, words, acc, n) : sums<true, false>(w, x, words, acc, n);
      else two ? sums<false, true>(w, x, words, acc, n) : sums<false, false>(w, x, words, acc, n);
    }
    _tile_release();
  }

  template <bool LOWER, bool TWO, int R, int N>
  static void sums(const float* w, const float* x, int words, vec (&acc)[R][N], int n) {
    const size_t row = N * sizeof(vec), line = words * sizeof(float);
    _tile_loadd(0, &acc[0][n], row);
    if constexpr (TWO) _tile_loadd(1, &acc[0][n + 1], row);
    if constexpr (LOWER) _tile_loadd(2, &acc[16][n], row);
    if constexpr (LOWER && TWO) _tile_loadd(3, &acc[16][n + 1], row);
    for (int k = 0; k < words; k += DEPTH) {
      const float* weights = w + ((size_t)k * N + n) * LANES;
      _tile_loadd(4, x + k, line);
      if constexpr (LOWER) _tile_loadd(5, x + 16 * words + k, line);
      _tile_loadd(6, weights, row);
      if constexpr (TWO) _tile_loadd(7, weights + LANES, row);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (TWO) _tile_dpbf16ps(1, 4, 7);
      if constexpr (LOWER) _tile_dpbf16ps(2, 5, 6);
      if constexpr (LOWER && TWO) _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, &acc[0][n], row);
    if constexpr (TWO) _tile_stored(1, &acc[0][n + 1], row);
    if constexpr (LOWER) _tile_stored(2, &acc[16][n], row);
    if constexpr (LOWER && TWO) _tile_stored(3, &acc[16][n + 1], row);
  }
};
#endif

// Call job.run<R>(first line, lines) with R = lines, or for all that fit into R.
template <class P, int R, class Job>
void pick(int row, int lines, const Job& job) {
  if (lines == R || !P::EXACT) return job.template run<R>(row, lines);
  if constexpr (P::EXACT && R > 1) pick<P, R - 1>(row, lines, job);
}

// Deal lines into tiles of at most P::ROWS, as even as they come.
template <class P, class Job>
void tiles(int lines, const Job& job) {
  const int count = (lines + P::ROWS - 1) / P::ROWS;
  for (int i = 0, row = 0; i < count; i++) {
    const int some = (lines - row) / (count - i);
    pick<P, P::ROWS>(row, some, job);
    row += some;
  }
}

// y (lines, width) = x (lines, words) times a matrix, which is kept in reading order. weights(k, j) are
// 16 numbers of its row k, from column j on.
template <class P>
struct Product {
  int words, width;
  Array packed;

  template <class Weights>
  Product(int rows, int columns, const Weights& weights)
      : words(rows / P::PACK), width(round_up(columns, LANES)), packed((size_t)words * width) {
    float* out = packed;
    for (int column = 0; column < width; column += COLUMNS * LANES)
      for (int k = 0; k < words; k++)
        for (int j = column; j < std::min(width, column + COLUMNS * LANES); j += LANES, out += LANES) {
          vec pair[2];
          for (int p = 0; p < P::PACK; p++) pair[p] = weights(k * P::PACK + p, j);
          store(out, P::words(pair));
        }
  }

  struct Tile {
    const Product& f;
    const float* x;
    float* y;
    template <int R> void run(int row, int lines) const {
      for (int column = 0; column < f.width; column += COLUMNS * LANES) {
        const float *w = f.packed + (size_t)column * f.words, *from = x + row * f.words;
        float* to = y + row * f.width + column;
        switch (std::min(COLUMNS, (f.width - column) / LANES)) {
          case 1: f.template columns<R, 1>(w, from, to, lines); break;
          case 2: f.template columns<R, 2>(w, from, to, lines); break;
          case 3: f.template columns<R, 3>(w, from, to, lines); break;
          default: f.template columns<R, 4>(w, from, to, lines);
        }
      }
    }
  };

  template <int R, int N>
  void columns(const float* w, const float* x, float* y, int lines) const {
    const int rows = P::EXACT ? R : lines;
    vec acc[R][N] = {};
    P::add(w, x, words, rows, acc);
    for (int r = 0; r < rows; r++)
      for (int n = 0; n < N; n++) store(y + r * width + n * LANES, acc[r][n]);
  }

  void times(const float* x, int lines, float* y) const { tiles<P>(lines, Tile{*this, x, y}); }
};

}  // namespace
