#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::counting, cases::Index;
using gt::PadMode, gt::Tensor;

namespace {

const auto any = cases::between(-1, 1);

auto padding(const std::vector<gt::Padding>& by, const gt::PadOptions& options = {}) {
  return [=](const Tensor& x) { return gt::pad(x, by, options); };
}

const cases::Rows pads([]() -> std::vector<cases::Row> {
  const auto x = [] { return gt::zeros({3, 4}); };
  std::vector<cases::Call> all = cases::at({{}, {3}, {3, 4}}, any, padding({}));
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate}) {
    for (cases::Call& call : cases::at({{3}, {37}, {3, 4}, {2, 3, 5}, {0, 3}}, any, padding({{2, 1}}, {mode, 0.5})))
      all.push_back(std::move(call));
    for (cases::Call& call : cases::at({{3, 4}, {2, 3, 5}, {0, 2, 2}}, any, padding({{0, 1}, {1, 1}}, {mode})))
      all.push_back(std::move(call));
  }
  for (cases::Call& call : cases::at({{0}, {3, 0}}, any, padding({{1, 1}}))) all.push_back(std::move(call));
  return {
      {"pad",
       all,
       {{"pad: 3 pairs for shape [3, 4], which has 2 axes",
         [=] {
           gt::pad(x(), {{1, 1}, {1, 1}, {1, 1}});
         }},
        {"pad: -1 before and 0 after axis 1; expected at least 0, slice takes elements away",
         [=] {
           gt::pad(x(), {{-1, 0}});
         }},
        {"pad: axis 0 of shape [3, 4] has too few elements to put 0 before and 3 after it",
         [=] {
           gt::pad(x(), {{0, 3}, {0, 0}}, {.mode = PadMode::reflect});
         }},
        {"pad: axis 1 of shape [3, 0] has too few elements to put 1 before and 0 after it",
         [] {
           gt::pad(gt::zeros({3, 0}), {{1, 0}}, {.mode = PadMode::replicate});
         }},
        {"pad: axis 1 would have more elements than can be counted",
         [=] {
           gt::pad(x(), {{std::numeric_limits<std::int64_t>::max(), 1}});
         }}}},
  };
});

}  // namespace

TEST_CASE("pad: rows") { pads.check(); }

TEST_CASE("pad puts a value, a mirror or the edge around") {
  const Tensor x = counting({3, 4});
  const std::vector<gt::Padding> by{{1, 2}, {3, 0}};
  const auto padded = [&](auto source) {
    return by_index({6, 7}, [&](const Index& i) { return source(i[0] - 1, i[1] - 3); });
  };
  CHECK(gt::equal(padding(by, {.value = -7})(x), padded([&](std::int64_t r, std::int64_t c) {
                    return r < 0 || r >= 3 || c < 0 ? -7.0 : at(x, {r, c});
                  })));
  CHECK(gt::equal(padding(by, {.mode = PadMode::reflect})(x), padded([&](std::int64_t r, std::int64_t c) {
                    return at(x, {r < 0 ? -r : r > 2 ? 4 - r : r, c < 0 ? -c : c});
                  })));
  CHECK(gt::equal(padding(by, {.mode = PadMode::replicate})(x), padded([&](std::int64_t r, std::int64_t c) {
                    return at(x, {std::clamp<std::int64_t>(r, 0, 2), std::max<std::int64_t>(c, 0)});
                  })));
  // As in the docstring.
  const Tensor abc = gt::tensor({1, 2, 3}, {.dtype = gt::i64});
  const auto list = [&](const gt::PadOptions& options) {
    return gt::pad(abc, {{2, 2}}, options).to_vector<std::int64_t>();
  };
  CHECK(list({}) == std::vector<std::int64_t>{0, 0, 1, 2, 3, 0, 0});
  CHECK(list({.mode = PadMode::reflect}) == std::vector<std::int64_t>{3, 2, 1, 2, 3, 2, 1});
  CHECK(list({.mode = PadMode::replicate}) == std::vector<std::int64_t>{1, 1, 1, 2, 3, 3, 3});
  CHECK(gt::pad(gt::zeros({0}), {{1, 2}}, {.value = cases::inf}).to_vector<float>() ==
        std::vector<float>(3, HUGE_VALF));
  CHECK(gt::pad(gt::flip(abc), {{1, 0}}).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 3, 2, 1});
}

TEST_CASE("the gradient of pad counts how often an element is seen") {
  const auto seen = [](PadMode mode) {
    return gt::vjp(padding({{2, 1}}, {.mode = mode}), gt::zeros({3}), gt::ones({6})).to_vector<float>();
  };
  CHECK(seen(PadMode::constant) == std::vector<float>{1, 1, 1});
  CHECK(seen(PadMode::reflect) == std::vector<float>{1, 3, 2});
  CHECK(seen(PadMode::replicate) == std::vector<float>{3, 1, 2});
}
