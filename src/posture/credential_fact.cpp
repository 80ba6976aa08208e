#include "posture/credential_fact.hpp"

#include "identity/creds.hpp"
#include "posture/setting_text.hpp"

namespace hawser::posture {

CredentialFact inspect_credential(std::string_view text, Expected expected) {
  CredentialFact fact;
  if (trim(text).empty()) {
    fact.error = Error{Errc::creds_malformed, "reading a credential: it is empty"};
    return fact;
  }
  if (expected == Expected::text) {
    return fact;
  }
  Result<identity::CredentialText> parsed = identity::parse_credential_text(text);
  if (!parsed) {
    fact.error = parsed.error();
    return fact;
  }
  if (const auto* creds = std::get_if<identity::Creds>(&*parsed)) {
    fact.form = CredentialFact::Form::creds;
    fact.claims = creds->claims;
    fact.seed_matches = creds->seed_matches();
    return fact;
  }
  fact.form = CredentialFact::Form::seed;
  if (expected == Expected::creds) {
    fact.error =
        Error{Errc::creds_malformed, "reading a creds file: it holds a bare seed; name it with NATS_NKEY_FILE"};
  }
  return fact;
}

}  // namespace hawser::posture
