#include "config/rotation_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "config/letters.hpp"
#include "config/rotation_credentials.hpp"
#include "config/rotation_parts.hpp"
#include "config/yaml_block.hpp"
#include "config/yaml_tree.hpp"
#include "tls/openssl.hpp"

namespace hawser::config {

namespace {

using namespace rotation;
using namespace std::chrono_literals;

// Reads one plan, top down: a function a block.
class PlanReader {
 public:
  PlanReader(Schema& schema, Plan& out)
      : schema_(schema), out_(out), parts_(schema, out), credentials_(schema, parts_, out) {}

  void read(const YamlNode& root);

 private:
  void read_authorities(Block& top, const YamlNode& root);
  void read_prober(Block prober, const YamlNode& node);
  void read_brokers(Block& top, const YamlNode& root);
  Broker read_broker(Block& block, const YamlNode& item);
  void read_waves(Block& top, const YamlNode& root);
  Wave read_wave(Block& block, const YamlNode& item);
  void read_after(Block& block, Wave& wave);
  void read_times(Block times);
  void read_guards(Block guards);
  void read_budgets(Block& guards, std::string_view key, std::vector<CounterBudget>& out);
  void check_undo();
  void check_written();
  [[nodiscard]] bool comes_after(std::size_t wave, std::size_t earlier) const;

  Schema& schema_;
  Plan& out_;
  RotationParts parts_;
  CredentialParts credentials_;
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kBrokerAdvice{{
    {"bundle", "a plan of kind: ca has it; with kind: credentials it is broaden and narrow"},
    {"broaden", "a plan of kind: credentials has it"},
    {"narrow", "a plan of kind: credentials has it"},
}};

void PlanReader::read(const YamlNode& root) {
  constexpr std::array<std::pair<std::string_view, OnBreach>, 2> kOnBreach{
      {{"stop", OnBreach::stop}, {"rollback", OnBreach::roll_wave_back}}};
  constexpr std::array<std::pair<std::string_view, PlanKind>, 2> kKinds{
      {{"ca", PlanKind::ca}, {"credentials", PlanKind::credentials}}};
  Block top(schema_, &root, "");
  top.choice<PlanKind>("kind", out_.kind, kKinds);
  parts_.name(top, root, out_.name);
  parts_.needed_path(top, root, "journal", out_.journal);
  out_.kind == PlanKind::ca ? read_authorities(top, root) : credentials_.retires(top, out_.retires);
  if (const YamlNode* prober = top.value("prober")) {
    read_prober(Block(schema_, prober, "prober"), *prober);
  } else {
    parts_.missing(top, root, "prober");
  }
  read_brokers(top, root);
  read_waves(top, root);
  read_times(top.block("times"));
  read_guards(top.block("guards"));
  top.choice<OnBreach>("on_breach", out_.on_breach, kOnBreach);
  check_undo();
  check_written();
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kAdvice{{
      {"targets", "targets stand in a wave: waves: [{name: …, targets: […]}]"},
      {"bundle", "each broker has its own: brokers: [{…, bundle: …}]"},
      {"ca", "name both: old_ca and new_ca"},
      {"old_ca", "a plan of kind: ca has it"},
      {"new_ca", "a plan of kind: ca has it"},
      {"also_new", "a plan of kind: ca has it; others' credentials may stay as they are"},
      {"retires", "a plan of kind: credentials has it"},
  }};
  top.finish(kAdvice);
}

void PlanReader::read_authorities(Block& top, const YamlNode& root) {
  parts_.needed_path(top, root, "old_ca", out_.old_ca);
  parts_.needed_path(top, root, "new_ca", out_.new_ca);
  for (const YamlNode* item : parts_.list(top, "also_new", 1000)) {
    if (const auto path = parts_.item_path(top, "also_new", *item)) out_.also_new.emplace_back(*path);
  }
}

void PlanReader::read_prober(Block prober, const YamlNode& node) {
  if (out_.kind == PlanKind::credentials) {
    credentials_.prober(prober, node, out_.prober);
    return prober.finish();
  }
  const auto pair = [&](std::string_view key, Pair& out) {
    const YamlNode* below = prober.value(key);
    if (below == nullptr) return parts_.missing(prober, node, key);
    Block block(schema_, below, prober.full(key));
    parts_.needed_path(block, *below, "cert_file", out.cert);
    parts_.needed_path(block, *below, "key_file", out.key);
    block.finish();
  };
  pair("old", out_.prober.old_pair);
  pair("new", out_.prober.new_pair);
  parts_.needed_path(prober, node, "ca_file", out_.prober.trust);
  prober.finish();
}

void PlanReader::read_brokers(Block& top, const YamlNode& root) {
  const std::vector<const YamlNode*> items = parts_.needed_list(top, root, "brokers", kMostBrokers);
  for (std::size_t i = 0; i < items.size(); ++i) {
    Block block(schema_, items[i], fmt::format("brokers[{}]", i));
    out_.brokers.push_back(read_broker(block, *items[i]));
    block.finish(kBrokerAdvice);
  }
  if (out_.kind == PlanKind::credentials && !items.empty()) credentials_.check_narrowed(*top.value("brokers"));
}

Broker PlanReader::read_broker(Block& block, const YamlNode& item) {
  Broker out;
  parts_.unique_name(block, item, out.name, "broker");
  parts_.needed_endpoint(block, item, "url", EndpointUse::nats, out.clients);
  parts_.needed_endpoint(block, item, "monitor", EndpointUse::http, out.monitor);
  if (const YamlNode* node = block.scalar("server_name")) out.server_name = trimmed(node->text);
  block.boolean("tls_first", out.tls_first);
  if (out_.kind == PlanKind::credentials) {
    credentials_.broker(block, item, out);
    return out;
  }
  parts_.needed_path(block, item, "bundle", out.bundle);
  out.reload = parts_.trigger(block, "reload");
  if (!block.has("reload")) parts_.missing(block, item, "reload");
  return out;
}

void PlanReader::read_waves(Block& top, const YamlNode& root) {
  std::size_t targets = 0;
  const std::vector<const YamlNode*> items = parts_.needed_list(top, root, "waves", kMostWaves);
  for (std::size_t i = 0; i < items.size(); ++i) {
    Block block(schema_, items[i], fmt::format("waves[{}]", i));
    Wave wave = read_wave(block, *items[i]);
    targets += wave.targets.size();
    out_.waves.push_back(std::move(wave));
    block.finish();
  }
  if (targets > kMostTargets) top.bad("waves", *top.value("waves"), fmt::format("have over {} targets", kMostTargets));
}

Wave PlanReader::read_wave(Block& block, const YamlNode& item) {
  Wave wave;
  parts_.unique_name(block, item, wave.name, "wave");
  read_after(block, wave);
  std::uint64_t parallel = wave.parallel;
  block.number("parallel", parallel, 1, kMostParallel);
  wave.parallel = static_cast<std::uint32_t>(parallel);
  block.duration("settle", wave.settle, 0ns, 1h);
  const std::vector<const YamlNode*> items = parts_.needed_list(block, item, "targets", kMostTargets);
  for (std::size_t i = 0; i < items.size(); ++i) {
    Block target(schema_, items[i], fmt::format("{}[{}]", block.full("targets"), i));
    wave.targets.push_back(parts_.target(target, *items[i]));
    target.finish();
  }
  return wave;
}

// Without the key: after the wave before it.
void PlanReader::read_after(Block& block, Wave& wave) {
  if (!block.has("after")) {
    static_cast<void>(block.value("after"));
    if (!out_.waves.empty()) wave.after.push_back(out_.waves.size() - 1);
    return;
  }
  for (const YamlNode* item : parts_.list(block, "after", kMostWaves)) {
    const std::string_view name = trimmed(item->text);
    const auto found =
        std::find_if(out_.waves.begin(), out_.waves.end(), [name](const Wave& w) { return w.name == name; });
    if (!item->is(YamlNode::Kind::scalar) || found == out_.waves.end()) {
      block.bad("after", *item, "must name waves that stand above it");
      continue;
    }
    wave.after.push_back(static_cast<std::size_t>(found - out_.waves.begin()));
  }
}

void PlanReader::read_times(Block times) {
  StepTimes& out = out_.times;
  times.duration("preflight", out.preflight, 1s, 1h);
  times.duration("reload", out.reload, 100ms, 1h);
  times.duration("probe", out.probe, 100ms, 1h);
  times.duration("deliver", out.deliver, 100ms, 24h);
  times.duration("apply", out.apply, 100ms, 24h);
  times.duration("prove", out.prove, 100ms, 24h);
  times.duration("converge", out.converge, 100ms, 24h);
  times.duration("poll", out.poll, 20ms, 1min);
  times.duration("sample", out.sample, 100ms, 1min);
  times.duration("margin", out.margin, 0s, 24h * 365);
  times.finish();
}

void PlanReader::read_guards(Block guards) {
  if (guards.has("slow_consumers")) {
    std::uint64_t most = 0;
    guards.number("slow_consumers", most, 0, 1'000'000'000);
    out_.guards.slow_consumers = most;
  } else {
    static_cast<void>(guards.value("slow_consumers"));
  }
  read_budgets(guards, "counters", out_.guards.counters);
  read_budgets(guards, "at_most", out_.guards.gauges);
  if (const YamlNode* flow = guards.scalar("flow")) {
    const std::string_view text = trimmed(flow->text);
    double share = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), share);
    if (failed != std::errc() || end != text.data() + text.size() || !(share > 0 && share <= 1)) {
      guards.bad("flow", *flow, "must be a share over 0 and at most 1, for example 0.5");
    }
    out_.guards.flow = share;
  }
  guards.finish();
}

void PlanReader::read_budgets(Block& guards, std::string_view key, std::vector<CounterBudget>& out) {
  const YamlNode* node = guards.value(key);
  Block block(schema_, node, guards.full(key));
  if (node == nullptr || !node->is(YamlNode::Kind::map)) return;
  for (const YamlMember& member : node->members) {
    CounterBudget budget{.metric = member.key, .at_most = 0};
    if (!RotationParts::is_metric(member.key) || out.size() >= 100) {
      block.bad(member.key, member.value, "is not the name of a counter or gauge (or is one too many)");
    }
    block.number(member.key, budget.at_most, 0, 1'000'000'000'000ULL);
    out.push_back(std::move(budget));
  }
}

// What is to be rolled back without asking must be able to.
void PlanReader::check_undo() {
  if (out_.on_breach != OnBreach::roll_wave_back) return;
  for (const auto& [name, place] : parts_.without_undo()) {
    schema_.mistake(
        Errc::config_missing, place,
        fmt::format("the target {} is delivered by a command and needs an undo, since on_breach is rollback", name));
  }
}

bool PlanReader::comes_after(std::size_t wave, std::size_t earlier) const {
  std::vector<bool> seen(out_.waves.size(), false);
  std::vector<std::size_t> ahead{wave};
  while (!ahead.empty()) {
    const std::size_t one = ahead.back();
    ahead.pop_back();
    for (const std::size_t before : out_.waves[one].after) {
      if (before == earlier) return true;
      if (!seen[before]) ahead.push_back(before);
      seen[before] = true;
    }
  }
  return false;
}

// A file may be written again by a wave that comes after the first one, and by the broker's narrowing over its
// broadening, so that it is clear which one was last.
void PlanReader::check_written() {
  using Written = RotationParts::Written;
  std::map<std::string, const Written*, std::less<>> last;
  for (const Written& one : parts_.written()) {
    const auto [found, fresh] = last.try_emplace(one.path, &one);
    const Written& before = *found->second;
    const bool delivered = one.part == "deliver" && before.part == "deliver";
    const bool narrows = one.whose == before.whose && before.part == "broaden" && one.part == "narrow";
    if (!fresh && !(delivered ? comes_after(one.wave, before.wave) : narrows))
      schema_.mistake(Errc::config_conflict, one.place,
                      fmt::format("{} is written twice{}", one.path,
                                  delivered ? ", by waves that do not come after each other" : ""));
    found->second = &one;
  }
}

}  // namespace

RotationPlanResult parse_rotation_plan(std::string_view text, const std::filesystem::path& path) {
  Schema schema{path.parent_path(), {}, {}};
  Plan out;
  out.file = path;
  out.digest = tls::sha256_hex(text);
  Result<std::vector<YamlDocument>> documents = parse_yaml(text, path.string());
  if (!documents) {
    // The text already begins with the place.
    return std::unexpected(std::vector<Mistake>{{documents.error().code, {}, documents.error().doing, {}}});
  }
  if (documents->empty()) {
    return std::unexpected(std::vector<Mistake>{{Errc::config_missing, {}, path.string() + " is empty", {}}});
  }
  if (documents->size() > 1) {
    schema.mistake(Errc::config_syntax, (*documents)[1].root.place, "a second YAML document in the file");
  }
  const YamlDocument& document = documents->front();
  for (const DuplicateKey& twice : document.duplicates) {
    schema.mistake(Errc::config_duplicate_key, twice.second,
                   fmt::format("the key \"{}\" stands twice, first in line {}", twice.path, twice.first.line));
  }
  PlanReader(schema, out).read(document.root);
  if (!schema.mistakes.empty()) {
    std::sort(schema.mistakes.begin(), schema.mistakes.end(), [](const Mistake& a, const Mistake& b) {
      return std::tie(a.place.line, a.place.column, a.message) < std::tie(b.place.line, b.place.column, b.message);
    });
    return std::unexpected(std::move(schema.mistakes));
  }
  return out;
}

Result<rotation::Plan> load_rotation_plan(const std::filesystem::path& path) {
  const Result<std::string> text = read_file(path, limits::kConfigFileBytes);
  if (!text) return std::unexpected(text.error());
  RotationPlanResult parsed = parse_rotation_plan(*text, path);
  if (!parsed) return fail(Errc::rotation_plan_invalid, as_error(parsed.error()).doing);
  return std::move(*parsed);
}

}  // namespace hawser::config
