#include <gradtape/core/error.hpp>
#include <gradtape/report/crc32c.hpp>
#include <gradtape/report/detail.hpp>
#include <gradtape/report/events.hpp>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

namespace gradtape::inline v0::report {
namespace {

// The few fields of TensorFlow's event.proto and summary.proto that a scalar needs, in protobuf's wire format.
enum Field { wall_time = 1, step_of = 2, file_version = 3, summary = 5, value_of = 1, tag_of = 1, simple_value = 2 };
enum Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

template <class T>
void append_fixed(std::string& out, T value) {  // little endian
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>((value >> 8 * i) & 0xff);
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void append_key(std::string& out, Field field, Wire wire) { out += static_cast<char>(field << 3 | wire); }

void append_bytes(std::string& out, Field field, std::string_view value) {
  append_key(out, field, bytes);
  append_varint(out, value.size());
  out += value;
}

void append_time(std::string& out) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  append_key(out, wall_time, fixed64);
  append_fixed(out, std::bit_cast<std::uint64_t>(now));
}

/// So that the checksum of a record is no checksum of bytes with a checksum in them; as TFRecord has it.
std::uint32_t masked_crc(std::string_view text) {
  const std::uint32_t crc = detail::crc32c(text);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

[[noreturn]] void fail(const std::string& path, int error) {
  throw FileError(fmt::format("EventWriter: {}: {}", path, std::strerror(error)));
}

/// A name that no other writer has: TensorBoard reads whatever has "tfevents" in it.
std::FILE* open_new(const std::string& folder, std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, error.value());
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  for (int n = 0;; ++n) {
    path = fmt::format("{}/events.out.tfevents.{}.{}.{}.{}", folder,
                       std::chrono::duration_cast<std::chrono::seconds>(now).count(), host, getpid(), n);
    if (std::FILE* file = std::fopen(path.c_str(), "wbx")) return file;
    if (errno != EEXIST) fail(path, errno);
  }
}

}  // namespace

EventWriter::EventWriter(const std::string& folder) : file_(open_new(folder, path_), std::fclose) {
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // a point is in the file at once, or not at all
  append_time(event_);
  append_bytes(event_, file_version, "brain.Event:2");
  write_event();
}

void EventWriter::log(std::string_view curve, std::int64_t step, const Operand& value) {
  const auto number = static_cast<float>(detail::number_of(value));
  value_.clear();
  append_bytes(value_, tag_of, curve);
  append_key(value_, simple_value, fixed32);
  append_fixed(value_, std::bit_cast<std::uint32_t>(number));
  event_.clear();
  append_time(event_);
  append_key(event_, step_of, varint);
  append_varint(event_, static_cast<std::uint64_t>(step));
  record_.clear();
  append_bytes(record_, value_of, value_);
  append_bytes(event_, summary, record_);
  write_event();
}

void EventWriter::write_event() {
  record_.clear();
  append_fixed(record_, std::uint64_t{event_.size()});
  append_fixed(record_, masked_crc(record_));
  record_ += event_;
  append_fixed(record_, masked_crc(event_));
  if (std::fwrite(record_.data(), 1, record_.size(), file_.get()) != record_.size()) {
    const int error = errno;
    if (ftruncate(fileno(file_.get()), size_) == 0) std::fseek(file_.get(), size_, SEEK_SET);
    fail(path_, error);
  }
  size_ += static_cast<long>(record_.size());
}

}  // namespace gradtape::inline v0::report
