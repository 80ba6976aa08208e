// What a credential's text holds, without the secret: for gather (files) and evaluate (values). Pure.
//
//   CredentialFact fact = inspect_credential(text, Expected::seed_or_creds);
#pragma once

#include <string_view>

#include "posture/facts.hpp"

namespace hawser::posture {

enum class Expected : std::uint8_t { text, seed_or_creds, creds };

[[nodiscard]] CredentialFact inspect_credential(std::string_view text, Expected expected);

}  // namespace hawser::posture
