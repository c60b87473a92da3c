// The training steps of ../workloads.cpp written by hand for this one kind of network, with nothing general in them:
// the practical limit. Every step stands here with each BLAS there is, under "workload/BLAS"; the faster one counts.

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

struct Layer {
  Size in, out;
  Vector weight, weight_gradient, bias, bias_gradient;
  Vector y, y_gradient;  // (batch, out)
};

class Network {
 public:
  Network(const bench::Mlp& mlp, Gemm gemm) : batch_(mlp.batch), gemm_(gemm) {
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
        zip(&layer.y[row], layer.bias.data(), width, [](auto y, auto b) {
          using std::exp, xsimd::exp;
          return 1.f / (1.f + exp(-(y + b)));
        });
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

  Vector random(Size n) {
    std::normal_distribution<float> normal(0, 0.05f);
    Vector values(static_cast<std::size_t>(n));
    for (float& value : values) value = normal(generator_);
    return values;
  }

  std::mt19937 generator_{0};
  Size batch_;
  Gemm gemm_;
  std::vector<Layer> layers_;
  Vector x_, target_;
};

}  // namespace

void bench::register_workloads() {
  for (const Mlp& mlp : mlps()) {
    const auto variant = [&](const char* blas, Gemm gemm) {
      add(mlp.name() + "/" + blas, [net = std::make_shared<Network>(mlp, gemm)] { net->step(); });
    };
    variant("openblas", openblas_gemm);
#if GRADTAPE_ONEDNN
    variant("onednn", onednn_gemm);
#endif
  }
}
