#include "cli/broker_traces.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string_view>
#include <unistd.h>

#include "base/file.hpp"
#include "net/address.hpp"

namespace hawser::cli {
namespace {

void add_addresses_of_this_machine(std::string_view scheme, const net::Address& bound, boost::json::array& out) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) {
    return;
  }
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0;
    if (!up || one->ifa_addr == nullptr) {
      continue;
    }
    const int family = one->ifa_addr->sa_family;
    const bool link_local =
        family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr);
    if (family != bound.family() || link_local) {
      continue;
    }
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    out.emplace_back(
        fmt::format("{}://{}", scheme, net::Address::from(one->ifa_addr, size).with_port(bound.port()).text()));
  }
  ::freeifaddrs(all);
}

void add(std::string_view scheme, const net::Address& bound, boost::json::array& out) {
  if (bound.is_any()) {
    add_addresses_of_this_machine(scheme, bound, out);
  } else {
    out.emplace_back(fmt::format("{}://{}", scheme, bound.text()));
  }
}

void add(std::string_view scheme, const std::optional<std::string>& bound, boost::json::array& out) {
  if (!bound) {
    return;
  }
  if (const auto address = net::Address::parse(*bound)) {
    add(scheme, *address, out);
  }
}

}  // namespace

std::string ports_json(const broker::Broker& broker) {
  boost::json::object out;
  boost::json::array clients;
  if (const auto bound = broker.listen_address()) {
    add("nats", *bound, clients);
  }
  out["nats"] = std::move(clients);
  boost::json::array monitoring;
  add("http", broker.http_address(), monitoring);
  add("https", broker.https_address(), monitoring);
  if (!monitoring.empty()) {
    out["monitoring"] = std::move(monitoring);
  }
  return boost::json::serialize(out);
}

Result<void> BrokerTraces::leave(const broker::Settings& settings, const broker::Broker& broker) {
  std::filesystem::path ports;
  if (!settings.ports_file_dir.empty()) {
    ports = settings.ports_file_dir / fmt::format("nats-server_{}.ports", ::getpid());
    if (auto written = write_file_atomically(ports, ports_json(broker), FileMode::world_readable); !written) {
      return written;
    }
  }
  if (!settings.pid_file.empty()) {
    if (auto written = write_file_atomically(settings.pid_file, std::to_string(::getpid()), FileMode::world_readable);
        !written) {
      return written;
    }
  }
  std::error_code failed;
  if (!ports_file_.empty() && ports_file_ != ports) {
    std::filesystem::remove(ports_file_, failed);
  }
  if (!pid_file_.empty() && pid_file_ != settings.pid_file) {
    std::filesystem::remove(pid_file_, failed);
  }
  ports_file_ = std::move(ports);
  pid_file_ = settings.pid_file;
  return {};
}

void BrokerTraces::remove() {
  std::error_code failed;
  if (!ports_file_.empty()) {
    std::filesystem::remove(ports_file_, failed);
  }
  // Another broker may have been started with the same file since.
  constexpr std::size_t kPidFileBytes = 64;
  if (!pid_file_.empty() && read_file(pid_file_, kPidFileBytes).value_or("") == std::to_string(::getpid())) {
    std::filesystem::remove(pid_file_, failed);
  }
  ports_file_.clear();
  pid_file_.clear();
}

}  // namespace hawser::cli
