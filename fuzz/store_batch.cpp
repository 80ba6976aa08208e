// Blobs of the disk queue: what unpacks is exactly what was there, and packs to the same bytes again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/batch.hpp"
#include "store/crc32c.hpp"

namespace {

using namespace hawser;
using namespace hawser::store;

void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view blob(reinterpret_cast<const char*>(data), size);
  require(crc32c(blob) == crc32c_by_table(blob), "both ways to the checksum agree");
  (void)unpack(kTicketStride, std::string(blob));
  const auto runs = unpack_runs(blob);
  if (!runs) {
    require(runs.error().code == Errc::queue_damaged, "a refusal is damage");
    return 0;
  }
  PackedBatch packed(kTicketStride);
  for (const Run& run : *runs) {
    packed.add(run);
  }
  packed.seal();
  require(packed.blob().substr(kBatchHeaderBytes) == blob.substr(kBatchHeaderBytes), "it packs to the same bytes");
  const auto again = unpack(kTicketStride, std::string(packed.blob()));
  require(again && again->runs.size() == runs->size() && again->messages == packed.messages(), "and unpacks again");
  return 0;
}
