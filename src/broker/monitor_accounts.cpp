// /accountz, /accstatz and /subsz: what goes on in the accounts.
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "broker/monitor_text.hpp"
#include "broker/monitor_views.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;

// Beyond these the test of a subject against subscriptions stops counting.
constexpr std::size_t kMostTested = 100'000;

json::object head_of(MonitorSource& source) {
  return {{"server_id", source.identity().id}, {"now", rfc3339_nano(wall_now())}};
}

void put_sublist(json::object& out, const SublistFacts& sublist) {
  out["num_subscriptions"] = sublist.subscriptions;
  out["num_cache"] = sublist.cache;
  out["num_inserts"] = sublist.inserts;
  out["num_removes"] = sublist.removes;
  out["num_matches"] = sublist.matches;
  out["cache_hit_rate"] =
      sublist.matches == 0 ? 0.0 : static_cast<double>(sublist.cache_hits) / static_cast<double>(sublist.matches);
  out["max_fanout"] = sublist.max_fanout;
  out["avg_fanout"] = sublist.avg_fanout;
}

SublistFacts sum_of(std::vector<AccountFacts> accounts, std::string_view account) {
  std::erase_if(accounts, [account](const AccountFacts& each) { return !account.empty() && each.name != account; });
  return with_sums({}, accounts).sublist;
}

json::object entry_of(const SubscriptionFacts& subscription) {
  json::object out;
  if (!subscription.account.empty()) {
    out["account"] = subscription.account;
  }
  out["subject"] = subscription.subject;
  if (!subscription.queue.empty()) {
    out["qgroup"] = subscription.queue;
  }
  out["sid"] = subscription.sid;
  out["msgs"] = subscription.delivered;
  if (subscription.max > 0) {
    out["max"] = subscription.max;
  }
  out["cid"] = subscription.cid;
  return out;
}

std::string_view name_of(ResponseType type) {
  switch (type) {
    case ResponseType::singleton: return "Singleton";
    case ResponseType::stream: return "Streamed";
    case ResponseType::chunked: return "Chunked";
  }
  return "";
}

json::array exports_of(const Account& account) {
  json::array out;
  for (const ExportKind kind : {ExportKind::service, ExportKind::stream}) {
    for (const Export& each : account.exports) {
      if (each.kind != kind) {
        continue;
      }
      json::object entry{{"subject", each.subject}, {"type", kind == ExportKind::service ? "service" : "stream"}};
      if (kind == ExportKind::service) {
        entry["response_type"] = name_of(each.response);
      }
      if (each.accounts && !each.accounts->empty()) {
        entry["approved_accounts"] = json::value_from(*each.accounts);
      }
      out.push_back(std::move(entry));
    }
  }
  return out;
}

json::array imports_of(const Account& account) {
  json::array out;
  for (const ExportKind kind : {ExportKind::stream, ExportKind::service}) {
    for (const Import& each : account.imports) {
      if (each.kind != kind) {
        continue;
      }
      const std::string own = each.to.empty() ? each.subject : each.to;
      json::object entry;
      if (kind == ExportKind::stream) {
        entry = {{"subject", each.subject}, {"account", each.account}};
        entry["local_subject"] = each.prefix.empty() ? own : each.prefix + "." + each.subject;
        entry["type"] = "stream";
      } else {  // as nats-server tells it: what the importer asks first
        entry = {{"subject", own}, {"account", each.account}, {"to", each.subject}, {"type", "service"}};
      }
      entry["invalid"] = false;
      entry["share"] = each.share;
      entry["tracking"] = false;
      out.push_back(std::move(entry));
    }
  }
  return out;
}

json::object mappings_of(const Account& account) {
  json::object out;
  for (const Mapping& mapping : account.mappings) {
    json::array targets;
    for (const MappingTarget& target : mapping.targets) {
      json::object entry{{"subject", target.destination}, {"weight", target.weight}};
      if (!target.cluster.empty()) {
        entry["cluster"] = target.cluster;
      }
      targets.push_back(std::move(entry));
    }
    out[mapping.source] = std::move(targets);
  }
  return out;
}

json::object detail_of(const AccountFacts& facts, const Account* configured, const Settings& settings,
                       WallTime loaded) {
  json::object out{{"account_name", facts.name}, {"update_time", rfc3339_nano(loaded)}};
  if (facts.name == settings.system_account) {
    out["is_system"] = true;
  }
  out["expired"] = false;
  out["complete"] = true;
  out["jetstream_enabled"] = false;
  out["leafnode_connections"] = 0;
  out["client_connections"] = facts.connections;
  out["subscriptions"] = facts.sublist.subscriptions;
  if (configured != nullptr) {
    const auto put = [&out](const char* key, auto list) {
      if (!list.empty()) {
        out[key] = std::move(list);
      }
    };
    put("mappings", mappings_of(*configured));
    put("exports", exports_of(*configured));
    put("imports", imports_of(*configured));
  }
  json::object sublist;
  put_sublist(sublist, facts.sublist);
  out["sublist_stats"] = std::move(sublist);
  return out;
}

template <class Named>
const Named* named(const std::vector<Named>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [name](const Named& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

json::object statistics_of(const AccountFacts& facts) {
  const auto flow = [](std::uint64_t msgs, std::uint64_t bytes) {
    return json::object{{"msgs", msgs}, {"bytes", bytes}};
  };
  json::object out{{"acc", facts.name}, {"conns", facts.connections}, {"leafnodes", 0}};
  out["total_conns"] = facts.total_connections;
  out["sent"] = flow(facts.traffic.out_msgs, facts.traffic.out_bytes);
  out["received"] = flow(facts.traffic.in_msgs, facts.traffic.in_bytes);
  out["slow_consumers"] = facts.slow_consumers;
  out["num_subscriptions"] = facts.sublist.subscriptions;  // 2.10
  return out;
}

}  // namespace

std::string MonitorViews::subsz(const SubszQuery& query, Form form) {
  const SublistFacts sublist = sum_of(source_.accounts(), query.account);
  std::vector<SubscriptionFacts> all;
  if (query.subscriptions) {
    const std::size_t page = std::min(query.offset, kMostTested) + std::min(query.limit, kMostTested);
    all = source_.subscriptions(
        {.account = query.account, .test = query.test, .most = query.test.empty() ? page : kMostTested});
  }
  const std::size_t first = std::min(query.offset, all.size());
  const std::size_t shown = std::min(query.limit, all.size() - first);
  if (shown == 0 && form == Form::pretty) {  // over HTTP nats-server tells the numbers alone
    json::object out;
    put_sublist(out, sublist);
    return json_text(out, form);
  }
  json::object head = head_of(source_);
  put_sublist(head, sublist);
  head["total"] = query.test.empty() ? std::max<std::size_t>(sublist.subscriptions, all.size()) : all.size();
  head["offset"] = query.offset;
  head["limit"] = query.limit;
  if (shown == 0) {
    return json_text(head, form);
  }
  Document document(form, head, "subscriptions_list");
  for (std::size_t i = first; i < first + shown && document.add(entry_of(all[i])); ++i) {
  }
  return std::move(document).finish();
}

Parsed<std::string> MonitorViews::accountz(std::string_view account, Form form) {
  const std::shared_ptr<const Settings> settings = source_.settings();
  const std::vector<AccountFacts> accounts = source_.accounts();
  json::object out = head_of(source_);
  if (!settings->system_account.empty()) {
    out["system_account"] = settings->system_account;
  }
  if (account.empty()) {
    json::array names;
    for (const AccountFacts& each : accounts) {
      names.push_back(json::string(each.name));
    }
    out["accounts"] = std::move(names);
    return json_text(out, form);
  }
  const AccountFacts* facts = named(accounts, account);
  if (facts == nullptr) {
    return std::unexpected(fmt::format("Account {} does not exist", account));
  }
  const auto all = source_.configured_accounts();
  out["account_detail"] = detail_of(*facts, named(*all, account), *settings, source_.identity().config_loaded);
  return json_text(out, form);
}

Parsed<std::string> MonitorViews::account_info(std::string_view account, Form form) {
  const std::shared_ptr<const Settings> settings = source_.settings();
  const std::vector<AccountFacts> accounts = source_.accounts();
  const AccountFacts* facts = named(accounts, account);
  if (facts == nullptr) {
    return std::unexpected(fmt::format("Account {} does not exist", account));
  }
  const auto all = source_.configured_accounts();
  const Account* configured = named(*all, account);
  return json_text(detail_of(*facts, configured, *settings, source_.identity().config_loaded), form);
}

std::string MonitorViews::accstatz(const AccstatzQuery& query, Form form) {
  Document document(form, head_of(source_), "account_statz");
  for (const AccountFacts& each : source_.accounts()) {
    const bool asked = query.accounts.empty() ||
                       std::find(query.accounts.begin(), query.accounts.end(), each.name) != query.accounts.end();
    if (asked && (query.unused || each.connections > 0) && !document.add(statistics_of(each))) {
      break;
    }
  }
  return std::move(document).finish();
}

}  // namespace hawser::broker
