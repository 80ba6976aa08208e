#include "admin/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <thread>

#include "admin/answer.hpp"
#include "admin/guard.hpp"
#include "admin/page_look.hpp"
#include "base/log.hpp"

namespace hawser::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

constexpr std::uint32_t kHeaderBytes = 8192;
constexpr std::uint64_t kBodyBytes = 4096;
constexpr int kBacklog = 64;
constexpr Duration kStreamSilence = std::chrono::seconds(15);  // then a comment shows whether the reader is there
constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    "Connection: close\r\n\r\nretry: 2000\n\n";
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 1\r\n\r\n";

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get: return Method::get;
    case http::verb::head: return Method::head;
    case http::verb::post: return Method::post;
    default: return Method::other;
  }
}

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

HttpResponse response_of(Answer&& made, const HttpRequest& request) {
  HttpResponse response{http::status::ok, request.version()};
  response.result(made.response.status);
  response.set(http::field::content_type, made.response.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy", content_security_policy());
  if (!made.allow.empty()) {
    response.set(http::field::allow, beast::string_view(made.allow.data(), made.allow.size()));
  }
  response.keep_alive(request.keep_alive());
  response.body() = std::move(made.response.body);
  response.prepare_payload();
  return response;
}

// What all connections share. Lives as long as the io_context runs.
struct Shared {
  Answering answering;
  Options options;
  std::size_t connections = 0;
  std::size_t streams = 0;
  std::string event{};  // one for all streams, made at most once a step
  Time event_made{};

  const std::string& current_event() {
    if (event.empty() || now() - event_made >= options.stream_step) {
      event = answering.event();
      event_made = now();
    }
    return event;
  }
};

// One connection: wait for a request, answer it, again. Keeps itself alive through the handler that is pending.
template <class Stream>
class Connection : public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Stream&& stream, Shared& shared)
      : stream_(std::move(stream)), shared_(shared), step_(stream_.get_executor()) {
    ++shared_.connections;
  }
  ~Connection() {
    --shared_.connections;
    if (streaming_) {
      --shared_.streams;
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The handshake and the first request have to come at once; later ones within the idle time.
  void start() {
    if constexpr (kTls) {
      expires_after(shared_.options.request_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](beast::error_code failed) {
                                if (!failed) {
                                  self->read();
                                }
                              });
    } else {
      read();
    }
  }

 private:
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

  void expires_after(Duration limit) { beast::get_lowest_layer(stream_).expires_after(limit); }

  void wait_for_next() {
    if (buffer_.size() > 0) {
      return read();
    }
    expires_after(shared_.options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(kHeaderBytes),
                            [self = this->shared_from_this()](beast::error_code failed, std::size_t got) {
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
    expires_after(shared_.options.request_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](beast::error_code failed, std::size_t) { self->on_request(failed); });
  }

  void on_request(beast::error_code failed) {
    if (!failed) {
      const HttpRequest request = parser_->release();
      Answer answer = shared_.answering.answer({.method = method_of(request.method()),
                                                .target = view_of(request.target()),
                                                .host = view_of(request[http::field::host]),
                                                .origin = view_of(request[http::field::origin]),
                                                .scheme = kTls ? "https" : "http"});
      if (answer.events && shared_.streams < shared_.options.max_streams) {
        return begin_stream();
      }
      if (answer.events) {
        answer = refusal(503, "too many streams are open");
      }
      response_ = response_of(std::move(answer), request);
      return write(request.method() == http::verb::head);
    }
    if (failed == http::error::end_of_stream || failed == beast::error::timeout ||
        failed.category() != make_error_code(http::error::end_of_stream).category()) {
      return;  // it left, or was too slow: nothing to say
    }
    const unsigned status = failed == http::error::header_limit ? 431U
                            : failed == http::error::body_limit ? 413U
                                                                : 400U;
    HttpRequest none;
    none.keep_alive(false);
    response_ = response_of(refusal(status, failed.message()), none);
    write(false);
  }

  void write(bool head_only) {
    serializer_.emplace(response_);
    serializer_->split(head_only);
    answer_until_ = now() + shared_.options.answer_timeout;
    write_on(head_only);
  }

  // Piece by piece, each with the time of a request: a large answer may take a slow reader longer, but not for ever.
  void write_on(bool head_only) {
    const Duration left = answer_until_ - now();
    if (left <= Duration::zero()) {
      return;
    }
    expires_after(std::min(left, shared_.options.request_timeout));
    http::async_write_some(stream_, *serializer_,
                           [self = this->shared_from_this(), head_only](beast::error_code failed, std::size_t) {
                             if (failed) {
                               return;
                             }
                             if (self->serializer_->is_done() || (head_only && self->serializer_->is_header_done())) {
                               return self->on_written();
                             }
                             self->write_on(head_only);
                           });
  }

  // Server-sent events until the reader goes, or the time is over: what has changed, a look each step.
  void begin_stream() {
    streaming_ = true;
    ++shared_.streams;
    answer_until_ = now() + shared_.options.stream_time;
    send(std::string(kStreamHead));
  }

  void send(std::string text) {
    stream_text_ = std::move(text);
    stream_written_ = now();
    expires_after(shared_.options.request_timeout);
    asio::async_write(stream_, asio::buffer(stream_text_),
                      [self = this->shared_from_this()](beast::error_code failed, std::size_t) {
                        if (!failed && now() < self->answer_until_) {
                          self->look_for_change();
                        }
                      });
  }

  void look_for_change() {
    const std::string& event = shared_.current_event();
    if (!event.empty() && event != stream_event_) {
      stream_event_ = event;
      return send(event);
    }
    if (now() - stream_written_ >= kStreamSilence) {
      return send(": still here\n\n");
    }
    step_.expires_after(shared_.options.stream_step);
    step_.async_wait([self = this->shared_from_this()](beast::error_code failed) {
      if (!failed) {
        self->look_for_change();
      }
    });
  }

  void on_written() {
    serializer_.reset();
    response_.body() = {};  // which may be large, and an idle connection lives on
    if (response_.keep_alive()) {
      return wait_for_next();
    }
    if constexpr (kTls) {
      expires_after(shared_.options.request_timeout);
      stream_.async_shutdown([self = this->shared_from_this()](beast::error_code) {});
    } else {
      beast::error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }
  }

  Stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{kHeaderBytes + kBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpResponse response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  Time answer_until_{};
  asio::steady_timer step_;
  bool streaming_ = false;
  std::string stream_text_;   // being written
  std::string stream_event_;  // written last
  Time stream_written_{};
};

void serve_tls(tcp::socket&& socket, Shared& shared) {
  const tls::ContextPtr context = shared.options.tls();
  Result<tls::SslPtr> ssl = context ? context->accept() : fail(Errc::tls_context_failed, "there is no TLS context");
  if (!ssl) {
    log::error("HTTPS connection refused", {{"reason", ssl.error().message()}});
    return;
  }
  SSL_set_verify(ssl->get(), SSL_VERIFY_NONE, nullptr);  // whoever scrapes has no client certificate
  using Serving = Connection<TlsStream>;
  std::make_shared<Serving>(TlsStream(beast::tcp_stream(std::move(socket)), ssl->release()), shared)->start();
}

// Where to bind: an address of loopback, or whatever the name means.
Result<tcp::endpoint> endpoint_of(std::string_view listen, Audience audience, asio::io_context& context) {
  const Result<ListenAddress> at =
      audience == Audience::loopback ? parse_listen_address(listen) : parse_host_and_port(listen);
  if (!at) {
    return std::unexpected(at.error());
  }
  if (at->ip.empty()) {
    return tcp::endpoint(tcp::v6(), at->port);
  }
  beast::error_code failed;
  if (const asio::ip::address numeric = asio::ip::make_address(at->ip, failed); !failed) {
    return tcp::endpoint(numeric, at->port);
  }
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(at->ip, std::to_string(at->port), tcp::resolver::passive, failed);
  if (failed || found.empty()) {
    return fail(Errc::bad_listen_address, fmt::format("\"{}\" cannot be resolved: {}", at->ip, failed.message()));
  }
  return found.begin()->endpoint();
}

}  // namespace

struct Server::Impl {
  Impl(Endpoints handed, Options options)
      : endpoints(std::move(handed)),
        shared{Answering(endpoints, options.audience, options.base_path), std::move(options)} {}

  Result<void> listen(std::string_view where) {
    Result<tcp::endpoint> endpoint = endpoint_of(where, shared.options.audience, context);
    if (!endpoint) {
      return std::unexpected(std::move(endpoint.error()));
    }
    beast::error_code failed;
    acceptor.open(endpoint->protocol(), failed);
    if (failed && endpoint->address().is_unspecified()) {  // a machine without IPv6
      *endpoint = tcp::endpoint(tcp::v4(), endpoint->port());
      acceptor.open(endpoint->protocol(), failed);
    }
    if (!failed) {
      acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    }
    if (!failed && endpoint->address().is_v6()) {
      acceptor.set_option(asio::ip::v6_only(!endpoint->address().is_unspecified()), failed);
    }
    if (!failed) {
      acceptor.bind(*endpoint, failed);
    }
    if (!failed) {
      acceptor.listen(kBacklog, failed);
    }
    if (failed) {
      return fail(Errc::listen_failed, fmt::format("the admin endpoint on {}: {}", where, failed.message()));
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
        serve(std::move(socket));
      } else if (!failed) {
        turn_away(socket);
      } else {
        return pause_and_accept();
      }
      accept();
    });
  }

  void serve(tcp::socket&& socket) {
    if (shared.options.tls) {
      return serve_tls(std::move(socket), shared);
    }
    using Serving = Connection<beast::tcp_stream>;
    std::make_shared<Serving>(beast::tcp_stream(std::move(socket)), shared)->start();
  }

  // The socket's buffer is empty, so it takes this much at once; whether it arrives is not waited for.
  void turn_away(tcp::socket& socket) const {
    if (!shared.options.tls) {
      beast::error_code ignored;
      socket.non_blocking(true, ignored);
      socket.send(asio::buffer(kBusy.data(), kBusy.size()), 0, ignored);
    }
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

  const Endpoints endpoints;
  Shared shared;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer retry{context};
  std::string address;
  std::thread thread;
};

Result<std::unique_ptr<Server>> Server::start(std::string_view listen, Endpoints endpoints, Options options) {
  auto impl = std::make_unique<Impl>(std::move(endpoints), std::move(options));
  if (Result<void> listening = impl->listen(listen); !listening) {
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
