#include "config/policy_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <tuple>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/quantity.hpp"
#include "config/yaml_block.hpp"
#include "config/yaml_tree.hpp"
#include "identity/store_layout.hpp"
#include "wire/subject.hpp"

namespace hawser::config {
namespace {

using identity::ShareKind;
using Advice = std::pair<std::string_view, std::string_view>;

enum class Unit : std::uint8_t { count, bytes };

// Reads one file, top down: a function a block.
class PolicyReader {
 public:
  explicit PolicyReader(Schema& schema) : schema_(schema) {}
  identity::Policy read(const YamlNode& root);

 private:
  void read_operator(Block& top, identity::Policy& policy);
  void read_account(const YamlMember& member, identity::Policy& policy);
  void read_account_limits(Block limits, identity::AccountLimits& out);
  void read_export(const YamlNode& node, const std::string& path, identity::PolicyAccount& account);
  void read_import(const YamlNode& node, const std::string& path, identity::PolicyAccount& account);
  void read_users(Block& account, std::string_view key, identity::PolicyAccount& out);
  void read_user(const YamlMember& member, const std::string& path, identity::PolicyAccount& account);
  void read_permissions(Block& block, identity::ClaimPermissions& out);
  void read_rules(Block& block, std::string_view key, identity::SubjectRules& out);
  void read_responses(Block& block, identity::ClaimPermissions& out);
  void read_times(Block& user, identity::UserLimits& out);

  bool good_name(std::string_view kind, const YamlMember& member);
  void expiry(Block& block, identity::Expiry& out);
  void limit(Block& block, std::string_view key, Unit unit, std::int64_t& out);
  // A list of texts, or a single one.
  std::vector<const YamlNode*> entries(Block& block, std::string_view key);
  std::vector<std::string> texts(Block& block, std::string_view key);
  std::vector<std::string> subjects(Block& block, std::string_view key);
  // The kind and subject of an export or import: under `stream` or under `service`.
  std::optional<std::string> shared_subject(Block& block, const YamlNode& node, ShareKind& kind);
  void check_subject(const YamlNode& node, std::string_view subject);

  Schema& schema_;
};

constexpr std::array<Advice, 4> kTopAdvice{{{"agents", "Move it under an account."},
                                            {"users", "Move it under an account."},
                                            {"exports", "Move it under an account."},
                                            {"imports", "Move it under an account."}}};
constexpr std::array<Advice, 4> kUserAdvice{
    {{"permissions", "Write publish: and subscribe: beside each other, without it."},
     {"allow", "Write it under publish: or subscribe:."},
     {"deny", "Write it under publish: or subscribe:."},
     {"expiry", "It is called expires."}}};

// ---- values
// -------------------------------------------------------------------------------------------------------------

bool PolicyReader::good_name(std::string_view kind, const YamlMember& member) {
  const auto good = identity::check_store_name(kind, member.key);
  if (!good) {
    schema_.mistake(Errc::config_bad_value, member.place, good.error().doing);
  }
  return good.has_value();
}

void PolicyReader::expiry(Block& block, identity::Expiry& out) {
  const YamlNode* node = block.scalar("expires");
  if (node == nullptr) {
    return;
  }
  if (const auto parsed = identity::parse_expiry(node->text)) {
    out = *parsed;
  } else {
    block.bad("expires", *node, "is not a time like 30d, 2027-01-01, 2027-01-01T12:00:00Z or never");
  }
}

void PolicyReader::limit(Block& block, std::string_view key, Unit unit, std::int64_t& out) {
  const YamlNode* node = block.scalar(key);
  if (node == nullptr) {
    return;
  }
  if (node->text == "unlimited" || node->text == "-1") {
    out = identity::kNoLimit;
    return;
  }
  if (unit == Unit::bytes) {
    const auto size = parse_size(node->text);
    if (!size || *size > (1ULL << 62U)) {
      return block.bad(key, *node, "is not a size like 64KB, or unlimited");
    }
    out = static_cast<std::int64_t>(*size);
    return;
  }
  std::int64_t number = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stopped, failed] = std::from_chars(node->text.data(), end, number);
  if (failed != std::errc() || stopped != end || number < 0) {
    return block.bad(key, *node, "is not a whole number, or unlimited");
  }
  out = number;
}

std::vector<const YamlNode*> PolicyReader::entries(Block& block, std::string_view key) {
  std::vector<const YamlNode*> nodes;
  const YamlNode* node = block.value(key);
  if (node == nullptr) {
    return nodes;
  }
  if (node->is(YamlNode::Kind::map)) {
    block.bad(key, *node, "must be a list, and is a map");
  } else if (node->is(YamlNode::Kind::scalar)) {
    nodes.push_back(node);
  } else {
    for (const YamlNode& one : node->items) {
      nodes.push_back(&one);
    }
  }
  return nodes;
}

std::vector<std::string> PolicyReader::texts(Block& block, std::string_view key) {
  std::vector<std::string> all;
  for (const YamlNode* node : entries(block, key)) {
    if (!node->is(YamlNode::Kind::scalar) || node->text.empty()) {
      block.bad(key, *node, "must hold texts only");
    } else if (std::find(all.begin(), all.end(), node->text) != all.end()) {
      block.bad(key, *node, fmt::format("holds \"{}\" twice", node->text));
    } else {
      all.push_back(node->text);
    }
  }
  return all;
}

void PolicyReader::check_subject(const YamlNode& node, std::string_view subject) {
  if (const auto fault = wire::subscribe_fault(subject); fault != wire::SubjectFault::none) {
    schema_.mistake(Errc::config_bad_value, node.place, wire::bad_subject(subject, fault).doing);
  }
}

std::vector<std::string> PolicyReader::subjects(Block& block, std::string_view key) {
  for (const YamlNode* node : entries(block, key)) {
    if (node->is(YamlNode::Kind::scalar) && !node->text.empty()) {
      check_subject(*node, std::string_view(node->text).substr(0, node->text.find(' ')));  // "subject queue"
    }
  }
  return texts(block, key);
}

// ---- permissions
// --------------------------------------------------------------------------------------------------------

// A list is what is allowed.
void PolicyReader::read_rules(Block& block, std::string_view key, identity::SubjectRules& out) {
  const YamlNode* node = block.value(key);
  if (node == nullptr) {
    return;
  }
  if (!node->is(YamlNode::Kind::map)) {
    out.allow = subjects(block, key);
    return;
  }
  Block rules = block.block(key);
  out.allow = subjects(rules, "allow");
  out.deny = subjects(rules, "deny");
  rules.finish();
}

void PolicyReader::read_responses(Block& block, identity::ClaimPermissions& out) {
  const YamlNode* node = block.value("responses");
  if (node == nullptr) {
    return;
  }
  if (!node->is(YamlNode::Kind::map)) {
    bool wanted = false;
    block.boolean("responses", wanted);
    out.responses = wanted ? std::optional(identity::ResponseRule{}) : std::nullopt;
    return;
  }
  Block rule = block.block("responses");
  identity::ResponseRule made;
  limit(rule, "max", Unit::count, made.max);
  std::chrono::nanoseconds expires{};
  rule.duration("expires", expires, std::chrono::milliseconds(1), std::chrono::hours(24 * 365));
  made.expires = expires;
  out.responses = made;
  rule.finish();
}

void PolicyReader::read_permissions(Block& block, identity::ClaimPermissions& out) {
  read_rules(block, "publish", out.publish);
  read_rules(block, "subscribe", out.subscribe);
  read_responses(block, out);
}

// ---- users
// --------------------------------------------------------------------------------------------------------------

void PolicyReader::read_times(Block& user, identity::UserLimits& out) {
  for (const std::string& text : texts(user, "times")) {
    const std::size_t hyphen = text.find('-');
    if (hyphen == std::string::npos) {
      user.bad("times", *user.value("times"), "is not a span like 08:00-18:00");
      continue;
    }
    const auto whole = [](const std::string& part) { return part.size() == 5 ? part + ":00" : part; };
    out.times.push_back({.start = whole(text.substr(0, hyphen)), .end = whole(text.substr(hyphen + 1))});
  }
  if (const YamlNode* node = user.scalar("times_location")) {
    out.times_location = node->text;
  }
}

void PolicyReader::read_user(const YamlMember& member, const std::string& path, identity::PolicyAccount& account) {
  if (!good_name("user", member)) {
    return;
  }
  const bool twice =
      std::any_of(account.users.begin(), account.users.end(), [&](const auto& one) { return one.name == member.key; });
  if (twice) {
    schema_.mistake(Errc::config_duplicate_key, member.place, "the user " + member.key + " stands twice");
  }
  identity::PolicyUser user{.name = member.key, .place = member.place.text()};
  Block block(schema_, &member.value, path + "." + member.key);
  read_permissions(block, user.limits.permissions);
  expiry(block, user.expiry);
  limit(block, "subscriptions", Unit::count, user.limits.subscriptions);
  limit(block, "payload", Unit::bytes, user.limits.payload);
  limit(block, "data", Unit::bytes, user.limits.data);
  block.boolean("bearer", user.limits.bearer);
  user.limits.sources = texts(block, "sources");
  user.limits.allowed_connection_types = texts(block, "connection_types");
  user.tags = texts(block, "tags");
  for (std::string& tag : user.tags) {
    std::transform(tag.begin(), tag.end(), tag.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  read_times(block, user.limits);
  block.finish(kUserAdvice);
  account.users.push_back(std::move(user));
}

void PolicyReader::read_users(Block& account, std::string_view key, identity::PolicyAccount& out) {
  const YamlNode* node = account.value(key);
  if (node == nullptr) {
    return;
  }
  if (!node->is(YamlNode::Kind::map)) {
    return account.bad(key, *node, "must be a map of names");
  }
  for (const YamlMember& member : node->members) {
    read_user(member, account.full(key), out);
  }
}

// ---- accounts
// -----------------------------------------------------------------------------------------------------------

std::optional<std::string> PolicyReader::shared_subject(Block& block, const YamlNode& node, ShareKind& kind) {
  const YamlNode* stream = block.scalar("stream");
  const YamlNode* service = block.scalar("service");
  if ((stream == nullptr) == (service == nullptr)) {
    schema_.mistake(Errc::config_missing, node.place, "needs one of stream: SUBJECT and service: SUBJECT");
    return std::nullopt;
  }
  kind = stream != nullptr ? ShareKind::stream : ShareKind::service;
  const YamlNode& subject = stream != nullptr ? *stream : *service;
  check_subject(subject, subject.text);
  return subject.text;
}

void PolicyReader::read_export(const YamlNode& node, const std::string& path, identity::PolicyAccount& account) {
  using identity::ResponseKind;
  constexpr std::array<std::pair<std::string_view, ResponseKind>, 3> kResponses{
      {{"singleton", ResponseKind::singleton}, {"stream", ResponseKind::stream}, {"chunked", ResponseKind::chunked}}};
  Block block(schema_, &node, path);
  identity::PolicyExport made{.place = node.place.text()};
  const auto subject = shared_subject(block, node, made.kind);
  block.boolean("private", made.is_private);
  block.choice<ResponseKind>("response", made.response, kResponses);
  if (const YamlNode* text = block.scalar("description")) {
    made.description = text->text;
  }
  block.finish();
  if (subject) {
    made.subject = *subject;
    account.exports.push_back(std::move(made));
  }
}

void PolicyReader::read_import(const YamlNode& node, const std::string& path, identity::PolicyAccount& account) {
  Block block(schema_, &node, path);
  identity::PolicyImport made{.place = node.place.text()};
  const auto subject = shared_subject(block, node, made.kind);
  if (const YamlNode* from = block.scalar("account")) {
    made.account = from->text;
  } else {
    schema_.mistake(Errc::config_missing, node.place, path + " needs account: NAME");
  }
  if (const YamlNode* local = block.scalar("as")) {
    made.local_subject = local->text;
  }
  block.boolean("share", made.share);
  block.finish();
  if (subject && !made.account.empty()) {
    made.subject = *subject;
    account.imports.push_back(std::move(made));
  }
}

void PolicyReader::read_account_limits(Block limits, identity::AccountLimits& out) {
  limit(limits, "connections", Unit::count, out.connections);
  limit(limits, "leaf_connections", Unit::count, out.leaf_connections);
  limit(limits, "subscriptions", Unit::count, out.subscriptions);
  limit(limits, "payload", Unit::bytes, out.payload);
  limit(limits, "data", Unit::bytes, out.data);
  limit(limits, "exports", Unit::count, out.exports);
  limit(limits, "imports", Unit::count, out.imports);
  limits.boolean("wildcard_exports", out.wildcard_exports);
  limits.boolean("disallow_bearer", out.disallow_bearer);
  limits.finish();
}

void PolicyReader::read_account(const YamlMember& member, identity::Policy& policy) {
  if (!good_name("account", member)) {
    return;
  }
  identity::PolicyAccount account{.name = member.key, .place = member.place.text()};
  const std::string path = "accounts." + member.key;
  Block block(schema_, &member.value, path);
  if (const YamlNode* text = block.scalar("description")) {
    account.description = text->text;
  }
  expiry(block, account.expiry);
  read_account_limits(block.block("limits"), account.limits);
  Block defaults = block.block("default_permissions");
  read_permissions(defaults, account.default_permissions);
  defaults.finish();
  for (const YamlNode* one : entries(block, "exports")) {
    read_export(*one, path + ".exports", account);
  }
  for (const YamlNode* one : entries(block, "imports")) {
    read_import(*one, path + ".imports", account);
  }
  read_users(block, "agents", account);
  read_users(block, "users", account);
  block.finish();
  policy.accounts.push_back(std::move(account));
}

void PolicyReader::read_operator(Block& top, identity::Policy& policy) {
  if (const YamlNode* node = top.scalar("operator")) {
    policy.operator_name = node->text;
    if (const auto good = identity::check_store_name("operator", node->text); !good) {
      schema_.mistake(Errc::config_bad_value, node->place, good.error().doing);
    }
  }
}

identity::Policy PolicyReader::read(const YamlNode& root) {
  identity::Policy policy;
  Block top(schema_, &root, "");
  read_operator(top, policy);
  const YamlNode* accounts = top.value("accounts");
  if (accounts == nullptr) {
    schema_.mistake(Errc::config_missing, root.place, "the file declares no accounts:");
  } else if (!accounts->is(YamlNode::Kind::map)) {
    top.bad("accounts", *accounts, "must be a map of names");
  } else {
    for (const YamlMember& member : accounts->members) {
      read_account(member, policy);
    }
  }
  top.finish(kTopAdvice);
  return policy;
}

}  // namespace

PolicyResult parse_policy(std::string_view text, const std::string& file_name) {
  const auto documents = parse_yaml(text, file_name);
  if (!documents) {
    return std::unexpected(std::vector<Mistake>{{documents.error().code, Place{}, documents.error().doing, {}}});
  }
  Schema schema{.directory = {}, .mistakes = {}, .origins = {}};
  YamlNode nothing;
  nothing.place = Place{.file = std::make_shared<const std::string>(file_name), .line = 1, .column = 1};
  identity::Policy policy = PolicyReader(schema).read(documents->empty() ? nothing : documents->front().root);
  if (documents->size() > 1) {
    schema.mistake(Errc::config_syntax, (*documents)[1].root.place, "a policy is one document");
  }
  for (const YamlDocument& document : *documents) {
    for (const DuplicateKey& twice : document.duplicates) {
      schema.mistake(Errc::config_duplicate_key, twice.second,
                     twice.path + " stands twice, first at " + twice.first.text());
    }
  }
  if (schema.mistakes.empty()) {
    return policy;
  }
  std::sort(schema.mistakes.begin(), schema.mistakes.end(), [](const Mistake& a, const Mistake& b) {
    return std::tie(a.place.line, a.place.column, a.message) < std::tie(b.place.line, b.place.column, b.message);
  });
  return std::unexpected(std::move(schema.mistakes));
}

Result<identity::Policy> load_policy(const std::filesystem::path& path) {
  const auto text = read_file(path, limits::kConfigFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  auto policy = parse_policy(*text, path.string());
  return policy ? Result<identity::Policy>(std::move(*policy))
                : fail(Errc::policy_invalid, as_error(policy.error()).doing);
}

}  // namespace hawser::config
