// xtensor on both sides of the tape. Where was a plate hot, if all we know is how warm it is ten steps of diffusion
// later? The plate is an xtensor expression, so is the kernel of the step, and the answer is read by xtensor again.

#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>
#include <gradtape/xtensor.hpp>

#include <cstdint>
#include <string_view>

#include <fmt/core.h>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xpad.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xview.hpp>

namespace gt = gradtape;

/// The sum of each cell's four neighbours less four times the cell, zero outside: (m,n) -> (m,n).
struct Laplacian {
  static constexpr std::string_view name = "laplacian";

  gt::Shape infer(const gt::Shape& x) const {
    if (x.rank() == 2) return x;
    throw gt::ShapeError("laplacian: expected a matrix, not " + to_string(x));
  }

  void value(const gt::Array& out, const gt::Array& in) const {
    gt::with_type(in.dtype(), [&]<class T>(std::type_identity<T>) {
      const auto x = gt::as_xt<T>(in);
      auto y = gt::as_xt<T>(out);
      const xt::xarray<T> padded = xt::pad(x, 1);
      const auto moved = [&, rows = in.shape()[0], cols = in.shape()[1]](std::int64_t down, std::int64_t right) {
        return xt::view(padded, xt::range(down, down + rows), xt::range(right, right + cols));
      };
      xt::noalias(y) = moved(0, 1) + moved(2, 1) + moved(1, 0) + moved(1, 2) - 4 * x;
    });
  }

  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::tail(*this, g); }  // a symmetric map is its own adjoint
};

gt::Tensor laplacian(const gt::Tensor& x) { return gt::record(Laplacian{}, x); }

gt::Tensor diffused(gt::Tensor plate) {
  for (int step = 0; step < 10; ++step) plate = plate + 0.2 * laplacian(plate);
  return plate;
}

int main() {
  const xt::xarray<double> column = xt::arange<double>(24), row = xt::view(column, xt::all(), xt::newaxis());
  const auto truth = gt::tensor(xt::exp(-(xt::square(row - 7) + xt::square(column - 15)) / 8));
  const auto observed = diffused(truth);

  const auto plate = gt::parameter(gt::zeros_like(truth));
  gt::optim::SGD opt({plate}, {.lr = 100, .momentum = 0.9});
  for (int step = 1; step <= 200; ++step) {
    const auto loss = gt::mse_loss(diffused(plate), observed);
    opt.zero_grad();
    loss.backward();
    opt.step();
    if (step % 40 == 0) fmt::print("step {:>3}  loss {:.3e}\n", step, loss.item());
  }

  const auto found = gt::as_xt<double>(plate), wanted = gt::as_xt<double>(truth), seen = gt::as_xt<double>(observed);
  const auto hottest = xt::unravel_index(xt::argmax(found)(), found.shape());
  fmt::print("hottest at [{}, {}]: {:.3f}, in truth at [7, 15]: {:.3f}, in what was observed {:.3f}\n", hottest[0],
             hottest[1], xt::amax(found)(), xt::amax(wanted)(), xt::amax(seen)());
  fmt::print("largest error {:.3f}\n", xt::amax(xt::abs(found - wanted))());
  return static_cast<bool>(gt::gradcheck(laplacian, gt::randn({4, 5}))) ? 0 : 1;
}
