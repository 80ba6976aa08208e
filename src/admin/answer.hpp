// What a request is answered: which route it means, whether it may ask, and what comes of the callback. Knows no
// sockets.
//
//   const Answering answering(endpoints, Audience::loopback, "");
//   Answer answer = answering.answer({.method = Method::get, .target = "/metrics", .host = "127.0.0.1:9222"});
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/server.hpp"

namespace hawser::admin {

enum class Method : std::uint8_t { get, head, post, other };

struct Asked {
  Method method = Method::other;
  std::string_view target;  // path and query, as it came
  std::string_view host;
  std::string_view origin;
  std::string_view scheme = "http";
};

struct Answer {
  Response response;
  std::string_view allow;  // the methods there are, of a 405
  bool events = false;     // instead of the response: event() now, and again whenever it has changed
};

[[nodiscard]] Answer refusal(unsigned status, std::string_view reason);

// Thread rule: as its endpoints'. Keeps a reference to them.
class Answering {
 public:
  Answering(const Endpoints& endpoints, Audience audience, std::string_view base_path);
  Answering(Endpoints&&, Audience, std::string_view) = delete;

  [[nodiscard]] Answer answer(const Asked& asked) const;
  // The status page's parts as a server-sent event; empty when the callback failed.
  [[nodiscard]] std::string event() const;

 private:
  struct Route {
    std::string path;
    Method method;
    Handler handler;
  };
  void add(std::string path, Method method, bool exists, Handler handler);
  [[nodiscard]] Answer not_found() const;

  const Endpoints& endpoints_;
  std::vector<Route> routes_;
  Audience audience_;
  std::string base_path_;  // "" or "/broker"
};

}  // namespace hawser::admin
