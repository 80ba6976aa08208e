// The rules that evaluate() is made of, for the files of this room. Pure; each adds what it finds to the decision.
#pragma once

#include "posture/evaluate.hpp"

namespace hawser::posture::rules {

// What every rule looks at. Views into evaluate()'s arguments.
struct Case {
  const Settings& settings;
  const Facts& facts;
  WallTime now;
  Purpose purpose;

  // An environment that is not known here counts as production: the stricter.
  [[nodiscard]] bool production() const {
    return settings.environment &&
           (!settings.environment->known || settings.environment->value == Environment::production);
  }
};

inline void add(Decision& decision, Errc code, Severity severity, std::string message,
                std::vector<std::string> sources) {
  decision.findings.push_back(make_finding(code, severity, std::move(message), std::move(sources)));
}

// Servers, transport, break-glass.
void decide_transport(const Case& c, Decision& decision);
// TLS options, and what stands against them. After decide_transport.
void decide_tls(const Case& c, Decision& decision);
// The one authentication mode. After decide_transport.
void decide_authentication(const Case& c, Decision& decision);

}  // namespace hawser::posture::rules
