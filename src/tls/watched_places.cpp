#include "tls/watched_places.hpp"

#include <deque>
#include <filesystem>
#include <system_error>
#include <vector>

namespace hawser::tls {
namespace {

namespace fs = std::filesystem;

struct Step {
  fs::path directory;
  std::string name;
  bool is_link = false;
};

// Every name that is looked up on the way to the path, as the kernel would.
std::vector<Step> steps_to(const fs::path& path) {
  constexpr int kMostLinks = 40;  // the kernel's own limit
  std::vector<Step> steps;
  std::error_code failed;
  const fs::path absolute = fs::absolute(path, failed);
  std::deque<fs::path> rest(absolute.begin(), absolute.end());
  fs::path current = "/";
  int links = 0;
  while (!rest.empty()) {
    const fs::path name = rest.front();
    rest.pop_front();
    if (name.empty() || name == "." || name == "/") {
      continue;
    }
    if (name == "..") {
      current = current.parent_path();  // `current` holds no symlinks
      continue;
    }
    const fs::path at = current / name;
    const fs::file_status status = fs::symlink_status(at, failed);
    steps.push_back({current, name.string(), fs::is_symlink(status)});
    if (!fs::exists(status)) {
      return steps;
    }
    if (!fs::is_symlink(status)) {
      current = at;
      continue;
    }
    const fs::path target = fs::read_symlink(at, failed);
    if (failed || ++links > kMostLinks) {
      return steps;
    }
    if (target.is_absolute()) {
      current = "/";
    }
    rest.insert(rest.begin(), target.begin(), target.end());
  }
  return steps;
}

}  // namespace

void add_places(const std::string& path, Places& places) {
  const std::vector<Step> steps = steps_to(path);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto matters = [&steps](std::size_t j) {
      return j < steps.size() && (j + 1 == steps.size() || steps[j].is_link);
    };
    if (matters(i) || matters(i + 1)) {
      places[steps[i].directory.string()].insert(steps[i].name);
    }
  }
}

}  // namespace hawser::tls
