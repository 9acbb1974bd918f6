// Whole lines written on a processor: the network's steps, the draw and the stop rule, without a way back.
//
// Each thread takes some of the lines to their ends, so no thread waits for another. Products, cells and
// window are those of lstm.cpp.

#include "lstm.cpp"

extern "C" {

// All that a call needs. Packed weights are (blocks, inputs, 4 vectors of 16): the inputs of a layer are x, w,
// the layer below and its own h; the 4 vectors are its gates i, f, c, o, or 64 outputs of the readout.
struct Lines {
  int32_t B, H, V, K, U, M, layers, limit, threads;
  float bias;
  const float *weights[8], *biases[8], *peepholes[8];  // of each layer
  const float *readout, *readout_bias, *weight_p, *bias_p;
  const int32_t *codes, *lengths;  // (B, U), (B): the stop rule's U of each line
  const float* chance;             // (B, limit, 4)
  float *h, *c, *kappa, *w, *x;    // the state: (layers, B, H) twice, (B, K), (B, V), (B, 3)
  float* points;                   // (B, limit, 3)
  int32_t* ends;                   // (B): the step at which the rule held, or past limit
};
}

namespace {

struct Pages {
  const Lines& l;
  Layer window;
  Hats hats;
  int outputs, blocks;

  explicit Pages(const Lines& l) : l(l), window(window_of(l)), hats(window), outputs(1 + 6 * l.M), blocks((l.H + LANES - 1) / LANES) {}

  static Layer window_of(const Lines& l) {
    Layer window{};
    window.H = l.H, window.V = l.V, window.K = l.K, window.U = l.U;
    window.weight_p = l.weight_p, window.bias_p = l.bias_p, window.codes = l.codes;
    return window;
  }

  int inputs(int layer) const { return 3 + l.V + (layer ? 2 : 1) * l.H; }
  float* state(float* states, int layer, int b) const { return states + ((size_t)layer * l.B + b) * l.H; }

  // The cells of a layer: x (lines, inputs) gives h and c of R lines.
  struct Cells {
    const Pages& p;
    int layer, first;
    const float* x;
    template <int R> void run(int row, int) const {
      const Lines& l = p.l;
      const int H = l.H, n_in = p.inputs(layer);
      for (int block = 0; block < p.blocks; block++) {
        const int j = block * LANES, n = std::min(LANES, H - j);
        vec acc[R][4];
        for (int r = 0; r < R; r++)
          for (int gate = 0; gate < 4; gate++) acc[r][gate] = load(l.biases[layer] + gate * H + j, n);
        Float32::add(l.weights[layer] + (size_t)block * n_in * 4 * LANES, x + row * n_in, n_in, R, acc);
        const float* peephole = l.peepholes[layer] + j;
        for (int r = 0; r < R; r++) {
          float* c_at = p.state(l.c, layer, first + row + r) + j;
          vec c = load(c_at, n);
          const vec i = sigmoid(acc[r][0] + load(peephole, n) * c);      // eq. (7)
          const vec f = sigmoid(acc[r][1] + load(peephole + H, n) * c);  // eq. (8)
          c = f * c + i * tanh(acc[r][2]);                               // eq. (9)
          const vec o = sigmoid(acc[r][3] + load(peephole + 2 * H, n) * c);  // eq. (10)
          store(c_at, c, n);
          store(p.state(l.h, layer, first + row + r) + j, o * tanh(c), n);  // eq. (11)
        }
      }
    }
  };

  // The readout, eq. (17): 64 outputs at a time.
  struct Readout {
    const Pages& p;
    const float* x;
    float* y;
    template <int R> void run(int row, int) const {
      const int n_in = p.l.layers * p.l.H, wide = round_up(p.outputs, 64);
      for (int block = 0; block < wide / 64; block++) {
        vec acc[R][4];
        for (int r = 0; r < R; r++)
          for (int k = 0; k < 4; k++) acc[r][k] = load(p.l.readout_bias + block * 64 + k * LANES);
        Float32::add(p.l.readout + (size_t)block * n_in * 64, x + row * n_in, n_in, R, acc);
        for (int r = 0; r < R; r++)
          for (int k = 0; k < 4; k++) store(y + (row + r) * wide + block * 64 + k * LANES, acc[r][k]);
      }
    }
  };

  // Lay the inputs of a layer side by side.
  void gather(int layer, int first, int lines, float* x) const {
    for (int r = 0; r < lines; r++) {
      float* to = x + r * inputs(layer);
      std::memcpy(to, l.x + (first + r) * 3, 3 * sizeof(float));
      std::memcpy(to + 3, l.w + (size_t)(first + r) * l.V, l.V * sizeof(float));
      to += 3 + l.V;
      if (layer) std::memcpy(to, state(l.h, layer - 1, first + r), l.H * sizeof(float)), to += l.H;
      std::memcpy(to, state(l.h, layer, first + r), l.H * sizeof(float));
    }
  }

  // Does phi(t, U + 1) exceed phi at each character of the line? In logarithms, which do not underflow.
  bool past_the_end(int b, const float* shape) const {
    const float* kappa = l.kappa + b * l.K;
    const auto log_phi = [&](int u) {
      float most = -INFINITY, total = 0;
      for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < l.K; k++) {
          const float d = kappa[k] - u, term = std::log(shape[k]) - shape[l.K + k] * d * d;
          if (pass) total += std::exp(term - most);
          else most = std::max(most, term);
        }
      return most + std::log(total);
    };
    const float beyond = log_phi(l.lengths[b] + 1);
    for (int u = l.lengths[b]; u >= 1; u--)  // the last characters are the likeliest to speak against it
      if (log_phi(u) >= beyond) return false;
    return true;
  }

  // Draw the next point of a line from its raw outputs (eqs 18-22, 61 and 62).
  void draw(const float* y, const float* chance, float* x) const {
    const int M = l.M;
    const float *pi_hat = y + 1, *mu = pi_hat + M, *sigma = mu + 2 * M, *rho_hat = sigma + 2 * M;
    float most = -INFINITY, total = 0, sum = 0;
    std::vector<float> pi(M);
    for (int j = 0; j < M; j++) most = std::max(most, pi_hat[j] * (1 + l.bias));
    for (int j = 0; j < M; j++) total += pi[j] = std::exp(pi_hat[j] * (1 + l.bias) - most);
    int j = 0;
    for (; j < M - 1; j++)
      if ((sum += pi[j] / total) > chance[0]) break;
    const float rho = std::tanh(rho_hat[j]);
    x[0] = mu[j] + std::exp(sigma[j] - l.bias) * chance[2];
    x[1] = mu[M + j] + std::exp(sigma[M + j] - l.bias) * (rho * chance[2] + std::sqrt(1 - rho * rho) * chance[3]);
    x[2] = chance[1] < 1 / (1 + std::exp(y[0]));
  }

  // Write some lines to their ends.
  void write(int first, int lines) const {
    const int widest = inputs(l.layers > 1), n_out = l.layers * l.H, wide = round_up(outputs, 64);
    Array x((size_t)lines * widest), all((size_t)lines * n_out), y((size_t)lines * wide);
    Array hat((size_t)lines * hats.width);
    std::vector<float> shape(3 * l.K), moved(l.K);
    for (int t = 0; t <= l.limit; t++) {
      for (int layer = 0; layer < l.layers; layer++) {
        gather(layer, first, lines, x);
        tiles<Float32>(lines, Cells{*this, layer, first, x});
        if (!layer) hats.times(state(l.h, 0, first), lines, hat);
        for (int r = 0; r < lines; r++) {
          const int b = first + r;
          std::memcpy(all + r * n_out + layer * l.H, state(l.h, layer, b), l.H * sizeof(float));
          if (layer) continue;
          WindowLine(window, b).forward(hat + r * hats.width, l.kappa + b * l.K, moved.data(), shape.data(), l.w + (size_t)b * l.V);
          std::memcpy(l.kappa + b * l.K, moved.data(), l.K * sizeof(float));
          if (l.ends[b] > l.limit && past_the_end(b, shape.data())) l.ends[b] = t;
        }
      }
      const bool over = std::all_of(l.ends + first, l.ends + first + lines, [&](int end) { return end <= l.limit; });
      if (t == l.limit || over) return;
      tiles<Float32>(lines, Readout{*this, all, y});
      for (int r = 0; r < lines; r++) {
        const size_t at = (size_t)(first + r) * l.limit + t;
        draw(y + r * wide, l.chance + at * 4, l.points + at * 3);
        std::memcpy(l.x + (first + r) * 3, l.points + at * 3, 3 * sizeof(float));
      }
    }
  }

  void run() const {
    const int count = std::max(1, std::min(l.threads, l.B));
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) {
      const int first = l.B * i / count, last = l.B * (i + 1) / count;
      threads.emplace_back([this, first, last] { flush_tiny(), write(first, last - first); });
    }
    for (auto& thread : threads) thread.join();
  }
};

}  // namespace

extern "C" void write_lines(const Lines* lines) { Pages(*lines).run(); }
