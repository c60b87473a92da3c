#include <cmath>
#include <numbers>

#include "value.hpp"

namespace gradtape::inline v0::onnx_export {
namespace {

using Values = std::vector<Value>;

Value sigmoid(const Value& x) { return x.to("Sigmoid"); }
Value softplus(const Value& x) { return x.to("Softplus"); }

Value gelu(const Values& in, const Step& step) {
  const Value& x = in[0];
  if (!step.numbers.contains("tanh")) return 0.5 * x * (1 + (1 / std::numbers::sqrt2 * x).to("Erf"));
  return x * sigmoid(std::sqrt(8 / std::numbers::pi) * x * (1 + 0.044715 * x * x));  // (1 + tanh(u)) / 2 = sigmoid(2u)
}

Value clip(const Values& x, const Step& step) {
  return x[0].with("Clip", {x[0].number(step.numbers.at("min")).name, x[0].number(step.numbers.at("max")).name});
}

Value of_softplus(const Values& x, const Step& step) {
  const double beta = step.numbers.at("beta");
  return 1 / beta * softplus(beta * x[0]);
}

}  // namespace

Table elementwise() {
  return {
      {"add", "Add"},
      {"sub", "Sub"},
      {"mul", "Mul"},
      {"neg", "Neg"},
      {"pow", "Pow"},
      {"maximum", "Max"},
      {"minimum", "Min"},
      {"where", "Where"},
      {"==", "Equal"},
      {"<", "Less"},
      {"<=", "LessOrEqual"},
      {">", "Greater"},
      {">=", "GreaterOrEqual"},
      {"logical_and", "And"},
      {"logical_or", "Or"},
      {"logical_xor", "Xor"},
      {"logical_not", "Not"},
      {"isnan", "IsNaN"},
      {"isinf", "IsInf"},
      {"abs", "Abs"},
      {"sign", "Sign"},
      {"floor", "Floor"},
      {"ceil", "Ceil"},
      {"round", "Round"},
      {"exp", "Exp"},
      {"log", "Log"},
      {"sqrt", "Sqrt"},
      {"reciprocal", "Reciprocal"},
      {"erf", "Erf"},
      {"sin", "Sin"},
      {"cos", "Cos"},
      {"tan", "Tan"},
      {"asin", "Asin"},
      {"acos", "Acos"},
      {"atan", "Atan"},
      {"sinh", "Sinh"},
      {"cosh", "Cosh"},
      {"tanh", "Tanh"},
      {"asinh", "Asinh"},
      {"acosh", "Acosh"},
      {"atanh", "Atanh"},
      {"sigmoid", "Sigmoid"},
      {"relu", "Relu"},
      {"selu", "Selu"},
      {"softsign", "Softsign"},
      {"hardswish", "HardSwish"},
      {"div",
       [](const Values& x, const Step&) {
         if (!is_floating(x[0].dtype)) throw Unsupported{"of integers"};
         return x[0].with("Div", {x[1].name});
       }},
      {"!=", [](const Values& x, const Step&) { return x[0].with("Equal", {x[1].name}).to("Not"); }},
      {"to",
       [](const Values& x, const Step& step) {
         return x[0].to("Cast", {{"to", std::int64_t{onnx_type(step.output.dtype())}}});
       }},
      {"square", [](const Values& x, const Step&) { return x[0] * x[0]; }},
      {"rsqrt", [](const Values& x, const Step&) { return x[0].to("Sqrt").to("Reciprocal"); }},
      {"expm1", [](const Values& x, const Step&) { return -1 + x[0].to("Exp"); }},
      {"log1p", [](const Values& x, const Step&) { return (1 + x[0]).to("Log"); }},
      {"clamp", clip},
      {"hardtanh", clip},
      {"gelu", gelu},
      {"silu", [](const Values& x, const Step&) { return x[0] * sigmoid(x[0]); }},
      {"mish", [](const Values& x, const Step&) { return x[0] * softplus(x[0]).to("Tanh"); }},
      {"softplus", of_softplus},
      {"log_sigmoid", [](const Values& x, const Step&) { return softplus(x[0].to("Neg")).to("Neg"); }},
      {"leaky_relu",
       [](const Values& x, const Step& step) {
         return x[0].to("LeakyRelu", {{"alpha", step.numbers.at("negative_slope")}});
       }},
      {"elu",
       [](const Values& x, const Step& step) {
         return x[0].to("Elu", {{"alpha", step.numbers.at("alpha")}});
       }},
      {"affine", [](const Values& x, const Step&) { return x[0] * x[1] + x[2]; }},
      {"batch_norm", [](const Values& x, const Step&) { return (x[0] - x[1]) * x[2] + x[3]; }},
  };
}

}  // namespace gradtape::inline v0::onnx_export
