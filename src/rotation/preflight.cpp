#include "rotation/preflight.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "rotation/counters.hpp"
#include "rotation/http.hpp"
#include "rotation/prober.hpp"
#include "rotation/process.hpp"
#include "rotation/varz.hpp"
#include "tls/inspect.hpp"

namespace hawser::rotation {
namespace {

bool is_program(const std::string& word) {
  if (word.find('/') != std::string::npos) {
    return ::access(word.c_str(), X_OK) == 0;
  }
  const char* path = std::getenv("PATH");
  std::string_view left = path == nullptr ? "/usr/bin:/bin" : path;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(':'), left.size());
    if (end > 0 && ::access(fmt::format("{}/{}", left.substr(0, end), word).c_str(), X_OK) == 0) {
      return true;
    }
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return false;
}

class Survey {
 public:
  Survey(const Plan& plan, const Inventory& inventory, Time until, const std::stop_token& stop)
      : plan_(plan), inventory_(inventory), until_(until), stop_(stop) {}

  std::vector<Error> look() {
    for (const Broker& broker : plan_.brokers) {
      if (plan_.kind == PlanKind::ca) {
        bundle(broker);
      }
      for (const std::optional<Delivery>* change : {&broker.broaden, &broker.narrow}) {
        if (*change) {
          delivery(broker.name, **change);
        }
      }
      if (broker.reload) {
        trigger(broker.name, *broker.reload);
      }
      monitoring(broker);
      probes(broker);
    }
    for (std::size_t i = 0; i < target_count(plan_); ++i) {
      target(target_at(plan_, i));
    }
    for (const std::string& why : missing_metrics(plan_, inventory_.trust, until_, stop_)) {
      refuse("guards", why);
    }
    return std::move(errors_);
  }

 private:
  void bundle(const Broker& broker);
  void monitoring(const Broker& broker);
  void probes(const Broker& broker);
  void target(const Target& target);
  void delivery(const std::string& whose, const Delivery& delivery);
  void trigger(const std::string& whose, const Trigger& trigger);
  void command(const std::string& whose, const Command& command);
  void writable(const std::string& whose, const Path& file);
  void refuse(const std::string& whose, std::string_view why) {
    errors_.push_back({Errc::rotation_preflight_failed, fmt::format("{}: {}", whose, why)});
  }

  const Plan& plan_;
  const Inventory& inventory_;
  Time until_;
  const std::stop_token& stop_;
  std::vector<Error> errors_;
};

// Whatever else it trusts would be lost with the first write.
void Survey::bundle(const Broker& broker) {
  const Result<Secret> text = read_secret_file(broker.bundle, limits::kPemFileBytes);
  const Result<tls::PemContents> contents =
      text ? tls::inspect_pem(*text, broker.bundle.string()) : std::unexpected(text.error());
  if (!contents) {
    return refuse(broker.name, contents.error().message());
  }
  for (const tls::PemCertificate& one : contents->certificates) {
    if (!inventory_.authorities.contains(one.info.sha256)) {
      refuse(broker.name,
             fmt::format("{} trusts {} too, which is in neither old_ca nor new_ca: put it into both to keep it",
                         broker.bundle.string(), one.info.subject));
    }
  }
  writable(broker.name, broker.bundle);
}

void Survey::writable(const std::string& whose, const Path& file) {
  std::error_code ignored;
  const Path real = std::filesystem::weakly_canonical(file, ignored);
  const Path directory = real.has_parent_path() ? real.parent_path() : Path(".");
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    refuse(whose,
           fmt::format("{} cannot be replaced: its directory is not there, or may not be written to", file.string()));
  }
}

void Survey::monitoring(const Broker& broker) {
  const auto seen = connections_of(broker, inventory_.trust, until_, stop_);
  if (!seen) {
    return refuse(broker.name, seen.error().message());
  }
  if (plan_.guards.slow_consumers || plan_.guards.flow) {
    if (const auto varz = varz_of(broker, inventory_.trust, until_, stop_); !varz) {
      refuse(broker.name, varz.error().message());
    }
  }
}

// One of them; which one depends on how far it has come.
void Survey::probes(const Broker& broker) {
  if (!has_prober(plan_, inventory_, Age::old_one) || !has_prober(plan_, inventory_, Age::new_one)) {
    return;
  }
  const auto old_one = try_prober(plan_, inventory_, broker, Age::old_one, until_, stop_);
  if (old_one && old_one->accepted) {
    return;
  }
  const auto new_one = try_prober(plan_, inventory_, broker, Age::new_one, until_, stop_);
  if (!new_one || !new_one->accepted) {
    refuse(broker.name, fmt::format("takes neither {} of the prober: {}", what_is_presented(plan_),
                                    old_one ? old_one->seen : old_one.error().message()));
  }
}

void Survey::delivery(const std::string& whose, const Delivery& delivery) {
  if (const auto* copies = std::get_if<std::vector<Copy>>(&delivery)) {
    for (const Copy& copy : *copies) {
      writable(whose, copy.to);
    }
    return;
  }
  const auto& by_command = std::get<DeliveryCommand>(delivery);
  command(whose, by_command.command);
  if (by_command.undo) {
    command(whose, *by_command.undo);
  }
}

void Survey::target(const Target& target) {
  delivery(target.name, target.deliver);
  trigger(target.name, target.apply);
}

void Survey::trigger(const std::string& whose, const Trigger& trigger) {
  if (const auto* run = std::get_if<Command>(&trigger)) {
    return command(whose, *run);
  }
  if (const auto* admin = std::get_if<Endpoint>(&trigger)) {
    const auto health =
        ask({.to = *admin, .target = "/healthz", .post = false, .trust = inventory_.trust}, until_, stop_);
    return health ? void() : refuse(whose, health.error().message());
  }
  Signal signal = std::get<Signal>(trigger);
  signal.number = 0;  // is it there, and may we?
  if (const Result<void> there = send_signal(signal); !there) {
    refuse(whose, there.error().message());
  }
}

void Survey::command(const std::string& whose, const Command& command) {
  if (!command.shell && !is_program(command.words.front())) {
    refuse(whose, fmt::format("there is no program {} to run", command.words.front()));
  }
}

}  // namespace

std::vector<Error> look_around(const Plan& plan, const Inventory& inventory, Time until, const std::stop_token& stop) {
  return Survey(plan, inventory, until, stop).look();
}

}  // namespace hawser::rotation
