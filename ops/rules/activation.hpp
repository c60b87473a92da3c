#pragma once

#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/rules/special.hpp>
#include <gradtape/ops/rules/trigonometry.hpp>

#include <numbers>
#include <string_view>

// Factors of a product that vanishes at infinity are clamped where it has vanished already, lest it be inf · 0.
namespace gradtape::inline v0::rule {

struct Sigmoid {
  static constexpr std::string_view name = "sigmoid";
  static constexpr bool records_whole = true;
  auto value(auto x) const { return 1 / (1 + exp(-x)); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * y * (1 - y); }
};
template <Value X>
auto sigmoid(X x) {
  return call(Sigmoid{}, x);
}

struct LogSigmoid {
  static constexpr std::string_view name = "log_sigmoid";
  auto value(auto x) const { return minimum(x, 0) - log1p(exp(-abs(x))); }
  auto vjp(auto g, auto x) const { return g * sigmoid(-x); }
};
template <Value X>
auto log_sigmoid(X x) {
  return call(LogSigmoid{}, x);
}

struct Softplus {
  static constexpr std::string_view name = "softplus";
  double beta, threshold;
  void attributes(AttributeVisitor& v) const { v("beta", beta), v("threshold", threshold); }
  auto value(auto x) const {
    const auto z = beta * x;
    return where(z > threshold, x, (maximum(z, 0) + log1p(exp(-abs(z)))) / beta);
  }
  auto vjp(auto g, auto x) const { return where(beta * x > threshold, g, g * sigmoid(beta * x)); }
};
template <Value X>
auto softplus(X x, const SoftplusOptions& options = {}) {
  return call(Softplus{options.beta, options.threshold}, x);
}

struct Softsign {
  static constexpr std::string_view name = "softsign";
  auto value(auto x) const { return where(isinf(x), sign(x), x / (1 + abs(x))); }
  auto vjp(auto g, auto x) const { return g / (1 + abs(x)) / (1 + abs(x)); }
};
template <Value X>
auto softsign(X x) {
  return call(Softsign{}, x);
}

struct Relu {
  static constexpr std::string_view name = "relu";
  auto value(auto x) const { return maximum(x, 0); }
  auto vjp(auto g, auto /*x*/, auto y) const { return where(y <= 0, 0, g); }  // so that NaN passes its gradient on
};
template <Value X>
auto relu(X x) {
  return call(Relu{}, x);
}

struct LeakyRelu {
  static constexpr std::string_view name = "leaky_relu";
  double slope;
  void attributes(AttributeVisitor& v) const { v("negative_slope", slope); }
  auto value(auto x) const { return where(x > 0, x, slope * x); }
  auto vjp(auto g, auto x) const { return where(x > 0, g, slope * g); }
};
template <Value X>
auto leaky_relu(X x, const LeakyReluOptions& options = {}) {
  return call(LeakyRelu{options.negative_slope}, x);
}

struct Elu {
  static constexpr std::string_view name = "elu";
  double alpha;
  void attributes(AttributeVisitor& v) const { v("alpha", alpha); }
  auto value(auto x) const { return where(x > 0, x, alpha * expm1(x)); }
  auto vjp(auto g, auto x) const {
    return where(x > 0, g, alpha * g * exp(where(x > 0, 0, x)));
  }  // no inf in what is not chosen
};
template <Value X>
auto elu(X x, const EluOptions& options = {}) {
  return call(Elu{options.alpha}, x);
}

struct Selu {
  static constexpr std::string_view name = "selu";
  static constexpr double scale = 1.0507009873554804934193349852946;
  static constexpr Elu elu{1.6732632423543772848170429916717};
  auto value(auto x) const { return scale * elu.value(x); }
  auto vjp(auto g, auto x) const { return scale * elu.vjp(g, x); }
};
template <Value X>
auto selu(X x) {
  return call(Selu{}, x);
}

struct Gelu {
  static constexpr std::string_view name = "gelu";
  auto value(auto x) const { return maximum(x, -40) * distribution(x); }
  auto vjp(auto g, auto x) const {
    const auto c = clamp(x, {.min = -40, .max = 40});
    return g * (distribution(c) + c * density(c));
  }

 private:
  // Of the standard normal distribution: Φ and φ.
  static auto distribution(auto x) { return 0.5 * erfc(-1 / std::numbers::sqrt2 * x); }
  static auto density(auto x) { return std::numbers::inv_sqrtpi / std::numbers::sqrt2 * exp(-0.5 * x * x); }
};

struct GeluTanh {
  static constexpr std::string_view name = "gelu";
  void attributes(AttributeVisitor& v) const { v("tanh", 1); }
  auto value(auto x) const { return maximum(x, -40) * half(clamp(x, {.min = -40, .max = 40})); }
  auto vjp(auto g, auto x) const {
    const auto c = clamp(x, {.min = -40, .max = 40}), h = half(c);
    return g * (h + 2 * k * c * (1 + 3 * cubic * c * c) * h * (1 - h));
  }

 private:
  static constexpr double k = std::numbers::sqrt2 * std::numbers::inv_sqrtpi, cubic = 0.044715;
  static auto half(auto x) { return sigmoid(2 * k * x * (1 + cubic * x * x)); }  // (1 + tanh(u)) / 2 = sigmoid(2u)
};
template <Value X>
auto gelu(X x, const GeluOptions& options = {}) {
  return options.approximate == GeluOptions::tanh ? call(GeluTanh{}, x) : call(Gelu{}, x);
}

struct Silu {
  static constexpr std::string_view name = "silu";
  auto value(auto x) const { return maximum(x, -750) * sigmoid(x); }
  auto vjp(auto g, auto x) const {
    const auto s = sigmoid(x);
    return g * (s + clamp(x, {.min = -750, .max = 750}) * s * (1 - s));
  }
};
template <Value X>
auto silu(X x) {
  return call(Silu{}, x);
}

struct Mish {
  static constexpr std::string_view name = "mish";
  auto value(auto x) const { return maximum(x, -750) * tanh(-log_sigmoid(-x)); }
  auto vjp(auto g, auto x) const {
    const auto t = tanh(-log_sigmoid(-x));
    return g * (t + clamp(x, {.min = -750, .max = 750}) * sigmoid(x) * (1 - t * t));
  }
};
template <Value X>
auto mish(X x) {
  return call(Mish{}, x);
}

struct Hardtanh {
  static constexpr std::string_view name = "hardtanh";
  double min, max;
  void attributes(AttributeVisitor& v) const { v("min", min), v("max", max); }
  auto value(auto x) const { return minimum(maximum(x, min), max); }
  auto vjp(auto g, auto /*x*/, auto y) const { return where(y <= min, 0, where(y >= max, 0, g)); }
};
template <Value X>
auto hardtanh(X x, const HardtanhOptions& options = {}) {
  return call(Hardtanh{options.min, options.max}, x);
}

struct Hardswish {
  static constexpr std::string_view name = "hardswish";
  auto value(auto x) const { return where(x <= -3, 0, where(x >= 3, x, x * (x + 3) / 6)); }
  auto vjp(auto g, auto x) const { return g * where(x < -3, 0, where(x > 3, 1, x / 3 + 0.5)); }
};
template <Value X>
auto hardswish(X x) {
  return call(Hardswish{}, x);
}

}  // namespace gradtape::inline v0::rule
