#include "rotation/plan.hpp"

#include <fmt/format.h>

namespace hawser::rotation {
namespace {

constexpr std::size_t kShownBytes = 200;

bool needs_quotes(const std::string& word) {
  return word.empty() || word.find_first_of(" \t\n'\"\\$&|;<>()*?`") != std::string::npos;
}

}  // namespace

std::size_t target_count(const Plan& plan) {
  std::size_t count = 0;
  for (const Wave& wave : plan.waves) {
    count += wave.targets.size();
  }
  return count;
}

std::size_t first_target(const Plan& plan, std::size_t wave) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < wave; ++i) {
    first += plan.waves[i].targets.size();
  }
  return first;
}

TargetPlace place_of(const Plan& plan, std::size_t target) {
  std::size_t wave = 0;
  while (wave + 1 < plan.waves.size() && target >= plan.waves[wave].targets.size()) {
    target -= plan.waves[wave].targets.size();
    ++wave;
  }
  return {wave, target};
}

const Target& target_at(const Plan& plan, std::size_t target) {
  const TargetPlace place = place_of(plan, target);
  return plan.waves[place.wave].targets[place.in_wave];
}

std::string mark_of(std::string_view rotation_mark, const Target& target) {
  return fmt::format("{}-{}", rotation_mark, target.name);
}

std::string narrow_mark_of(std::string_view rotation_mark) { return fmt::format("{}-narrow", rotation_mark); }

std::vector<std::string> without_way_back(const Plan& plan) {
  std::vector<std::string> out;
  const auto look = [&out](const Delivery& delivery, std::string_view whose, std::string_view what) {
    const auto* command = std::get_if<DeliveryCommand>(&delivery);
    if (command != nullptr && !command->undo) {
      out.push_back(fmt::format("{}: {}: {}", whose, what, to_text(command->command)));
    }
  };
  for (const Broker& broker : plan.brokers) {
    if (broker.broaden) {
      look(*broker.broaden, broker.name, "broaden");
    }
    if (broker.narrow) {
      look(*broker.narrow, broker.name, "narrow");
    }
  }
  for (const Wave& wave : plan.waves) {
    for (const Target& target : wave.targets) {
      look(target.deliver, target.name, "deliver");
    }
  }
  return out;
}

std::string to_text(const Command& command) {
  std::string out;
  for (const std::string& word : command.words) {
    out += out.empty() ? "" : " ";
    out += !command.shell && needs_quotes(word) ? "'" + word + "'" : word;
  }
  if (out.size() > kShownBytes) {
    out.resize(kShownBytes);
    out += "…";
  }
  return out;
}

std::string to_text(const Trigger& trigger) {
  if (const auto* endpoint = std::get_if<Endpoint>(&trigger)) {
    return fmt::format("POST {}://{}{}/reload", endpoint->secure ? "https" : "http", endpoint->authority(),
                       endpoint->path);
  }
  if (const auto* signal = std::get_if<Signal>(&trigger)) {
    return signal->pid_file.empty()
               ? fmt::format("signal {} to process {}", signal->number, signal->process)
               : fmt::format("signal {} to the process of {}", signal->number, signal->pid_file.string());
  }
  return to_text(std::get<Command>(trigger));
}

}  // namespace hawser::rotation
