#include "rotation/credentials.hpp"

#include <fmt/format.h>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "identity/findings.hpp"
#include "tls/openssl.hpp"

namespace hawser::rotation {
namespace {

using Form = CredentialSource::Form;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::unexpected<Error> refused(const Path& file, const Error& why) {
  return fail(why.code, fmt::format("{}: {}", file.string(), why.doing));
}

std::unexpected<Error> malformed(const Path& file, std::string_view why) {
  return fail(Errc::credential_malformed, fmt::format("{}: {}", file.string(), why));
}

std::shared_ptr<const identity::Credential> shared(identity::Credential credential) {
  return std::make_shared<const identity::Credential>(std::move(credential));
}

// Those that no renewal of the JWT's dates mends.
std::vector<std::string> faults_of(const identity::UserClaims& claims) {
  std::vector<std::string> out;
  for (const identity::ClaimFinding& one : identity::findings(claims, {})) {
    if (one.severity == identity::ClaimFinding::Severity::error) {
      out.push_back(fmt::format("{} {}", one.member, one.message));
    }
  }
  return out;
}

ReadCredential of_creds(identity::Creds creds) {
  ReadCredential out;
  out.who = {.certificate = {}, .user = creds.claims.subject, .issuer = creds.claims.issuer, .token = false};
  out.faults = faults_of(creds.claims);
  out.from = creds.claims.not_before.value_or(out.from);
  out.to = creds.claims.expires.value_or(out.to);
  if (!creds.seed_matches()) {
    out.faults.emplace_back("its seed is not that of its JWT's user");
  }
  out.credential = shared(identity::Credential(std::move(creds)));
  return out;
}

ReadCredential of_key(identity::KeyPair key) {
  ReadCredential out;
  out.who.user = key.public_key().text();
  out.credential = shared(identity::Credential(std::move(key)));
  return out;
}

Result<ReadCredential> of_text(const Secret& text, const Path& file) {
  Result<identity::CredentialText> parsed = identity::parse_credential_text(text.reveal());
  if (!parsed) {
    return refused(file, parsed.error());
  }
  if (auto* creds = std::get_if<identity::Creds>(&*parsed)) {
    return of_creds(std::move(*creds));
  }
  return of_key(std::move(std::get<identity::KeyPair>(*parsed)));
}

Result<std::shared_ptr<const Secret>> token_in(const Path& file) {
  const Result<Secret> text = read_secret_file(file, limits::kCredentialFileBytes);
  const std::string_view token = text ? trimmed(text->reveal()) : std::string_view();
  if (text && token.empty()) {
    return malformed(file, "it is empty");
  }
  return text ? Result<std::shared_ptr<const Secret>>(std::make_shared<const Secret>(token))
              : std::unexpected(text.error());
}

Result<ReadCredential> of_words(const CredentialSource& source, std::string_view text) {
  if (text.empty()) {
    return malformed(source.file, "it is empty");
  }
  ReadCredential out;
  if (source.form == Form::token) {
    out.who = {.certificate = {}, .user = tls::sha256_hex(text), .issuer = {}, .token = true};
    out.credential = shared(identity::Credential(identity::Credential::Token{.text = Secret(text)}));
  } else {
    out.who.user = source.user;
    out.credential =
        shared(identity::Credential(identity::Credential::User{.name = source.user, .password = Secret(text)}));
  }
  if (!source.token.empty()) {
    Result<std::shared_ptr<const Secret>> token = token_in(source.token);
    if (!token) {
      return std::unexpected(token.error());
    }
    out.token = std::move(*token);
  }
  return out;
}

}  // namespace

Result<ReadCredential> read_credential(const Path& file) {
  const Result<Secret> text = read_secret_file(file, limits::kCredentialFileBytes);
  return text ? of_text(*text, file) : std::unexpected(text.error());
}

Result<ReadCredential> read_credential(const CredentialSource& source) {
  const Result<Secret> text = read_secret_file(source.file, limits::kCredentialFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  if (source.form == Form::password || source.form == Form::token) {
    return of_words(source, trimmed(text->reveal()));
  }
  Result<ReadCredential> read = of_text(*text, source.file);
  if (read && read->who.issuer.empty() != (source.form == Form::nkey)) {
    return malformed(source.file, source.form == Form::nkey
                                      ? "it holds creds, and not a seed alone: name it as creds_file"
                                      : "it holds a seed alone, without a JWT: name it as nkey_file");
  }
  return read;
}

}  // namespace hawser::rotation
