#include <gradtape/core/error.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/nn/module.hpp>

#include <cstdlib>
#include <memory>
#include <ostream>
#include <typeinfo>

#include <cxxabi.h>
#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

using Named = std::vector<std::pair<std::string, Tensor>>;

// Visiting hands out members by reference, though most visitors only read: const is the handle's.
void walk(const Module& module, Visitor& visitor) { const_cast<Module&>(module).visit(visitor); }

struct Parameters : Visitor {
  Named found;
  void parameter(const std::string& path, Parameter& member) override { found.emplace_back(path, member); }
};

struct Buffers : Visitor {
  Named found;
  void buffer(const std::string& path, Buffer& member) override { found.emplace_back(path, member); }
};

struct Modules : Visitor {
  std::vector<Module*> found;
  void enter(const std::string&, Module& member) override { found.push_back(&member); }
};

struct Converter : Visitor {
  Dtype dtype;
  void parameter(const std::string&, Parameter& member) override {
    Leaf& leaf = member.leaf();
    leaf.value = member.detach().to(dtype).array();
    leaf.dtype = dtype;
    leaf.grad = {};
  }
  void buffer(const std::string&, Buffer& member) override {
    if (is_floating(member.dtype())) member = member.to(dtype);
  }
};

struct StateNames : Visitor {
  explicit StateNames(StateVisitor& visitor) : to(visitor) {}
  StateVisitor& to;
  void parameter(const std::string& path, Parameter& member) override { to(path, member); }
  void buffer(const std::string& path, Buffer& member) override { to(path, member); }
};

struct Printer : Visitor {
  std::string out;
  std::vector<std::size_t> prefixes{0};  // length of what stands before the names, for each module entered

  void line(const std::string& path, const std::string& what) {
    out += fmt::format("{:{}}{}: {}\n", "", 2 * prefixes.size(), path.substr(prefixes.back()), what);
  }
  void parameter(const std::string& path, Parameter& member) override {
    line(path, fmt::format("parameter {} {}", to_string(member.dtype()), to_string(member.shape())));
  }
  void buffer(const std::string& path, Buffer& member) override {
    line(path, fmt::format("buffer {} {}", to_string(member.dtype()), to_string(member.shape())));
  }
  void enter(const std::string& path, Module& member) override {
    line(path, fmt::format("{}  ({} parameters)", member.description(), member.parameter_count()));
    prefixes.push_back(path.size() + 1);
  }
  void leave(Module&) override { prefixes.pop_back(); }
};

}  // namespace

Parameter& Parameter::set(const Tensor& value) {
  if (value.defined() && defined())
    assign(value);
  else
    Tensor::operator=(copy_of(value));
  return *this;
}

void Visitor::operator()(std::string_view name, Parameter& member) {
  if (member.defined()) parameter(path(name), member);
}

void Visitor::operator()(std::string_view name, Buffer& member) {
  if (member.defined()) buffer(path(name), member);
}

void Visitor::operator()(std::string_view name, Module& member) {
  enter(path(name), member);
  const std::size_t outer = prefix_.size();
  prefix_ += std::string(name) + '.';
  member.visit(*this);
  prefix_.resize(outer);
  leave(member);
}

std::string Module::description() const {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status), std::free);
  const std::string whole = status == 0 ? name.get() : "Module";
  const auto colon = whole.rfind("::", whole.ends_with('>') ? whole.find('<') : std::string::npos);
  return colon == std::string::npos ? whole : whole.substr(colon + 2);
}

Named Module::named_parameters() const {
  Parameters visitor;
  walk(*this, visitor);
  return std::move(visitor.found);
}

Named Module::named_buffers() const {
  Buffers visitor;
  walk(*this, visitor);
  return std::move(visitor.found);
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> out;
  for (auto& [name, tensor] : named_parameters()) out.push_back(std::move(tensor));
  return out;
}

std::int64_t Module::parameter_count() const {
  std::int64_t n = 0;
  for (const auto& [name, tensor] : named_parameters()) n += tensor.numel();
  return n;
}

void Module::train(bool on) {
  Modules visitor;
  visit(visitor);
  training_ = on;
  for (Module* inner : visitor.found) inner->training_ = on;
}

void Module::to(Dtype dtype) {
  if (!is_floating(dtype)) throw DtypeError(fmt::format("module: parameters are f32 or f64, not {}", to_string(dtype)));
  Converter visitor;
  visitor.dtype = dtype;
  visit(visitor);
}

void Module::zero_grad() const {
  for (const Tensor& w : parameters()) w.zero_grad();
}

std::string to_string(const Module& module) {
  Printer visitor;
  walk(module, visitor);
  return fmt::format("{}  ({} parameters)\n{}", module.description(), module.parameter_count(), visitor.out);
}

std::ostream& operator<<(std::ostream& out, const Module& module) { return out << to_string(module); }

void visit_state(Module& module, StateVisitor& visitor) {
  StateNames names(visitor);
  module.visit(names);
}

}  // namespace gradtape::inline v0::nn

gradtape::Share gradtape::share(const nn::Module& module) {
  std::vector<Tensor> tensors = module.parameters();
  for (auto& [name, tensor] : module.named_buffers()) tensors.push_back(std::move(tensor));
  return Share(std::move(tensors));
}
