// A throw-away PKI for the tests of this room: authorities, certificates of any validity, and material made from them.
#pragma once

#include <chrono>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tls/authority.hpp"
#include "tls/material.hpp"

namespace hawser::tls::test {

using std::chrono::days;
using std::chrono::hours;

// The one moment that tests live in. Handshakes use OpenSSL's own clock, hence the real time.
inline Seconds present() {
  static const Seconds start = std::chrono::floor<std::chrono::seconds>(wall_now());
  return start;
}

inline Validity from_to(std::chrono::seconds from, std::chrono::seconds to) {
  return {present() + from, present() + to};
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message();
    std::abort();  // a fixture that is not there leaves nothing to test
  }
  return std::move(*result);
}

inline Authority make_ca(const std::string& name = "Test CA") { return must(Authority::create({.name = name})); }

inline Issued server_cert(const Authority& ca, CertificateRequest request = {}) {
  request.common_name = request.common_name.empty() ? "nats" : request.common_name;
  if (request.dns_names.empty() && request.ip_addresses.empty()) {
    request.dns_names = {"nats.example.com"};
  }
  request.usage = CertUsage::server;
  return must(ca.issue(request));
}

inline Issued client_cert(const Authority& ca, CertificateRequest request = {}) {
  request.common_name = request.common_name.empty() ? "agent" : request.common_name;
  request.usage = CertUsage::client;
  return must(ca.issue(request));
}

inline SourceBytes bytes_of(const Issued* own, std::string ca_pem = {}, std::string crl_pem = {}) {
  SourceBytes bytes;
  if (own != nullptr) {
    bytes.cert = own->chain_pem;
    bytes.key = own->key_pem.copy();
  }
  bytes.ca = std::move(ca_pem);
  bytes.crl = std::move(crl_pem);
  return bytes;
}

// Material as it would be loaded; `at` may be in the past so that what has expired by now can be made at all.
inline MaterialPtr make_material(Usage usage, const Issued* own, std::string ca_pem = {}, std::string crl_pem = {},
                                 WallTime at = present()) {
  return must(load(Source{.usage = usage}, bytes_of(own, std::move(ca_pem), std::move(crl_pem)), at));
}

inline std::string make_crl(const Authority& ca, const std::vector<std::string>& serials = {},
                            Validity validity = from_to(-hours(1), days(7))) {
  return must(ca.crl(serials, validity, 1));
}

}  // namespace hawser::tls::test
