#include <gradtape/core/error.hpp>
#include <gradtape/core/tensor.hpp>

#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0 {
namespace {

thread_local constinit Dtype default_dtype_of_thread = f32;

/// Shape of a literal, from its first entries; the rest is checked against it while copying.
Shape literal_shape(const Literal& literal) {
  Shape shape;
  for (const Literal* at = &literal; at->is_list(); at = &at->list().front()) {
    shape.push_back(static_cast<std::int64_t>(at->list().size()));
    if (at->list().empty()) break;
  }
  return shape;
}

template <class T>
void copy_literal(const Literal& literal, const Shape& shape, int axis, std::vector<std::size_t>& index, T*& out) {
  const bool list_expected = axis < shape.rank();
  if (literal.is_list() != list_expected ||
      (list_expected && static_cast<std::int64_t>(literal.list().size()) != shape[axis]))
    throw ShapeError(fmt::format("tensor: ragged literal: {} at index [{}], where {} is expected as in the first row",
                                 literal.is_list() ? fmt::format("a list of {}", literal.list().size()) : "a number",
                                 fmt::join(index, ", "),
                                 list_expected ? fmt::format("a list of {}", shape[axis]) : "a number"));
  if (!literal.is_list()) {
    if (std::is_integral_v<T> && !literal.integral() && literal.number() != std::trunc(literal.number()))
      throw DtypeError(fmt::format("tensor: {} at index [{}] is no whole number; ask for .dtype = f32 or f64",
                                   literal.number(), fmt::join(index, ", ")));
    *out++ = literal.integral() ? number_cast<T>(literal.integer()) : number_cast<T>(literal.number());
    return;
  }
  for (std::size_t i = 0; i < literal.list().size(); ++i) {
    index.push_back(i);
    copy_literal(literal.list()[i], shape, axis + 1, index, out);
    index.pop_back();
  }
}

}  // namespace

void detail::throw_not_floating(std::string_view op, Dtype dtype) {
  throw DtypeError(fmt::format("{}: no meaning for {}; convert with .to(gradtape::f32)", op, to_string(dtype)));
}

Leaf& Tensor::leaf(std::string_view caller) const {
  if (!is_leaf())
    throw GradientError(fmt::format(
        "{}: this tensor{} is no leaf: only leaves, made by gradtape::parameter, keep a gradient and can be assigned",
        caller, defined() ? " of shape " + to_string(shape()) : ""));
  return static_cast<Leaf&>(*value_.node);
}

Keeper& Tensor::keeper(std::string_view caller) const {
  if (!value_.node || !value_.node->keeps_grad)
    throw GradientError(
        fmt::format("{}: this tensor{} keeps no gradient: only leaves, made by gradtape::parameter, and results of "
                    "gradtape::retain_grad do; to change a leaf's value, call its assign under NoGrad",
                    caller, defined() ? " of shape " + to_string(shape()) : ""));
  return static_cast<Keeper&>(*value_.node);
}

const Array& Tensor::leaf_value(std::string_view op) const {
  if (!value_.node)
    throw Error(fmt::format("{}{}this Tensor is empty (default-constructed or moved from); give it a value first", op,
                            op.empty() ? "" : ": "));
  value_.node->check_thread();
  return static_cast<Leaf&>(*value_.node).value;
}

Tensor Tensor::grad() const {
  const Keeper& from = keeper("grad");
  if (!from.grad.array)
    throw GradientError(
        fmt::format("grad: this {} of shape {} has no gradient; call backward() on a result that depends on it first",
                    is_leaf() ? "leaf" : "tensor", to_string(from.shape)));
  return Tensor(from.grad);
}

void Tensor::assign(const Tensor& value) const {
  Leaf& to = leaf("assign");
  to.check_thread();
  const Array& from = value.array();
  if (from.dtype() != to.dtype)
    throw DtypeError(fmt::format("assign: the leaf is {}, the value {}; convert it with .to(gradtape::{})",
                                 to_string(to.dtype), to_string(from.dtype()), to_string(to.dtype)));
  if (from.shape() != to.shape)
    throw ShapeError(fmt::format("assign: the leaf is {}, the value {}; the shapes must be equal", to_string(to.shape),
                                 to_string(from.shape())));
  // Written in place only if no graph and no handle can see the old values.
  Array target = to.value.exclusive() ? to.value : Array::make(to.dtype, to.shape);
  copy_elements(target, from);
  to.value = std::move(target);
}

Tensor& Tensor::rebind(const char* op, Tensor result) {
  if (is_leaf())
    throw GradientError(fmt::format(
        "{}: would rebind this handle and leave the leaf of shape {} behind; write `w.assign(…)` under NoGrad, or "
        "`auto v = w` and change v",
        op, to_string(shape())));
  return *this = std::move(result);
}

double Tensor::number_item() const {
  const Array& a = array();
  if (a.numel() != 1)
    throw ShapeError(
        fmt::format("item: shape {} has {} elements; item() reads exactly one", to_string(a.shape()), a.numel()));
  return with_type(a.dtype(), [&]<class T>(std::type_identity<T>) { return static_cast<double>(*a.data<T>()); });
}

std::int64_t Tensor::integer_item() const {
  const Array& a = array();
  if (a.numel() != 1)
    throw ShapeError(
        fmt::format("item: shape {} has {} elements; item() reads exactly one", to_string(a.shape()), a.numel()));
  return a.dtype() == i64 ? *a.data<std::int64_t>() : std::int64_t{*a.data<bool>()};
}

void Tensor::require_dtype(const char* member, Dtype dtype) const {
  if (this->dtype() != dtype)
    throw DtypeError(fmt::format("{}: the tensor is {}, not {}; convert it with .to(gradtape::{}) first", member,
                                 to_string(this->dtype()), to_string(dtype), to_string(dtype)));
}

void Tensor::require_packed(const char* member) const {
  if (!array().packed())
    throw ShapeError(
        fmt::format("{}: the tensor is a strided view of shape {}; make it contiguous with gradtape::contiguous first",
                    member, to_string(shape())));
}

Tensor parameter(const Tensor& value) {
  if (!is_floating(value.dtype()))
    throw DtypeError(fmt::format("parameter: {} has no gradient; only f32 and f64 differentiate, convert with .to()",
                                 to_string(value.dtype())));
  Array copy = Array::make(value.dtype(), value.shape());
  copy_elements(copy, value.array());
  return Tensor(Array(), detail::Ref<Node>::adopt(new Leaf(std::move(copy))));
}

Dtype default_dtype() { return default_dtype_of_thread; }
DefaultDtype::DefaultDtype(Dtype dtype) : before_(std::exchange(default_dtype_of_thread, dtype)) {}
DefaultDtype::~DefaultDtype() { default_dtype_of_thread = before_; }

Share::Share(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {
  for (const Tensor& t : tensors_)
    if (t.node() && t.node()->count.shared())
      throw ThreadError("share: this model is shared already; keep one guard for as long as any thread runs it");
  for (const Tensor& t : tensors_) {
    t.array().set_shared(true);
    if (t.node()) t.node()->count.set_shared(true);
  }
}

Share::~Share() {
  for (const Tensor& t : tensors_) {
    t.array().set_shared(false);
    if (t.node()) t.node()->count.set_shared(false);
  }
}

Tensor tensor(const Literal& literal, const TensorOptions& options) {
  const Shape shape = literal_shape(literal);
  const Array out = Array::make(options.dtype.value_or(default_dtype()), shape);
  with_type(out.dtype(), [&]<class T>(std::type_identity<T>) {
    T* at = out.data<T>();
    std::vector<std::size_t> index;
    copy_literal(literal, shape, 0, index, at);
  });
  return Tensor(out);
}

Tensor detail::copy_in(const void* data, std::size_t n, Dtype dtype, const Shape& shape) {
  const Array out = Array::make(dtype, shape);
  if (static_cast<std::int64_t>(n) != out.numel())
    throw ShapeError(
        fmt::format("tensor: {} elements do not fill shape {}, which has {}", n, to_string(shape), out.numel()));
  if (n > 0) std::memcpy(out.data(), data, n * size_of(dtype));
  return Tensor(out);
}

bool equal(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Array x = packed(a.array()), y = packed(b.array());
  return with_type(x.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      if (!(x.data<T>()[i] == y.data<T>()[i])) return false;
    return true;
  });
}

}  // namespace gradtape::inline v0
