#include "admin/answer.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

namespace hawser::admin {
namespace {

Endpoints endpoints() {
  Endpoints e;
  e.metrics = [] { return std::string("up 1\n"); };
  e.reload = [] { return Result<std::string>("reloaded"); };
  e.routes["/connz"] = [](const Request& request) {
    return Response{200, "application/json", request.path + "|" + std::string(request.query.value("sort"))};
  };
  e.routes["/teapot"] = [](const Request&) { return Response{418, "text/plain", "short and stout"}; };
  e.routes["/broken"] = [](const Request&) -> Response { throw std::runtime_error("broken"); };
  e.routes["/absent"] = {};
  return e;
}

TEST(Answering, hands_path_and_query_to_the_handler_of_a_route) {
  const Endpoints e = endpoints();
  const Answering here(e, Audience::loopback, "");
  struct Case {
    std::string_view target;
    unsigned status;
    std::string_view body;
  };
  for (const Case& c : {Case{"/connz", 200, "/connz|"}, Case{"/connz?sort=idle&x=1", 200, "/connz|idle"},
                        Case{"/connz?", 200, "/connz|"}, Case{"/teapot", 418, "short and stout"},
                        Case{"/broken", 500, "failed; the log says why\n"}, Case{"/metrics?x", 200, "up 1\n"}}) {
    const Answer answer = here.answer({.method = Method::get, .target = c.target, .host = "localhost", .origin = {}});
    EXPECT_EQ(answer.response.status, c.status) << c.target;
    EXPECT_EQ(answer.response.body, c.body) << c.target;
  }
  for (const std::string_view target : {"/absent", "/Connz", "//connz", "", "connz", "/connz/"}) {
    const Answer answer = here.answer({.method = Method::get, .target = target, .host = "localhost", .origin = {}});
    EXPECT_EQ(answer.response.status, 404U) << target;
    EXPECT_EQ(answer.response.body, "not here; see /broken, /connz, /teapot, /metrics, POST /reload\n");
  }
}

TEST(Answering, knows_its_paths_below_a_base_only) {
  const Endpoints e = endpoints();
  for (const std::string_view base : {"/mon", "mon", "/mon/", "//mon//"}) {
    const Answering here(e, Audience::loopback, base);
    const auto status = [&here](std::string_view target) {
      return here.answer({.method = Method::get, .target = target, .host = "localhost", .origin = {}}).response.status;
    };
    EXPECT_EQ(status("/mon/connz"), 200U) << base;
    EXPECT_EQ(status("/connz"), 404U) << base;
    EXPECT_EQ(status("/monconnz"), 404U) << base;
  }
}

TEST(Answering, asks_who_is_asking_as_its_audience_demands) {
  const Endpoints e = endpoints();
  const Answering loopback(e, Audience::loopback, "");
  const Answering anywhere(e, Audience::anywhere, "");
  struct Case {
    Asked asked;
    unsigned to_loopback, to_anywhere;
  };
  const Method get = Method::get;
  const Method post = Method::post;
  for (const Case& c : {Case{{get, "/metrics", "127.0.0.1:1", "", "http"}, 200, 200},
                        Case{{get, "/metrics", "nats.example:8222", "", "http"}, 421, 200},
                        Case{{get, "/metrics", "", "", "http"}, 421, 200},
                        Case{{get, "/metrics", "localhost", "http://evil.example", "http"}, 403, 200},
                        Case{{post, "/reload", "localhost", "http://evil.example", "http"}, 403, 403},
                        Case{{post, "/reload", "rebound.example", "", "http"}, 421, 200},
                        Case{{post, "/reload", "localhost", "https://localhost", "http"}, 403, 403},
                        Case{{post, "/reload", "localhost", "https://localhost", "https"}, 200, 200},
                        Case{{post, "/connz", "localhost", "", "http"}, 405, 405},
                        Case{{Method::other, "/connz", "localhost", "", "http"}, 405, 405},
                        Case{{Method::head, "/reload", "localhost", "", "http"}, 405, 405}}) {
    EXPECT_EQ(loopback.answer(c.asked).response.status, c.to_loopback) << c.asked.target << " " << c.asked.host;
    EXPECT_EQ(anywhere.answer(c.asked).response.status, c.to_anywhere) << c.asked.target << " " << c.asked.host;
  }
}

}  // namespace
}  // namespace hawser::admin
