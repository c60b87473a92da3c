#include <gradtape/core/backward.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/observe.hpp>
#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/kernels/gates.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/recurrent.hpp>
#include <gradtape/ops/rules/activation.hpp>
#include <gradtape/ops/rules/trigonometry.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>
#include <gradtape/ops/trigonometry.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct LstmGates {
  static constexpr std::string_view name = "lstm_cell";
  static constexpr std::array<std::size_t, 2> gates{4, 1};
  static constexpr std::size_t outputs = 2;

  auto value(auto i, auto f, auto g, auto o, auto c) const {
    const auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
    return std::make_tuple(sigmoid(o) * tanh(next), next);
  }
  auto vjp(auto of_h, auto of_c, auto i, auto f, auto g, auto o, auto c) const {
    const auto in = sigmoid(i), kept = sigmoid(f), fresh = tanh(g), out = sigmoid(o);
    const auto shown = tanh(kept * c + in * fresh);
    const auto d = of_c + of_h * out * (1 - shown * shown);
    return grads(d * fresh * in * (1 - in), d * c * kept * (1 - kept), d * in * (1 - fresh * fresh),
                 of_h * shown * out * (1 - out), d * kept);
  }
};

struct GruGates {
  static constexpr std::string_view name = "gru_cell";
  static constexpr std::array<std::size_t, 3> gates{3, 3, 1};
  static constexpr std::size_t outputs = 1;

  auto value(auto r_x, auto z_x, auto n_x, auto r_h, auto z_h, auto n_h, auto h) const {
    const auto n = tanh(n_x + sigmoid(r_x + r_h) * n_h);
    return std::make_tuple(n + sigmoid(z_x + z_h) * (h - n));
  }
  auto vjp(auto g, auto r_x, auto z_x, auto n_x, auto r_h, auto z_h, auto n_h, auto h) const {
    const auto r = sigmoid(r_x + r_h), z = sigmoid(z_x + z_h), n = tanh(n_x + r * n_h);
    const auto of_n = g * (1 - z) * (1 - n * n), of_z = g * (h - n) * z * (1 - z), of_r = of_n * n_h * r * (1 - r);
    return grads(of_r, of_z, of_n, of_r, of_z, of_n * r, g * z);
  }
};

/// A cell whose gates stand next to each other in its inputs: all of its elements in one pass forward and one back. On
/// Tensors its rule is read gate by gate. The last input is as wide as a gate; several outputs are stacked.
template <class Cell>
class GatesNode final : public Node {
  static constexpr std::size_t n = detail::cell_inputs<Cell>;
  using Tensors = std::array<Tensor, n>;

 public:
  static Tensor apply(const std::array<const Tensor*, n>& inputs) {
    std::array<Array, n> x;
    std::array<const Array*, n> all;
    bool needed = false;
    for (std::size_t i = 0; i < n; ++i) {
      detail::check_floating(Cell::name, {&inputs[i]->array()});
      detail::check_dtypes(Cell::name, {&inputs[0]->array(), &inputs[i]->array()});
      x[i] = packed(inputs[i]->array());
      all[i] = &inputs[i]->array();
      needed |= inputs[i]->requires_grad();
    }
    const Shape& state = x[n - 1].shape();
    const auto planes = static_cast<std::int64_t>(Cell::outputs);
    Array out =
        Array::make(x[n - 1].dtype(), planes == 1 ? state : detail::replace_axes(Cell::name, state, 0, 0, {planes}));
    with_floating(Cell::name, out.dtype(), [&]<class T>(std::type_identity<T>) {
      detail::gates_value<Cell, T>({}, out.data<T>(), pointers<const T>(x), rows(x[n - 1]), state[-1]);
    });
    if (detail::thread_state.watched) [[unlikely]]
      detail::watch(Cell{}, out, all);
    if (!needed || !detail::thread_state.grad_enabled) return Tensor(std::move(out));
    auto node = detail::Ref<Node>::adopt(new GatesNode(out, x, inputs));
    return Tensor(std::move(out), std::move(node));
  }

  GatesNode(const Array& output, const std::array<Array, n>& x, const std::array<const Tensor*, n>& inputs)
      : Node(output.shape(), output.dtype(), detail::thread_state.index) {
    for (std::size_t i = 0; i < n; ++i) {
      edges_[i] = inputs[i]->node();
      saved_[i] = x[i];
    }
    keep(edges_.data(), saved_.data(), n);
  }

  std::string_view name() const override { return Cell::name; }

  void backward(Backward& pass) override {
    Tensors gradients = pass.recording() ? recorded_vjp(pass) : fused_vjp(pass);
    for (std::size_t i = 0; i < n; ++i)
      if (gradients[i].defined()) pass.give(static_cast<int>(i), std::move(gradients[i]));
  }

  /// By dual numbers of which both parts are Tensors.
  void forward(Forward& pass) override {
    Tensors x = values(pass.recording()), t;
    for (std::size_t i = 0; i < n; ++i) {
      t[i] = pass.tangent(static_cast<int>(i));
      if (!t[i].defined()) t[i] = zeros(x[i].shape(), {.dtype = dtype});
    }
    pass.give(on_gates([&](auto... k) {
      return std::apply([](const auto&... y) { return joined({y.tangent...}); },
                        Cell{}.value(rule::Dual<Tensor, Tensor>{gate(x, k), gate(t, k)}...));
    }));
  }

 private:
  static std::int64_t rows(const Shape& state) { return state[-1] == 0 ? 0 : state.numel() / state[-1]; }

  template <class T>
  static std::array<T*, n> pointers(std::span<const Array> x) {
    std::array<T*, n> out;
    for (std::size_t i = 0; i < n; ++i) out[i] = x[i] ? x[i].template data<std::remove_const_t<T>>() : nullptr;
    return out;
  }

  /// Calls f with the number of each gate.
  template <class F>
  static auto on_gates(F f) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(I...); }(detail::GateIndices<Cell>{});
  }

  static Tensor gate(const Tensors& x, std::size_t k) {
    const auto [input, index] = detail::gate_places<Cell>[k];
    const auto begin = static_cast<std::int64_t>(index) * x[n - 1].shape()[-1];
    return slice(x[input], {.axis = -1, .begin = begin, .end = begin + x[n - 1].shape()[-1]});
  }
  static Tensor joined(const std::vector<Tensor>& outputs) { return outputs.size() == 1 ? outputs[0] : stack(outputs); }

  Tensors values(bool on_tape) const {
    Tensors x;
    for (std::size_t i = 0; i < n; ++i) x[i] = on_tape ? Tensor(saved_[i], edges_[i]) : Tensor(saved_[i]);
    return x;
  }

  Tensors recorded_vjp(Backward& pass) const {
    const Tensors x = values(true);
    const Tensor& g = pass.gradient();
    const auto gradients = [&]<std::size_t... O>(std::index_sequence<O...>) {
      return on_gates([&](auto... k) {
        return Cell{}.vjp((Cell::outputs == 1 ? g : g[static_cast<std::int64_t>(O)])..., gate(x, k)...);
      });
    }(std::make_index_sequence<Cell::outputs>{});
    std::array<std::vector<Tensor>, n> parts;
    on_gates([&](auto... k) {
      std::apply([&](const auto&... d) { (parts[detail::gate_places<Cell>[k].input].push_back(d), ...); },
                 gradients.all);
    });
    Tensors out;
    for (std::size_t i = 0; i < n; ++i)
      if (pass.needs(static_cast<int>(i))) out[i] = concatenate(parts[i], {.axis = -1});
    return out;
  }

  Tensors fused_vjp(Backward& pass) const {
    const Array g = packed(pass.gradient().array());
    std::array<Array, n> out;
    for (std::size_t i = 0; i < n; ++i)
      if (pass.needs(static_cast<int>(i))) out[i] = Array::make(dtype, saved_[i].shape());
    with_floating(Cell::name, dtype, [&]<class T>(std::type_identity<T>) {
      detail::gates_vjp<Cell, T>({}, pointers<T>(out), g.data<T>(), pointers<const T>(saved_), rows(saved_[n - 1]),
                                 saved_[n - 1].shape()[-1]);
    });
    Tensors gradients;
    for (std::size_t i = 0; i < n; ++i)
      if (out[i]) gradients[i] = Tensor(std::move(out[i]));
    return gradients;
  }

  std::array<detail::Ref<Node>, n> edges_;
  std::array<Array, n + 1> saved_;
};

}  // namespace

void detail::check_cell(std::string_view op, std::int64_t gates, const Tensor& x, const Tensor& h,
                        const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                        const Tensor& bias_hh) {
  if (x.rank() == 0 || h.rank() == 0)
    throw ShapeError(fmt::format("{}: x {} and h {}; expected x (…, in) and h (…, hidden)", op, to_string(x.shape()),
                                 to_string(h.shape())));
  const auto expect = [&](const char* what, const Tensor& given, const Shape& shape) {
    if (!given.defined()) return;
    check_floating(op, {&given.array()});
    check_dtypes(op, {&x.array(), &given.array()});
    if (given.shape() != shape)
      throw ShapeError(fmt::format("{}: {} has shape {}; expected {} for x {} and h {}", op, what,
                                   to_string(given.shape()), to_string(shape), to_string(x.shape()),
                                   to_string(h.shape())));
  };
  const std::int64_t in = x.shape()[-1], hidden = h.shape()[-1], rows = count(op, std::array{gates, hidden});
  Shape state = x.shape();
  state.set(-1, hidden);
  expect("x", x, x.shape());
  expect("h", h, state);
  expect("weight_ih", weight_ih, {rows, in});
  expect("weight_hh", weight_hh, {rows, hidden});
  expect("bias_ih", bias_ih, {rows});
  expect("bias_hh", bias_hh, {rows});
}

Tensor detail::sum_of(const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a + b; }

Tensor detail::rnn_step(const Tensor& of_x, const Tensor& h, const SharedWeight& weight_hh, bool relu) {
  const Tensor sum = linear_onto(of_x, h, weight_hh);
  return relu ? gradtape::relu(sum) : tanh(sum);
}

LstmResult detail::lstm_step(const Tensor& of_x, const LstmResult& state, const SharedWeight& weight_hh) {
  const Tensor gates = linear_onto(of_x, state.h, weight_hh);
  const Tensor next = GatesNode<LstmGates>::apply({&gates, &state.c});
  return {next[0], next[1]};
}

Tensor detail::gru_step(const Tensor& of_x, const Tensor& of_h, const Tensor& h) {
  return GatesNode<GruGates>::apply({&of_x, &of_h, &h});
}

Tensor rnn_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                const RnnCellOptions& options) {
  detail::check_cell("rnn_cell", 1, x, h, weight_ih, weight_hh, options.bias_ih, options.bias_hh);
  const Tensor of_x = linear(x, weight_ih, detail::sum_of(options.bias_ih, options.bias_hh));
  return detail::rnn_step(of_x, h, weight_hh, options.relu);
}

LstmResult lstm_cell(const Tensor& x, const LstmResult& state, const Tensor& weight_ih, const Tensor& weight_hh,
                     const CellOptions& options) {
  detail::check_cell("lstm_cell", 4, x, state.h, weight_ih, weight_hh, options.bias_ih, options.bias_hh);
  if (state.c.shape() != state.h.shape())
    throw ShapeError(fmt::format("lstm_cell: h {} and c {} differ in shape", to_string(state.h.shape()),
                                 to_string(state.c.shape())));
  const Tensor of_x = linear(x, weight_ih, detail::sum_of(options.bias_ih, options.bias_hh));
  return detail::lstm_step(of_x, state, weight_hh);
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                const CellOptions& options) {
  detail::check_cell("gru_cell", 3, x, h, weight_ih, weight_hh, options.bias_ih, options.bias_hh);
  return detail::gru_step(linear(x, weight_ih, options.bias_ih), linear(h, weight_hh, options.bias_hh), h);
}

}  // namespace gradtape::inline v0
