// OpenSSL 3.0 calls engines deprecated, but Debian 12 has no PKCS#11 provider.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/pkcs11.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <mutex>
#include <openssl/engine.h>
#include <openssl/ui.h>
#include <string_view>

#include "tls/material.hpp"

namespace hawser::tls {
namespace {

// Without a PIN in the URI the engine would ask on the terminal: a daemon has none. This method answers nothing.
UI_METHOD* silent_ui() {
  static UI_METHOD* const method = UI_create_method("hawser asks nobody");
  UI_method_set_reader(method, [](UI*, UI_STRING*) { return -1; });
  return method;
}

struct TokenUri {
  std::string uri;     // what the engine understands
  std::string module;  // RFC 7512's module-path, which it does not; empty: p11-kit's choice
};

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

TokenUri split_module(const std::string& uri) {
  constexpr std::string_view kName = "module-path=";
  const std::size_t query = uri.find('?');
  const std::size_t name = query == std::string::npos ? query : uri.find(kName, query);
  if (name == std::string::npos || (uri[name - 1] != '?' && uri[name - 1] != '&')) {
    return {uri, {}};
  }
  const std::size_t value = name + kName.size();
  const std::size_t end = std::min(uri.find('&', value), uri.size());
  TokenUri split{uri, percent_decoded(std::string_view(uri).substr(value, end - value))};
  // With the separator: the one after it, or else the one before it.
  const bool last = end == uri.size();
  split.uri.erase(last ? name - 1 : name, last ? std::string::npos : end + 1 - name);
  return split;
}

ENGINE* start_engine(const std::string& module) {
  OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, nullptr);
  ENGINE* engine = ENGINE_by_id("pkcs11");
  if (engine == nullptr) {
    return nullptr;
  }
  ENGINE_ctrl_cmd_string(engine, "QUIET", nullptr, 0);  // it would print the URI, PIN and all, to standard error
  const bool module_known = module.empty() || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module.c_str(), 0) == 1;
  if (!module_known || ENGINE_init(engine) != 1) {
    ENGINE_free(engine);
    return nullptr;
  }
  ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, silent_ui(), nullptr, 0);
  return engine;  // for the life of the process: keys refer to it
}

}  // namespace

Result<Owned<EVP_PKEY>> load_token_key(const std::string& uri) {
  static std::mutex mutex;  // the engine opens its session at the first key
  static ENGINE* engine = nullptr;
  static std::string module;
  const TokenUri token = split_module(uri);
  const std::scoped_lock lock(mutex);
  ERR_clear_error();
  if (engine == nullptr) {
    engine = start_engine(token.module);  // tried again at each use until it is there
    module = token.module;
  }
  if (engine == nullptr) {
    return fail(Errc::tls_token_failed,
                fmt::format("{}: the engine pkcs11 cannot be loaded: {}", without_pin(uri), take_openssl_reason()));
  }
  if (!token.module.empty() && token.module != module) {
    return fail(Errc::tls_token_failed,
                fmt::format("{}: this process uses the module \"{}\" already", without_pin(uri), module));
  }
  Owned<EVP_PKEY> key(ENGINE_load_private_key(engine, token.uri.c_str(), silent_ui(), nullptr));
  if (key == nullptr) {
    return fail(Errc::tls_token_failed, fmt::format("{}: {}", without_pin(uri), take_openssl_reason()));
  }
  ERR_clear_error();
  return key;
}

}  // namespace hawser::tls
