// Connections that never become clients: silent ones, half handshakes, and wrong credentials of every kind.
#include <array>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <string>

#include "swarm.hpp"

namespace abuse {
namespace {

// What a TLS client says first.
std::string client_hello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, in, out);
  SSL_set_connect_state(ssl);
  SSL_do_handshake(ssl);
  std::array<char, 4096> bytes;
  const int n = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  std::string hello(bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

// They stay until the broker has had enough of them.
void crowd(Swarm& swarm, unsigned wanted) {
  static const std::string hello = client_hello();
  swarm.add(
      {.name = "never-clients", .wanted = wanted, .births_a_second = wanted / 4 + 1, .open = [&swarm](Connection& c) {
         switch (swarm.any(8)) {
           case 0: c.send("CONNECT {\"ver"); break;
           case 1:
           case 2: c.send(std::string_view(hello).substr(0, 1 + swarm.any(hello.size() - 1))); break;
           case 3: c.send(hello); break;
           default: break;
         }
       }});
}

void wrong_credentials(Swarm& swarm) {
  static const std::array attempts = {
      std::string(R"({"user":"evil","pass":"wrong"})"),
      std::string(R"({"user":"nobody","pass":"x"})"),
      std::string(R"({"auth_token":"xxxxxxxx"})"),
      std::string(R"({"nkey":"UAAAAAAAA","sig":"AAAA"})"),
      std::string(R"({"nkey":"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4","sig":"eA=="})"),
      std::string(R"({"jwt":"eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30.AAAA","sig":"AAAA"})"),
      std::string(R"({"account":"EVIL","new_account":true})"),
      std::string("{}")};
  swarm.add({.name = "wrong-credentials",
             .wanted = 40,
             .births_a_second = 150,
             .open =
                 [&swarm](Connection& c) {
                   c.send("CONNECT " + swarm.any_of(attempts) + "\r\nPING\r\n");
                   c.wake_in(Milliseconds(500));
                 },
             .time = [](Connection& c) { c.close(); }});
  swarm.add({.name = "guessed-bcrypt",
             .wanted = 300,
             .births_a_second = 60,
             .open =
                 [&swarm](Connection& c) {
                   c.send(R"(CONNECT {"user":"hashed","pass":"guess)" + std::to_string(swarm.any(1000)) + "\"}\r\n");
                   c.wake_in(Milliseconds(20'000));
                 },
             .time = [](Connection& c) { c.close(); }});
}

}  // namespace

void add_login_attacks(Swarm& swarm, unsigned wanted) {
  crowd(swarm, wanted);
  wrong_credentials(swarm);
}

}  // namespace abuse
