#include "admin/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <pthread.h>
#include <thread>

#include "admin/guard.hpp"
#include "admin/page.hpp"
#include "base/log.hpp"

namespace hawser::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::uint32_t kHeaderBytes = 8192;
constexpr std::uint64_t kBodyBytes = 4096;
constexpr int kBacklog = 64;
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 1\r\n\r\n";

struct Answer {
  http::status status = http::status::ok;
  std::string_view type = "application/json";
  std::string body;
  std::string_view allow = {};  // of a 405
};

Answer refusal(http::status status, std::string_view reason) {
  return {status, "text/plain; charset=utf-8", std::string(reason) + "\n", {}};
}

Answer of_health(const Health& health) {
  return {health.ok() ? http::status::ok : http::status::service_unavailable,
          "application/json",
          health_json(health) + "\n",
          {}};
}

// What a path answers to; a route whose callback is empty does not exist.
struct Route {
  std::string_view path;
  http::verb method;
  bool exists;
  std::function<Answer()> answer;
};

std::vector<Route> routes_of(const Endpoints& endpoints) {
  const Endpoints& e = endpoints;
  return {
      {"/", http::verb::get, bool(e.status),
       [&e] { return Answer{http::status::ok, "text/html; charset=utf-8", render_page(e.status(), wall_now()), {}}; }},
      {"/status", http::verb::get, bool(e.status),
       [&e] { return Answer{http::status::ok, "application/json", status_json(e.status()) + "\n", {}}; }},
      {"/metrics", http::verb::get, bool(e.metrics),
       [&e] { return Answer{http::status::ok, "text/plain; version=0.0.4; charset=utf-8", e.metrics(), {}}; }},
      {"/healthz", http::verb::get, bool(e.health), [&e] { return of_health(e.health()); }},
      {"/readyz", http::verb::get, bool(e.ready), [&e] { return of_health(e.ready()); }},
      {"/reload", http::verb::post, bool(e.reload),
       [&e] {
         const Result<std::string> outcome = e.reload();
         return Answer{outcome ? http::status::ok : http::status::unprocessable_entity,
                       "application/json",
                       outcome_json(outcome) + "\n",
                       {}};
       }},
  };
}

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

Answer answer(const std::vector<Route>& routes, const Request& request) {
  const std::string_view host = view_of(request[http::field::host]);
  if (!host_is_loopback(host)) {
    return refusal(http::status::misdirected_request, "the Host header does not name a loopback address");
  }
  if (!origin_is_ours(view_of(request[http::field::origin]), host)) {
    return refusal(http::status::forbidden, "a page of another origin may not ask");
  }
  std::string_view path = view_of(request.target());
  path = path.substr(0, path.find('?'));
  for (const Route& route : routes) {
    if (route.path != path || !route.exists) {
      continue;
    }
    const bool reads = request.method() == http::verb::head && route.method == http::verb::get;
    if (request.method() != route.method && !reads) {
      Answer wrong = refusal(http::status::method_not_allowed, "not with this method");
      wrong.allow = route.method == http::verb::post ? "POST" : "GET, HEAD";
      return wrong;
    }
    try {
      return route.answer();
    } catch (const std::exception& failed) {
      log::error("admin request failed", {{"path", path}, {"reason", failed.what()}});
      return refusal(http::status::internal_server_error, "failed; the log says why");
    }
  }
  return refusal(http::status::not_found, "not here; see /, /status, /metrics, /healthz, /readyz, POST /reload");
}

Response response_of(Answer&& made, const Request& request) {
  Response response{made.status, request.version()};
  response.set(http::field::content_type, beast::string_view(made.type.data(), made.type.size()));
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  if (!made.allow.empty()) {
    response.set(http::field::allow, beast::string_view(made.allow.data(), made.allow.size()));
  }
  response.keep_alive(request.keep_alive());
  response.body() = std::move(made.body);
  response.prepare_payload();
  return response;
}

// What all connections share. Lives as long as the io_context runs.
struct Shared {
  std::vector<Route> routes;
  Options options;
  std::size_t connections = 0;
};

// One connection: wait for a request, answer it, again. Keeps itself alive through the handler that is pending.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket&& socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    ++shared_.connections;
  }
  ~Connection() { --shared_.connections; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The first request has to come at once; later ones within the idle time.
  void start() { read(); }

 private:
  void wait_for_next() {
    if (buffer_.size() > 0) {
      return read();
    }
    stream_.expires_after(shared_.options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(kHeaderBytes),
                            [self = shared_from_this()](beast::error_code failed, std::size_t got) {
                              self->buffer_.commit(got);
                              if (!failed) {
                                self->read();
                              }
                            });
  }

  // One deadline for the whole request, so that trickling bytes do not extend it.
  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->body_limit(kBodyBytes);
    stream_.expires_after(shared_.options.request_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code failed, std::size_t) { self->on_request(failed); });
  }

  void on_request(beast::error_code failed) {
    if (!failed) {
      const Request request = parser_->release();
      response_ = response_of(answer(shared_.routes, request), request);
      return write(request.method() == http::verb::head);
    }
    if (failed == http::error::end_of_stream || failed == beast::error::timeout ||
        failed.category() != make_error_code(http::error::end_of_stream).category()) {
      return;  // it left, or was too slow: nothing to say
    }
    const auto status = failed == http::error::header_limit ? http::status::request_header_fields_too_large
                        : failed == http::error::body_limit ? http::status::payload_too_large
                                                            : http::status::bad_request;
    Request none;
    none.keep_alive(false);
    response_ = response_of(refusal(status, failed.message()), none);
    write(false);
  }

  void write(bool head_only) {
    stream_.expires_after(shared_.options.request_timeout);
    const auto written = [self = shared_from_this()](beast::error_code failed, std::size_t) {
      self->on_written(failed);
    };
    if (head_only) {
      head_.emplace(response_);
      http::async_write_header(stream_, *head_, written);
    } else {
      http::async_write(stream_, response_, written);
    }
  }

  void on_written(beast::error_code failed) {
    if (failed) {
      return;
    }
    if (!response_.keep_alive()) {
      beast::error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      return;
    }
    wait_for_next();
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{kHeaderBytes + kBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  std::optional<http::response_serializer<http::string_body>> head_;
};

}  // namespace

struct Server::Impl {
  explicit Impl(Endpoints handed, Options options)
      : endpoints(std::move(handed)), shared{routes_of(endpoints), options} {}

  Result<void> listen(const ListenAddress& at) {
    const tcp::endpoint endpoint(asio::ip::make_address(at.ip), at.port);
    beast::error_code failed;
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) {
      acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    }
    if (!failed) {
      acceptor.bind(endpoint, failed);
    }
    if (!failed) {
      acceptor.listen(kBacklog, failed);
    }
    if (failed) {
      return fail(Errc::listen_failed, fmt::format("the admin endpoint on {} port {}: {}", at.ip, at.port, failed.message()));
    }
    const tcp::endpoint bound = acceptor.local_endpoint();
    address = bound.address().is_v6() ? fmt::format("[{}]:{}", bound.address().to_string(), bound.port())
                                      : fmt::format("{}:{}", bound.address().to_string(), bound.port());
    return {};
  }

  void accept() {
    acceptor.async_accept([this](beast::error_code failed, tcp::socket socket) {
      if (failed == asio::error::operation_aborted) {
        return;
      }
      if (!failed && shared.connections < shared.options.max_connections) {
        std::make_shared<Connection>(std::move(socket), shared)->start();
      } else if (!failed) {
        turn_away(socket);
      } else {
        return pause_and_accept();
      }
      accept();
    });
  }

  // The socket's buffer is empty, so it takes this much at once; whether it arrives is not waited for.
  static void turn_away(tcp::socket& socket) {
    beast::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(kBusy.data(), kBusy.size()), 0, ignored);
  }

  // Out of descriptors: trying again at once would spin.
  void pause_and_accept() {
    retry.expires_after(std::chrono::milliseconds(100));
    retry.async_wait([this](beast::error_code failed) {
      if (!failed) {
        accept();
      }
    });
  }

  void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the threads that wait for them
    context.run();
  }

  Endpoints endpoints;
  Shared shared;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer retry{context};
  std::string address;
  std::thread thread;
};

Result<std::unique_ptr<Server>> Server::start(std::string_view listen, Endpoints endpoints, Options options) {
  const Result<ListenAddress> at = parse_listen_address(listen);
  if (!at) {
    return std::unexpected(at.error());
  }
  auto impl = std::make_unique<Impl>(std::move(endpoints), options);
  if (Result<void> listening = impl->listen(*at); !listening) {
    return std::unexpected(std::move(listening.error()));
  }
  impl->accept();
  impl->thread = std::thread([running = impl.get()] { running->run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }

std::string Server::address() const { return impl_->address; }

void Server::stop() {
  impl_->context.stop();
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

}  // namespace hawser::admin
