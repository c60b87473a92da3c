#include "node.hpp"

namespace suite {

bool Node::has(std::size_t input) const { return input < size() && !node_.input(static_cast<int>(input)).empty(); }

const onnx::TensorProto& Node::value(std::size_t input) const {
  return values_.at(node_.input(static_cast<int>(input)));
}

gt::Tensor Node::operator[](std::size_t input) const { return to_tensor(value(input)); }

std::vector<std::int64_t> Node::integers(std::size_t input) const { return to_integers(value(input)); }

const onnx::AttributeProto* Node::find(const std::string& attribute) const {
  read_.insert(attribute);
  for (const onnx::AttributeProto& a : node_.attribute())
    if (a.name() == attribute) return &a;
  return nullptr;
}

double Node::number(const std::string& attribute, double otherwise) const {
  const auto* a = find(attribute);
  return a ? static_cast<double>(a->f()) : otherwise;
}

std::int64_t Node::integer(const std::string& attribute, std::int64_t otherwise) const {
  const auto* a = find(attribute);
  return a ? a->i() : otherwise;
}

std::string Node::text(const std::string& attribute, const std::string& otherwise) const {
  const auto* a = find(attribute);
  return a ? a->s() : otherwise;
}

std::vector<std::int64_t> Node::list(const std::string& attribute) const {
  const auto* a = find(attribute);
  return a ? std::vector<std::int64_t>(a->ints().begin(), a->ints().end()) : std::vector<std::int64_t>{};
}

const onnx::TensorProto* Node::tensor(const std::string& attribute) const {
  const auto* a = find(attribute);
  return a ? &a->t() : nullptr;
}

void Node::require_all_read() const {
  for (const onnx::AttributeProto& a : node_.attribute())
    if (!read_.contains(a.name())) throw Skip{"attribute " + a.name()};
}

const Table& table() {
  static const Table all = [] {
    Table merged;
    for (Table part : {activations(), convolutions(), creation(), elementwise(), indexing(), losses(), normalisation(),
                       products(), recurrence(), reductions(), shapes(), training()})
      merged.merge(part);
    return merged;
  }();
  return all;
}

}  // namespace suite
