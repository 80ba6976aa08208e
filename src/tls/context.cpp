#include "tls/context.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <utility>

#include "tls/connection.hpp"
#include "tls/material_parts.hpp"
#include "tls/openssl.hpp"
#include "tls/server_sessions.hpp"
#include "tls/session_cache.hpp"
#include "tls/verify.hpp"

namespace hawser::tls {
namespace {

constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // TLS 1.2: forward secrecy and AEAD only
// A server chooses: AES-128, as Go's servers do, which costs a third less than OpenSSL's first, AES-256.
constexpr const char* kServerCiphers = "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kServerTls13Suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

int connection_slot() {
  static const int slot = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* data, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Connection*>(data); });
  return slot;
}

SSL* ssl_of(X509_STORE_CTX* context) {
  return static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

// Until when a verification holds: the first end of a certificate of the chain or, to be on the safe side, of any CRL.
Seconds end_of(const STACK_OF(X509) * chain, const Material::Parts& trust) {
  Seconds end = Seconds::max();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    end = std::min(end, to_seconds(X509_get0_notAfter(sk_X509_value(chain, i))));
  }
  for (const CrlInfo& crl : trust.crl_info) {
    end = crl.next_update == crl.this_update ? end : std::min(end, crl.next_update);
  }
  return end;
}

// OpenSSL's verifier is replaced by our rules (verify.hpp); the reason is kept while the certificate is at hand.
int verify_peer(X509_STORE_CTX* context, void*) {
  Connection* connection = connection_of(ssl_of(context));
  if (connection == nullptr) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  const int ok = verify_by_rules(context, connection->material->parts());
  if (SSL_get_verify_mode(ssl_of(context)) == SSL_VERIFY_NONE) {
    return ok;
  }
  if (ok != 1) {
    connection->rejected = verification_error(context, connection->expected_name);
    return ok;
  }
  if (Result<void> pinned = check_pins(connection->pins, X509_STORE_CTX_get0_cert(context)); !pinned) {
    connection->rejected = std::move(pinned.error());
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  connection->verified_until = end_of(X509_STORE_CTX_get0_chain(context), connection->material->parts());
  return 1;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  const Connection* connection = connection_of(ssl);
  if (connection == nullptr || connection->session_key.empty()) {
    return 0;
  }
  // A copy, for the same reason as in SessionCache::take.
  if (Owned<SSL_SESSION> copy(SSL_SESSION_dup(session)); copy != nullptr) {
    connection->sessions->keep(connection->session_key, std::move(copy));
  }
  return 0;  // the reference stays OpenSSL's
}

int note_missing_certificate(SSL* ssl, X509**, EVP_PKEY**) {
  if (Connection* connection = connection_of(ssl); connection != nullptr) {
    connection->certificate_wanted_in_vain = true;
  }
  return 0;  // go on without one; the server decides
}

std::unexpected<Error> refused(std::string_view doing) {
  return fail(Errc::tls_context_failed, fmt::format("{}: {}", doing, take_openssl_reason()));
}

// "nats.example.com." and "nats.example.com" are one name, and certificates hold it without the dot.
std::string without_final_dot(std::string name) {
  if (name.size() > 1 && name.back() == '.') {
    name.pop_back();
  }
  return name;
}

Result<void> set_up(SSL_CTX* ctx, Version min_version, const char* ciphers, std::string groups) {
  SSL_CTX_set_security_level(ctx, kSecurityLevel);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_NO_AUTO_CHAIN);  // we present the chain that was configured, no more
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_verify_depth(ctx, kLongestChain);
  SSL_CTX_set_cert_verify_callback(ctx, verify_peer, nullptr);
  const int version = min_version == Version::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  // The maximum is set too: a system-wide openssl.cnf may neither widen nor narrow what is spoken.
  if (SSL_CTX_set_min_proto_version(ctx, version) != 1 || SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1) {
    return refused("setting the TLS versions");
  }
  if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1) {
    return refused(fmt::format("setting the cipher list \"{}\"", ciphers));
  }
  if (SSL_CTX_set1_groups_list(ctx, groups.data()) != 1) {
    return refused(fmt::format("setting the groups \"{}\"", groups));
  }
  return {};
}

// The names that a server sends as acceptable. Go's clients choose by them, so an end-entity's issuer is named too.
void announce_authorities(SSL_CTX* ctx, const Material::Parts& parts) {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  for (std::size_t i = 0; i < parts.trust.size(); ++i) {
    X509* certificate = parts.trust[i].get();
    const X509_NAME* name =
        parts.trust_info[i].is_authority ? X509_get_subject_name(certificate) : X509_get_issuer_name(certificate);
    sk_X509_NAME_push(names, X509_NAME_dup(name));
  }
  SSL_CTX_set_client_CA_list(ctx, names);  // takes them over
}

}  // namespace

Result<void> check_pins(const PinsPtr& pins, const X509* leaf) {
  if (pins == nullptr) {
    return {};
  }
  const std::string key = spki_sha256(leaf);
  return pins->contains(key) ? Result<void>()
                             : fail(Errc::broker_pin_mismatch, fmt::format("certificate {} with the key {}",
                                                                           rfc2253(X509_get_subject_name(leaf)), key));
}

Connection* connection_of(const SSL* ssl) {
  return ssl == nullptr ? nullptr : static_cast<Connection*>(SSL_get_ex_data(ssl, connection_slot()));
}

void attach(SSL* ssl, std::unique_ptr<Connection> connection) {
  if (SSL_set_ex_data(ssl, connection_slot(), connection.get()) == 1) {
    static_cast<void>(connection.release());
  }
}

void SslFree::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }
void Context::CtxFree::operator()(ssl_ctx_st* ctx) const noexcept { SSL_CTX_free(ctx); }

Context::Context(MaterialPtr material) : material_(std::move(material)), sessions_(std::make_shared<SessionCache>()) {}
Context::~Context() {
  if (server_sessions_) {
    server_sessions_->clear();  // live connections share it, and nobody resumes here any more
  }
}

Result<ContextPtr> Context::client(MaterialPtr material, const ClientOptions& options) {
  const std::shared_ptr<Context> context(new Context(std::move(material)));
  const Result<void> done = context->apply(options);
  return done ? Result<ContextPtr>(context) : std::unexpected(done.error());
}

Result<ContextPtr> Context::server(MaterialPtr material, const ServerOptions& options) {
  const std::shared_ptr<Context> context(new Context(std::move(material)));
  const Result<void> done = context->apply(options);
  return done ? Result<ContextPtr>(context) : std::unexpected(done.error());
}

Result<void> Context::apply(const ClientOptions& options) {
  ERR_clear_error();
  native_.reset(SSL_CTX_new(TLS_client_method()));
  verifies_ = !options.dangerous_skip_verify;
  SSL_CTX_set_verify(native_.get(), verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_client_cert_cb(native_.get(), note_missing_certificate);
  SSL_CTX_set_session_cache_mode(native_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(native_.get(), keep_session);
  Result<void> done = set_up(native_.get(), options.min_version, kCiphers, kGroups);
  if (done) {
    done = use_identity();
  }
  return done ? use_trust(options.roots) : done;
}

Result<void> Context::apply(const ServerOptions& options) {
  ERR_clear_error();
  native_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* ctx = native_.get();
  verifies_ = options.client_certificate != ClientCertificate::none;
  requires_certificate_ = options.client_certificate == ClientCertificate::required;
  pins_ = options.pins.empty() ? nullptr : std::make_shared<const Pins>(options.pins);
  if (verifies_ && material_->trust().empty()) {
    return fail(Errc::tls_no_trust, material_->has_certificate() ? material_->chain().front().subject : std::string());
  }
  SSL_CTX_set_verify(
      ctx,
      !verifies_ ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | (requires_certificate_ ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  // Sessions are of this context alone, so none outlives its trust.
  std::array<unsigned char, 16> id{};
  RAND_bytes(id.data(), static_cast<int>(id.size()));
  SSL_CTX_set_session_id_context(ctx, id.data(), static_cast<unsigned>(id.size()));
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);  // with TLS 1.3: tickets that only name a session
  SSL_CTX_set_num_tickets(ctx, options.tickets);
  if (options.tickets > 0) {
    server_sessions_ = std::make_shared<ServerSessions>();
    keep_sessions_of(ctx);
  }
  // The server's order counts; ChaCha20 comes first for who asks for it first, having no AES in hardware.
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  const std::string suites = options.tls13_suites.empty() ? kServerTls13Suites : options.tls13_suites;
  Result<void> done =
      set_up(ctx, options.min_version, options.cipher_suites.empty() ? kServerCiphers : options.cipher_suites.c_str(),
             options.groups.empty() ? kGroups : options.groups);
  if (done && SSL_CTX_set_ciphersuites(ctx, suites.c_str()) != 1) {
    done = refused(fmt::format("setting the TLS 1.3 cipher suites \"{}\"", suites));
  }
  if (done) {
    done = use_identity();
  }
  if (!done || !verifies_) {
    return done;
  }
  announce_authorities(ctx, material_->parts());
  return use_trust(Roots::material);
}

Result<void> Context::use_identity() {
  const Material::Parts& parts = material_->parts();
  if (parts.chain.empty()) {
    return {};
  }
  SSL_CTX* ctx = native_.get();
  if (SSL_CTX_use_certificate(ctx, parts.chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(ctx, parts.key.get()) != 1) {
    return refused(fmt::format("using the certificate {}", parts.chain_info.front().subject));
  }
  for (std::size_t i = 1; i < parts.chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(ctx, parts.chain[i].get()) != 1) {
      return refused(fmt::format("using the intermediate certificate {}", parts.chain_info[i].subject));
    }
  }
  return {};
}

Result<void> Context::use_trust(Roots roots) {
  const Material::Parts& parts = material_->parts();
  if (roots == Roots::material && !parts.trust.empty()) {
    SSL_CTX_set1_cert_store(native_.get(), parts.store.get());
    return {};
  }
  X509_STORE* store = SSL_CTX_get_cert_store(native_.get());
  for (std::size_t i = 0; i < parts.trust.size(); ++i) {
    if (parts.trust_info[i].is_authority) {
      X509_STORE_add_cert(store, parts.trust[i].get());
    }
  }
  for (const Owned<X509_CRL>& crl : parts.crls) {
    X509_STORE_add_crl(store, crl.get());
  }
  if (X509_STORE_set_default_paths(store) != 1) {
    return refused("reading the system's trusted CAs");
  }
  ERR_clear_error();
  return {};
}

Result<SslPtr> Context::open(std::string session_key, std::string expected_name) const {
  SslPtr ssl(SSL_new(native_.get()));
  if (ssl == nullptr) {
    return refused("opening a TLS connection");
  }
  auto connection = std::make_unique<Connection>();
  connection->material = material_;
  connection->pins = pins_;
  connection->server_sessions = server_sessions_;
  connection->sessions = sessions_;
  connection->session_key = std::move(session_key);
  connection->expected_name = std::move(expected_name);
  attach(ssl.get(), std::move(connection));
  return ssl;
}

Result<SslPtr> Context::connect(const Peer& peer) const {
  const std::string& configured = material_->source().server_name;
  std::string name = without_final_dot(configured.empty() ? peer.host : configured);
  // The name is part of the key: a session verified for one name is no proof for another.
  Result<SslPtr> ssl = open(peer.session_key.empty() ? std::string() : peer.session_key + '\n' + name, name);
  if (!ssl) {
    return ssl;
  }
  if (Result<void> named = expect_name(SSL_get0_param(ssl->get()), name); !named) {
    return std::unexpected(std::move(named.error()));
  }
  if (!is_ip_address(name) && SSL_ctrl(ssl->get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                       name.data()) != 1) {  // RFC 6066: names only
    return refused("setting the server name");
  }
  if (const Owned<SSL_SESSION> session = sessions_->take(connection_of(ssl->get())->session_key, wall_now())) {
    SSL_set_session(ssl->get(), session.get());
  }
  SSL_set_connect_state(ssl->get());
  return ssl;
}

Result<SslPtr> Context::accept() const {
  Result<SslPtr> ssl = open({}, {});
  if (ssl) {
    SSL_set_accept_state(ssl->get());
  }
  return ssl;
}

Result<void> Context::verify_again(ssl_st* live, WallTime now) const {
  if (!verifies_) {
    return {};
  }
  const bool peer_is_client = SSL_is_server(live) == 1;
  const Owned<X509> leaf(SSL_get1_peer_certificate(live));
  if (leaf == nullptr) {
    return requires_certificate_ ? fail(Errc::tls_peer_without_certificate, "verifying a live peer again")
                                 : Result<void>();
  }
  const Connection* connection = connection_of(live);
  // Under the same CAs and CRLs, a client's chain can only have changed by the clock: tens of thousands of connections
  // are looked at in one reload, and most reloads are about something else.
  if (connection != nullptr && peer_is_client && connection->verified_until != Seconds::max() &&
      connection->verified_until > std::chrono::floor<std::chrono::seconds>(now) &&
      connection->material->trust_id() == material_->trust_id()) {
    return check_pins(pins_, leaf.get());
  }
  Expectation expected{.usage = peer_is_client ? Usage::client : Usage::server, .at = now};
  if (connection != nullptr && !peer_is_client) {
    expected.name =
        material_->source().server_name.empty() ? connection->expected_name : material_->source().server_name;
  }
  Result<void> verified = verify_leaf(leaf.get(), SSL_get_peer_cert_chain(live), SSL_CTX_get_cert_store(native_.get()),
                                      material_->parts(), expected);
  return verified ? check_pins(pins_, leaf.get()) : verified;
}

std::size_t Context::kept_sessions() const {
  return sessions_->size() + (server_sessions_ ? server_sessions_->size() : 0);
}

}  // namespace hawser::tls
