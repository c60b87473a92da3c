#include <gradtape/gradtape.hpp>
#include <gradtape/report/crc32c.hpp>
#include <gradtape/report/events.hpp>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "data/support.hpp"
#include <doctest/doctest.h>
#include <sys/resource.h>

namespace gt = gradtape;
namespace report = gradtape::report;

namespace {

/// Reads what it was given, front to back.
struct Reader {
  std::string_view rest;

  std::string_view take(std::size_t n) {
    REQUIRE(rest.size() >= n);
    const std::string_view out = rest.substr(0, n);
    rest.remove_prefix(n);
    return out;
  }
  std::uint64_t fixed(std::size_t n) {
    std::uint64_t out = 0;
    const std::string_view bytes = take(n);
    for (std::size_t i = n; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
    return out;
  }
  std::uint64_t varint() {
    std::uint64_t out = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint64_t byte = fixed(1);
      out |= (byte & 0x7f) << shift;
      if (byte < 0x80) return out;
    }
  }
};

/// The checksum bit by bit, from its definition: the remainder of a division of polynomials.
std::uint32_t slow_crc(std::string_view bytes) {
  std::uint32_t rest = 0xffffffff;
  for (const char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((rest ^ static_cast<std::uint32_t>(static_cast<unsigned char>(byte) >> bit)) & 1) != 0;
      rest = rest >> 1 ^ (carry ? 0x82f63b78 : 0);
    }
  return ~rest;
}

std::uint32_t unmasked(std::uint64_t masked) {
  const std::uint32_t turned = static_cast<std::uint32_t>(masked) - 0xa282ead8;
  return turned >> 17 | turned << 15;
}

std::vector<std::string> records(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  std::vector<std::string> out;
  for (Reader reader{all}; !reader.rest.empty();) {
    const std::string_view length = reader.take(8);
    CHECK(unmasked(reader.fixed(4)) == slow_crc(length));
    out.emplace_back(reader.take(Reader{length}.fixed(8)));
    CHECK(unmasked(reader.fixed(4)) == slow_crc(out.back()));
  }
  return out;
}

}  // namespace

TEST_CASE("events: checksums of RFC 3720") {
  CHECK(report::detail::crc32c("") == 0);
  CHECK(report::detail::crc32c("123456789") == 0xe3069283);
  CHECK(report::detail::crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(report::detail::crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending += c;
  CHECK(report::detail::crc32c(ascending) == 0x46dd794e);
}

TEST_CASE("events: every byte of a file") {
  const files::TempDir folder;
  report::EventWriter events(folder / "run 1");
  events.log("loss/train", 300, gt::tensor(0.25));
  events.log("x", -1, std::numeric_limits<double>::infinity());
  const auto found = records(events.path());  // while it is open
  REQUIRE(found.size() == 3);

  Reader first{found[0]};
  CHECK(first.fixed(1) == (1 << 3 | 1));
  CHECK(std::bit_cast<double>(first.fixed(8)) > 1.6e9);  // seconds since 1970
  CHECK(first.rest ==
        "\x1a\x0d"
        "brain.Event:2");

  Reader second{found[1]};
  second.take(9);
  CHECK(second.fixed(1) == (2 << 3 | 0));
  CHECK(second.varint() == 300);
  const std::string quarter("\x00\x00\x80\x3e", 4);
  CHECK(second.rest == "\x2a\x13\x0a\x11\x0a\x0aloss/train\x15" + quarter);

  Reader third{found[2]};
  third.take(10);
  CHECK(static_cast<std::int64_t>(third.varint()) == -1);
  const std::string infinity("\x00\x00\x80\x7f", 4);
  CHECK(third.rest == "\x2a\x0a\x0a\x08\x0a\x01x\x15" + infinity);
}

TEST_CASE("events: writers do not share a file and long names do not break one") {
  const files::TempDir folder;
  report::EventWriter one(folder / "run"), two(folder / "run");
  CHECK(one.path() != two.path());
  CHECK(one.path().find("tfevents") != std::string::npos);
  const std::string name(300, 'n');
  one.log(name, 0, 1);
  CHECK(records(one.path())[1].find("\x0a\xac\x02" + name) != std::string::npos);
}

TEST_CASE("events: what goes wrong is told") {
  CHECK_THROWS_WITH_AS(report::EventWriter("/dev/null/run"), "EventWriter: /dev/null/run: Not a directory",
                       gt::FileError);
}

TEST_CASE("events: a point that cannot be written leaves no part of it") {
  const files::TempDir folder;
  report::EventWriter events(folder / "run");
  events.log("x", 1, 0.5);
  const auto before = records(events.path());
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // a file that would grow past its limit
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const rlimit low{std::filesystem::file_size(events.path()) + 10, limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &low) == 0);
  std::string message;
  try {
    events.log("x", 2, 0.25);
  } catch (const gt::FileError& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  CHECK(message == "EventWriter: " + events.path() + ": File too large");
  CHECK(records(events.path()) == before);
  events.log("x", 3, 0.125);
  CHECK(records(events.path()).size() == before.size() + 1);
}
