#include "config/broker_conf.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <tuple>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "config/broker_conf_parts.hpp"
#include "config/broker_conf_text.hpp"
#include "tls/openssl.hpp"

namespace hawser::config {

namespace {

auto order_of(const Place& place) {
  return std::tuple(place.line == 0, place.file ? *place.file : "", place.line, place.column);
}

// The tree holds passwords.
void wipe_tree(ConfNode& node) {
  wipe(node.text);
  for (ConfNode& item : node.items) wipe_tree(item);
  for (ConfMember& member : node.members) wipe_tree(member.value);
}

void read_top(BrokerDraft& draft, const ConfNode& root) {
  ConfBlock top(draft.reading, root, "");
  read_server_keys(draft, top);
  refuse_absent_features(draft, top);
  if (const ConfMember* tls = top.member({"tls"})) read_tls(draft, *tls);
  if (const ConfMember* authorization = top.member({"authorization"})) read_authorization(draft, *authorization);
  draft.settings.authorization.no_auth_user = top.text({"no_auth_user"}).value_or("");
  if (const ConfMember* user = top.member({"no_auth_user"})) draft.no_auth_user = user->value.place;
  if (const ConfMember* account = top.member({"system_account", "system"})) draft.system_account = account->value.place;
  if (const ConfMember* accounts = top.member({"accounts"})) read_accounts(draft, *accounts);
  if (const ConfMember* mappings = top.member({"mappings", "maps"})) {
    broker::Account global;
    global.name = broker::kGlobalAccount;
    global.place = mappings->place.text();
    global.mappings = read_mappings(draft.reading, mappings->value, "mappings");
    draft.settings.accounts.push_back(std::move(global));
  }
  if (const ConfMember* misplaced = top.member({"client_auth"}))
    draft.reading.mistake(Errc::config_unknown_key, misplaced->place, "unknown key \"client_auth\"",
                          "tls { verify: true } asks clients for certificates.");
  top.finish({{"users", "It belongs into authorization { users: [ … ] }."},
              {"user", "It belongs into authorization { user: … }."},
              {"token", "It belongs into authorization { token: … }."},
              {"cert_file", "It belongs into tls { cert_file: … }."},
              {"verify", "It belongs into tls { verify: true }."}});
  check_authentication(draft);
  check_accounts(draft);
}

void note_duplicates(BrokerDraft& draft, const std::vector<DuplicateKey>& duplicates) {
  for (const DuplicateKey& twice : duplicates)
    draft.reading.notice(Errc::config_duplicate_key, Notice::Severity::warning, twice.second,
                         fmt::format("\"{}\" stands twice; only this one counts", shown(twice.path)),
                         fmt::format("the first one is at {}", twice.first.text()));
}

// One mistake may be met twice, where two readers ask for one key.
std::vector<Mistake> in_order(std::vector<Mistake> mistakes) {
  const auto rank = [](const Mistake& mistake) {
    return std::tuple_cat(order_of(mistake.place), std::tuple(mistake.message));
  };
  std::sort(mistakes.begin(), mistakes.end(), [&](const Mistake& a, const Mistake& b) { return rank(a) < rank(b); });
  const auto same = [](const Mistake& a, const Mistake& b) { return a.text() == b.text(); };
  mistakes.erase(std::unique(mistakes.begin(), mistakes.end(), same), mistakes.end());
  return mistakes;
}

std::vector<Notice> worst_first(std::vector<Notice> notices) {
  const auto rank = [](const Notice& notice) {
    return std::tuple_cat(std::tuple(notice.severity != Notice::Severity::loud), order_of(notice.place),
                          std::tuple(notice.message));
  };
  std::sort(notices.begin(), notices.end(), [&](const Notice& a, const Notice& b) { return rank(a) < rank(b); });
  return notices;
}

}  // namespace

std::string Notice::text() const { return Mistake{code, place, message, hint}.text(); }

Result<BrokerConf> parse_broker_conf(std::string_view text, const std::string& name, const ConfReach& reach,
                                     ConfSyntax syntax) {
  std::string everything(text);  // for the digest, with what it includes
  const ConfReach recording{[&](const std::filesystem::path& path) {
                              auto included = reach.read(path);
                              if (included) everything += *included;
                              return included;
                            },
                            reach.environment};
  auto read = read_broker_text(text, name, recording, syntax);
  if (!read) {
    wipe(everything);
    return std::unexpected(std::move(read.error()));
  }

  BrokerDraft draft;
  draft.reading.yaml = read->yaml;
  draft.reading.notices = std::move(read->notices);
  note_duplicates(draft, read->document.duplicates);
  read_top(draft, read->document.root);
  settle_operator_mode(draft, recording);
  const std::string digest = "sha256:" + tls::sha256_hex(everything);
  wipe(everything);
  wipe_tree(read->document.root);
  if (!draft.reading.mistakes.empty()) return std::unexpected(as_error(in_order(std::move(draft.reading.mistakes))));
  draft.settings.config_digest = digest;
  return BrokerConf{std::move(draft.settings), worst_first(std::move(draft.reading.notices)),
                    std::move(read->document.files)};
}

Result<BrokerConf> load_broker_conf(const std::filesystem::path& path) {
  const auto read = [](const std::filesystem::path& file) { return read_file(file, limits::kConfigFileBytes); };
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  auto text = read(path);
  if (!text) return std::unexpected(std::move(text.error()));
  auto conf = parse_broker_conf(*text, path.string(), {read, environment});
  wipe(*text);
  return conf;
}

}  // namespace hawser::config
