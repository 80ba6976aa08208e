#include "drill/papers.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/limits.hpp"

namespace hawser::drill {

namespace {

// Long enough that nobody warns of their end.
tls::Validity usual() { return tls::Validity::lasting(std::chrono::days(90)); }
tls::Validity usual_of_ca() { return tls::Validity::lasting(std::chrono::days(3650)); }

tls::CertificateRequest request(const std::string& name, tls::CertUsage usage, tls::Validity validity) {
  tls::CertificateRequest out{.common_name = name, .usage = usage, .validity = validity};
  if (usage == tls::CertUsage::server) {
    out.dns_names = {"localhost"};
    out.ip_addresses = {"127.0.0.1"};
  }
  return out;
}

}  // namespace

Result<void> Papers::make(std::size_t generation, const std::vector<std::string>& clients,
                          const std::vector<std::string>& servers) {
  Result<tls::Authority> made =
      tls::Authority::create({.name = fmt::format("Drill CA {}", generation), .validity = usual_of_ca()});
  if (!made) {
    return std::unexpected(made.error());
  }
  authorities_.push_back(std::move(*made));
  std::error_code failed;
  std::filesystem::create_directories(place(generation), failed);
  const std::string& fresh = authorities_.back().certificate_pem();
  Result<void> done = write_file_atomically(ca(generation), fresh, FileMode::world_readable);
  if (done && generation > 0) {
    const std::string& before = authorities_[generation - 1].certificate_pem();
    done = write_file_atomically(both(generation), before + fresh, FileMode::world_readable);
    done = done ? write_file_atomically(turned(generation), fresh + before, FileMode::world_readable) : done;
  }
  for (std::size_t i = 0; done && i < clients.size(); ++i) {
    done = issue(generation, clients[i], tls::CertUsage::client, usual());
  }
  for (std::size_t i = 0; done && i < servers.size(); ++i) {
    done = issue(generation, servers[i], tls::CertUsage::server, usual());
  }
  return done;
}

Result<void> Papers::issue(std::size_t generation, const std::string& name, tls::CertUsage usage,
                           tls::Validity validity) {
  return write(generation, name, authorities_[generation].issue(request(name, usage, validity)));
}

Result<void> Papers::issue_by_a_stranger(std::size_t generation, const std::string& name) {
  const auto stranger = tls::Authority::create({.name = "Stranger CA", .validity = usual_of_ca()});
  if (!stranger) {
    return std::unexpected(stranger.error());
  }
  return write(generation, name, stranger->issue(request(name, tls::CertUsage::client, usual())));
}

// The key first: whoever watches both meets a certificate whose key is there already.
Result<void> Papers::write(std::size_t generation, const std::string& name, const Result<tls::Issued>& issued) {
  if (!issued) {
    return std::unexpected(issued.error());
  }
  fingerprints_[{generation, name}] = issued->info.sha256;
  const Result<void> done =
      write_file_atomically(key(generation, name), issued->key_pem.reveal(), FileMode::owner_only);
  return done ? write_file_atomically(cert(generation, name), issued->chain_pem, FileMode::world_readable) : done;
}

Path Papers::place(std::size_t generation) const { return directory_ / fmt::format("ca-{}", generation); }

std::string Papers::fingerprint(std::size_t generation, const std::string& name) const {
  const auto found = fingerprints_.find({generation, name});
  return found == fingerprints_.end() ? std::string() : found->second;
}

Result<void> put_file(const Path& from, const Path& to) {
  const Result<Secret> content = read_secret_file(from, limits::kPemFileBytes);
  if (!content) {
    return std::unexpected(content.error());
  }
  return write_file_atomically(to, content->reveal(), FileMode::owner_only);
}

}  // namespace hawser::drill
