#include "identity/creds_text.hpp"

#include <string>

namespace hawser::identity {

Secret creds_text(std::string_view token, const KeyPair& key) {
  // The last line of a block has a dash more than the first: so nsc writes them, and some readers count.
  constexpr std::string_view kToken = "-----BEGIN NATS USER JWT-----\n";
  constexpr std::string_view kSeed =
      "\n------END NATS USER JWT------\n\n"
      "************************* IMPORTANT *************************\n"
      "Whoever has the seed below is this user: keep it secret.\n\n"
      "-----BEGIN USER NKEY SEED-----\n";
  constexpr std::string_view kEnd =
      "\n------END USER NKEY SEED------\n\n"
      "*************************************************************\n";
  const Secret seed = key.seed();
  std::string text;
  text.reserve(kToken.size() + token.size() + kSeed.size() + seed.reveal().size() +
               kEnd.size());  // no copy is left behind
  text.append(kToken).append(token).append(kSeed).append(seed.reveal()).append(kEnd);
  return Secret::take(std::move(text));
}

}  // namespace hawser::identity
