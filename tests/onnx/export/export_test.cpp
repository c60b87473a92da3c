#include <gradtape/gradtape.hpp>
#include <gradtape/onnx/export.hpp>

#include <filesystem>
#include <fstream>
#include <limits>

#include "run.hpp"
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace gt = gradtape;
namespace fs = std::filesystem;

namespace {

const fs::path directory = "models";  // in the working directory; onnxruntime.mjs runs what is there

struct Cnn : gt::nn::Module {
  gt::nn::Conv2d conv1{1, 8, 3, {.padding = 1}}, conv2{8, 12, 3, {.stride = 2, .padding = 1, .groups = 2}};
  gt::nn::BatchNorm2d norm{8};
  gt::nn::Linear head{12 * 4 * 4, 10};
  gt::Tensor operator()(const gt::Tensor& x) const {
    const gt::Tensor y = gt::max_pool2d(gt::relu(norm(conv1(x))), 2);
    return head(gt::flatten(gt::relu(conv2(y)), {.start_axis = 1}));
  }
  void visit(gt::nn::Visitor& v) override { v("conv1", conv1), v("norm", norm), v("conv2", conv2), v("head", head); }
};

struct Pools : gt::nn::Module {
  gt::nn::ConvTranspose2d conv{3, 4, 3, {.stride = 2, .padding = 1, .output_padding = 1}};
  gt::Tensor operator()(const gt::Tensor& x) const {
    const gt::Tensor y = conv(gt::max_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true}));
    const gt::Tensor z = gt::avg_pool2d(y, 3, {.stride = 1, .padding = 1, .count_include_pad = false});
    return gt::adaptive_avg_pool2d(z[0], {2, 2}) + gt::max_pool2d(gt::avg_pool2d(z, 2)[0], 2, {.stride = 3});
  }
  void visit(gt::nn::Visitor& v) override { v("conv", conv); }
};

struct Recurrent : gt::nn::Module {
  gt::nn::GRU gru{5, 6, {.num_layers = 2, .batch_first = true, .bidirectional = true}};
  gt::nn::LSTM lstm{12, 4};
  gt::nn::RNN rnn{4, 4};
  gt::nn::Linear head{4, 3};
  gt::Tensor operator()(const gt::Tensor& x) const {
    const gt::Tensor y = rnn(lstm(gt::transpose(gru(x).output, {0, 1})).output).output;
    return head(y[-1]);
  }
  void visit(gt::nn::Visitor& v) override { v("gru", gru), v("lstm", lstm), v("rnn", rnn), v("head", head); }
};

struct Gru : gt::nn::Module {
  gt::nn::GRU gru{7, 16, {.batch_first = true}};
  gt::nn::Linear head{16, 10};
  gt::Tensor operator()(const gt::Tensor& x) const { return head(gru(x).output[{gt::Slice{}, -1}]); }
  void visit(gt::nn::Visitor& v) override { v("gru", gru), v("head", head); }
};

struct Transformer : gt::nn::Module {
  gt::nn::Embedding tokens{20, 16}, places{8, 16};
  gt::nn::TransformerEncoderLayer layer1{16, 4, {.dim_feedforward = 32, .activation = gt::gelu, .norm_first = true}},
      layer2{16, 2, {.dim_feedforward = 24}};
  gt::nn::LayerNorm norm{{16}};
  gt::nn::Linear head{16, 20, {.bias = false}};
  gt::Tensor operator()(const gt::Tensor& ids) const {
    const gt::Tensor where = gt::arange(ids.shape()[1], {.dtype = gt::i64});
    const gt::Tensor x = tokens(ids) + places(where);
    return head(norm(layer2(layer1(x, {.causal = true}), {.key_mask = ids != 0})));
  }
  void visit(gt::nn::Visitor& v) override {
    v("tokens", tokens), v("places", places), v("layer1", layer1), v("layer2", layer2), v("norm", norm);
    v("head", head);
  }
};

/// Any function as a module.
struct Function : gt::nn::Module {
  using F = gt::Tensor (*)(const gt::Tensor&);
  F f;
  explicit Function(F function) : f(function) {}
  gt::Tensor operator()(const gt::Tensor& x) const { return f(x); }
  void visit(gt::nn::Visitor&) override {}
};

std::vector<double> numbers(const gt::Tensor& x) { return x.to(gt::f64).to_vector<double>(); }

/// Exports, and compares what the file computes of another input; leaves both where onnxruntime.mjs finds them.
template <class M>
void check(const std::string& name, M& net, const gt::Tensor& example, const gt::Tensor& x) {
  CAPTURE(name);
  fs::create_directory(directory);
  net.eval();
  const std::string path = directory / (name + ".onnx");
  gt::export_onnx(net, example, path);
  const gt::NoGrad off;
  const gt::Tensor y = net(x);
  CHECK(suite::run(suite::read(path), x) == gt::approx(y).rtol(0).atol(1e-5));
  const std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  std::ofstream(directory / (name + ".json")) << nlohmann::json{
      {"type", x.dtype() == gt::i64 ? "int64" : "float32"}, {"shape", shape}, {"x", numbers(x)}, {"y", numbers(y)}};
}

std::string message(auto f) {
  try {
    f();
  } catch (const gt::ValueError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("export_onnx: an MLP") {
  gt::manual_seed(1);
  const auto both = [](const std::string& name, const gt::nn::MLPOptions& options) {
    gt::nn::MLP net({4, 16, 8, 3}, options);
    check(name, net, gt::randn({5, 4}), gt::randn({5, 4}));
    check(name + "_rank_3", net, gt::randn({2, 5, 4}), gt::randn({2, 5, 4}));
  };
  both("mlp_relu", {});
  both("mlp_gelu", {.activation = gt::gelu});
}

TEST_CASE("export_onnx: a CNN, with running statistics") {
  gt::manual_seed(2);
  Cnn net;
  net(gt::randn({6, 1, 16, 16}) * 2 + 1);  // moves the statistics
  check("cnn", net, gt::randn({3, 1, 16, 16}), gt::randn({3, 1, 16, 16}));
  Pools pools;
  check("pools", pools, gt::randn({1, 3, 8, 8}), gt::randn({1, 3, 8, 8}));
}

TEST_CASE("export_onnx: a GRU and its kin") {
  gt::manual_seed(3);
  Gru net;
  check("gru", net, gt::randn({4, 6, 7}), gt::randn({4, 6, 7}));
  Recurrent all;
  check("recurrent", all, gt::randn({3, 4, 5}), gt::randn({3, 4, 5}));
}

TEST_CASE("export_onnx: a Transformer with causal and boolean masks") {
  gt::manual_seed(4);
  Transformer net;
  const auto ids = [] { return gt::randint(0, 20, {2, 8}); };
  check("transformer", net, ids(), ids());
}

TEST_CASE("export_onnx: attention where a query sees no key, and rotary positions") {
  gt::manual_seed(6);
  Function masked([](const gt::Tensor& x) {
    const gt::Tensor key = gt::reshape(gt::arange(4), {1, 4}), query = gt::reshape(gt::arange(4), {4, 1});
    const gt::Tensor shown = gt::logical_and(query != 1, key != query);
    const gt::Tensor added = gt::where(shown, key * 0.1, -std::numeric_limits<double>::infinity());
    return gt::scaled_dot_product_attention(x, x, x[0], {.mask = shown, .scale = 0.7}) +
           gt::scaled_dot_product_attention(x, x, x, {.mask = added, .causal = true});
  });
  check("masked", masked, gt::randn({2, 4, 6}), gt::randn({2, 4, 6}));
  Function rotary([](const gt::Tensor& x) {
    return gt::rotary_embedding(x, {.base = 100, .offset = 3}) + 2 * gt::rotary_embedding(x, {.interleaved = true});
  });
  check("rotary", rotary, gt::randn({2, 4, 6}), gt::randn({2, 4, 6}));
}

TEST_CASE("export_onnx: views, reductions and formulas") {
  gt::manual_seed(5);
  Function views([](const gt::Tensor& x) {
    const gt::Tensor y = gt::concatenate({gt::flip(x, 1), x[{gt::Slice{}, gt::Slice{.step = -2}}]}, {.axis = 1});
    return gt::softmax(gt::max(y, {.axes = 1, .keepdims = true}) - gt::permute(y, {0, 1, 2}), {.axis = 0}) +
           gt::mean(gt::square(y)) * gt::sum(y, {.axes = {0, 2}, .keepdims = true});
  });
  check("views", views, gt::randn({3, 5, 2}), gt::randn({3, 5, 2}));
  Function formulas([](const gt::Tensor& x) {
    return gt::silu(x) + gt::mish(x) + gt::softplus(x, {.beta = 2}) + gt::log_sigmoid(x) + gt::leaky_relu(x) +
           gt::elu(x, {.alpha = 0.5}) + gt::hardtanh(x) + gt::clamp(x, {.min = -0.2, .max = 0.3}) +
           gt::gelu(x, {.approximate = gt::GeluOptions::tanh}) + gt::expm1(x) + gt::log1p(gt::square(x)) +
           gt::rsqrt(gt::exp(x)) + gt::where(x > 0.5, x, 1) + (x != 0).to(gt::f32) + gt::rms_norm(x, {4}) +
           gt::layer_norm(x, {4});
  });
  check("formulas", formulas, gt::randn({3, 4}), gt::randn({3, 4}));
}

TEST_CASE("export_onnx: op by op") {
  gt::manual_seed(7);
  const gt::Tensor example = gt::randn({4, 5}), other = gt::randn({4, 5});
  const auto one = [&](const std::string& name, Function::F f) {
    Function net(f);
    check("op_" + name, net, example, other);
  };
  using Tensor = gt::Tensor;
  one("abs", [](const Tensor& x) { return gt::abs(x); });
  one("sign", [](const Tensor& x) { return gt::sign(x); });
  one("ceil", [](const Tensor& x) { return gt::ceil(3 * x); });
  one("floor", [](const Tensor& x) { return gt::floor(3 * x); });
  one("round", [](const Tensor& x) { return gt::round(3 * x); });
  one("reciprocal", [](const Tensor& x) { return gt::reciprocal(2 + gt::square(x)); });
  one("sqrt", [](const Tensor& x) { return gt::sqrt(gt::abs(x)); });
  one("log", [](const Tensor& x) { return gt::log(gt::abs(x) + 0.1); });
  one("erf", [](const Tensor& x) { return gt::erf(x); });
  one("sin", [](const Tensor& x) { return gt::sin(x); });
  one("cos", [](const Tensor& x) { return gt::cos(x); });
  one("tan", [](const Tensor& x) { return gt::tan(gt::sin(x)); });
  one("asin", [](const Tensor& x) { return gt::asin(gt::sin(x) * 0.9); });
  one("acos", [](const Tensor& x) { return gt::acos(gt::sin(x) * 0.9); });
  one("atan", [](const Tensor& x) { return gt::atan(x); });
  one("sinh", [](const Tensor& x) { return gt::sinh(x); });
  one("cosh", [](const Tensor& x) { return gt::cosh(x); });
  one("asinh", [](const Tensor& x) { return gt::asinh(x); });
  one("acosh", [](const Tensor& x) { return gt::acosh(gt::square(x) + 1.5); });
  one("atanh", [](const Tensor& x) { return gt::atanh(gt::sin(x) * 0.9); });
  one("sigmoid", [](const Tensor& x) { return gt::sigmoid(x); });
  one("tanh", [](const Tensor& x) { return gt::tanh(x); });
  one("relu", [](const Tensor& x) { return gt::relu(x); });
  one("selu", [](const Tensor& x) { return gt::selu(x); });
  one("softsign", [](const Tensor& x) { return gt::softsign(x); });
  one("hardswish", [](const Tensor& x) { return gt::hardswish(2 * x); });
  one("gelu", [](const Tensor& x) { return gt::gelu(x); });
  one("arithmetic", [](const Tensor& x) { return (x - 2 * x[0]) / (3 - gt::sin(x)) - (-x); });
  one("pow", [](const Tensor& x) { return gt::pow(gt::abs(x) + 0.5, x); });
  one("maximum", [](const Tensor& x) { return gt::maximum(x, x[0]); });
  one("minimum", [](const Tensor& x) { return gt::minimum(x, x[0]); });
  one("max", [](const Tensor& x) { return gt::max(x, {.axes = 0}); });
  one("min", [](const Tensor& x) { return gt::min(x, {.axes = 1}); });
  one("prod", [](const Tensor& x) { return gt::prod(x, {.axes = 1}); });
  one("argmax", [](const Tensor& x) { return gt::argmax(x, {.axis = 1}).to(gt::f32); });
  one("argmin", [](const Tensor& x) { return gt::argmin(x, {.axis = 0}).to(gt::f32); });
  one("isnan", [](const Tensor& x) { return gt::isnan(gt::log(x)).to(gt::f32); });
  one("isinf", [](const Tensor& x) { return gt::isinf(gt::log(gt::relu(x))).to(gt::f32); });
  one("logical", [](const Tensor& x) {
    const Tensor a = x > 0, b = x < 0.5, both = gt::logical_and(a, b), either = gt::logical_or(a, b);
    return gt::logical_xor(both, gt::logical_not(either)).to(gt::f32);
  });
  one("gather", [](const Tensor& x) { return gt::gather(x, 1, gt::argmax(x, {.axis = 1, .keepdims = true})); });
  one("broadcast_to", [](const Tensor& x) { return gt::broadcast_to(x, {2, 4, 5}); });
  one("log_softmax", [](const Tensor& x) { return gt::log_softmax(x); });
  one("matmul", [](const Tensor& x) { return gt::matmul(x, gt::transpose(x)); });
  one("affine_layer_norm",
      [](const Tensor& x) { return gt::layer_norm(x, {5}, {.weight = gt::full({5}, 2), .bias = gt::arange(5)}); });
}

TEST_CASE("export_onnx: parameters keep their names, what is made of them alone is stored") {
  gt::nn::MLP net({2, 3, 1});
  net.eval();
  gt::export_onnx(net, gt::randn({4, 2}), "names.onnx");
  const onnx::ModelProto model = suite::read("names.onnx");
  std::vector<std::string> names;
  for (const auto& constant : model.graph().initializer()) names.push_back(constant.name());
  CHECK(names == std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"});
  CHECK(model.graph().node_size() == 4);  // Gemm, Relu, Gemm, Identity
  CHECK(model.opset_import(0).version() == 17);
}

TEST_CASE("export_onnx: messages") {
  const gt::Tensor x = gt::randn({2, 3});
  const auto exported = [&](const auto& net) { return message([&] { gt::export_onnx(net, x, "never.onnx"); }); };
  gt::nn::MLP training({3, 1});
  CHECK(exported(training) == "export_onnx: the module is in training mode; call eval() first");
  const auto of = [&](Function::F f) {
    Function net(f);
    net.eval();
    return exported(net);
  };
  CHECK(of([](const gt::Tensor& t) { return gt::lgamma(gt::exp(t)); }) ==
        "export_onnx: no ONNX ops for lgamma: call 2 of 2, on f32 [2, 3]");
  CHECK(of([](const gt::Tensor& t) { return t * t.to_vector<float>()[0]; }) ==
        "export_onnx: the module computes something from the elements of the input without ops (item(), to_vector(), "
        "random numbers); the file would hold what it was for the example");
  CHECK(of([](const gt::Tensor& t) { return t.to_vector<float>()[0] > t.to_vector<float>()[5] ? gt::exp(t) : -t; }) ==
        "export_onnx: which ops the module calls depends on the elements of the input; ONNX gets one run's");
  CHECK_FALSE(fs::exists("never.onnx"));
}

TEST_CASE("export_onnx: an op without a counterpart is named with the parameter used before it") {
  struct Net : gt::nn::Module {
    gt::nn::Linear fc{3, 3};
    gt::Tensor operator()(const gt::Tensor& x) const { return gt::digamma(gt::exp(fc(x))); }
    void visit(gt::nn::Visitor& v) override { v("fc", fc); }
  } net;
  net.eval();
  CHECK(message([&] {
          gt::export_onnx(net, gt::randn({2, 3}), "never.onnx");
        }) == "export_onnx: no ONNX ops for digamma: call 3 of 3, on f32 [2, 3], the first after fc.bias was used");
}
