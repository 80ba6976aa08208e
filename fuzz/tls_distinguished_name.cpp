// Distinguished names of a configuration's users, and what certificates' subjects are printed as.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tls/distinguished_name.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::tls;
  const auto name = parse_distinguished_name({reinterpret_cast<const char*>(data), size});
  if (!name) {
    return 0;
  }
  if (!equal(*name, *name) || !equal_in_any_order(*name, *name)) {
    std::abort();
  }
  static_cast<void>(domain_components(*name));
  // What is printed reads as what it was printed from; a place with several parts turns them round each time.
  const std::string once = go_subject_text(*name);
  if (once.empty()) {
    return 0;
  }
  const auto read = parse_distinguished_name(once);
  const auto twice = read ? parse_distinguished_name(go_subject_text(*read)) : std::nullopt;
  if (!twice || go_subject_text(*twice) != once || !equal(*read, *twice)) {
    std::abort();
  }
  return 0;
}
