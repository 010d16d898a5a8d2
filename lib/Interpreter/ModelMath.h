// The mathematics of the model dialect's ops on plain arrays, one function per op, a few lines each. Shapes are in the
// comments; T is float or double; every sum runs in index order. Nothing here knows MLIR.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace mmc::interpreter::formula {

template <typename T> using Array = std::vector<T>;

/// Rounds to the nearest value with `bits` of mantissa (the hidden one included) and the exponents of float32, ties to
/// even.
inline double roundMantissa(double x, int bits) {
  if (!std::isfinite(x) || x == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  exponent = std::max(exponent, -125); // subnormals share the exponent of the smallest normal number
  double unit = std::ldexp(1.0, exponent - bits);
  return std::nearbyint(x / unit) * unit;
}

inline double roundToFloat16(double x) {
  if (!std::isfinite(x) || x == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  double unit = std::ldexp(1.0, std::max(exponent, -13) - 11), rounded = std::nearbyint(x / unit) * unit;
  return std::abs(rounded) > 65504 ? std::copysign(INFINITY, x) : rounded;
}

/// bfloat16: 8 bits of mantissa, float32's range.
inline double roundToBFloat16(double x) {
  double rounded = roundMantissa(x, 8);
  return std::abs(rounded) > 0x1.fep127 ? std::copysign(INFINITY, x) : rounded;
}

/// y[r, n] = sum_k x[r, k] w[n, k]. Four rows of w at a time, only so that their sums are independent.
template <typename T> void linear(const T *x, const T *w, T *y, int64_t rows, int64_t n, int64_t k) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *row = x + r * k;
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
      T a = 0, b = 0, c = 0, d = 0;
      const T *wa = w + j * k, *wb = wa + k, *wc = wb + k, *wd = wc + k;
      for (int64_t i = 0; i < k; ++i)
        a += row[i] * wa[i], b += row[i] * wb[i], c += row[i] * wc[i], d += row[i] * wd[i];
      y[r * n + j] = a, y[r * n + j + 1] = b, y[r * n + j + 2] = c, y[r * n + j + 3] = d;
    }
    for (; j < n; ++j) {
      T sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += row[i] * w[j * k + i];
      y[r * n + j] = sum;
    }
  }
}

template <typename T> void rmsNorm(const T *x, const T *gain, T *y, int64_t rows, int64_t d, T eps) {
  for (int64_t r = 0; r < rows; ++r, x += d, y += d) {
    T squares = 0;
    for (int64_t i = 0; i < d; ++i) squares += x[i] * x[i];
    T scale = T(1) / std::sqrt(squares / T(d) + eps);
    for (int64_t i = 0; i < d; ++i) y[i] = x[i] * scale * gain[i];
  }
}

template <typename T> T sigmoid(T x) {
  return x >= 0 ? T(1) / (T(1) + std::exp(-x)) : std::exp(x) / (T(1) + std::exp(x));
}
template <typename T> T silu(T x) { return x * sigmoid(x); }

/// Rotates the first `dims` of the `d` channels of each of `heads` heads of one row.
template <typename T>
void rope(const T *x, T *y, int64_t heads, int64_t d, int64_t dims, double theta, int64_t position) {
  std::copy(x, x + heads * d, y);
  int64_t half = dims / 2;
  for (int64_t j = 0; j < half; ++j) {
    double angle = double(position) * std::pow(theta, -2.0 * double(j) / double(dims));
    T c = T(std::cos(angle)), s = T(std::sin(angle));
    for (int64_t h = 0; h < heads; ++h) {
      T a = x[h * d + j], b = x[h * d + j + half];
      y[h * d + j] = a * c - b * s;
      y[h * d + j + half] = b * c + a * s;
    }
  }
}

/// One query row [heads, d] at `position` over caches [positions, kvHeads, d] and [positions, kvHeads, dv].
template <typename T>
void attention(const T *q, const T *keys, const T *values, T *y, int64_t heads, int64_t kvHeads, int64_t d, int64_t dv,
               int64_t position, T scale, int64_t window) {
  int64_t first = window > 0 ? std::max<int64_t>(0, position - window + 1) : 0;
  Array<T> p(size_t(position - first + 1));
  for (int64_t h = 0; h < heads; ++h) {
    int64_t g = h / (heads / kvHeads);
    T largest = -INFINITY, sum = 0;
    for (int64_t j = first; j <= position; ++j) {
      T dot = 0;
      for (int64_t i = 0; i < d; ++i) dot += q[h * d + i] * keys[(j * kvHeads + g) * d + i];
      p[size_t(j - first)] = scale * dot;
      largest = std::max(largest, scale * dot);
    }
    for (T &e : p) sum += e = std::exp(e - largest);
    for (int64_t i = 0; i < dv; ++i) {
      T total = 0;
      for (int64_t j = first; j <= position; ++j) total += p[size_t(j - first)] * values[(j * kvHeads + g) * dv + i];
      y[h * dv + i] = total / sum;
    }
  }
}

/// One token of one head: decay, then erase (delta) and write, then read. rate is null (none), one value, or k values
/// (`perChannel`).
template <typename T>
void recur(const T *q, const T *k, const T *v, const T *rate, bool perChannel, T beta, bool delta, T scale, T *state,
           T *y, int64_t dk, int64_t dv) {
  for (int64_t i = 0; rate && i < dk; ++i) {
    T decay = std::exp(-rate[perChannel ? i : 0]);
    for (int64_t j = 0; j < dv; ++j) state[i * dv + j] *= decay;
  }
  for (int64_t j = 0; j < dv; ++j) {
    T read = 0;
    for (int64_t i = 0; delta && i < dk; ++i) read += state[i * dv + j] * k[i];
    T write = beta * (v[j] - read);
    for (int64_t i = 0; i < dk; ++i) state[i * dv + j] += k[i] * write;
  }
  for (int64_t j = 0; j < dv; ++j) {
    T sum = 0;
    for (int64_t i = 0; i < dk; ++i) sum += state[i * dv + j] * q[i];
    y[j] = scale * sum;
  }
}

/// One row: softmax over the experts' logits, the `k` largest (ties to the lowest index) renormalised to sum one.
template <typename T> void route(const T *logits, int64_t experts, int64_t k, T *weights, int32_t *chosen) {
  Array<T> p(logits, logits + experts);
  T largest = *std::max_element(p.begin(), p.end()), sum = 0, kept = 0;
  for (T &e : p) sum += e = std::exp(e - largest);
  for (T &e : p) e /= sum;
  Array<char> taken(size_t(experts), 0);
  for (int64_t j = 0; j < k; ++j) {
    int64_t best = -1;
    for (int64_t e = 0; e < experts; ++e)
      if (!taken[size_t(e)] && (best < 0 || p[size_t(e)] > p[size_t(best)])) best = e;
    taken[size_t(best)] = 1;
    chosen[j] = int32_t(best);
    kept += weights[j] = p[size_t(best)];
  }
  for (int64_t j = 0; j < k; ++j) weights[j] /= kept;
}

} // namespace mmc::interpreter::formula
