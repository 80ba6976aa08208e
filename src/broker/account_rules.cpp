#include "broker/account_rules.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "broker/account_cycles.hpp"
#include "routing/subject_overlap.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {

using routing::SubjectTransform;
using Use = SubjectTransform::Use;

namespace {

constexpr std::string_view kInvalidSubject = "invalid subject";
constexpr std::string_view kCycle = "import forms a cycle";
constexpr std::string_view kTooDeep = "search cycle depth exhausted";

// "foo.*.*" -> "foo.$1.$2", so that a pattern can be a destination.
std::string numbered(std::string_view pattern) {
  std::string text;
  int wildcards = 0;
  for (bool more = true; more;) {
    const std::size_t dot = pattern.find('.');
    const std::string_view token = pattern.substr(0, dot);
    more = dot != std::string_view::npos;
    pattern.remove_prefix(more ? dot + 1 : pattern.size());
    text += token == "*" ? "$" + std::to_string(++wildcards) : std::string(token);
    text += more ? "." : "";
  }
  return text;
}

std::string_view token_of(std::string_view subject, std::uint32_t position) {
  for (; position > 1 && !subject.empty(); --position) {
    const std::size_t dot = subject.find('.');
    subject.remove_prefix(dot == std::string_view::npos ? subject.size() : dot + 1);
  }
  return subject.substr(0, subject.find('.'));
}

bool allows(const Export& export_, std::string_view importer, const Import& import) {
  if (export_.account_token_position != 0) {
    return token_of(import.subject, export_.account_token_position) == importer;
  }
  return !export_.accounts || import.activated ||
         std::ranges::find(*export_.accounts, importer) != export_.accounts->end();
}

// The export that decides about an import, if it allows it. The narrowest ones that cover it do, all of them; of the
// same subject twice, one is enough.
const Export* allowing(const Account& exporter, std::string_view importer, const Import& import) {
  std::vector<const Export*> covering;
  for (const Export& one : exporter.exports) {
    if (one.kind == import.kind && wire::is_subset(import.subject, one.subject)) {
      covering.push_back(&one);
    }
  }
  const Export* allowed = nullptr;
  for (const Export* one : covering) {
    const auto same_or_narrower = [&](const Export* other, bool same) {
      return (other->subject == one->subject) == same && wire::is_subset(other->subject, one->subject);
    };
    if (std::ranges::any_of(covering, [&](const Export* other) { return same_or_narrower(other, false); })) {
      continue;
    }
    const bool may = std::ranges::any_of(covering, [&](const Export* other) {
      return same_or_narrower(other, true) && allows(*other, importer, import);
    });
    if (!may) {
      return nullptr;
    }
    if (allowed == nullptr || (allowed->subject == one->subject && allows(*one, importer, import))) {
      allowed = one;
    }
  }
  return allowed;
}

std::string_view renamed(const std::optional<SubjectTransform>& there, std::string_view at, std::string_view to,
                         std::string_view subject, std::string& scratch) {
  if (there) {
    scratch.clear();
    there->append(scratch, subject);
    return scratch;
  }
  return at == to ? subject : to;
}

}  // namespace

std::optional<std::string> StreamImport::listen_for(std::string_view subscribed) const {
  auto common = routing::overlap(subscribed, to);
  if (!common) {
    return common;
  }
  return back ? back->apply(*common) : from == to ? std::move(*common) : from;
}

std::string_view StreamImport::heard_as(std::string_view published, std::string& scratch) const {
  return renamed(there, from, to, published, scratch);
}

bool StreamImport::operator==(const StreamImport& other) const {
  return exporter == other.exporter && from == other.from && to == other.to &&
         (there ? there->destination() : to) == (other.there ? other.there->destination() : other.to);
}

std::string_view ServiceImport::asked_as(std::string_view published, std::string& scratch) const {
  return renamed(there, from, to, published, scratch);
}

bool ServiceImport::operator==(const ServiceImport& other) const {
  return importer == other.importer && exporter == other.exporter && from == other.from && to == other.to &&
         (there ? there->destination() : to) == (other.there ? other.there->destination() : other.to) &&
         share == other.share && exported == other.exported && response == other.response &&
         response_threshold == other.response_threshold;
}

const AccountRules& AccountRuleSet::of(std::string_view account) const {
  static const AccountRules kNone;
  const auto at = accounts_.find(account);
  return at == accounts_.end() ? kNone : at->second;
}

// Goes through the accounts in the order of the configuration: exports, then streams, then services, then mappings.
class AccountCompiler {
 public:
  AccountCompiler(const std::vector<Account>& accounts, std::vector<Error>& mistakes)
      : accounts_(accounts), mistakes_(mistakes) {
    for (const Account& account : accounts) {
      by_name_.emplace(account.name, &account);
    }
  }

  AccountRuleSetPtr compile() {
    for (const Account& account : accounts_) {
      AccountRules& rules = rules_->accounts_[account.name];
      rules.max_connections = account.max_connections;
      rules.max_subscriptions = account.max_subscriptions;
      rules.max_payload = account.max_payload;
      for (const Export& one : account.exports) {
        check(one);
      }
    }
    for (const ExportKind kind : {ExportKind::stream, ExportKind::service}) {
      for (const Account& account : accounts_) {
        for (const Import& import : account.imports) {
          if (import.kind == kind) {
            add(account, import);
          }
        }
      }
    }
    for (const Account& account : accounts_) {
      for (const Mapping& mapping : account.mappings) {
        add(account, mapping);
      }
    }
    return std::move(rules_);
  }

 private:
  void bad(const std::string& place, std::string text) {
    mistakes_.push_back({Errc::broker_bad_account, place.empty() ? std::move(text) : place + ": " + std::move(text)});
  }
  void bad_import(const Import& import, std::string_view reason) {
    bad(import.place, fmt::format("Error adding {} import \"{}\": {}", name(import.kind), import.subject, reason));
  }
  static std::string_view name(ExportKind kind) { return kind == ExportKind::stream ? "stream" : "service"; }
  const Account* find(std::string_view account) const {
    const auto at = by_name_.find(account);
    return at == by_name_.end() ? nullptr : at->second;
  }

  void check(const Export& one) {
    const auto bad_export = [&](std::string_view reason) {
      bad(one.place, fmt::format("Error adding {} export \"{}\": {}", name(one.kind), one.subject, reason));
    };
    if (!wire::valid_subscribe_subject(one.subject)) {
      return bad_export(kInvalidSubject);
    }
    if (one.account_token_position != 0 && token_of(one.subject, one.account_token_position) != "*") {
      bad_export(kInvalidSubject);
    }
    if (one.kind == ExportKind::service && one.response_threshold <= Duration::zero()) {
      bad_export("the response threshold is not above zero");
    }
    for (const std::string& account : one.accounts.value_or(std::vector<std::string>())) {
      if (find(account) == nullptr) {
        bad(one.place, fmt::format("\"{}\" account not defined for {} export", account, name(one.kind)));
      }
    }
  }

  void add(const Account& importer, const Import& import) {
    const Account* exporter = find(import.account);
    if (exporter == nullptr) {
      return bad(import.place,
                 fmt::format("\"{}\" account not defined for {} import", import.account, name(import.kind)));
    }
    if (!wire::valid_subscribe_subject(import.subject)) {
      return bad_import(import, kInvalidSubject);
    }
    const Export* allowed = allowing(*exporter, importer.name, import);
    if (allowed == nullptr) {
      return bad_import(import, fmt::format("{} import not authorized", name(import.kind)));
    }
    if (import.kind == ExportKind::stream) {
      add_stream(importer, import);
    } else {
      add_service(importer, import, *allowed);
    }
  }

  void add_stream(const Account& importer, const Import& import) {
    if (wire::has_wildcard(import.prefix)) {
      return bad_import(import, "stream import prefix can not contain wildcard tokens");
    }
    std::string to = import.to.empty() ? import.subject : import.to;
    if (!import.prefix.empty()) {
      to = import.prefix + (import.prefix.ends_with('.') ? "" : ".") + import.subject;
    }
    auto made = std::make_shared<StreamImport>();
    made->exporter = import.account;
    made->from = import.subject;
    made->to = to;
    if (wire::has_wildcard(import.subject) && to != import.subject) {
      auto there = SubjectTransform::make(import.subject, numbered(to), Use::reversible);
      auto back = there ? there->reverse() : there;
      if (!back) {
        return bad_import(import, back.error().doing);
      }
      made->to = there->destination_pattern();
      made->there = std::move(*there);
      made->back = std::move(*back);
    } else if (to != import.subject && !wire::valid_publish_subject(to)) {
      return bad_import(import, kInvalidSubject);
    }
    AccountRules& rules = rules_->accounts_[importer.name];
    if (std::ranges::any_of(rules.streams, [&](const StreamImportPtr& other) {
          return other->exporter == made->exporter && other->from == made->from;
        })) {
      return bad_import(import, "stream import already exists");
    }
    streams_.add(made->exporter, made->from, importer.name, made->to, made->there ? &*made->there : nullptr);
    rules.streams.push_back(std::move(made));
    if (refuse_cycle(import, streams_.follow(importer.name, rules.streams.back()->to))) {
      streams_.take_back(rules.streams.back()->exporter);
      rules.streams.pop_back();
    }
  }

  void add_service(const Account& importer, const Import& import, const Export& allowed) {
    auto made = std::make_shared<ServiceImport>();
    made->importer = importer.name;
    made->exporter = import.account;
    made->from = import.to.empty() ? import.subject : import.to;
    made->to = import.subject;
    made->share = import.share;
    made->exported = allowed.subject;
    made->response = allowed.response;
    made->response_threshold = allowed.response_threshold;
    if (wire::has_wildcard(made->to) && made->from != made->to) {
      auto other_way = SubjectTransform::make(made->to, numbered(made->from), Use::reversible);
      auto there = other_way ? other_way->reverse() : other_way;
      if (!there) {
        return bad_import(import, there.error().doing);
      }
      made->from = other_way->destination_pattern();
      made->there = std::move(*there);
    } else if (!wire::valid_subscribe_subject(made->from)) {
      return bad_import(import, kInvalidSubject);
    }
    AccountRules& rules = rules_->accounts_[importer.name];
    const auto twin = std::ranges::find_if(rules.services, [&](const ServiceImportPtr& other) {
      return other->exporter == made->exporter && other->from == made->from;
    });
    if (twin != rules.services.end()) {
      return bad_import(import, fmt::format("duplicate service import subject \"{}\", previously used in import for "
                                            "account \"{}\", subject \"{}\"",
                                            made->from, (*twin)->exporter, (*twin)->to));
    }
    services_.add(importer.name, made->from, made->exporter, made->to, made->there ? &*made->there : nullptr);
    rules.responds = true;
    rules_->accounts_[made->exporter].responds = true;
    rules.services.push_back(std::move(made));
    if (refuse_cycle(import, services_.follow(importer.name, rules.services.back()->from))) {
      services_.take_back(importer.name);
      rules.services.pop_back();
    }
  }

  bool refuse_cycle(const Import& import, AccountFlows::Verdict verdict) {
    if (verdict == AccountFlows::Verdict::ends) {
      return false;
    }
    bad_import(import, verdict == AccountFlows::Verdict::cycle ? kCycle : kTooDeep);
    return true;
  }

  void add(const Account& account, const Mapping& mapping) {
    std::vector<routing::WeightedMapping::Target> targets;
    for (const MappingTarget& target : mapping.targets) {
      targets.push_back({target.destination, target.weight, target.cluster});
    }
    auto made = routing::WeightedMapping::make(mapping.source, targets);
    if (!made) {
      return bad(mapping.place, fmt::format("Error adding mapping for \"{}\": {}", mapping.source, made.error().doing));
    }
    rules_->accounts_[account.name].mappings.add(std::move(*made));
  }

  const std::vector<Account>& accounts_;
  std::map<std::string_view, const Account*> by_name_;  // the first of each name
  std::vector<Error>& mistakes_;
  std::shared_ptr<AccountRuleSet> rules_ = std::make_shared<AccountRuleSet>();
  AccountFlows streams_;
  AccountFlows services_;
};

AccountRuleSetPtr compile_accounts(const std::vector<Account>& accounts, std::vector<Error>& mistakes) {
  const std::size_t before = mistakes.size();
  AccountRuleSetPtr rules = compile_what_fits(accounts, mistakes);
  return mistakes.size() == before ? rules : nullptr;
}

AccountRuleSetPtr compile_what_fits(const std::vector<Account>& accounts, std::vector<Error>& mistakes) {
  return AccountCompiler(accounts, mistakes).compile();
}

}  // namespace hawser::broker
