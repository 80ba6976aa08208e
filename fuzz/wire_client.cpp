// What a client may send, whole and split, parsed, checked and written again.
#include "wire_split.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hawser::wire::check_split(hawser::wire::Peer::client, {reinterpret_cast<const char*>(data), size});
  return 0;
}
