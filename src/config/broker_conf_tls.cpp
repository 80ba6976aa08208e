// The `tls` block of a broker's configuration.
#include <algorithm>
#include <fmt/format.h>

#include "base/quantity.hpp"
#include "broker/tls_policy.hpp"
#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using broker::HandshakeFirst;
using broker::TlsSettings;

// Suites that Go still offers beside better ones, and that are not offered here: with CBC.
bool is_dated(std::string_view suite) { return suite.starts_with("TLS_ECDHE_") && suite.ends_with("_CBC_SHA"); }

class TlsReader {
 public:
  TlsReader(BrokerDraft& draft, const ConfMember& tls) : reading_(draft.reading), block_(reading_, tls.value, "tls") {}

  TlsSettings read() {
    files();
    verification();
    versions_and_names();
    pins();
    handshake_first();
    limits();
    refused();
    block_.finish({{"ocsp_peer", "OCSP is not asked; list what is revoked in a CRL: crl_file."},
                   {"ca", "It is called ca_file."},
                   {"cert", "It is called cert_file."},
                   {"key", "It is called key_file."}});
    complete();
    return std::move(out_);
  }

 private:
  void bad(const ConfNode& at, Errc code, std::string message, std::string hint = {}) {
    reading_.mistake(code, at.place, std::move(message), std::move(hint));
  }

  void files() {
    out_.source.cert_file = block_.text({"cert_file"}).value_or("");
    out_.source.key_file = block_.text({"key_file"}).value_or("");
    out_.source.ca_file = block_.text({"ca_file"}).value_or("");
    out_.source.crl_file = block_.text({"crl_file"}).value_or("");
    const ConfMember* pairs = block_.member({"certs", "certificates"});
    if (pairs == nullptr) return;
    if (!pairs->value.is(Kind::array) || pairs->value.items.size() != 1) {
      return bad(pairs->value, Errc::broker_needs_nats_server, "tls.certs with other than one certificate",
                 "One certificate is shown to all clients: cert_file and key_file.");
    }
    ConfBlock pair(reading_, pairs->value.items.front(), "tls.certs");
    const std::string cert = pair.text({"cert_file"}).value_or("");
    const std::string key = pair.text({"key_file"}).value_or("");
    pair.finish();
    if (!out_.source.cert_file.empty())
      return bad(pairs->value, Errc::config_conflict, "cannot combine 'cert_file' option with 'certs' option");
    out_.source.cert_file = cert;
    out_.source.key_file = key;
  }

  void verification() {
    const ConfMember* verify = block_.member({"verify"});
    if (verify != nullptr) out_.verify = as_boolean(reading_, verify->value, "tls.verify").value_or(false);
    if (const ConfMember* misspelt = block_.member({"client_auth"})) {
      const bool on = as_boolean(reading_, misspelt->value, "tls.client_auth").value_or(false);
      if (verify != nullptr && out_.verify != on)
        bad(misspelt->value, Errc::config_conflict, "tls.client_auth and tls.verify contradict each other");
      out_.verify = out_.verify || on;
      reading_.notice(Errc::broker_misspelt, Notice::Severity::warning, misspelt->place,
                      "nats-server does not know \"client_auth\" in tls", fmt::format("verify: {}", on));
    }
    out_.verify_and_map = block_.boolean({"verify_and_map"}).value_or(false);
    out_.verify = out_.verify || out_.verify_and_map;
    if (block_.boolean({"verify_cert_and_check_known_urls"}).value_or(false))
      bad(*block_.node().find("verify_cert_and_check_known_urls"), Errc::config_bad_value,
          "verify_cert_and_check_known_urls not supported in this context", "It is for routes and gateways.");
    if (block_.boolean({"recheck"}) == false) out_.recheck = false;
    if (block_.boolean({"insecure"}).value_or(false))
      reading_.notice(Errc::broker_ignored_setting, Notice::Severity::note, block_.member({"insecure"})->place,
                      "tls.insecure is for connections that a server makes; the broker makes none");
  }

  void versions_and_names() {
    if (const ConfMember* version = block_.member({"min_version"})) min_version(version->value);
    out_.cipher_suites = names({"cipher_suites"}, &TlsSettings::cipher_suites);
    out_.curve_preferences = names({"curve_preferences"}, &TlsSettings::curve_preferences);
    if (block_.boolean({"allow_insecure_cipher_suites"}).value_or(false))
      reading_.notice(Errc::broker_ignored_setting, Notice::Severity::note,
                      block_.member({"allow_insecure_cipher_suites"})->place,
                      "insecure cipher suites are never offered");
  }

  void min_version(const ConfNode& value) {
    if (value.is(Kind::real) && !reading_.yaml)
      reading_.notice(Errc::broker_misspelt, Notice::Severity::warning, value.place,
                      "nats-server wants tls.min_version in quotes", fmt::format("min_version: \"{}\"", value.text));
    if (value.text == "1.2") return;
    if (value.text == "1.3") {
      out_.min_version = tls::Version::tls13;
      return;
    }
    bad(value, Errc::broker_bad_tls_option, fmt::format("unsupported TLS version: {}", shown(value.text)),
        "tls.min_version is \"1.2\" or \"1.3\".");
  }

  // Names of a list that the broker knows; the others are told, and dated suites dropped.
  std::vector<std::string> names(Names key, std::vector<std::string> TlsSettings::*list) {
    std::vector<std::string> out;
    const ConfMember* found = block_.member(key);
    if (found == nullptr) return out;
    if (!found->value.is(Kind::array) || found->value.items.empty()) {
      bad(found->value, Errc::config_bad_value,
          fmt::format("tls.{} must be a list, and not an empty one", *key.begin()));
      return out;
    }
    std::size_t dropped = 0;
    for (const ConfNode& item : found->value.items) {
      auto name = as_text(reading_, item, fmt::format("an item of tls.{}", *key.begin()));
      if (!name) continue;
      if (is_dated(*name)) {
        ++dropped;
        reading_.notice(Errc::broker_ignored_setting, Notice::Severity::note, item.place,
                        fmt::format("{} is not offered: CBC is dated", *name));
        continue;
      }
      out.push_back(std::move(*name));
    }
    judge(*found, out, list, dropped);
    return out;
  }

  // Each by itself, so that each mistake has its place, and then together.
  void judge(const ConfMember& found, const std::vector<std::string>& all, std::vector<std::string> TlsSettings::*list,
             std::size_t dropped) {
    const auto translated = [list](std::vector<std::string> some) {
      TlsSettings settings;
      settings.*list = std::move(some);
      return broker::translate_names(settings);
    };
    bool each = true;
    for (const ConfNode& item : found.value.items) {
      const bool kept = std::find(all.begin(), all.end(), item.text) != all.end();
      const auto one = kept ? translated({item.text, std::string(kept_beside(list))}) : broker::TlsNames{};
      if (!one) bad(item, one.error().code, "tls." + one.error().doing);
      each = each && one.has_value();
    }
    if (!each) return;
    if (all.empty() && dropped > 0)
      return bad(found.value, Errc::broker_bad_tls_option,
                 fmt::format("tls.{} names nothing that is offered", found.key));
    if (const auto together = translated(all); !together)
      bad(found.value, together.error().code, "tls." + together.error().doing);
  }

  // A name that is good in each list, so that one that is merely not available does not stand alone.
  static std::string_view kept_beside(std::vector<std::string> TlsSettings::*list) {
    return list == &TlsSettings::cipher_suites ? "TLS_AES_128_GCM_SHA256" : "X25519";
  }

  void pins() {
    const ConfMember* found = block_.member({"pinned_certs"});
    if (found == nullptr) return;
    if (!found->value.is(Kind::array))
      return bad(found->value, Errc::config_bad_value, "tls.pinned_certs must be a list of SHA-256 fingerprints");
    if (found->value.items.empty())
      reading_.notice(Errc::broker_unsafe_setting, Notice::Severity::warning, found->place,
                      "an empty list of tls.pinned_certs pins nothing: every trusted certificate is let in");
    for (const ConfNode& item : found->value.items) {
      const auto pin = as_text(reading_, item, "an item of tls.pinned_certs");
      if (!pin) continue;
      const std::string lowered = lower(*pin);
      constexpr std::size_t kHexDigits = 64;
      if (lowered.size() != kHexDigits || lowered.find_first_not_of("0123456789abcdef") != std::string::npos) {
        bad(item, Errc::config_bad_value,
            "an item of tls.pinned_certs does not look like hex-encoded sha256 of DER encoded SubjectPublicKeyInfo",
            "`hawser pki inspect` prints it as spki_sha256.");
        continue;
      }
      out_.pinned_certs.insert(lowered);
    }
  }

  void handshake_first() {
    const ConfMember* found = block_.member({"handshake_first", "first", "immediate"});
    if (found == nullptr) return;
    const ConfNode& value = found->value;
    if (value.is(Kind::boolean)) {
      out_.handshake_first = value.boolean ? HandshakeFirst::always : HandshakeFirst::off;
      return;
    }
    const bool readable = value.is(Kind::string) || (reading_.yaml && value.is(Kind::integer));
    if (readable && (same_letters(value.text, "true") || same_letters(value.text, "on"))) {
      out_.handshake_first = HandshakeFirst::always;
    } else if (readable && (same_letters(value.text, "false") || same_letters(value.text, "off"))) {
      out_.handshake_first = HandshakeFirst::off;
    } else if (readable && (same_letters(value.text, "auto") || same_letters(value.text, "auto_fallback"))) {
      out_.handshake_first = HandshakeFirst::fallback;
    } else if (const auto wait = parse_duration(readable ? value.text : ""); wait) {
      out_.handshake_first = HandshakeFirst::fallback;
      out_.handshake_fallback = *wait;
    } else {
      bad(value, Errc::config_bad_value,
          "tls.handshake_first must be true, false, \"auto\" or a duration like \"300ms\"");
    }
  }

  void limits() {
    constexpr std::int64_t kMostTickets = 8;
    constexpr std::int64_t kMostRate = 1'000'000;
    if (const auto timeout = block_.duration({"timeout"}, ConfBlock::DurationKind::seconds_or_text);
        timeout && *timeout > Duration::zero())
      out_.timeout = *timeout;
    if (const auto rate = block_.integer({"connection_rate_limit"}, 0, kMostRate))
      out_.connection_rate_limit = static_cast<std::uint32_t>(*rate);
    if (const auto tickets = block_.integer({"tickets"}, 0, kMostTickets))
      out_.tickets = static_cast<std::uint32_t>(*tickets);
  }

  void refused() {
    const auto absent = [this](std::string_view key, std::string_view why) {
      const ConfMember* found = block_.member({key});
      if (found == nullptr || (found->value.is(Kind::boolean) && !found->value.boolean)) return;
      reading_.mistake(Errc::broker_needs_nats_server, found->place, fmt::format("tls.{}: {}", key, why));
    };
    absent("ocsp_peer", "OCSP is not asked; list what is revoked in a CRL: crl_file");
    for (const std::string_view key :
         {"cert_store", "cert_match_by", "cert_match", "ca_certs_match", "cert_match_skip_invalid"})
      absent(key, "the certificate stores of Windows");
  }

  // What a server needs. OpenSSL has no "system roots" for clients that anybody would mean.
  void complete() {
    if (!block_.node().is(Kind::map)) return;
    const tls::Source& source = out_.source;
    const auto missing = [this](std::string_view key, std::string_view why) {
      const ConfNode* given = block_.node().find(key);
      if (given != nullptr && !given->is(Kind::string)) return;  // that was told
      bad(block_.node(), Errc::broker_tls_incomplete, fmt::format("missing '{}' in TLS configuration: {}", key, why));
    };
    if (source.cert_file.empty()) missing("cert_file", "a server shows a certificate");
    if (source.key_file.empty()) missing("key_file", "a certificate needs its key");
    if (out_.verify && source.ca_file.empty())
      missing("ca_file", "verify is on, and nothing says which CA client certificates are from");
    if (!source.crl_file.empty() && source.ca_file.empty()) missing("ca_file", "a CRL is one of a CA");
    if (!out_.pinned_certs.empty() && !out_.verify)
      reading_.notice(Errc::broker_unsafe_setting, Notice::Severity::warning, block_.member({"pinned_certs"})->place,
                      "tls.pinned_certs without verify: no client is asked for its certificate, none is let in",
                      "verify: true");
  }

  ConfReading& reading_;
  ConfBlock block_;
  TlsSettings out_;
};

}  // namespace

void read_tls(BrokerDraft& draft, const ConfMember& tls) { draft.settings.tls = TlsReader(draft, tls).read(); }

}  // namespace hawser::config
