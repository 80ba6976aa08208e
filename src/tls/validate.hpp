// The checks that turn parsed parts into a Material. For material.cpp.
#pragma once

#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "tls/material_parts.hpp"

namespace hawser::tls {

// Everything that stops the use of these parts, most telling first. `current`: see load().
[[nodiscard]] std::vector<Error> check_identity(const Material::Parts& parts, Seconds now, const Material* current);
[[nodiscard]] std::vector<Error> check_crls(const Material::Parts& parts, Seconds now);

// Whether the CRL names this certificate as its issuer: by name, and by key identifier where both have one.
[[nodiscard]] bool names_issuer(const X509_CRL* crl, const X509* issuer);

// "./tls/tls.crt", or what it would be if it had a path.
[[nodiscard]] std::string name_of(const std::string& path, const char* role);

}  // namespace hawser::tls
