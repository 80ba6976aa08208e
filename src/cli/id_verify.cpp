// `hawser id verify`: what a token or creds file says, what is wrong with it, and whether it is trusted.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "cli/id.hpp"
#include "cli/sub_render.hpp"
#include "identity/chain.hpp"
#include "identity/creds.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::AccountClaims;
using identity::Claims;
using identity::OperatorClaims;
using identity::Store;

struct VerifyOptions {
  StoreFlags store;
  std::string file;
  std::string account_jwt;
  std::string operator_jwt;
};

// A step of the chain: who vouches, and what came of it; nothing: it could not be asked.
struct Link {
  std::string step;
  std::optional<Result<void>> verdict;
  std::string why_not;
};

struct Subject {
  Secret token;
  Claims claims;
  std::optional<bool> seed_matches;  // creds only
};

Result<Subject> read_subject(const std::string& path) {
  const auto text = read_secret_file(path, limits::kCredentialFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  if (text->reveal().find("SEED") != std::string_view::npos) {
    auto creds = identity::parse_creds(text->reveal());
    if (!creds) {
      return std::unexpected(std::move(creds.error()));
    }
    const bool matches = creds->seed_matches();
    return Subject{.token = std::move(creds->jwt), .claims = std::move(creds->claims), .seed_matches = matches};
  }
  auto token = identity::token_of_file(text->reveal());
  auto claims = token ? identity::decode(*token) : std::unexpected(token.error());
  if (!claims) {
    return std::unexpected(std::move(claims.error()));
  }
  return Subject{.token = Secret::take(std::move(*token)), .claims = std::move(*claims), .seed_matches = std::nullopt};
}

template <class C>
Result<C> read_claims(const std::string& path, Result<C> (*decode_one)(std::string_view)) {
  const auto text = read_file(path, limits::kCredentialFileBytes);
  const auto token = text ? identity::token_of_file(*text) : std::unexpected(text.error());
  auto claims = token ? decode_one(*token) : std::unexpected(token.error());
  if (!claims) {
    claims.error().doing = path + ": " + claims.error().doing;
  }
  return claims;
}

Result<OperatorClaims> find_operator(const VerifyOptions& options) {
  if (!options.operator_jwt.empty()) {
    return read_claims<OperatorClaims>(options.operator_jwt, identity::decode_operator);
  }
  const auto id = open_id_store(options.store, Store::Access::read);
  return id ? Result<OperatorClaims>(id->op.claims) : std::unexpected(id.error());
}

Result<AccountClaims> find_account(const VerifyOptions& options, const std::string& key, const std::string& issuer) {
  if (!options.account_jwt.empty()) {
    return read_claims<AccountClaims>(options.account_jwt, identity::decode_account);
  }
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto accounts = id ? id->store.accounts() : std::unexpected(id.error());
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  for (const auto& one : *accounts) {
    if (one.claims.subject == key || one.claims.signing_key(issuer) != nullptr) {
      return one.claims;
    }
  }
  return fail(Errc::id_not_found, "looking for the account " + key);
}

void ask_operator(std::vector<Link>& links, const VerifyOptions& options, const AccountClaims& account,
                  std::chrono::sys_seconds now) {
  const auto op = find_operator(options);
  if (!op) {
    links.push_back({"operator", std::nullopt, op.error().message()});
    return;
  }
  identity::TrustedKeys trusted;
  for (std::string& key : op->trusted_keys()) {
    trusted.insert(std::move(key));
  }
  links.push_back({"operator " + op->name, identity::admit_account(account, trusted, now), ""});
}

std::vector<Link> chain_of(const VerifyOptions& options, const Claims& claims, std::chrono::sys_seconds now) {
  std::vector<Link> links;
  if (const auto* user = std::get_if<identity::UserClaims>(&claims)) {
    const auto account =
        find_account(options, user->issuer_account.empty() ? user->issuer : user->issuer_account, user->issuer);
    if (!account) {
      links.push_back({"account", std::nullopt, account.error().message()});
      return links;
    }
    const auto admitted = identity::admit_user(*user, *account, now);
    links.push_back({"account " + account->name, admitted ? Result<void>() : std::unexpected(admitted.error()), ""});
    ask_operator(links, options, *account, now);
  } else if (const auto* account = std::get_if<AccountClaims>(&claims)) {
    ask_operator(links, options, *account, now);
  } else if (const auto* op = std::get_if<OperatorClaims>(&claims)) {
    const bool own = op->issuer == op->subject;
    links.push_back(
        {"itself", own ? Result<void>() : fail(Errc::jwt_not_trusted, "the operator's JWT is signed by " + op->issuer),
         ""});
  }
  return links;
}

std::string_view word(identity::ClaimFinding::Severity severity) {
  using Severity = identity::ClaimFinding::Severity;
  return severity == Severity::error ? "error" : severity == Severity::expiry ? "expiry" : "warning";
}

// The first thing for which a server would refuse it.
std::optional<Error> refusal(const Subject& subject, const std::vector<identity::ClaimFinding>& findings,
                             const std::vector<Link>& links, std::chrono::sys_seconds now) {
  if (subject.seed_matches == false) {
    return Error{Errc::creds_seed_mismatch, "verifying a creds file"};
  }
  for (const Link& link : links) {
    if (link.verdict && !*link.verdict) {
      return link.verdict->error();
    }
  }
  for (const auto& finding : findings) {
    if (finding.severity == identity::ClaimFinding::Severity::error) {
      return Error{Errc::jwt_invalid, finding.member + ": " + finding.message};
    }
    if (finding.severity == identity::ClaimFinding::Severity::expiry) {
      const auto& expires = common(subject.claims).expires;
      return Error{expires && *expires <= now ? Errc::jwt_expired : Errc::jwt_not_yet_valid, finding.message};
    }
  }
  return std::nullopt;
}

void print_text(const Subject& subject, const std::vector<identity::ClaimFinding>& findings,
                const std::vector<Link>& links, std::chrono::sys_seconds now) {
  fmt::print("{}", describe(subject.claims, now));
  for (const auto& finding : findings) {
    fmt::print("{:<20} {}: {}\n", word(finding.severity), safe_for_terminal(finding.member),
               safe_for_terminal(finding.message));
  }
  if (subject.seed_matches) {
    fmt::print("{:<20} {}\n", "seed", *subject.seed_matches ? "is the user's" : "is of another user");
  }
  for (const Link& link : links) {
    fmt::print("{:<20} {}: {}\n", "chain", safe_for_terminal(link.step),
               !link.verdict   ? "not checked, " + link.why_not
               : *link.verdict ? std::string("vouches for it")
                               : link.verdict->error().message());
  }
}

void print_json(const Subject& subject, const std::vector<identity::ClaimFinding>& findings,
                const std::vector<Link>& links, bool good) {
  json::object facts{{"ok", good}, {"type", type_name(subject.claims)}, {"key", common(subject.claims).subject}};
  if (const auto payload = identity::payload_json(subject.token.reveal(), false)) {
    facts["claims"] = json::parse(*payload);
  }
  json::array rows;
  for (const auto& finding : findings) {
    rows.push_back({{"severity", word(finding.severity)}, {"member", finding.member}, {"message", finding.message}});
  }
  facts["findings"] = std::move(rows);
  if (subject.seed_matches) {
    facts["seed_matches"] = *subject.seed_matches;
  }
  json::array steps;
  for (const Link& link : links) {
    json::object step{{"step", link.step}, {"checked", link.verdict.has_value()}};
    step["ok"] = link.verdict ? json::value(link.verdict->has_value()) : json::value(nullptr);
    if (!link.verdict || !*link.verdict) {
      step["error"] = link.verdict ? link.verdict->error().message() : link.why_not;
    }
    steps.push_back(std::move(step));
  }
  facts["chain"] = std::move(steps);
  fmt::print("{}\n", json::serialize(facts));
}

void verify(const VerifyOptions& options, Exit& exit) {
  const auto subject = read_subject(options.file);
  if (!subject) {
    exit = subject.error();
    return;
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now());
  const auto findings = identity::findings(subject->claims, now);
  const auto links = chain_of(options, subject->claims, now);
  const auto refused = refusal(*subject, findings, links, now);
  if (exit.json) {
    print_json(*subject, findings, links, !refused);
  } else {
    print_text(*subject, findings, links, now);
  }
  if (refused) {
    exit = *refused;
    exit.code = ExitCode::not_so;  // the file was read well; what it says is not so
  }
}

}  // namespace

void add_id_verify(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = add_command(
      id, "verify", "What a token or creds file says, and whether a server would take it; exit code 1 when not",
      "hawser id verify secrets/agent-kate.nkey\n"
      "hawser id verify account.jwt --operator-jwt operator.jwt --json");
  command->add_option("file", options->file, "A JWT, or a creds file")->required()->type_name("FILE");
  command
      ->add_option("--account-jwt", options->account_jwt,
                   "The account that should have issued it; else that of the store")
      ->type_name("FILE");
  command->add_option("--operator-jwt", options->operator_jwt, "The operator that is trusted; else that of the store")
      ->type_name("FILE");
  add_store_flags(*command, options->store);
  add_json_flag(*command, exit);
  command->callback([options, &exit] { verify(*options, exit); });
}

}  // namespace hawser::cli
