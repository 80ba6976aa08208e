// The private keys of a store: a file a key, named by its public key; and keys that are lent for one run.
//
// Not synchronised; blocking. Files are 0600 in directories of 0700. Seeds leave only as KeyPair.
//
//   KeyRing ring(places.keys);   Result<KeyPair> key = ring.find(account.subject);
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity {

class KeyRing {
 public:
  explicit KeyRing(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Errors: id_key_missing; id_store_unusable when a file holds another key than its name says, or no key, or is for
  // others to read.
  [[nodiscard]] Result<KeyPair> find(std::string_view public_key) const;
  [[nodiscard]] bool holds(std::string_view public_key) const;

  // A key of another place, for as long as this object lives; never written.
  void lend(KeyPair key) { lent_.push_back(std::move(key)); }
  // The same from a file with a seed. Errors: those of NKeys, file_unreadable.
  [[nodiscard]] Result<void> lend_file(const std::filesystem::path& path);

  // Errors: file_unwritable, id_store_unusable.
  [[nodiscard]] Result<void> save(const KeyPair& key) const;
  // What is not there is no error.
  [[nodiscard]] Result<void> erase(std::string_view public_key) const;

 private:
  std::filesystem::path directory_;
  std::vector<KeyPair> lent_;
};

// A second one of the same key.
[[nodiscard]] Result<KeyPair> copy_of(const KeyPair& key);

}  // namespace hawser::identity
