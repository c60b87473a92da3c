#include <filesystem>
#include <set>
#include <string>

#include "fuzz/readers.hpp"
#include <doctest/doctest.h>

TEST_CASE("fuzz: each file of the corpus is read or refused") {
  std::set<std::string> formats;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(GRADTAPE_CORPUS)) {
    if (!entry.is_regular_file()) continue;
    CAPTURE(entry.path().string());
    const std::string format = entry.path().parent_path().filename().string();
    CHECK_NOTHROW(fuzz::read(format, entry.path().string()));
    formats.insert(format);
  }
  CHECK(formats == std::set<std::string>{"csv", "idx", "npy", "npz", "png", "safetensors"});
}
