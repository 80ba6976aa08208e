// Hawser's side of the JWTs and creds files of ../README.md; the other side is ../go/jwt.
//
//   interop_jwt write DIR        one of every type of claims, with every member set, and a creds file
//   interop_jwt check DIR OUT    reads each token of DIR, judges it, and signs again what it read into OUT
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "identity/creds.hpp"
#include "identity/creds_text.hpp"
#include "identity/findings.hpp"
#include "identity/token.hpp"

namespace {

using namespace hawser::identity;
using std::chrono::seconds;
using std::chrono::sys_seconds;
namespace fs = std::filesystem;

constexpr sys_seconds kBegin{seconds(1700000000)};
constexpr sys_seconds kEnd{seconds(4102444800)};
constexpr sys_seconds kNow{seconds(1800000000)};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(hawser::Result<T> result) {
  if (!result) {
    give_up(result.error().message());
  }
  return std::move(*result);
}

// The one whose raw seed is this byte, 32 times; the other side has the same.
KeyPair key(KeyKind kind, std::uint8_t byte) {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(byte);
  return must(KeyPair::from_raw(kind, raw));
}
KeyPair account(std::uint8_t byte) { return key(KeyKind::account, byte); }
KeyPair operator_(std::uint8_t byte) { return key(KeyKind::operator_key, byte); }
KeyPair user(std::uint8_t byte) { return key(KeyKind::user, byte); }
std::string text(const KeyPair& pair) { return pair.public_key().text(); }

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, std::string_view data) { std::ofstream(path, std::ios::binary) << data; }

void basics(CommonClaims& claims, const std::string& name) {
  claims.name = name + " <&> \"quoted\" ü";
  claims.audience = "somebody";
  claims.not_before = kBegin;
  claims.expires = kEnd;
  claims.tags = {"region:eu", "prod"};
}

ClaimPermissions permissions() {
  return {.publish = {.allow = {"orders.>", "audit.*.in"}, .deny = {"orders.secret"}},
          .subscribe = {.allow = {"_INBOX.>", "jobs.* workers"}, .deny = {"jobs.x"}},
          .responses = ResponseRule{.max = 3, .expires = std::chrono::milliseconds(1500)}};
}

UserLimits limits() {
  UserLimits limits;
  limits.permissions = permissions();
  limits.sources = {"10.0.0.0/8", "2001:db8::/32"};
  limits.times = {{.start = "08:00:00", .end = "18:30:00"}, {.start = "22:00:00", .end = "02:00:00"}};
  limits.times_location = "Europe/Berlin";
  limits.subscriptions = 10;
  limits.data = std::int64_t(1) << 40;
  limits.payload = 4096;
  limits.bearer = true;
  limits.allowed_connection_types = {"STANDARD", "WEBSOCKET"};
  return limits;
}

OperatorClaims the_operator() {
  OperatorClaims claims;
  claims.subject = text(operator_(1));
  basics(claims, "operator");
  claims.signing_keys = {text(operator_(2)), text(operator_(3))};
  claims.account_server_url = "https://accounts.example.com/jwt/v1";
  claims.service_urls = {"nats://a.example.com:4222", "tls://b.example.com:4222"};
  claims.system_account = text(account(9));
  claims.assert_server_version = "2.9.10";
  claims.strict_signing_keys = true;
  return claims;
}

ActivationClaims the_activation() {
  ActivationClaims claims;
  claims.subject = text(account(1));
  basics(claims, "activation");
  claims.import_subject = "shared.*.private";
  claims.kind = ShareKind::service;
  claims.issuer_account = text(account(4));
  return claims;
}

std::vector<ExportClaim> exports() {
  std::vector<ExportClaim> all(4);
  all[0] = {
      .name = "stream", .subject = "feed.>", .kind = ShareKind::stream, .token_required = true, .advertise = true};
  all[0].revocations = {{text(account(7)), kBegin}, {"*", sys_seconds(seconds(12))}};
  all[0].description = "a feed";
  all[0].info_url = "https://example.com/feed";
  all[1] = {.name = "service", .subject = "ask.*.this", .kind = ShareKind::service, .response = ResponseKind::chunked};
  all[1].response_threshold = seconds(3);
  all[1].latency = ServiceLatency{.sampling = 42, .results = "latency.ask"};
  all[1].account_token_position = 2;
  all[2] = {.subject = "headers", .kind = ShareKind::service};
  all[2].latency = ServiceLatency{.sampling = 0, .results = "latency.headers"};
  all[3] = {.subject = "answers", .kind = ShareKind::service, .response = ResponseKind::stream};
  return all;
}

std::vector<ImportClaim> imports() {
  const std::string exporter = text(account(4));
  std::vector<ImportClaim> all(2);
  all[0] = {
      .name = "private", .subject = "shared.*.private", .account = exporter, .kind = ShareKind::service, .share = true};
  all[0].token = must(encode(the_activation(), account(5), kNow));
  all[0].local_subject = "mine.$1";
  all[1] = {.name = "stream", .subject = "public.*.>", .account = exporter, .local_subject = "theirs.$1.>"};
  return all;
}

AccountClaims the_account() {
  AccountClaims claims;
  claims.subject = text(account(1));
  basics(claims, "account");
  claims.imports = imports();
  claims.exports = exports();
  claims.limits = {.subscriptions = 100,
                   .data = std::int64_t(1) << 30,
                   .payload = std::int64_t(1) << 20,
                   .imports = 20,
                   .exports = 30,
                   .disallow_bearer = true,
                   .connections = 40,
                   .leaf_connections = 5,
                   .unknown = R"({"mem_storage":1,"streams":3})"};
  claims.signing_keys = {SigningKey{.key = text(account(2))},
                         SigningKey{.key = text(account(3)), .scoped = true, .role = "worker", .limits = limits()}};
  claims.revocations = {{text(user(8)), kBegin}, {"*", sys_seconds(seconds(1))}};
  claims.default_permissions = permissions();
  claims.mappings["from.*"] = {{.subject = "to.$1", .weight = 60, .cluster = "one"},
                               {.subject = "other.$1", .weight = 40}};
  claims.description = "an account";
  claims.info_url = "https://example.com/account";
  return claims;
}

UserClaims the_user() {
  UserClaims claims;
  claims.subject = text(user(1));
  basics(claims, "user");
  static_cast<UserLimits&>(claims) = limits();
  claims.issuer_account = text(account(1));
  return claims;
}

void write_all(const fs::path& directory) {
  const auto save = [&](const char* name, const Claims& claims, const KeyPair& signer) {
    std::string token = must(encode(claims, signer, kNow));
    write(directory / (std::string(name) + ".jwt"), token);
    return token;
  };
  save("operator", the_operator(), operator_(1));
  save("account", the_account(), operator_(2));
  save("user", the_user(), account(2));
  save("activation", the_activation(), account(5));
  UserClaims bare;
  bare.subject = text(user(1));
  write(directory / "user_bare.creds", creds_text(save("user_bare", bare, account(1)), user(1)).reveal());
  UserClaims scoped = bare;
  static_cast<UserLimits&>(scoped) = UserLimits::absent();
  scoped.issuer_account = text(account(1));
  save("user_scoped", scoped, account(3));
  AccountClaims bare_account;
  bare_account.subject = text(account(1));
  save("account_bare", bare_account, operator_(1));
  GenericClaims generic;
  generic.subject = text(operator_(1));
  basics(generic, "generic");
  generic.type = "something";
  generic.unknown = R"({"accounts":["a","b"],"nested":{"a":[1,2,3],"b":null,"c":1.5}})";
  save("generic", generic, operator_(1));
}

// Whose public key it is, of the keys that both sides have.
KeyPair signer_of(const CommonClaims& claims) {
  for (std::uint8_t byte = 1; byte < 10; ++byte) {
    for (const KeyKind kind : {KeyKind::operator_key, KeyKind::account}) {
      if (KeyPair pair = key(kind, byte); text(pair) == claims.issuer) {
        return pair;
      }
    }
  }
  give_up("nobody has the key of " + claims.issuer);
}

void check_token(const fs::path& path, const fs::path& out) {
  const Claims claims = must(decode(read(path)));
  for (const ClaimFinding& finding : findings(claims, kNow)) {
    std::printf("%s: %s: %s\n", path.stem().c_str(), finding.member.c_str(), finding.message.c_str());
    if (finding.severity != ClaimFinding::Severity::warning) {
      std::exit(1);
    }
  }
  const auto issued = common(claims).issued_at;
  write(out / path.filename(), must(encode(claims, signer_of(common(claims)), issued.value_or(kNow))));
}

void check_all(const fs::path& directory, const fs::path& out) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".jwt") {
      check_token(path, out);
    } else if (path.extension() == ".creds") {
      if (!must(parse_creds(read(path))).seed_matches()) {
        give_up("the seed is not the one of the JWT's subject");
      }
    } else if (path.extension() == ".decorated") {
      if (must(token_of_file(read(path))) != read(fs::path(path).replace_extension(".jwt"))) {
        give_up("another token than without its frame");
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 2 ? argv[1] : "";
  if (mode == "write") {
    write_all(argv[2]);
  } else if (mode == "check" && argc > 3) {
    check_all(argv[2], argv[3]);
  } else {
    give_up("interop_jwt write DIR | check DIR OUT");
  }
  return 0;
}
