// What accounts share and rename: exports, imports and mappings.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using broker::Export;
using broker::ExportKind;
using broker::Import;
using broker::Mapping;
using broker::MappingTarget;
using broker::ResponseType;

void no_latency_or_trace(ConfReading& reading, ConfBlock& block) {
  for (const std::string_view key : {"latency", "allow_trace"}) {
    const ConfMember* found = block.member({key});
    if (found == nullptr || (found->value.is(Kind::boolean) && !found->value.boolean)) continue;
    reading.notice(Errc::broker_ignored_setting, Notice::Severity::note, found->place,
                   fmt::format("{} has no effect: it is not measured", block.full(key)));
  }
}

void read_response(ConfReading& reading, ConfBlock& block, Export& out) {
  const ConfMember* response = block.member({"response_type", "response"});
  const Names threshold_names{"response_threshold", "threshold", "response_max_time", "response_time"};
  const ConfMember* threshold = block.member(threshold_names);
  if (const ConfMember* first = response != nullptr ? response : threshold;
      first != nullptr && out.kind == ExportKind::stream)
    reading.mistake(Errc::broker_bad_account, first->place, "Detected response directive on non-service");
  if (response != nullptr) {
    const auto word = as_text(reading, response->value, block.full(response->key)).value_or("singleton");
    if (same_letters(word, "single") || same_letters(word, "singleton")) {
      out.response = ResponseType::singleton;
    } else if (same_letters(word, "stream")) {
      out.response = ResponseType::stream;
    } else if (same_letters(word, "chunk") || same_letters(word, "chunked")) {
      out.response = ResponseType::chunked;
    } else {
      reading.mistake(Errc::broker_bad_account, response->value.place,
                      fmt::format("Unknown response type: \"{}\"", shown(word)), "Singleton, Stream or Chunked.");
    }
  }
  if (threshold == nullptr) return;
  const auto time = block.duration(threshold_names, ConfBlock::DurationKind::text_only);
  if (time && *time > Duration::zero()) out.response_threshold = *time;
}

std::optional<Export> read_export(ConfReading& reading, const ConfNode& node, const std::string& path) {
  ConfBlock block(reading, node, path);
  if (!node.is(Kind::map)) return std::nullopt;
  const ConfMember* stream = block.member({"stream"});
  const ConfMember* service = block.member({"service"});
  Export out;
  out.kind = service != nullptr ? ExportKind::service : ExportKind::stream;
  out.place = node.place.text();
  const ConfMember* subject = service != nullptr ? service : stream;
  if (stream != nullptr && service != nullptr)
    reading.mistake(Errc::broker_bad_account, service->place, "an export is a stream or a service, not both");
  if (subject == nullptr) {
    reading.mistake(Errc::broker_bad_account, node.place,
                    fmt::format("an item of {} names no stream and no service", path));
  } else {
    out.subject = as_text(reading, subject->value, block.full(subject->key)).value_or("");
    if (subject->value.is(Kind::string)) check_subject(reading, subject->value, out.subject, path);
  }
  if (const ConfMember* accounts = block.member({"accounts"})) {
    if (accounts->value.is(Kind::array)) {
      out.accounts = block.texts({"accounts"});
    } else {
      reading.mistake(Errc::config_bad_value, accounts->value.place,
                      fmt::format("{} must be a list of names", block.full("accounts")));
    }
    if (out.accounts && out.accounts->empty()) out.accounts.reset();  // to nats-server, that is public
  }
  read_response(reading, block, out);
  constexpr std::int64_t kMostTokens = 256;
  if (const auto position = block.integer({"account_token_position"}, 0, kMostTokens))
    out.account_token_position = static_cast<std::uint32_t>(*position);
  no_latency_or_trace(reading, block);
  block.finish();
  return subject == nullptr ? std::nullopt : std::optional(std::move(out));
}

// { account: APP, subject: "a.b" }
void read_source(ConfReading& reading, const ConfMember& member, const std::string& path, Import& out) {
  ConfBlock block(reading, member.value, fmt::format("{}.{}", path, member.key));
  if (!member.value.is(Kind::map)) return;
  out.account = block.text({"account"}).value_or("");
  out.subject = block.text({"subject"}).value_or("");
  block.finish();
  if (out.account.empty() || out.subject.empty()) {
    reading.mistake(Errc::broker_bad_account, member.place, "Expect an account name and a subject");
  } else if (const ConfNode* subject = member.value.find("subject"); subject->is(Kind::string)) {
    check_subject(reading, *subject, out.subject, path);
  }
}

std::optional<Import> read_import(ConfReading& reading, const ConfNode& node, const std::string& path) {
  ConfBlock block(reading, node, path);
  if (!node.is(Kind::map)) return std::nullopt;
  const ConfMember* stream = block.member({"stream"});
  const ConfMember* service = block.member({"service"});
  const ConfMember* source = service != nullptr ? service : stream;
  Import out;
  out.kind = service != nullptr ? ExportKind::service : ExportKind::stream;
  out.place = node.place.text();
  if (stream != nullptr && service != nullptr)
    reading.mistake(Errc::broker_bad_account, service->place, "Detected service but already saw a stream");
  if (source == nullptr) {
    reading.mistake(Errc::broker_bad_account, node.place,
                    fmt::format("an item of {} names no stream and no service", path));
  } else {
    read_source(reading, *source, path, out);
  }
  out.to = block.text({"to"}).value_or("");
  out.prefix = block.text({"prefix"}).value_or("");
  if (!out.to.empty() && !out.prefix.empty())
    reading.mistake(Errc::broker_bad_account, block.member({"prefix"})->place,
                    "Stream import can not have a 'prefix' and a 'to' property");
  out.share = block.boolean({"share"}).value_or(false);
  no_latency_or_trace(reading, block);
  block.finish();
  return source == nullptr ? std::nullopt : std::optional(std::move(out));
}

std::optional<std::uint32_t> read_weight(ConfReading& reading, const ConfNode& node) {
  std::int64_t weight = -1;
  if (node.is(Kind::integer) && node.form == ConfNode::Form::bare) {
    weight = node.integer;
  } else if (node.is(Kind::string)) {
    std::string_view text = node.text;
    if (text.ends_with('%')) text.remove_suffix(1);
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (failed != std::errc() || end != text.data() + text.size()) weight = -1;
  }
  constexpr std::int64_t kWhole = 100;
  if (weight >= 0 && weight <= kWhole) return static_cast<std::uint32_t>(weight);
  reading.mistake(Errc::broker_bad_account, node.place,
                  fmt::format("Invalid weight {} for mapping destination", shown(node.text)),
                  "From 0 to 100, with or without a % sign.");
  return std::nullopt;
}

std::optional<MappingTarget> read_target(ConfReading& reading, const ConfNode& node, const std::string& path) {
  ConfBlock block(reading, node, path);
  if (!node.is(Kind::map)) return std::nullopt;
  MappingTarget out;
  out.destination = block.text({"destination", "dest"}).value_or("");
  out.cluster = block.text({"cluster"}).value_or("");
  const ConfMember* weight = block.member({"weight"});
  block.finish();
  if (out.destination.empty())
    reading.mistake(Errc::broker_bad_account, node.place, fmt::format("a target of {} has no destination", path));
  if (weight == nullptr) {
    reading.mistake(Errc::broker_bad_account, node.place,
                    fmt::format("Missing weight for mapping destination \"{}\"", shown(out.destination)));
    return std::nullopt;
  }
  const auto share = read_weight(reading, weight->value);
  if (!share) return std::nullopt;
  out.weight = *share;
  return out;
}

template <class T, class Read>
std::vector<T> read_list(ConfReading& reading, const ConfNode& list, const std::string& path, Read read) {
  std::vector<T> out;
  if (!list.is(Kind::array)) {
    reading.mistake(Errc::config_bad_value, list.place, fmt::format("{} must be a list of blocks", path));
    return out;
  }
  for (const ConfNode& item : list.items) {
    if (auto one = read(reading, item, path)) out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace

std::vector<Export> read_exports(ConfReading& reading, const ConfNode& list, const std::string& path) {
  return read_list<Export>(reading, list, path, read_export);
}

std::vector<Import> read_imports(ConfReading& reading, const ConfNode& list, const std::string& path) {
  std::vector<Import> imports = read_list<Import>(reading, list, path, read_import);
  for (auto one = imports.begin(); one != imports.end(); ++one) {
    const auto mine = [](const Import& import) { return import.to.empty() ? import.subject : import.to; };
    const auto same = [&](const Import& other) {
      return other.kind == ExportKind::service && one->kind == ExportKind::service && other.account == one->account &&
             mine(other) == mine(*one);
    };
    const auto first = std::find_if(imports.begin(), one, same);
    if (first != one)
      reading.mistake(
          Errc::broker_bad_account, {},
          fmt::format("{}: Duplicate service import subject \"{}\", previously used in import for account \"{}\", "
                      "subject \"{}\"",
                      one->place, shown(mine(*one)), shown(first->account), shown(first->subject)));
  }
  return imports;
}

std::vector<Mapping> read_mappings(ConfReading& reading, const ConfNode& block, const std::string& path) {
  std::vector<Mapping> out;
  if (!block.is(Kind::map)) {
    reading.mistake(Errc::config_bad_value, block.place, fmt::format("{} must be a block of subject: target", path));
    return out;
  }
  for (const ConfMember& member : block.members) {
    if (member.used_as_variable) continue;
    ConfNode key;
    key.place = member.place;
    if (!check_subject(reading, key, member.key, path)) continue;
    Mapping mapping{.source = member.key, .targets = {}, .place = member.place.text()};
    if (member.value.is(Kind::array)) {
      mapping.targets = read_list<MappingTarget>(reading, member.value, path, read_target);
    } else if (member.value.is(Kind::map)) {
      if (auto one = read_target(reading, member.value, path)) mapping.targets.push_back(std::move(*one));
    } else if (auto destination = as_text(reading, member.value, "a mapping's target")) {
      mapping.targets.emplace_back().destination = std::move(*destination);
    }
    out.push_back(std::move(mapping));
  }
  return out;
}

}  // namespace hawser::config
