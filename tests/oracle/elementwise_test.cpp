#include "case.hpp"

namespace {

using namespace oracle;

const Table elementwise = {
    {"neg", unary(any, [](const auto& x) { return -x; })},
    {"exp", unary(any, [](const auto& x) { return exp(x); })},
    {"log", unary(positive, [](const auto& x) { return log(x); })},
    {"sqrt", unary(positive, [](const auto& x) { return sqrt(x); })},
    {"square", unary(any, [](const auto& x) { return square(x); })},
    {"sin", unary(any, [](const auto& x) { return sin(x); })},
    {"cos", unary(any, [](const auto& x) { return cos(x); })},
    {"expm1", unary(any, [](const auto& x) { return expm1(x); })},
    {"log1p", unary(positive, [](const auto& x) { return log1p(x); })},
    {"rsqrt", unary(positive, [](const auto& x) { return rsqrt(x); })},
    {"reciprocal", unary(kink, [](const auto& x) { return reciprocal(x); })},
    {"sign", unary(tied, [](const auto& x) { return sign(x); })},
    {"floor", unary(any, [](const auto& x) { return floor(x); })},
    {"ceil", unary(any, [](const auto& x) { return ceil(x); })},
    {"round", unary(any, [](const auto& x) { return round(x); })},
    {"round halves", unary(tied, [](const auto& x) { return round(x / 2); })},
    {"trunc", unary(any, [](const auto& x) { return trunc(x); })},
    {"tan", unary(any, [](const auto& x) { return tan(x); })},
    {"asin", unary(any, [](const auto& x) { return asin(x / 2.1); })},
    {"acos", unary(any, [](const auto& x) { return acos(x / 2.1); })},
    {"atan", unary(any, [](const auto& x) { return atan(x); })},
    {"sinh", unary(any, [](const auto& x) { return sinh(x); })},
    {"cosh", unary(any, [](const auto& x) { return cosh(x); })},
    {"asinh", unary(any, [](const auto& x) { return asinh(x); })},
    {"acosh", unary(positive, [](const auto& x) { return acosh(x + 0.6); })},
    {"atanh", unary(any, [](const auto& x) { return atanh(x / 2.1); })},
    {"erf", unary(any, [](const auto& x) { return erf(x); })},
    {"erfc", unary(any, [](const auto& x) { return erfc(x); })},
    {"lgamma", unary(positive, [](const auto& x) { return lgamma(x); })},
    // digamma and polygamma 1 are left out: libtorch's trigamma is right to nine digits only
    {"polygamma 3", unary(positive, [](const auto& x) { return polygamma(3, x); })},
    {"abs", unary(kink, [](const auto& x) { return abs(x); })},
    {"sigmoid", unary(any, [](const auto& x) { return sigmoid(x); })},
    {"tanh", unary(any, [](const auto& x) { return tanh(x); })},
    {"relu", unary(kink, [](const auto& x) { return relu(x); })},
    {"numbers", unary(kink, [](const auto& x) { return 2 * x - 3 / x + (1 - x) / 4; })},
    {"pow of a number", unary(any, [](const auto& x) { return pow(1.5, x); })},
    {"pow by a number", unary(any, [](const auto& x) { return pow(x, 3); })},
    {"add", binary(any, any, [](const auto& a, const auto& b) { return a + b; })},
    {"sub", binary(any, any, [](const auto& a, const auto& b) { return a - b; })},
    {"mul", binary(any, any, [](const auto& a, const auto& b) { return a * b; })},
    {"div", binary(any, kink, [](const auto& a, const auto& b) { return a / b; })},
    {"pow", binary(positive, any, [](const auto& a, const auto& b) { return pow(a, b); })},
    {"atan2", binary(kink, kink, [](const auto& a, const auto& b) { return atan2(a, b); })},
    {"hypot", binary(kink, kink, [](const auto& a, const auto& b) { return hypot(a, b); })},
    {"logaddexp", binary(any, any, [](const auto& a, const auto& b) { return logaddexp(a, b); })},
    {"remainder", binary(any, kink, [](const auto& a, const auto& b) { return remainder(a, b); })},
    {"lerp", binary(any, any, [](const auto& a, const auto& b) { return lerp(a, b, 0.3) + lerp(a, b, a); })},
    {"maximum", binary(tied, tied, [](const auto& a, const auto& b) { return maximum(a, b); })},
    {"minimum", binary(tied, tied, [](const auto& a, const auto& b) { return minimum(a, b); })},
    {"where", binary(any, any, [](const auto& a, const auto& b) { return where(a > b, a, b * b); })},
    {"eq", binary(tied, tied, [](const auto& a, const auto& b) { return eq(a, b); })},
    {"ne", binary(tied, tied, [](const auto& a, const auto& b) { return ne(a, b); })},
    {"lt", binary(tied, tied, [](const auto& a, const auto& b) { return lt(a, b); })},
    {"le", binary(tied, tied, [](const auto& a, const auto& b) { return le(a, b); })},
    {"gt", binary(tied, tied, [](const auto& a, const auto& b) { return a > b; })},
    {"ge", binary(tied, tied, [](const auto& a, const auto& b) { return ge(a, b); })},
    {"==", binary(tied, tied, [](const auto& a, const auto& b) { return a == b; })},
    {"!=", binary(tied, tied, [](const auto& a, const auto& b) { return a != b; })},
    {"<", binary(tied, tied, [](const auto& a, const auto& b) { return a < b; })},
    {"<=", binary(tied, tied, [](const auto& a, const auto& b) { return a <= b; })},
    {">", binary(tied, tied, [](const auto& a, const auto& b) { return a > b; })},
    {">=", binary(tied, tied, [](const auto& a, const auto& b) { return a >= b; })},
};

// Where the options are named in other ways.
using Ours = const gt::Tensor&;
using Theirs = const torch::Tensor&;

const Table with_options = {
    {"clamp", unary(
                  any, [](Ours x) { return gt::clamp(x, {.min = -0.5, .max = 1}); },
                  [](Theirs x) { return clamp(x, -0.5, 1); })},
    {"clamp at the bounds",
     unary(
         tied, [](Ours x) { return gt::clamp(x, {.min = -1, .max = 1}); }, [](Theirs x) { return clamp(x, -1, 1); })},
    {"clamp min", unary(
                      tied, [](Ours x) { return gt::clamp(x, {.min = 0}); }, [](Theirs x) { return clamp_min(x, 0); })},
    {"clamp max", unary(
                      tied, [](Ours x) { return gt::clamp(x, {.max = 0}); }, [](Theirs x) { return clamp_max(x, 0); })},
    {"isnan", unary(tied, [](const auto& x) { return isnan(x / x); })},
    {"isinf", unary(tied, [](const auto& x) { return isinf(1 / x); })},
    {"isfinite", unary(tied, [](const auto& x) { return isfinite(1 / x); })},
    {"nan_to_num", unary(
                       tied, [](Ours x) { return gt::nan_to_num(1 / x); }, [](Theirs x) { return nan_to_num(1 / x); })},
    {"nan_to_num to others", unary(
                                 tied, [](Ours x) { return gt::nan_to_num(x, {.nan = 1, .posinf = 2, .neginf = 3}); },
                                 [](Theirs x) { return nan_to_num(x, 1, 2, 3); })},
    {"logical_and", binary(tied, tied, [](const auto& a, const auto& b) { return logical_and(a > 0, b > 0); })},
    {"logical_or", binary(tied, tied, [](const auto& a, const auto& b) { return logical_or(a > 0, b > 0); })},
    {"logical_xor", binary(tied, tied, [](const auto& a, const auto& b) { return logical_xor(a > 0, b > 0); })},
    {"logical_not", unary(tied, [](const auto& x) { return logical_not(x > 0); })},
};

const Table activations = {
    {"log_sigmoid", unary(any, [](const auto& x) { return log_sigmoid(4 * x); })},
    {"softplus", unary(
                     any, [](Ours x) { return gt::softplus(9 * x); }, [](Theirs x) { return softplus(9 * x); })},
    {"softplus with options", unary(
                                  any, [](Ours x) { return gt::softplus(x, {.beta = 3, .threshold = 4}); },
                                  [](Theirs x) { return softplus(x, 3, 4); })},
    {"softsign",
     unary(
         kink, [](Ours x) { return gt::softsign(x); }, [](Theirs x) { return torch::nn::functional::softsign(x); })},
    {"leaky_relu", unary(
                       tied, [](Ours x) { return gt::leaky_relu(x); }, [](Theirs x) { return leaky_relu(x); })},
    {"leaky_relu with options", unary(
                                    tied, [](Ours x) { return gt::leaky_relu(x, {.negative_slope = 0.3}); },
                                    [](Theirs x) { return leaky_relu(x, 0.3); })},
    {"elu", unary(
                tied, [](Ours x) { return gt::elu(x); }, [](Theirs x) { return elu(x); })},
    {"elu with options",
     unary(
         kink, [](Ours x) { return gt::elu(x, {.alpha = 1.7}); }, [](Theirs x) { return elu(x, 1.7); })},
    {"selu", unary(tied, [](const auto& x) { return selu(x); })},
    {"gelu", unary(
                 any, [](Ours x) { return gt::gelu(2 * x); }, [](Theirs x) { return gelu(2 * x); })},
    {"gelu by tanh", unary(
                         any, [](Ours x) { return gt::gelu(2 * x, {.approximate = gt::GeluOptions::tanh}); },
                         [](Theirs x) { return gelu(2 * x, "tanh"); })},
    {"silu", unary(any, [](const auto& x) { return silu(4 * x); })},
    {"mish", unary(any, [](const auto& x) { return mish(4 * x); })},
    {"hardtanh", unary(
                     tied, [](Ours x) { return gt::hardtanh(x); }, [](Theirs x) { return hardtanh(x); })},
    {"hardtanh with options", unary(
                                  any, [](Ours x) { return gt::hardtanh(x, {.min = -0.5, .max = 1.5}); },
                                  [](Theirs x) { return hardtanh(x, -0.5, 1.5); })},
    {"hardswish", unary(any, [](const auto& x) { return hardswish(3 * x); })},  // libtorch has 1 for the slope at 3
    {"glu",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(1)),
                        twice = gt::reshape(
                            gt::contiguous(gt::broadcast_to(gt::reshape(x, {1, x.numel()}), {2, x.numel()})), {-1});
       return call(
           {twice}, [](Ours t) { return gt::glu(t); }, [](Theirs t) { return glu(t); });
     }},
};

}  // namespace

TEST_CASE("oracle: elementwise ops agree with libtorch") {
  compare(elementwise);
  compare(with_options);
}

TEST_CASE("oracle: activations agree with libtorch") { compare(activations); }
