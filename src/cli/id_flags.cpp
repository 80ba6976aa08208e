#include "cli/id_flags.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/quantity.hpp"
#include "identity/policy_expiry.hpp"
#include "wire/subject.hpp"

namespace hawser::cli {
namespace {

Result<identity::DailyTimes> daily_times(const std::string& text) {
  // "08:00:00-18:00:00"; seconds may be left out
  const std::size_t hyphen = text.find('-');
  if (hyphen == std::string::npos) {
    return fail(Errc::bad_usage, "--time " + text + ": write it as 08:00-18:00");
  }
  const auto whole = [](const std::string& part) { return part.size() == 5 ? part + ":00" : part; };
  return identity::DailyTimes{.start = whole(text.substr(0, hyphen)), .end = whole(text.substr(hyphen + 1))};
}

Result<void> change_responses(identity::ClaimPermissions& permissions, const LimitFlags& flags) {
  if (flags.responses == "none") {
    permissions.responses.reset();
    return {};
  }
  if (flags.responses.empty() && flags.response_ttl.empty()) {
    return {};
  }
  identity::ResponseRule rule = permissions.responses.value_or(identity::ResponseRule{});
  if (auto done = take_limit(flags.responses, "--allow-pub-response", LimitUnit::count, rule.max); !done) {
    return done;
  }
  if (!flags.response_ttl.empty()) {
    const auto ttl = parse_duration(flags.response_ttl);
    if (!ttl) {
      return fail(Errc::bad_quantity, "--response-ttl " + flags.response_ttl);
    }
    rule.expires = *ttl;
  }
  permissions.responses = rule;
  return {};
}

// Servers pass over a subject that is none, also where it should be denied.
Result<void> good_subjects(const LimitFlags& flags) {
  for (const Words* list : {&flags.allow_pub, &flags.allow_sub, &flags.allow_pubsub, &flags.deny_pub, &flags.deny_sub,
                            &flags.deny_pubsub}) {
    for (const std::string& entry : *list) {
      if (auto good = good_subject(std::string_view(entry).substr(0, entry.find(' '))); !good) {  // "subject queue"
        return good;
      }
    }
  }
  return {};
}

void change_subjects(identity::ClaimPermissions& permissions, const LimitFlags& flags) {
  auto& [publish, subscribe, responses] = permissions;
  add_to(publish.allow, flags.allow_pub);
  add_to(publish.allow, flags.allow_pubsub);
  add_to(publish.deny, flags.deny_pub);
  add_to(publish.deny, flags.deny_pubsub);
  add_to(subscribe.allow, flags.allow_sub);
  add_to(subscribe.allow, flags.allow_pubsub);
  add_to(subscribe.deny, flags.deny_sub);
  add_to(subscribe.deny, flags.deny_pubsub);
  for (Words* list : {&publish.allow, &publish.deny, &subscribe.allow, &subscribe.deny}) {
    take_from(*list, flags.rm);
  }
}

}  // namespace

bool LimitFlags::any() const {
  const auto given = [](const auto&... list) { return (... || !list.empty()); };
  return given(allow_pub, allow_sub, allow_pubsub, deny_pub, deny_sub, deny_pubsub, rm, responses, response_ttl,
               sources, rm_sources, times, connection_types, location, subscriptions, payload, data, bearer);
}

CLI::Option* add_words(CLI::App& command, const char* name, Words& into, const char* help, const char* type) {
  return command.add_option(name, into, help)->delimiter(',')->allow_extra_args(false)->type_name(type);
}

void add_limit_flags(CLI::App& command, LimitFlags& flags) {
  const std::string group = "Permissions and limits";
  const auto words = [&](const char* name, Words& into, const char* help, const char* type) {
    add_words(command, name, into, help, type)->group(group);
  };
  const auto text = [&](const char* name, std::string& into, const char* help, const char* type) {
    return command.add_option(name, into, help)->group(group)->type_name(type);
  };
  words("--allow-pub", flags.allow_pub, "May publish to these subjects; commas between them, or repeat the flag",
        "SUBJECT");
  words("--allow-sub", flags.allow_sub, "May subscribe to these; \"subject queue\" for a queue group", "SUBJECT");
  words("--allow-pubsub", flags.allow_pubsub, "May do both", "SUBJECT");
  words("--deny-pub", flags.deny_pub, "May not publish to these, whatever is allowed", "SUBJECT");
  words("--deny-sub", flags.deny_sub, "May not subscribe to these", "SUBJECT");
  words("--deny-pubsub", flags.deny_pubsub, "May do neither", "SUBJECT");
  words("--rm", flags.rm, "Take these subjects out of all four lists", "SUBJECT");
  text("--allow-pub-response", flags.responses,
       "May answer requests: so many times each (1), unlimited; none: no longer", "N")
      ->expected(0, 1)
      ->default_str("1");
  text("--response-ttl", flags.response_ttl, "For how long a request may be answered", "DURATION");
  words("--source-network", flags.sources, "May connect from these networks only", "CIDR");
  words("--rm-source-network", flags.rm_sources, "Take these networks out", "CIDR");
  words("--time", flags.times, "May be connected at these times of the day: 08:00-18:00; none: always", "SPAN");
  text("--locale", flags.location, "Where it is that time: Europe/Zurich", "ZONE");
  words("--conn-type", flags.connection_types, "STANDARD, WEBSOCKET, LEAFNODE, MQTT …; any: all of them", "TYPE");
  text("--subs", flags.subscriptions, "At most so many subscriptions; -1: any number", "N");
  text("--payload", flags.payload, "At most so many bytes a message: 64KB; -1: any number", "SIZE");
  text("--data", flags.data, "At most so many bytes in all (no server enforces it)", "SIZE");
  text("--bearer", flags.bearer, "The token alone is enough, no seed needed: true or false", "BOOL")
      ->expected(0, 1)
      ->default_str("true");
}

Result<void> change(identity::UserLimits& limits, const LimitFlags& flags) {
  if (auto good = good_subjects(flags); !good) {
    return good;
  }
  change_subjects(limits.permissions, flags);
  if (auto done = change_responses(limits.permissions, flags); !done) {
    return done;
  }
  add_to(limits.sources, flags.sources);
  take_from(limits.sources, flags.rm_sources);
  if (!flags.times.empty()) {
    limits.times.clear();
    for (const std::string& text : flags.times == Words{"none"} ? Words{} : flags.times) {
      auto span = daily_times(text);
      if (!span) {
        return std::unexpected(std::move(span.error()));
      }
      limits.times.push_back(std::move(*span));
    }
  }
  if (!flags.location.empty()) {
    limits.times_location = flags.location;
  }
  if (!flags.connection_types.empty()) {
    limits.allowed_connection_types = flags.connection_types == Words{"any"} ? Words{} : flags.connection_types;
  }
  for (const auto& [text, name, unit, into] :
       {std::tuple{&flags.subscriptions, "--subs", LimitUnit::count, &limits.subscriptions},
        std::tuple{&flags.payload, "--payload", LimitUnit::bytes, &limits.payload},
        std::tuple{&flags.data, "--data", LimitUnit::bytes, &limits.data}}) {
    if (auto done = take_limit(*text, name, unit, *into); !done) {
      return done;
    }
  }
  return take_boolean(flags.bearer, "--bearer", limits.bearer);
}

void add_common_flags(CLI::App& command, CommonFlags& flags) {
  command.add_option("--expires,--expiry", flags.expires, "When it ends: 30d, 2027-01-01, an RFC 3339 time, or never")
      ->type_name("TIME");
  command.add_option("--start", flags.start, "From when it is valid, likewise")->type_name("TIME");
  add_words(command, "--tag", flags.tags, "Labels, such as region:eu; templates of roles refer to them", "TAG");
  add_words(command, "--rm-tag", flags.rm_tags, "Take labels off", "TAG");
}

Result<void> change(identity::CommonClaims& claims, const CommonFlags& flags, std::chrono::sys_seconds now) {
  for (const auto& [text, name, into] : {std::tuple{&flags.expires, "--expires", &claims.expires},
                                         std::tuple{&flags.start, "--start", &claims.not_before}}) {
    if (text->empty()) {
      continue;
    }
    const auto expiry = identity::parse_expiry(*text);
    if (!expiry) {
      return fail(Errc::bad_quantity, fmt::format("{}: {}", name, expiry.error().doing));
    }
    *into = expiry->from(now);
  }
  if (!flags.expires.empty() && claims.expires && *claims.expires <= now) {
    return fail(Errc::bad_usage, "--expires " + flags.expires + " is in the past");
  }
  Words tags = flags.tags;
  for (std::string& tag : tags) {
    std::transform(tag.begin(), tag.end(), tag.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  add_to(claims.tags, tags);
  take_from(claims.tags, flags.rm_tags);
  return {};
}

Result<void> take_limit(const std::string& text, std::string_view flag, LimitUnit unit, std::int64_t& into) {
  if (text.empty()) {
    return {};
  }
  if (text == "-1" || text == "unlimited") {
    into = identity::kNoLimit;
    return {};
  }
  if (unit == LimitUnit::bytes) {
    const auto size = parse_size(text);
    if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return fail(Errc::bad_quantity, fmt::format("{} {}", flag, text));
    }
    into = static_cast<std::int64_t>(*size);
    return {};
  }
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size() || number < 0) {
    return fail(Errc::bad_usage, fmt::format("{} {}: a whole number, or -1 for no limit", flag, text));
  }
  into = number;
  return {};
}

Result<void> take_boolean(const std::string& text, std::string_view flag, bool& into) {
  if (text.empty() || text == "true" || text == "false") {
    into = text.empty() ? into : text == "true";
    return {};
  }
  return fail(Errc::bad_usage, fmt::format("{} {}: true or false", flag, text));
}

Result<void> good_subject(std::string_view subject) {
  const auto fault = wire::subscribe_fault(subject);
  return fault == wire::SubjectFault::none ? Result<void>() : std::unexpected(wire::bad_subject(subject, fault));
}

void add_to(Words& list, const Words& more) {
  for (const std::string& one : more) {
    if (std::find(list.begin(), list.end(), one) == list.end()) {
      list.push_back(one);
    }
  }
}

void take_from(Words& list, const Words& fewer) {
  std::erase_if(list,
                [&](const std::string& one) { return std::find(fewer.begin(), fewer.end(), one) != fewer.end(); });
}

}  // namespace hawser::cli
