// The practical limits. Steps of ../workloads.cpp are written by hand for this one kind of network, with nothing
// general in them; of the larger networks only the multiplications are done, all in one product. What multiplies stands
// here with each BLAS there is, under "workload/BLAS"; the faster one counts.

#include "../workload.hpp"
#include <cblas.h>
#include <xsimd/xsimd.hpp>
#if GRADTAPE_ONEDNN
#include <dnnl.h>
#endif

#include <cmath>
#include <cstddef>
#include <memory>
#include <random>
#include <vector>

namespace {

using Vector = std::vector<float, xsimd::aligned_allocator<float>>;
using Lanes = xsimd::batch<float>;
using Size = std::int64_t;

/// C (m,n) = op(A)·op(B), row-major and packed; op transposes for 'T'.
using Gemm = void (*)(char op_a, char op_b, Size m, Size n, Size k, const Vector& a, const Vector& b, Vector& c);

void openblas_gemm(char op_a, char op_b, Size m, Size n, Size k, const Vector& a, const Vector& b, Vector& c) {
  const auto flag = [](char op) { return op == 'T' ? CblasTrans : CblasNoTrans; };
  const auto size = [](Size s) { return static_cast<blasint>(s); };
  cblas_sgemm(CblasRowMajor, flag(op_a), flag(op_b), size(m), size(n), size(k), 1, a.data(), size(op_a == 'T' ? m : k),
              b.data(), size(op_b == 'T' ? k : n), 0, c.data(), size(n));
}

#if GRADTAPE_ONEDNN
void onednn_gemm(char op_a, char op_b, Size m, Size n, Size k, const Vector& a, const Vector& b, Vector& c) {
  dnnl_sgemm(op_a, op_b, m, n, k, 1, a.data(), op_a == 'T' ? m : k, b.data(), op_b == 'T' ? k : n, 0, c.data(), n);
}
#endif

/// to[i] = f(to[i], from[i]) for i < n, on SIMD lanes, with a scalar rest.
template <class F>
void zip(float* to, const float* from, std::size_t n, F f) {
  std::size_t i = 0;
  for (; i + Lanes::size <= n; i += Lanes::size)
    f(Lanes::load_unaligned(to + i), Lanes::load_unaligned(from + i)).store_unaligned(to + i);
  for (; i < n; ++i) to[i] = f(to[i], from[i]);
}

constexpr auto sigmoid = [](auto x) {
  using std::exp, xsimd::exp;
  return 1.f / (1.f + exp(-x));
};

class Random {
 public:
  Vector operator()(Size n) {
    std::normal_distribution<float> normal(0, 0.05f);
    Vector values(static_cast<std::size_t>(n));
    for (float& value : values) value = normal(generator_);
    return values;
  }

 private:
  std::mt19937 generator_{0};
};

struct Layer {
  Size in, out;
  Vector weight, weight_gradient, bias, bias_gradient;
  Vector y, y_gradient;  // (batch, out)
};

class Network {
 public:
  Network(const bench::Mlp& mlp, Gemm gemm) : batch_(mlp.batch), gemm_(gemm) {
    Random random;
    for (std::size_t i = 0; i + 1 < mlp.widths.size(); ++i) {
      const Size in = mlp.widths[i], out = mlp.widths[i + 1];
      layers_.push_back({in, out, random(out * in), random(out * in), random(out), random(out), random(batch_ * out),
                         random(batch_ * out)});
    }
    x_ = random(batch_ * mlp.widths.front());
    target_ = random(batch_ * mlp.widths.back());
  }

  void step() {
    for (std::size_t l = 0; l < layers_.size(); ++l) forward(l);
    loss();
    for (std::size_t l = layers_.size(); l-- > 0;) backward(l);
  }

 private:
  const Vector& input(std::size_t l) const { return l == 0 ? x_ : layers_[l - 1].y; }

  void forward(std::size_t l) {
    Layer& layer = layers_[l];
    gemm_('N', 'T', batch_, layer.out, layer.in, input(l), layer.weight, layer.y);  // (batch,in)·(in,out)
    const auto width = static_cast<std::size_t>(layer.out);
    for (std::size_t row = 0; row < layer.y.size(); row += width) {
      if (l + 1 < layers_.size())
        zip(&layer.y[row], layer.bias.data(), width, [](auto y, auto b) { return sigmoid(y + b); });
      else
        zip(&layer.y[row], layer.bias.data(), width, [](auto y, auto b) { return y + b; });
    }
  }

  void loss() {
    Layer& last = layers_.back();
    const std::size_t n = last.y.size();
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const float error = last.y[i] - target_[i];
      sum += error * error;
      last.y_gradient[i] = 2 * error / static_cast<float>(n);
    }
    benchmark::DoNotOptimize(sum / static_cast<float>(n));
  }

  void backward(std::size_t l) {
    Layer& layer = layers_[l];
    const Vector& g = layer.y_gradient;
    if (l > 0) {
      Layer& below = layers_[l - 1];
      gemm_('N', 'N', batch_, layer.in, layer.out, g, layer.weight, below.y_gradient);  // (batch,out)·(out,in)
      zip(below.y_gradient.data(), below.y.data(), below.y.size(), [](auto h, auto y) { return h * y * (1.f - y); });
    }
    gemm_('T', 'N', layer.out, layer.in, batch_, g, input(l), layer.weight_gradient);  // (out,batch)·(batch,in)
    const auto width = static_cast<std::size_t>(layer.out);
    layer.bias_gradient.assign(width, 0);
    for (std::size_t row = 0; row < g.size(); row += width)
      zip(layer.bias_gradient.data(), &g[row], width, [](auto sum, auto h) { return sum + h; });
    const auto descend = [](auto w, auto dw) { return w - static_cast<float>(bench::learning_rate) * dw; };
    zip(layer.weight.data(), layer.weight_gradient.data(), layer.weight.size(), descend);
    zip(layer.bias.data(), layer.bias_gradient.data(), width, descend);
  }

  Size batch_;
  Gemm gemm_;
  std::vector<Layer> layers_;
  Vector x_, target_;
};

/// sum(sigmoid(a*b+a)) and its gradients, as separate passes or as one.
struct Gates {
  static constexpr Size n = bench::side * bench::side;
  Vector a = Random()(n), b = Random()(n), y = a, grad_a = a, grad_b = a;

  void by_op() {
    map(
        y, [](auto p, auto q) { return p * q; }, a, b);
    map(
        y, [](auto p, auto q) { return p + q; }, y, a);
    map(y, sigmoid, y);
    Lanes sum(0.f);
    for (std::size_t i = 0; i < y.size(); i += Lanes::size) sum += Lanes::load_aligned(&y[i]);
    benchmark::DoNotOptimize(xsimd::hadd(sum));
    map(
        y, [](auto s) { return s * (1.f - s); }, y);
    map(
        grad_a, [](auto g, auto q) { return g * q; }, y, b);
    map(
        grad_b, [](auto g, auto p) { return g * p; }, y, a);
    map(
        grad_a, [](auto h, auto g) { return h + g; }, grad_a, y);
  }

  void fused() {
    Lanes sum(0.f);
    for (std::size_t i = 0; i < a.size(); i += Lanes::size) {
      const auto p = Lanes::load_aligned(&a[i]), q = Lanes::load_aligned(&b[i]);
      const Lanes s = sigmoid(p * q + p), g = s * (1.f - s);
      sum += s;
      (g * (q + 1.f)).store_aligned(&grad_a[i]);
      (g * p).store_aligned(&grad_b[i]);
    }
    benchmark::DoNotOptimize(xsimd::hadd(sum));
  }

 private:
  template <class F, class... X>
  static void map(Vector& to, F f, const X&... x) {
    static_assert(n % Lanes::size == 0);
    for (std::size_t i = 0; i < to.size(); i += Lanes::size) f(Lanes::load_aligned(&x[i])...).store_aligned(&to[i]);
  }
};

// The multiplications of a step: forwards, for the gradients of weights, and for those of inputs but the first, which
// nobody asks for.

constexpr Size cnn_multiplications() {
  using C = bench::Cnn;
  constexpr Size pixels = C::image * C::image, first = pixels * C::first * 9;
  constexpr Size rest = pixels / 4 * C::second * C::first * 9 + C::flat * C::hidden + C::hidden * C::classes;
  return C::batch * (2 * first + 3 * rest);
}
constexpr Size lstm_multiplications() {
  using L = bench::Lstm;
  return L::steps * L::batch * 4 * L::hidden * (2 * L::in + 3 * L::hidden);
}
constexpr Size transformer_multiplications() {
  using T = bench::Transformer;
  constexpr Size in = 3 * T::width * T::width, attention = 2 * T::steps * T::width;
  constexpr Size rest = attention + T::width * T::width + 2 * T::width * T::feedforward;
  return T::steps * T::batch * (2 * in + 3 * rest);
}

/// A product of as many multiplications as asked for, of a shape that every BLAS is fast at.
bench::Step product(Size multiplications, Gemm gemm) {
  constexpr Size side = 512;
  const Size depth = multiplications / (side * side);
  return [=, a = Random()(side * depth), b = Random()(depth * side), c = Random()(side * side)]() mutable {
    gemm('N', 'N', side, side, depth, a, b, c);
  };
}

}  // namespace

std::vector<bench::Workload> bench::workloads() {
  struct Blas {
    const char* name;
    Gemm gemm;
  };
  const std::vector<Blas> all_blas {
    {"openblas", openblas_gemm},
#if GRADTAPE_ONEDNN
        {"onednn", onednn_gemm},
#endif
  };

  std::vector<Workload> all{{gates_by_op, [] { return [gates = Gates()]() mutable { gates.by_op(); }; }},
                            {gates_fused, [] { return [gates = Gates()]() mutable { gates.fused(); }; }}};
  for (const auto& [blas, gemm] : all_blas) {
    const auto add = [&all, blas = blas](const std::string& name, std::function<Step()> prepare) {
      all.push_back({name + "/" + blas, std::move(prepare)});
    };
    for (const Mlp& mlp : mlps())
      add(mlp.name(), [mlp, gemm = gemm] { return [net = Network(mlp, gemm)]() mutable { net.step(); }; });
    add(Cnn::name, [gemm = gemm] { return product(cnn_multiplications(), gemm); });
    add(Lstm::name, [gemm = gemm] { return product(lstm_multiplications(), gemm); });
    add(Transformer::name, [gemm = gemm] { return product(transformer_multiplications(), gemm); });
  }
  return all;
}
