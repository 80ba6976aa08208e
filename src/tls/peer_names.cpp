#include "tls/peer_names.hpp"

#include <algorithm>
#include <array>
#include <openssl/objects.h>
#include <string_view>
#include <utility>

#include "tls/openssl.hpp"

namespace hawser::tls {
namespace {

// The types that a name in a configuration can be written with; others by their number.
std::string type_text(const ASN1_OBJECT* type) {
  constexpr std::array<std::pair<int, std::string_view>, 10> kNames = {{{NID_commonName, "CN"},
                                                                        {NID_serialNumber, "SERIALNUMBER"},
                                                                        {NID_countryName, "C"},
                                                                        {NID_localityName, "L"},
                                                                        {NID_stateOrProvinceName, "ST"},
                                                                        {NID_streetAddress, "STREET"},
                                                                        {NID_organizationName, "O"},
                                                                        {NID_organizationalUnitName, "OU"},
                                                                        {NID_postalCode, "POSTALCODE"},
                                                                        {NID_domainComponent, "DC"}}};
  const int nid = OBJ_obj2nid(type);
  for (const auto& [known, name] : kNames) {
    if (nid == known) {
      return std::string(name);
    }
  }
  std::array<char, 128> dotted{};
  OBJ_obj2txt(dotted.data(), dotted.size(), type, 1);
  return dotted.data();
}

std::string utf8(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, value);
  if (length < 0) {
    ERR_clear_error();
    return {};
  }
  std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  return out;
}

DistinguishedName take_apart(const X509_NAME* subject) {
  DistinguishedName name;
  int place = -1;  // certificates have the most general first
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    if (X509_NAME_ENTRY_set(entry) != place) {
      place = X509_NAME_ENTRY_set(entry);
      name.parts.emplace_back();
    }
    name.parts.back().push_back({type_text(X509_NAME_ENTRY_get_object(entry)), utf8(X509_NAME_ENTRY_get_data(entry))});
  }
  for (RelativeName& part : name.parts) {
    std::ranges::reverse(part);
  }
  std::ranges::reverse(name.parts);
  return name;
}

}  // namespace

std::optional<PeerNames> peer_names(ssl_st* ssl) {
  const X509* leaf = SSL_is_init_finished(ssl) == 1 ? SSL_get0_peer_certificate(ssl) : nullptr;
  if (leaf == nullptr) {
    return std::nullopt;
  }
  const X509_NAME* subject = X509_get_subject_name(leaf);
  AlternativeNames alternative = alternative_names(leaf);
  return PeerNames{.subject = rfc2253(subject),
                   .name = take_apart(subject),
                   .emails = std::move(alternative.emails),
                   .dns_names = std::move(alternative.dns_names),
                   .uris = std::move(alternative.uris)};
}

}  // namespace hawser::tls
