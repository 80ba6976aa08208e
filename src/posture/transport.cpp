#include <algorithm>

#include "posture/rules.hpp"
#include "posture/setting_text.hpp"

namespace hawser::posture::rules {
namespace {

constexpr std::size_t kMaxServers = 256;
constexpr std::string_view kDefaultServer = "nats://127.0.0.1:4222";  // as NATS clients have it

// The servers by kind, printable, and the settings that name them.
struct Servers {
  std::vector<std::string> plaintext;
  std::vector<std::string> plaintext_sources;
  std::size_t secure = 0;
  bool failed = false;   // an element could not be read
  bool unknown = false;  // a URL comes from elsewhere
};

void add_once(std::vector<std::string>& items, const std::string& item) {
  if (std::ranges::find(items, item) == items.end()) {
    items.push_back(item);
  }
}

void read_setting(const Setting<Secret>& setting, Decision& decision, Servers& servers) {
  const std::vector<std::string_view> parts = split_server_list(setting.value.reveal());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (decision.servers.size() >= kMaxServers) {
      servers.failed = true;
      add(decision, Errc::url_malformed, Severity::error, "there are more than 256 server URLs", {setting.origin});
      return;
    }
    Result<ServerUrl> url = parse_server_url(parts[i]);
    if (!url) {
      servers.failed = true;
      const std::string which =
          parts.size() == 1 ? "the URL" : "URL " + std::to_string(i + 1) + " of " + std::to_string(parts.size());
      add(decision, Errc::url_malformed, Severity::error, which + " cannot be read: " + url.error().doing,
          {setting.origin});
      continue;
    }
    if (url->secure()) {
      ++servers.secure;
    } else {
      add_once(servers.plaintext, url->printable());
      add_once(servers.plaintext_sources, setting.origin);
    }
    decision.servers.push_back(std::move(*url));
  }
}

void assume_default(const Case& c, Decision& decision, Servers& servers) {
  if (c.production()) {
    servers.failed = true;
    add(decision, Errc::url_missing, Severity::error, "no server URL is set", {});
    return;
  }
  add(decision, Errc::url_missing, Severity::note, "no server URL is set; " + std::string(kDefaultServer) + " is used",
      {});
  decision.servers.push_back(parse_server_url(kDefaultServer).value());
  servers.plaintext.emplace_back(kDefaultServer);
}

Servers read_servers(const Case& c, Decision& decision) {
  Servers servers;
  for (const Setting<Secret>& setting : c.settings.urls) {
    if (setting.known) {
      read_setting(setting, decision, servers);
    } else {
      servers.unknown = true;
      add(decision, Errc::setting_unknown_here, Severity::warning,
          "the server URL is not known here, so its transport cannot be checked", {setting.origin});
    }
  }
  if (decision.servers.empty() && !servers.failed && !servers.unknown) {
    assume_default(c, decision, servers);
  }
  return servers;
}

std::string override_owner(const BreakGlass& glass) {
  std::string text;
  if (!glass.owner.empty()) {
    text += ", owned by " + quoted(glass.owner);
  }
  if (glass.until) {
    text += ", until " + to_rfc3339(*glass.until);
  }
  return text;
}

// Plaintext in production. True if the override allows it.
bool break_glass(const Case& c, Decision& decision, const Servers& servers) {
  const Settings& s = c.settings;
  std::vector<std::string> sources = servers.plaintext_sources;
  const std::string verb = servers.plaintext.size() == 1 ? " is" : " are";
  if (!s.allow_plaintext || !s.allow_plaintext->known || !s.allow_plaintext->value) {
    add(decision, Errc::plaintext_in_production, Severity::error,
        list(servers.plaintext) + verb + " plaintext, and the environment is production", std::move(sources));
    return false;
  }
  sources.push_back(s.allow_plaintext->origin);
  BreakGlass glass{
      .active = true,
      .owner = s.plaintext_owner ? s.plaintext_owner->value : "",
      .until = s.plaintext_until && s.plaintext_until->known ? std::optional(s.plaintext_until->value) : std::nullopt};
  if (glass.until && *glass.until <= c.now) {
    sources.push_back(s.plaintext_until->origin);
    add(decision, Errc::break_glass_expired, Severity::error,
        list(servers.plaintext) + verb + " plaintext in production, and the override for it has ended at " +
            to_rfc3339(*glass.until),
        std::move(sources));
    return false;
  }
  add(decision, Errc::break_glass_active, Severity::warning,
      list(servers.plaintext) + verb + " plaintext in production, by an override" + override_owner(glass), sources);
  if (!s.plaintext_owner || !s.plaintext_until) {
    const std::string missing = s.plaintext_owner ? "no end (HAWSER_PLAINTEXT_UNTIL)"
                                : s.plaintext_until
                                    ? "no owner (HAWSER_PLAINTEXT_OWNER)"
                                    : "neither owner (HAWSER_PLAINTEXT_OWNER) nor end (HAWSER_PLAINTEXT_UNTIL)";
    add(decision, Errc::break_glass_unattributed, c.purpose == Purpose::check ? Severity::error : Severity::warning,
        "the override for plaintext in production has " + missing, {s.allow_plaintext->origin});
  }
  decision.break_glass = std::move(glass);
  return true;
}

bool mixed_is_allowed(const Case& c, Decision& decision, const Servers& servers) {
  if (servers.secure == 0 || servers.plaintext.empty()) {
    return true;
  }
  add(decision, Errc::transport_mixed, c.production() ? Severity::error : Severity::warning,
      "the server list mixes TLS with plaintext: " + list(servers.plaintext) +
          (c.production() ? "" : "; a session that was once on TLS does not go there without it"),
      servers.plaintext_sources);
  return !c.production();
}

}  // namespace

void decide_transport(const Case& c, Decision& decision) {
  const Servers servers = read_servers(c, decision);
  bool allowed = !servers.failed;
  if (c.production() && !servers.plaintext.empty()) {
    allowed = break_glass(c, decision, servers) && allowed;
  } else if (c.production() && c.settings.allow_plaintext && c.settings.allow_plaintext->known &&
             c.settings.allow_plaintext->value && !servers.unknown && !servers.failed) {
    add(decision, Errc::break_glass_unneeded, Severity::note,
        "plaintext is allowed in production, and no server needs it", {c.settings.allow_plaintext->origin});
  }
  allowed = mixed_is_allowed(c, decision, servers) && allowed;
  // Of a URL that is not known here only this is certain: production will refuse it unless it is TLS.
  const bool tls = servers.plaintext.empty() && (servers.secure > 0 || c.production());
  decision.transport = !allowed ? Transport::refused : tls ? Transport::tls : Transport::plaintext;
}

}  // namespace hawser::posture::rules
