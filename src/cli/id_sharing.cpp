#include "cli/id_sharing.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "identity/policy_sharing.hpp"

namespace hawser::cli {
namespace {

using identity::AccountClaims;
using identity::ExportClaim;
using identity::ImportClaim;
using identity::ShareKind;

Result<void> add_export(AccountClaims& claims, const std::string& text, const SharingFlags& flags) {
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  if (colon == std::string::npos || (kind != "stream" && kind != "service")) {
    return fail(Errc::bad_usage, "--export " + text + ": stream:SUBJECT or service:SUBJECT");
  }
  ExportClaim one{.subject = text.substr(colon + 1),
                  .kind = kind == "service" ? ShareKind::service : ShareKind::stream,
                  .token_required = flags.is_private};
  one.name = one.subject;
  if (auto good = good_subject(one.subject); !good) {
    return good;
  }
  if (!flags.response.empty()) {
    if (one.kind != ShareKind::service ||
        (flags.response != "singleton" && flags.response != "stream" && flags.response != "chunked")) {
      return fail(Errc::bad_usage, "--response is of a service: singleton, stream or chunked");
    }
    one.response = flags.response == "singleton" ? identity::ResponseKind::singleton
                   : flags.response == "stream"  ? identity::ResponseKind::stream
                                                 : identity::ResponseKind::chunked;
  }
  std::erase_if(claims.exports, [&one](const ExportClaim& other) { return other.subject == one.subject; });
  claims.exports.push_back(std::move(one));
  return {};
}

Result<void> add_import(const IdStore& id, AccountClaims& claims, const std::string& text, const SharingFlags& flags) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) {
    return fail(Errc::bad_usage, "--import " + text + ": ACCOUNT:SUBJECT");
  }
  const auto exporter = id.store.account(text.substr(0, colon));
  if (!exporter) {
    return std::unexpected(exporter.error());
  }
  ImportClaim one{
      .subject = text.substr(colon + 1), .account = exporter->claims.subject, .local_subject = flags.local_subject};
  one.name = one.subject;
  const ExportClaim* offered = identity::export_for(exporter->claims, one.subject);
  if (offered == nullptr) {
    return fail(Errc::id_not_found, fmt::format("importing {}: {} does not export it", one.subject, exporter->name));
  }
  one.kind = offered->kind;
  if (offered->token_required) {
    auto token = id.issuer().activation(exporter->claims, one, claims.subject);
    if (!token) {
      return std::unexpected(std::move(token.error()));
    }
    one.token = std::move(*token);
  }
  std::erase_if(claims.imports, [&one](const ImportClaim& other) {
    return other.account == one.account && other.subject == one.subject;
  });
  claims.imports.push_back(std::move(one));
  return {};
}

template <class Shares>
Result<void> remove(Shares& shares, const Words& subjects, std::string_view what) {
  for (const std::string& subject : subjects) {
    if (std::erase_if(shares, [&subject](const auto& one) { return one.subject == subject; }) == 0) {
      return fail(Errc::id_not_found, fmt::format("removing the {} {}", what, subject));
    }
  }
  return {};
}

}  // namespace

void add_sharing_flags(CLI::App& command, SharingFlags& flags) {
  const std::string group = "Exports and imports";
  const auto words = [&](const char* name, Words& into, const char* help, const char* type) {
    add_words(command, name, into, help, type)->group(group);
  };
  words("--export", flags.exports, "Others may import this: stream:SUBJECT or service:SUBJECT", "SHARE");
  command.add_flag("--private", flags.is_private, "Only with an activation, which --import and apply make")
      ->group(group);
  command.add_option("--response", flags.response, "How a service answers: singleton, stream or chunked")
      ->group(group)
      ->type_name("KIND");
  words("--rm-export", flags.rm_exports, "No longer export this subject", "SUBJECT");
  words("--import", flags.imports, "Import what another account of the store exports: ACCOUNT:SUBJECT", "SHARE");
  command.add_option("--local-subject", flags.local_subject, "Under this subject")->group(group)->type_name("SUBJECT");
  words("--rm-import", flags.rm_imports, "No longer import this subject", "SUBJECT");
}

Result<void> change_sharing(const IdStore& id, AccountClaims& claims, const SharingFlags& flags) {
  if (!flags.local_subject.empty() && flags.imports.size() != 1) {
    return fail(Errc::bad_usage, "--local-subject is of one --import");
  }
  if (auto done = remove(claims.exports, flags.rm_exports, "export"); !done) {
    return done;
  }
  if (auto done = remove(claims.imports, flags.rm_imports, "import"); !done) {
    return done;
  }
  for (const std::string& text : flags.exports) {
    if (auto done = add_export(claims, text, flags); !done) {
      return done;
    }
  }
  for (const std::string& text : flags.imports) {
    if (auto done = add_import(id, claims, text, flags); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace hawser::cli
