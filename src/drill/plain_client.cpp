#include "drill/plain_client.hpp"

#include <utility>

#include "wire/connect.hpp"
#include "wire/writer.hpp"

namespace hawser::drill {

namespace {

constexpr Duration kAgain = std::chrono::milliseconds(20);
constexpr Duration kConnectWithin = std::chrono::seconds(2);

}  // namespace

PlainClient::PlainClient(net::Reactor& reactor, net::Resolver& resolver, PlainClientOptions options,
                         PlainClientUser& user)
    : reactor_(reactor), resolver_(resolver), options_(std::move(options)), user_(user), again_(reactor, [this] {
        connect();
      }) {
  connect();
}

PlainClient::~PlainClient() {
  if (dial_) {
    dial_->cancel();
    reactor_.retire(std::move(dial_));
  }
  if (stream_) {
    stream_->close();
    reactor_.retire(std::move(stream_));
  }
}

void PlainClient::connect() {
  dial_ = std::make_unique<net::Dial>(reactor_, resolver_, [this](Result<net::Fd> connected) {
    reactor_.retire(std::move(dial_));
    net::StreamOwner& owner = *this;
    auto stream = std::make_unique<net::Stream>(reactor_, owner);
    if (!connected || !stream->adopt(std::move(*connected))) {
      again_.start(kAgain);
      return;
    }
    parser_.reset();
    stream_ = std::move(stream);
  });
  dial_->start("127.0.0.1", options_.port, kConnectWithin);
}

std::size_t PlainClient::on_data(net::Stream&, std::string_view bytes) {
  std::size_t taken = 0;
  wire::Frame frame;
  for (;;) {
    switch (parser_.next(bytes.substr(taken), frame)) {
      case wire::Parser::Status::more: return taken;
      case wire::Parser::Status::error: lose(); return taken;
      case wire::Parser::Status::frame: break;
    }
    taken += frame.raw.size();
    take(frame);
    if (!stream_) {
      return taken;
    }
  }
}

void PlainClient::take(const wire::Frame& frame) {
  switch (frame.op) {
    case wire::Op::info:
      if (!std::exchange(greeted_, true)) {
        greet();
      }
      break;
    case wire::Op::msg:
    case wire::Op::hmsg: user_.on_message(frame.sid, frame.payload); break;
    case wire::Op::ping: stream_->write(wire::kPong); break;
    case wire::Op::pong:
      if (!std::exchange(ready_, true)) {
        user_.on_ready(*this);
      } else {
        user_.on_pong(*this);
      }
      break;
    default: break;
  }
}

void PlainClient::greet() {
  wire::ConnectOptions connect;
  connect.verbose = false;
  connect.pedantic = false;
  connect.protocol = 1;
  connect.name = options_.name;
  connect.lang = "hawser-drill";
  std::string frames;
  wire::append_connect(frames, wire::to_json(connect).reveal());
  frames += options_.hello;
  frames += wire::kPing;
  stream_->write(frames);
}

void PlainClient::on_closed(net::Stream&, const Error&) { lose(); }

void PlainClient::lose() {
  stream_->close();
  reactor_.retire(std::move(stream_));
  greeted_ = false;
  if (std::exchange(ready_, false)) {
    user_.on_down(*this);
  }
  again_.start(kAgain);
}

}  // namespace hawser::drill
