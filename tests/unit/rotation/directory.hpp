// A directory of a test's own, gone with it.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <string_view>

namespace hawser::rotation {

struct Directory {
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "hawser-rotation-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::filesystem::path put(std::string_view name, std::string_view content) const {
    std::ofstream(path / name) << content;
    return path / name;
  }
  std::string text(std::string_view name) const {
    std::ifstream file(path / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path path;
};

}  // namespace hawser::rotation
