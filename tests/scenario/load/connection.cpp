#include "connection.hpp"

namespace hawser::load {
namespace {

constexpr std::size_t kErrorTexts = 64;

ClientEvents& events_of(void* closure) { return *static_cast<ClientEvents*>(closure); }

void on_error(natsConnection* connection, natsSubscription*, natsStatus status, void* closure) {
  const char* text = nullptr;
  natsConnection_GetLastError(connection, &text);
  events_of(closure).error(text != nullptr && *text != '\0' ? text : natsStatus_GetText(status));
}
void on_disconnected(natsConnection*, void* closure) { ++events_of(closure).disconnects; }
void on_reconnected(natsConnection*, void* closure) { ++events_of(closure).reconnects; }
void on_closed(natsConnection*, void* closure) { ++events_of(closure).closed; }

natsStatus set_tls(natsOptions* o, const TlsFiles& tls) {
  natsStatus s = natsOptions_SetSecure(o, true);
  if (s == NATS_OK && !tls.ca.empty()) s = natsOptions_LoadCATrustedCertificates(o, tls.ca.c_str());
  if (s == NATS_OK && !tls.cert.empty()) s = natsOptions_LoadCertificatesChain(o, tls.cert.c_str(), tls.key.c_str());
  if (s == NATS_OK && !tls.server_name.empty()) s = natsOptions_SetExpectedHostname(o, tls.server_name.c_str());
  return s;
}

natsStatus set_all(natsOptions* o, const Options& options, const std::string& url, const std::string& name,
                   ClientEvents& events) {
  natsStatus s = natsOptions_SetURL(o, url.c_str());
  if (s == NATS_OK) s = natsOptions_SetName(o, name.c_str());
  if (s == NATS_OK) s = natsOptions_SetMaxReconnect(o, -1);
  if (s == NATS_OK) s = natsOptions_SetReconnectWait(o, options.reconnect_wait.count());
  if (s == NATS_OK) s = natsOptions_SetReconnectJitter(o, 0, 0);
  if (s == NATS_OK) s = natsOptions_SetIgnoreDiscoveredServers(o, true);
  if (s == NATS_OK) s = natsOptions_SetSendAsap(o, options.send_asap);
  if (s == NATS_OK) s = natsOptions_SetErrorHandler(o, on_error, &events);
  if (s == NATS_OK) s = natsOptions_SetDisconnectedCB(o, on_disconnected, &events);
  if (s == NATS_OK) s = natsOptions_SetReconnectedCB(o, on_reconnected, &events);
  if (s == NATS_OK) s = natsOptions_SetClosedCB(o, on_closed, &events);
  if (s == NATS_OK && url.starts_with("tls://")) s = set_tls(o, options.tls);
  return s;
}

}  // namespace

void ClientEvents::error(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (errors_.size() < kErrorTexts || errors_.contains(text)) ++errors_[text];
}

std::map<std::string, std::uint64_t> ClientEvents::errors() const {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

std::expected<Connection, std::string> Connection::open(const Options& options, const std::string& url,
                                                        const std::string& name, ClientEvents& events, Echo echo) {
  natsOptions* raw_options = nullptr;
  natsStatus s = natsOptions_Create(&raw_options);
  const std::unique_ptr<natsOptions, void (*)(natsOptions*)> owned(raw_options, natsOptions_Destroy);
  if (s == NATS_OK) s = set_all(raw_options, options, url, name, events);
  if (s == NATS_OK) s = natsOptions_SetNoEcho(raw_options, echo == Echo::off);
  natsConnection* connection = nullptr;
  if (s == NATS_OK) s = natsConnection_Connect(&connection, raw_options);
  if (s != NATS_OK) {
    natsStatus last = s;
    const char* detail = nats_GetLastError(&last);
    return std::unexpected(name + " cannot connect to " + url + ": " + natsStatus_GetText(s) + " " +
                           (detail != nullptr ? detail : ""));
  }
  return Connection(connection);
}

bool Connection::flush(std::chrono::milliseconds limit) const {
  return natsConnection_FlushTimeout(raw(), limit.count()) == NATS_OK;
}

}  // namespace hawser::load
