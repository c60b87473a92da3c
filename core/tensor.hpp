#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/dtype.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/shape.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gradtape::inline v0 {

class Index;

/// Options of Tensor::backward.
struct BackwardOptions {
  bool retain_graph = false;  ///< keep the saved values for another sweep
  bool create_graph = false;  ///< record the sweep, so that gradients can be differentiated again; implies retain_graph
};

/// An n-dimensional array and, if it needs a gradient, its place on the tape. A handle of two pointers: copies share,
/// and values do not change; only leaves (made by `parameter`) can be assigned. A recorded tensor belongs to the thread
/// that made it.
class Tensor {
 public:
  /// Holds nothing; every use but assignment and `defined()` throws.
  Tensor() noexcept = default;
  /// A constant.
  explicit Tensor(Array array) noexcept : value_{std::move(array), {}} {}
  /// An array and the node that computed it; for the tape.
  Tensor(Array array, detail::Ref<Node> node) noexcept : value_{std::move(array), std::move(node)} {}
  /// An array and its node in one; for the tape.
  explicit Tensor(detail::Value value) noexcept : value_(std::move(value)) {}

  bool defined() const { return value_.array || value_.node; }  ///< whether it holds anything
  const Shape& shape() const { return array().shape(); }        ///< dimensions
  Dtype dtype() const { return array().dtype(); }               ///< element type
  int rank() const { return array().rank(); }                   ///< number of axes
  std::int64_t numel() const { return array().numel(); }        ///< number of elements

  /// The only element as T; any rank. `item<std::int64_t>()` is exact. Throws ShapeError unless there is exactly one.
  template <Number T = double>
  T item() const {
    return static_cast<T>(std::is_integral_v<T> && !is_floating(dtype()) ? static_cast<T>(integer_item())
                                                                         : number_cast<T>(number_item()));
  }

  /// The elements in row-major order, converted from no other dtype. Throws DtypeError if T is not the tensor's.
  template <Element T>
  std::vector<T> to_vector() const {
    const Array a = packed(typed<T>("to_vector"));
    return std::vector<T>(a.data<T>(), a.data<T>() + a.numel());
  }

  /// A view of the elements; lives as long as this handle. Throws DtypeError for another dtype, ShapeError if strided.
  template <Element T>
  std::span<const T> span() const& {
    const Array& a = typed<T>("span");
    require_packed("span");
    return {a.data<T>(), static_cast<std::size_t>(a.numel())};
  }
  template <Element T>
  std::span<const T> span() && = delete;  // would dangle: keep the tensor in a variable first

  /// The same values as another dtype, by number_cast: towards zero to i64, beyond its range the nearest end of it, NaN
  /// 0; to boolean whether they are not 0. Differentiable between f32 and f64.
  Tensor to(Dtype dtype) const;
  /// The same values without history.
  Tensor detach() const { return Tensor(array()); }

  /// Whether a backward pass would reach this tensor.
  bool requires_grad() const { return static_cast<bool>(value_.node); }
  /// A parameter: its value lives on the tape and can be assigned.
  bool is_leaf() const { return value_.node && value_.node->is_leaf(); }
  /// The gradient that `backward` left in this leaf, or result of retain_grad, of its shape and dtype. Throws
  /// GradientError if there is none.
  Tensor grad() const;
  /// Whether `grad()` would return.
  bool has_grad() const {
    return value_.node && value_.node->keeps_grad && static_cast<const Keeper&>(*value_.node).grad.array;
  }
  /// Forgets that gradient.
  void zero_grad() const { keeper("zero_grad").grad = {}; }
  /// Gives this leaf new values (same shape and dtype). Graphs recorded before keep the values they were recorded with.
  void assign(const Tensor& value) const;

  /// Adds d(this)/d(leaf) to `grad()` of every leaf that this tensor, of exactly one element, depends on. Saved values
  /// are released as the pass goes by unless told otherwise. If a rule throws, no leaf's gradient has changed. With
  /// `create_graph` a leaf, its gradient and the graph hold each other until `zero_grad`; `grad` has no such circle.
  void backward(const BackwardOptions& options = {}) const;

  /// Indexing: `x[{Slice{}, Slice{0, 3}, -1}]`, one entry per leading axis; an integer drops its axis. A view.
  Tensor operator[](std::initializer_list<Index> indices) const;
  Tensor operator[](const Index& index) const;  ///< the same for the first axis: `x[3]`

  /// Rebind this handle to a new tensor; a leaf throws and names `assign`.
  Tensor& operator+=(const Tensor& other);
  Tensor& operator-=(const Tensor& other);  ///< this - other
  Tensor& operator*=(const Tensor& other);  ///< this * other, elementwise
  Tensor& operator/=(const Tensor& other);  ///< this / other, elementwise

  /// A tensor is no truth value. (A template, so that the message appears only where somebody asks.)
  template <std::same_as<bool> B>
  operator B() const {
    static_assert(
        !std::same_as<B, bool>,
        "a Tensor is no truth value: comparisons are elementwise. Use gt::equal(a, b) for exact equality of all "
        "elements, `a == gt::approx(b)` in tests, or .item() for a single element");
    return false;
  }

  /// The values. Throws Error for an empty Tensor, naming the `op` that reads it.
  const Array& array(std::string_view op = {}) const {
    if (value_.array) [[likely]]
      return value_.array;
    return leaf_value(op);
  }
  const detail::Ref<Node>& node() const { return value_.node; }  ///< null for a constant
  /// Both, taken out of this handle.
  detail::Value take() && {
    if (!value_.array) [[unlikely]]
      value_.array = array();  // a leaf's
    return std::move(value_);
  }
  /// The leaf behind this handle. Throws GradientError that names `parameter` if there is none.
  Leaf& leaf(std::string_view caller = "leaf") const;

 private:
  const Array& leaf_value(std::string_view op) const;
  Keeper& keeper(std::string_view caller) const;
  Tensor& rebind(const char* op, Tensor result);
  double number_item() const;
  std::int64_t integer_item() const;
  void require_dtype(const char* member, Dtype dtype) const;
  void require_packed(const char* member) const;
  template <Element T>
  const Array& typed(const char* member) const {
    require_dtype(member, dtype_of<T>);
    return array();
  }

  detail::Value value_;
};

/// An operand that may be a tensor or a C++ number; a number takes the dtype of the tensor it meets. Refers to the
/// tensor, so it is a parameter type only.
class Operand {
 public:
  Operand(const Tensor& tensor) : tensor_(&tensor) {}  ///< a tensor
  /// A number.
  template <Number T>
  Operand(T number) : number_(static_cast<double>(number)), integral_(std::is_integral_v<T>) {}

  const Tensor* tensor() const { return tensor_; }  ///< null for a number
  double number() const { return number_; }         ///< the number
  bool integral() const { return integral_; }       ///< it was of an integer type

 private:
  const Tensor* tensor_ = nullptr;
  double number_ = 0;
  bool integral_ = false;
};

/// A leaf: collects gradients in `.grad()` and can be assigned. Copies `value`, so later writes do not reach the
/// source. Throws DtypeError unless `value` is f32 or f64.
Tensor parameter(const Tensor& value);

/// a + b, elementwise with broadcasting. The only op the tape itself calls: it adds up gradients while recording.
Tensor add(const Operand& a, const Operand& b);

/// dtype of what `tensor({…})`, `zeros`, `randn`, … make unless told otherwise; f32 at start, one per thread.
Dtype default_dtype();

/// Sets this thread's default dtype while it lives.
class DefaultDtype {
 public:
  explicit DefaultDtype(Dtype dtype);  ///< f32 or f64
  ~DefaultDtype();
  DefaultDtype(const DefaultDtype&) = delete;
  DefaultDtype& operator=(const DefaultDtype&) = delete;

 private:
  Dtype before_;
};

/// Whether ops on this thread record, while it lives.
class GradMode {
 public:
  /// Records if `enabled`.
  explicit GradMode(bool enabled) : before_(detail::thread_state.grad_enabled) {
    detail::thread_state.grad_enabled = enabled;
  }
  ~GradMode() { detail::thread_state.grad_enabled = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

/// While it lives, ops on this thread record nothing.
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

/// While it lives, ops on this thread record, even inside of NoGrad.
class EnableGrad : public GradMode {
 public:
  EnableGrad() : GradMode(true) {}
};

/// While it lives, many threads may run a model that holds these leaves and tensors, each under NoGrad. Make it before
/// the threads start, drop it after they have joined; one guard a model at a time, else ThreadError.
class [[nodiscard]] Share {
 public:
  explicit Share(std::vector<Tensor> tensors);  ///< leaves and constants alike
  ~Share();
  Share(Share&&) noexcept = default;  ///< hands over the duty
  Share& operator=(Share&&) = delete;

 private:
  std::vector<Tensor> tensors_;
};
inline Share share(std::vector<Tensor> tensors) { return Share(std::move(tensors)); }

/// Options of a creating function; `dtype` defaults to default_dtype().
struct TensorOptions {
  std::optional<Dtype> dtype = {};  ///< of the result
};

/// A number, or a list of Literals: what stands between the braces of `tensor({{0., 1.}, {2., 3.}})`.
class Literal {
 public:
  Literal(std::initializer_list<Literal> list) : list_(list), is_list_(true) {}  ///< a list
  /// A number.
  template <Number T>
  Literal(T number) : number_(static_cast<double>(number)), integral_(std::is_integral_v<T>) {
    if constexpr (std::is_integral_v<T>) integer_ = static_cast<std::int64_t>(number);
  }

  bool is_list() const { return is_list_; }                   ///< a list and no number
  const std::vector<Literal>& list() const { return list_; }  ///< its entries
  double number() const { return number_; }                   ///< the number as double
  std::int64_t integer() const { return integer_; }           ///< the number, exact if it was of an integer type
  bool integral() const { return integral_; }                 ///< it was of an integer type

 private:
  std::vector<Literal> list_;
  double number_ = 0;
  std::int64_t integer_ = 0;
  bool is_list_ = false;
  bool integral_ = false;
};

/// A tensor of literals: `tensor({{0., 0.}, {0., 1.}})`, shape [2, 2]. Ragged lists throw ShapeError that names the
/// index.
Tensor tensor(const Literal& literal, const TensorOptions& options = {});

/// A copy of `data` as a tensor of `shape`, keeping the element's dtype. Throws ShapeError if the sizes differ.
template <class T, std::size_t N>
  requires Element<std::remove_const_t<T>>
Tensor tensor(std::span<T, N> data, const Shape& shape);

/// The same of a vector.
template <Element T>
  requires(!std::same_as<T, bool>)
Tensor tensor(const std::vector<T>& data, const Shape& shape);
/// The same of a vector, as shape [n].
template <Element T>
  requires(!std::same_as<T, bool>)
Tensor tensor(const std::vector<T>& data);

namespace detail {
Tensor copy_in(const void* data, std::size_t n, Dtype dtype, const Shape& shape);
}

template <class T, std::size_t N>
  requires Element<std::remove_const_t<T>>
Tensor tensor(std::span<T, N> data, const Shape& shape) {
  return detail::copy_in(data.data(), data.size(), dtype_of<std::remove_const_t<T>>, shape);
}

template <Element T>
  requires(!std::same_as<T, bool>)
Tensor tensor(const std::vector<T>& data, const Shape& shape) {
  return detail::copy_in(data.data(), data.size(), dtype_of<T>, shape);
}

template <Element T>
  requires(!std::same_as<T, bool>)
Tensor tensor(const std::vector<T>& data) {
  return tensor(data, {data.size()});
}

/// Same shape, dtype and elements (NaN differs from everything).
bool equal(const Tensor& a, const Tensor& b);

}  // namespace gradtape::inline v0
