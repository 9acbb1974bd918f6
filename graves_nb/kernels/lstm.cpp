// One peephole LSTM layer over whole lines on a processor, forward and backward, and the soft
// window where the layer has one. Each thread takes some of the lines through all steps, so no
// thread waits for another. What can wait until after the last step, the gradients of the
// matrices, is left to large matrix products outside.
//
// Arrays are row-major, float32 but for `a` and `dz`, which meet the large products outside and have
// their type. T, B, H, K, U, V are the book's axes.

#include <thread>
#include <vector>

#include "products.h"

extern "C" {

// All that a call needs; the same struct goes both ways. Arrays with a T + 1 start with the state before.
struct Layer {
  int32_t T, B, H, V, K, U, threads, bfloat16;
  float limit;
  const float *weight_h, *weight_w, *peephole, *bias;  // (4H, H), (4H, V), (3, H), (4H)
  const float *weight_p, *bias_p;                    // (3K, H), (3K)
  const int32_t* codes;                              // (B, U): which character, -1 past the end
  const void* a;                                     // (T, B, 4H): W_x x
  float *gates, *h, *c;                              // (T, B, 4H): i, f, tanh(cell input), o; (T + 1, B, H) twice
  float *kappa, *w, *shape;                          // (T + 1, B, K), (T + 1, B, V), (T, B, 3K): alpha, beta, step
  const float *dh, *dw;                              // (T, B, H), (T, B, V): from above
  void* dz;                                          // (T, B, 4H): derivatives of a, clipped
  float *dp, *sums;                                  // (T, B, 3K), (threads, 7, H): of the bias and of the peepholes
};
}

namespace {

// What both directions share: sizes rounded up to whole vectors, and the weights in reading order.
template <class P>
struct Plan {
  const Layer& l;
  int Hp, Vp, blocks;
  explicit Plan(const Layer& l) : l(l), Hp(round_up(l.H, LANES)), Vp(l.V ? round_up(l.V, LANES) : 0), blocks(Hp / LANES) {}

  // Numbers as operands, in reading order.
  void put(float* words, const float* x, int n) const {
    for (int j = 0; j < n; j += LANES) P::put(words + j / P::PACK, load(x + j, std::min(LANES, n - j)));
  }

  // From column j on, 16 numbers of a row of [W_h, W_w], both parts rounded up with zeros.
  vec weights(int gate, int unit, int j) const {
    if (unit >= l.H) return vec{};
    const size_t row = (size_t)gate * l.H + unit;
    if (j < Hp) return load(l.weight_h + row * l.H + j, std::min(LANES, l.H - j));
    return load(l.weight_w + row * l.V + j - Hp, std::min(LANES, l.V - (j - Hp)));
  }
};

// ---- The window (eqs 46-51 and 56-60) ----

// h (lines, H) to the "hats" of alpha, beta and the step of kappa (lines, 3K).
struct Hats : Product<Float32> {
  explicit Hats(const Layer& l)
      : Product(l.V ? l.H : 0, 3 * l.K, [&](int row, int j) {
          vec v{};
          for (int i = 0; i < std::min(LANES, 3 * l.K - j); i++) v[i] = l.weight_p[(size_t)(j + i) * l.H + row];
          return v;
        }) {}
};

// The rest, one line at a time.
struct WindowLine {
  const Layer& l;
  const int32_t* codes;
  int length;
  WindowLine(const Layer& l, int b) : l(l), codes(l.codes + (size_t)b * l.U), length(0) {
    while (length < l.U && codes[length] >= 0) length++;
  }

  void forward(const float* hats, const float* kappa_before, float* kappa, float* shape, float* w) const {
    const int K = l.K;
    for (int k = 0; k < 3 * K; k += LANES) {
      const int n = std::min(LANES, 3 * K - k);
      store(shape + k, exp(load(hats + k) + load(l.bias_p + k, n)), n);  // eqs (48) to (50)
    }
    for (int k = 0; k < K; k++) kappa[k] = kappa_before[k] + shape[2 * K + k];  // eq. (51)
    std::memset(w, 0, l.V * sizeof(float));
    const vec step = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    for (int u = 0; u < length; u += LANES) {
      vec phi{};
      for (int k = 0; k < K; k++) phi += term(shape[k], shape[K + k], kappa[k] - (step + (float)u));  // eq. (46)
      for (int i = 0; i < std::min(LANES, length - u); i++) w[codes[u + i]] += phi[i];  // eq. (47)
    }
  }

  template <class T> static vec term(T alpha, T beta, vec d) { return alpha * exp(-beta * d * d); }

  // From dw (V) to the derivatives of the three "hats" (3K) and, in place, of kappa (K).
  void backward(const float* dw, const float* kappa, const float* shape, float* dkappa, float* dp) const {
    const int K = l.K;
    for (int k = 0; k < K; k += LANES) {
      const int n = std::min(LANES, K - k);
      const vec at = load(kappa + k, n), alpha = load(shape + k, n), beta = load(shape + K + k, n);
      vec d_alpha{}, d_beta{}, d_kappa{};
      for (int u = 0; u < length; u++) {
        const vec d = at - (float)(u + 1), eps = term(alpha, beta, d) * dw[codes[u]];  // eq. (56)
        d_alpha += eps;          // eq. (57)
        d_beta += eps * d * d;   // eq. (58)
        d_kappa += eps * d;      // eq. (59)
      }
      const vec moved = load(dkappa + k, n) - 2.0f * beta * d_kappa;
      store(dkappa + k, moved, n);
      store(dp + k, d_alpha, n), store(dp + K + k, -beta * d_beta, n);
      store(dp + 2 * K + k, load(shape + 2 * K + k, n) * moved, n);  // eq. (60)
    }
  }
};

// ---- Forward ----

template <class P>
struct Forward : Plan<P> {
  using Plan<P>::l;
  using Plan<P>::Hp;
  using Plan<P>::Vp;
  using Plan<P>::blocks;
  int words;
  Array packed;
  Hats hats;

  explicit Forward(const Layer& l)
      : Plan<P>(l), words(round_up((Hp + Vp) / P::PACK, P::DEPTH)), packed((size_t)blocks * words * COLUMNS * LANES), hats(l) {
    Array rows((size_t)LANES * words);
    for (int block = 0; block < blocks; block++)
      for (int gate = 0; gate < 4; gate++) {
        for (int i = 0; i < LANES; i++)
          for (int j = 0; j < Hp + Vp; j += LANES)
            P::put(rows + i * words + j / P::PACK, this->weights(gate, block * LANES + i, j));
        float* out = packed + ((size_t)block * words * 4 + gate) * LANES;
        for (int k = 0; k < words; k++, out += 4 * LANES)
          for (int i = 0; i < LANES; i++) out[i] = rows[i * words + k];
      }
  }

  struct Step {
    const Forward& f;
    int first, t;           // the thread's first line, and the step
    const float* now;       // operands (lines, words) of this step
    float* next;            // and of the next
    template <int R> void run(int row, int lines) const {
      f.template cells<R>(first + row, t, now + row * f.words, next + row * f.words, lines);
    }
  };

  template <int R>
  void cells(int b, int t, const float* now, float* next, int lines) const {
    const int H = l.H, rows = P::EXACT ? R : lines;
    for (int block = 0; block < blocks; block++) {
      const int j = block * LANES, n = std::min(LANES, H - j);
      vec acc[R][4], bias[4];
      for (int gate = 0; gate < 4; gate++) bias[gate] = load(l.bias + gate * H + j, n);
      for (int r = 0; r < rows; r++)
        for (int gate = 0; gate < 4; gate++) acc[r][gate] = P::get(l.a, ((size_t)t * l.B + b + r) * 4 * H + gate * H + j, n) + bias[gate];
      P::add(packed + (size_t)block * words * 4 * LANES, now, words, rows, acc);
      const vec w_ci = load(l.peephole + j, n), w_cf = load(l.peephole + H + j, n), w_co = load(l.peephole + 2 * H + j, n);
      for (int r = 0; r < rows; r++) {
        const size_t before = ((size_t)t * l.B + b + r) * H + j, after = before + (size_t)l.B * H;
        vec c = load(l.c + before, n);
        const vec i = sigmoid(acc[r][0] + w_ci * c);  // eq. (7)
        const vec f = sigmoid(acc[r][1] + w_cf * c);  // eq. (8)
        const vec g = tanh(acc[r][2]);
        c = f * c + i * g;                             // eq. (9)
        const vec o = sigmoid(acc[r][3] + w_co * c);  // eq. (10)
        const vec h = o * tanh(c);                     // eq. (11)
        float* gate = l.gates + ((size_t)t * l.B + b + r) * 4 * H + j;
        store(gate, i, n), store(gate + H, f, n), store(gate + 2 * H, g, n), store(gate + 3 * H, o, n);
        store(l.c + after, c, n), store(l.h + after, h, n);
        P::put(next + (r * words) + j / P::PACK, h);
      }
    }
  }

  void run(int, int first, int last) const {
    const int lines = last - first;
    Array now((size_t)lines * words), next((size_t)lines * words), hat((size_t)lines * hats.width);
    float *x = now, *y = next;
    std::vector<WindowLine> windows;
    for (int b = first; b < last; b++) {
      this->put(x + (b - first) * words, l.h + (size_t)b * l.H, l.H);
      if (!l.V) continue;
      windows.emplace_back(l, b);
      this->put(x + (b - first) * words + Hp / P::PACK, l.w + (size_t)b * l.V, l.V);
    }
    for (int t = 0; t < l.T; t++, std::swap(x, y)) {
      tiles<P>(lines, Step{*this, first, t, x, y});
      if (!l.V) continue;
      hats.times(l.h + ((size_t)(t + 1) * l.B + first) * l.H, lines, hat);
      for (int b = first; b < last; b++) {
        const size_t before = (size_t)t * l.B + b, after = before + l.B;
        windows[b - first].forward(hat + (b - first) * hats.width, l.kappa + before * l.K, l.kappa + after * l.K,
                                   l.shape + before * 3 * l.K, l.w + after * l.V);
        this->put(y + (b - first) * words + Hp / P::PACK, l.w + after * l.V, l.V);
      }
    }
  }
};

// ---- Backward ----

template <class P>
struct Backward : Plan<P> {
  using Plan<P>::l;
  using Plan<P>::Hp;
  using Plan<P>::Vp;
  using Plan<P>::blocks;
  Product<P> back;          // dz (4H) to dh and dw
  Product<Float32> looked;  // dp (3K) to dh

  explicit Backward(const Layer& l)
      : Plan<P>(l),
        back(4 * Hp, Hp + Vp, [&](int row, int j) { return this->weights(row / Hp, row % Hp, j); }),
        looked(3 * l.K, l.V ? l.H : 0, [&](int row, int j) { return load(l.weight_p + (size_t)row * l.H + j, std::min(LANES, l.H - j)); }) {}

  // One line, one step: dh (H) and dc (Hp, in place) give dz, as floats and as operands.
  void cell(int t, int b, const float* dh, float* dc, float* operand, float* sums) const {
    const int H = l.H;
    const size_t line = (size_t)t * l.B + b;
    const float *gates = l.gates + line * 4 * H, *c_before = l.c + line * H, *c_after = c_before + (size_t)l.B * H;
    for (int j = 0; j < H; j += LANES) {
      const int n = std::min(LANES, H - j);
      const vec i = load(gates + j, n), f = load(gates + H + j, n), g = load(gates + 2 * H + j, n), o = load(gates + 3 * H + j, n);
      const vec before = load(c_before + j, n), after = load(c_after + j, n), tanh_c = tanh(after), d = load(dh + j);
      const vec z_o = clip(d * tanh_c * o * (1.0f - o), l.limit);
      vec d_c = load(dc + j) + d * o * (1.0f - tanh_c * tanh_c) + load(l.peephole + 2 * H + j, n) * z_o;
      const vec z_i = clip(d_c * g * i * (1.0f - i), l.limit);
      const vec z_f = clip(d_c * before * f * (1.0f - f), l.limit);
      const vec z_g = clip(d_c * i * (1.0f - g * g), l.limit);
      d_c = d_c * f + load(l.peephole + j, n) * z_i + load(l.peephole + H + j, n) * z_f;
      store(dc + j, d_c);
      const vec z[4] = {z_i, z_f, z_g, z_o}, seen[7] = {z_i, z_f, z_g, z_o, z_i * before, z_f * before, z_o * after};
      for (int gate = 0; gate < 4; gate++) {
        P::keep(l.dz, line * 4 * H + gate * H + j, z[gate], n);
        P::put(operand + (gate * Hp + j) / P::PACK, z[gate]);
      }
      for (int k = 0; k < 7; k++) store(sums + k * H + j, load(sums + k * H + j, n) + seen[k], n);
    }
  }

  // Through the window, with dw now complete: what it asks of the first layer's h.
  void look(const WindowLine& window, int t, int b, float* dw, float* dkappa) const {
    const size_t line = (size_t)t * l.B + b;
    for (int v = 0; v < l.V; v++) dw[v] += l.dw[line * l.V + v];
    window.backward(dw, l.kappa + (line + l.B) * l.K, l.shape + line * 3 * l.K, dkappa, l.dp + line * 3 * l.K);
  }

  void run(int thread, int first, int last) const {
    const int lines = last - first;
    Array dz((size_t)lines * back.words), dx((size_t)lines * back.width), dc((size_t)lines * Hp);
    Array dkappa((size_t)lines * l.K), asked((size_t)lines * looked.width);
    float* sums = l.sums + (size_t)thread * 7 * l.H;
    std::vector<WindowLine> windows;
    for (int b = first; l.V && b < last; b++) windows.emplace_back(l, b);
    for (int t = l.T - 1; t >= 0; t--) {
      for (int r = 0; l.V && r < lines; r++) look(windows[r], t, first + r, dx + r * back.width + Hp, dkappa + r * l.K);
      if (l.V) looked.times(l.dp + ((size_t)t * l.B + first) * 3 * l.K, lines, asked);
      for (int r = 0; r < lines; r++) {
        float* dh = dx + r * back.width;
        const float* above = l.dh + ((size_t)t * l.B + first + r) * l.H;
        for (int j = 0; j < l.H; j++) dh[j] += above[j];
        for (int j = 0; l.V && j < l.H; j++) dh[j] += asked[r * looked.width + j];
        cell(t, first + r, dh, dc + r * Hp, dz + r * back.words, sums);
      }
      back.times(dz, lines, dx);
    }
  }
};

// Deal the lines to the threads and wait for them.
template <class Job>
void share(const Job& job) {
  const int count = std::max(1, std::min(job.l.threads, job.l.B));
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++)
    threads.emplace_back([&, i] { flush_tiny(), job.run(i, job.l.B * i / count, job.l.B * (i + 1) / count); });
  for (auto& thread : threads) thread.join();
}

template <template <class> class Job>
void run(const Layer& layer) {
#ifdef MATRIX_UNIT
  if (layer.bfloat16 && Matrix::granted()) return share(Job<Matrix>(layer));
#endif
#ifdef __AVX512BF16__
  if (layer.bfloat16) return share(Job<BFloat16>(layer));
#endif
  share(Job<Float32>(layer));
}

}  // namespace

extern "C" {
int has_bfloat16() {
#ifdef __AVX512BF16__
  return 1;
#else
  return 0;
#endif
}
void forward(const Layer* layer) { run<Forward>(*layer); }
void backward(const Layer* layer) { run<Backward>(*layer); }
}
