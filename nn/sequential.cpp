#include <gradtape/nn/sequential.hpp>

#include <string>

namespace gradtape::inline v0::nn {

Sequential::Step& Sequential::Step::operator=(const Step& other) {
  Base* mine = held_.get();
  const Base* given = other.held_.get();
  if (!mine || !given || !mine->assign(*given)) held_ = other.held_;
  return *this;
}

Tensor Sequential::operator()(const Tensor& x) const {
  Tensor y = x;
  for (const Step& step : steps_) y = step(y);
  return y;
}

void Sequential::visit(Visitor& v) {
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (Module* inner = steps_[i].module()) v(std::to_string(i), *inner);
}

}  // namespace gradtape::inline v0::nn
