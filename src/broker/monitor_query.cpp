#include "broker/monitor_query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

struct SortName {
  std::string_view text;
  ConnzSort sort;
};
constexpr std::array kSorts{
    SortName{"", ConnzSort::cid},
    SortName{"cid", ConnzSort::cid},
    SortName{"start", ConnzSort::start},
    SortName{"subs", ConnzSort::subs},
    SortName{"pending", ConnzSort::pending},
    SortName{"msgs_to", ConnzSort::msgs_to},
    SortName{"msgs_from", ConnzSort::msgs_from},
    SortName{"bytes_to", ConnzSort::bytes_to},
    SortName{"bytes_from", ConnzSort::bytes_from},
    SortName{"last", ConnzSort::last},
    SortName{"idle", ConnzSort::idle},
    SortName{"uptime", ConnzSort::uptime},
    SortName{"stop", ConnzSort::stop},
    SortName{"reason", ConnzSort::reason},
    SortName{"rtt", ConnzSort::rtt},
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// Reads one query after the other; the first mistake is the one that is told.
class Fields {
 public:
  explicit Fields(const admin::Query& query) : query_(query) {}

  bool boolean(std::string_view key) {
    constexpr std::array kTrue{"1", "t", "T", "TRUE", "true", "True"};
    constexpr std::array kFalse{"", "0", "f", "F", "FALSE", "false", "False"};
    const std::string_view text = query_.value(key);
    if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) {
      return true;
    }
    if (std::find(kFalse.begin(), kFalse.end(), text) == kFalse.end()) {
      fail("boolean", key, "ParseBool", text, "invalid syntax");
    }
    return false;
  }

  template <class Number>
  Number number(std::string_view key, std::string_view kind, std::string_view function) {
    std::string_view text = query_.value(key);
    Number value = 0;
    if (text.empty()) {
      return value;
    }
    const bool plus = text.front() == '+' && std::is_signed_v<Number> && text.size() > 1 && text[1] != '-';
    const std::string_view digits = text.substr(plus ? 1 : 0);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed == std::errc::result_out_of_range) {
      fail(kind, key, function, text, "value out of range");
    } else if (failed != std::errc() || end != digits.data() + digits.size()) {
      fail(kind, key, function, text, "invalid syntax");
    }
    return value;
  }
  // Below zero counts as not given, as everywhere in nats-server.
  std::size_t count(std::string_view key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, number<std::int64_t>(key, "int", "Atoi")));
  }

  std::string text(std::string_view key) const { return std::string(query_.value(key)); }

  void note(std::string error) {
    if (error_.empty()) {
      error_ = std::move(error);
    }
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void fail(std::string_view kind, std::string_view key, std::string_view function, std::string_view text,
            std::string_view why) {
    note(fmt::format("Error decoding {} for '{}': strconv.{}: parsing \"{}\": {}", kind, key, function, text, why));
  }

  const admin::Query& query_;
  std::string error_;
};

ConnzState state_of(Fields& fields) {
  const std::string text = fields.text("state");
  const std::string state = lower(text);
  if (state == "closed") {
    return ConnzState::closed;
  }
  if (state == "any" || state == "all") {
    return ConnzState::all;
  }
  if (!state.empty() && state != "open") {
    fields.note("Error decoding state for " + text);
  }
  return ConnzState::open;
}

}  // namespace

Parsed<ConnzSort> connz_sort(std::string_view text) {
  const auto* const found =
      std::find_if(kSorts.begin(), kSorts.end(), [text](const SortName& name) { return name.text == text; });
  if (found == kSorts.end()) {
    return std::unexpected(fmt::format("invalid sorting option: {}", text));
  }
  return found->sort;
}

Parsed<ConnzQuery> checked(ConnzQuery query) {
  constexpr std::size_t kDefaultLimit = 1024;
  if (query.sort == ConnzSort::stop && query.state != ConnzState::closed) {
    return std::unexpected("sort by stop only valid on closed connections");
  }
  if (query.sort == ConnzSort::reason && query.state != ConnzState::closed) {
    return std::unexpected("sort by reason only valid on closed connections");
  }
  if (query.filter_subject == ">") {
    query.filter_subject.clear();
  }
  if (!query.filter_subject.empty() && query.account.empty()) {
    return std::unexpected("filter by subject only valid with account filtering");
  }
  query.limit = query.cid > 0 ? 1 : query.limit == 0 ? kDefaultLimit : query.limit;
  return query;
}

Parsed<ConnzQuery> connz_query(const admin::Query& query) {
  Fields fields(query);
  ConnzQuery asked;
  asked.auth = fields.boolean("auth");
  asked.subscriptions_detail = lower(query.value("subs")) == "detail";
  asked.subscriptions = !asked.subscriptions_detail && fields.boolean("subs");
  asked.offset = fields.count("offset");
  asked.limit = fields.count("limit");
  asked.cid = fields.number<std::uint64_t>("cid", "uint64", "ParseUint");
  asked.state = state_of(fields);
  asked.user = fields.text("user");
  asked.account = fields.text("acc");
  asked.filter_subject = fields.text("filter_subject");
  asked.mqtt_client = fields.text("mqtt_client");
  if (!fields.error().empty()) {
    return std::unexpected(fields.error());
  }
  const Parsed<ConnzSort> sort = connz_sort(query.value("sort"));
  if (!sort) {
    return std::unexpected(sort.error());
  }
  asked.sort = *sort;
  return checked(std::move(asked));
}

Parsed<SubszQuery> checked(SubszQuery query) {
  constexpr std::size_t kDefaultLimit = 1024;
  if (!query.test.empty() && !wire::valid_publish_subject(query.test)) {
    return std::unexpected("invalid test subject, must be valid publish subject: " + query.test);
  }
  query.limit = query.limit == 0 ? kDefaultLimit : query.limit;
  return query;
}

Parsed<SubszQuery> subsz_query(const admin::Query& query) {
  Fields fields(query);
  SubszQuery asked;
  asked.subscriptions = fields.boolean("subs");
  asked.offset = fields.count("offset");
  asked.limit = fields.count("limit");
  asked.test = fields.text("test");
  asked.account = fields.text("acc");
  if (!fields.error().empty()) {
    return std::unexpected(fields.error());
  }
  return checked(std::move(asked));
}

Parsed<AccstatzQuery> accstatz_query(const admin::Query& query) {
  Fields fields(query);
  AccstatzQuery asked;
  asked.unused = fields.boolean("unused");
  if (!fields.error().empty()) {
    return std::unexpected(fields.error());
  }
  return asked;
}

}  // namespace hawser::broker
