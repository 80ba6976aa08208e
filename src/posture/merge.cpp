#include <iterator>

#include "posture/server_url.hpp"
#include "posture/settings.hpp"

namespace hawser::posture {
namespace {

bool same(const Secret& a, const Secret& b) { return equal_in_constant_time(a, b); }
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}

class Merge {
 public:
  Merge(Settings& over, Settings& under, Layering layering) : over_(over), under_(under), layering_(layering) {}

  template <class T>
  void take(OptionalSetting<T> Settings::* member) {
    OptionalSetting<T>& over = over_.*member;
    OptionalSetting<T>& under = under_.*member;
    if (over && under && !(over->known && under->known && same(over->value, under->value))) {
      clash(over->origin, under->origin);
    }
    if (!over) {
      over = std::move(under);
    }
  }

  // A secret by value or as a file: one setting in two forms.
  void take(OptionalSetting<Secret> Settings::* value, OptionalSetting<std::string> Settings::* file) {
    const bool over_has_it = (over_.*value) || (over_.*file);
    if (!over_has_it || (over_.*value && under_.*value && !(under_.*file)) ||
        (over_.*file && under_.*file && !(under_.*value))) {
      take(value);
      take(file);
      return;
    }
    if ((under_.*value) || (under_.*file)) {
      clash(over_.*value ? (over_.*value)->origin : (over_.*file)->origin,
            under_.*value ? (under_.*value)->origin : (under_.*file)->origin);
    }
  }

  void take_urls() {
    if (over_.urls.empty()) {
      over_.urls = std::move(under_.urls);
      return;
    }
    if (!under_.urls.empty() && !same_servers()) {
      clash(over_.urls.front().origin, under_.urls.front().origin);
    }
  }

 private:
  void clash(const std::string& over, const std::string& under) {
    if (layering_ == Layering::report_clashes) {
      over_.findings.push_back(make_finding(Errc::setting_clash, Severity::warning,
                                            over + " and " + under + " differ; the first of them counts",
                                            {over, under}));
    }
  }

  static std::vector<std::string_view> servers_of(const Settings& settings) {
    std::vector<std::string_view> all;
    for (const Setting<Secret>& setting : settings.urls) {
      const std::vector<std::string_view> some = split_server_list(setting.value.reveal());
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  [[nodiscard]] bool same_servers() const {
    for (const Settings* settings : {&over_, &under_}) {
      for (const Setting<Secret>& setting : settings->urls) {
        if (!setting.known) {
          return false;
        }
      }
    }
    return servers_of(over_) == servers_of(under_);
  }

  Settings& over_;
  Settings& under_;
  Layering layering_;
};

void drop_credentials(Settings& settings) {
  settings.username.reset();
  settings.password.reset();
  settings.password_file.reset();
  settings.token.reset();
  settings.token_file.reset();
  settings.nkey.reset();
  settings.nkey_file.reset();
  settings.creds.reset();
}

}  // namespace

Settings merge(Settings over, Settings under, Layering layering) {
  if (layering == Layering::deliberate && over.has_credentials()) {
    drop_credentials(under);
  }
  Merge merge(over, under, layering);
  merge.take_urls();
  merge.take(&Settings::environment);
  merge.take(&Settings::tls_ca);
  merge.take(&Settings::tls_cert);
  merge.take(&Settings::tls_key);
  merge.take(&Settings::tls_crl);
  merge.take(&Settings::tls_server_name);
  merge.take(&Settings::tls_insecure);
  merge.take(&Settings::tls_handshake_first);
  merge.take(&Settings::tls_min_version);
  merge.take(&Settings::username);
  merge.take(&Settings::password, &Settings::password_file);
  merge.take(&Settings::token, &Settings::token_file);
  merge.take(&Settings::nkey, &Settings::nkey_file);
  merge.take(&Settings::creds);
  merge.take(&Settings::auth_policy);
  merge.take(&Settings::auth_mode);
  merge.take(&Settings::allow_plaintext);
  merge.take(&Settings::plaintext_owner);
  merge.take(&Settings::plaintext_until);
  over.findings.insert(over.findings.end(), std::make_move_iterator(under.findings.begin()),
                       std::make_move_iterator(under.findings.end()));
  return over;
}

}  // namespace hawser::posture
