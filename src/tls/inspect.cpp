#include "tls/inspect.hpp"

#include <fmt/format.h>
#include <utility>

#include "tls/openssl.hpp"
#include "tls/pem.hpp"

namespace hawser::tls {

Result<PemContents> inspect_pem(const Secret& text, std::string_view what) {
  PemContents contents;
  Result<std::vector<Owned<X509>>> certificates = parse_certificates(text.reveal(), what);
  if (!certificates) {
    return std::unexpected(std::move(certificates.error()));
  }
  for (const Owned<X509>& certificate : *certificates) {
    contents.certificates.push_back({describe(certificate.get()), to_pem(certificate.get())});
  }
  Result<std::vector<Owned<X509_CRL>>> crls = parse_crls(text.reveal(), what);
  if (!crls) {
    return std::unexpected(std::move(crls.error()));
  }
  for (const Owned<X509_CRL>& crl : *crls) {
    contents.crls.push_back(describe_crl(crl.get()));
  }
  const Result<Owned<EVP_PKEY>> key = parse_key(text, what);
  if (key) {
    contents.keys.push_back({describe_key(key->get()), spki_sha256(key->get())});
  } else if (key.error().code != Errc::tls_key_missing) {
    return std::unexpected(key.error());
  }
  if (contents.certificates.empty() && contents.crls.empty() && contents.keys.empty()) {
    return fail(Errc::tls_not_pem, fmt::format("{}: no certificate, CRL or key in it", what));
  }
  return contents;
}

}  // namespace hawser::tls
