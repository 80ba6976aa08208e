// Words that are slow, cut, enormous or no words at all.
#include <array>
#include <string>

#include "swarm.hpp"

namespace abuse {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

void slow_loris(Swarm& swarm) {
  const auto next = [&swarm](Connection& c) {
    if (c.stage == c.text.size()) {
      c.stage = c.text.find("PUB");  // and so on
    }
    c.send(std::string_view(c.text).substr(c.stage++, 1));
    c.wake_in(Milliseconds(20 + swarm.any(150)));
  };
  swarm.add({.name = "slow-loris",
             .wanted = 300,
             .births_a_second = 100,
             .open =
                 [next](Connection& c) {
                   c.text = login("evil") + "SUB loris.> 1\r\nPUB loris.a 3\r\nabc\r\nPING\r\n";
                   next(c);
                 },
             .time = next});
}

void half_frames(Swarm& swarm) {
  static const std::array halves = {"C"s,
                                    "CONNECT {\"verbose\":fal"s,
                                    login("evil") + "PUB a.b 1000\r\nabcdefgh",
                                    login("evil") + "SUB a.b.c",
                                    login("evil") + "HPUB a 12 20\r\nNATS/1.0\r\n\r",
                                    login("evil") + "SUB x 1\r\nPUB x 4\r\nabcd\r",
                                    login("evil") + "PING\r"};
  swarm.add({.name = "half-frames",
             .wanted = 60,
             .births_a_second = 200,
             .open =
                 [&swarm](Connection& c) {
                   c.send(swarm.any_of(halves));
                   c.wake_in(Milliseconds(5 + swarm.any(300)));
                 },
             .time = [&swarm](Connection& c) { swarm.any(2) == 0 ? c.close() : c.reset(); }});
}

void giant_lines(Swarm& swarm) {
  static const std::array beginnings = {"CONNECT {\"name\":\""s,        "CONNECT "s,
                                        login("evil") + "SUB ",         login("evil") + "PUB ",
                                        login("evil") + "UNSUB ",       login("evil") + "PING ",
                                        login("evil") + "HPUB a.b.c.d "};
  swarm.add({.name = "giant-lines",
             .wanted = 20,
             .births_a_second = 40,
             .open =
                 [&swarm](Connection& c) {
                   c.send(swarm.any_of(beginnings) + std::string(4000 + swarm.any(1UL << 20U), 'x'));
                   c.wake_in(Milliseconds(1000));
                 },
             .time = [](Connection& c) { c.reset(); }});
}

// Claims of payloads: impossible ones, and possible ones that never become whole.
void giant_payloads(Swarm& swarm) {
  static const std::array claims = {"PUB a 1048577\r\n"sv, "PUB a 999999999\r\n"sv, "PUB a 99999999999999\r\n"sv,
                                    "PUB a -1\r\n"sv,      "HPUB a 20 10\r\n"sv,    "HPUB a 1048576 1048577\r\n"sv,
                                    "PUB a 0x10\r\n"sv,    "PUB a 1048576\r\n"sv};
  swarm.add({.name = "giant-payloads",
             .wanted = 40,
             .births_a_second = 30,
             .open =
                 [&swarm](Connection& c) {
                   c.send(login("evil"));
                   c.send(swarm.any_of(claims));
                   c.send(std::string(swarm.any(1UL << 20U), 'y'));
                   c.wake_in(Milliseconds(2000));
                 },
             .time = [](Connection& c) { c.reset(); }});
}

void garbage(Swarm& swarm) {
  swarm.add({.name = "garbage",
             .wanted = 20,
             .births_a_second = 60,
             .open =
                 [&swarm](Connection& c) {
                   static const std::array headers = {""sv, "\x16\x03\x01\x40\x00"sv,
                                                      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"sv,
                                                      "\x80\x2e\x01\x03\x01"sv, "\x15\x03\x03\x00\x02\x02\x28"sv};
                   std::string bytes(swarm.any_of(headers));
                   for (std::size_t n = 1 + swarm.any(4096); n > 0; --n) {
                     bytes += static_cast<char>(swarm.any(256));
                   }
                   c.send(bytes);
                   c.wake_in(Milliseconds(300));
                 },
             .time = [](Connection& c) { c.close(); }});
}

void json_bombs(Swarm& swarm) {
  static const std::array bombs = {"{\"a\":" + repeated("[", 4000),
                                   repeated("{\"a\":", 800) + "1" + repeated("}", 800),
                                   "{" + repeated("\"user\":\"evil\",", 250) + "\"pass\":\"evil\"}",
                                   "{\"name\":\"" + repeated("\\u0000", 600) + "\"}",
                                   "{\"name\":\"" + repeated("\\ud800", 600) + "\"}",
                                   "{\"protocol\":" + repeated("9", 3000) + "}",
                                   "{\"protocol\":1e99999}"s,
                                   "{\"user\":{\"user\":[1,2,{}]},\"pass\":true}"s,
                                   "{\"verbose\":\"\xff\xfe\"}"s,
                                   "null"s,
                                   "[]"s,
                                   ""s,
                                   "{\"a\":\"" + std::string(3900, 'z') + "\"}"};
  swarm.add({.name = "json-bombs",
             .wanted = 20,
             .births_a_second = 60,
             .open =
                 [&swarm](Connection& c) {
                   c.send("CONNECT " + swarm.any_of(bombs) + "\r\nPING\r\n");
                   c.wake_in(Milliseconds(300));
                 },
             .time = [](Connection& c) { c.close(); }});
}

void wrong_protocols(Swarm& swarm) {
  swarm.add({.name = "http-to-nats",
             .wanted = 10,
             .births_a_second = 20,
             .open =
                 [](Connection& c) {
                   c.send("GET /varz HTTP/1.1\r\nHost: localhost\r\n\r\n");
                   c.wake_in(Milliseconds(300));
                 },
             .time = [](Connection& c) { c.close(); }});
  swarm.add({.name = "nats-to-http",
             .wanted = 10,
             .births_a_second = 20,
             .http = true,
             .open =
                 [](Connection& c) {
                   c.send(login("evil") + "SUB > 1\r\nPING\r\n");
                   c.wake_in(Milliseconds(300));
                 },
             .time = [](Connection& c) { c.reset(); }});
  const auto drip = [&swarm](Connection& c) {
    c.send(c.stage < c.text.size() ? std::string_view(c.text).substr(c.stage++, 1) : "X: y\r\n"sv);
    c.wake_in(Milliseconds(50 + swarm.any(200)));
  };
  swarm.add({.name = "slow-http",
             .wanted = 100,
             .births_a_second = 30,
             .http = true,
             .open =
                 [drip](Connection& c) {
                   c.text = "GET /connz HTTP/1.1\r\nHost: localhost\r\n";
                   drip(c);
                 },
             .time = drip});
  static const std::array queries = {"/connz?subs=1&limit=100000&auth=1"sv,
                                     "/connz?state=closed&limit=100000"sv,
                                     "/subsz?subs=1&limit=1000000"sv,
                                     "/subsz?test=a.b.c.d.e&subs=1"sv,
                                     "/accountz?acc=EVIL"sv,
                                     "/varz"sv,
                                     "/metrics"sv,
                                     "/connz?sort=bytes_to&cid=99999999"sv};
  swarm.add({.name = "heavy-queries",
             .wanted = 3,
             .births_a_second = 6,
             .http = true,
             .open =
                 [&swarm](Connection& c) {
                   c.send("GET " + std::string(swarm.any_of(queries)) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
                   c.wake_in(Milliseconds(2000));
                 },
             .time = [](Connection& c) { c.reset(); }});
}

}  // namespace

void add_word_attacks(Swarm& swarm) {
  slow_loris(swarm);
  half_frames(swarm);
  giant_lines(swarm);
  giant_payloads(swarm);
  garbage(swarm);
  json_bombs(swarm);
  wrong_protocols(swarm);
}

}  // namespace abuse
