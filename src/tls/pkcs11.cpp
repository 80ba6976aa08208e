// OpenSSL 3.0 calls engines deprecated, but Debian 12 has no PKCS#11 provider.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/pkcs11.hpp"

#include <fmt/format.h>
#include <mutex>
#include <openssl/engine.h>
#include <openssl/ui.h>

#include "tls/material.hpp"

namespace hawser::tls {
namespace {

// Without a PIN in the URI the engine would ask on the terminal: a daemon has none. This method answers nothing.
UI_METHOD* silent_ui() {
  static UI_METHOD* const method = UI_create_method("hawser asks nobody");
  UI_method_set_reader(method, [](UI*, UI_STRING*) { return -1; });
  return method;
}

ENGINE* start_engine() {
  OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, nullptr);
  ENGINE* engine = ENGINE_by_id("pkcs11");
  if (engine == nullptr) {
    return nullptr;
  }
  if (ENGINE_init(engine) != 1) {
    ENGINE_free(engine);
    return nullptr;
  }
  ENGINE_ctrl_cmd_string(engine, "QUIET", nullptr, 0);  // it would print the URI, PIN and all, to standard error
  ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, silent_ui(), nullptr, 0);
  return engine;  // for the life of the process: keys refer to it
}

}  // namespace

Result<Owned<EVP_PKEY>> load_token_key(const std::string& uri) {
  static std::mutex mutex;  // the engine opens its session at the first key
  static ENGINE* engine = nullptr;
  const std::scoped_lock lock(mutex);
  ERR_clear_error();
  if (engine == nullptr) {
    engine = start_engine();  // tried again at each use until it is there
  }
  if (engine == nullptr) {
    return fail(Errc::tls_token_failed,
                fmt::format("{}: the engine pkcs11 cannot be loaded: {}", without_pin(uri), take_openssl_reason()));
  }
  Owned<EVP_PKEY> key(ENGINE_load_private_key(engine, uri.c_str(), silent_ui(), nullptr));
  if (key == nullptr) {
    return fail(Errc::tls_token_failed, fmt::format("{}: {}", without_pin(uri), take_openssl_reason()));
  }
  ERR_clear_error();
  return key;
}

}  // namespace hawser::tls
