// From a step's error and everything that was seen to the cause, and to what mends it. Pure.
//
// Where what was seen shows more than the error itself the code is the more exact one: a server that refuses "a bad
// certificate" after it named the CAs that it takes, none of them ours, does not know our CA.
//
//   step.cause = explain_auth(error, last_words, report, server);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/doctor.hpp"
#include "cli/doctor_second_look.hpp"

namespace hawser::cli {

[[nodiscard]] Cause explain_resolve(const Error& error, const std::string& host);
[[nodiscard]] Cause explain_connect(const Error& error, const ServerReport& server);
// `answers`: what a second look found, where there was reason for one.
[[nodiscard]] Cause explain_info(const Error& error, std::optional<Answers> answers, const ServerReport& server);
[[nodiscard]] Cause explain_tls(const Error& error, std::optional<Answers> answers);
// The server's chain was refused here.
[[nodiscard]] Cause explain_chain(const Error& error, const DoctorReport& report, const ServerReport& server);
// Our certificate, or its absence, was refused there.
[[nodiscard]] Cause explain_refusal(const Error& error, const DoctorReport& report, const ServerReport& server);
// `last_words`: the server's -ERR, if it said one.
[[nodiscard]] Cause explain_auth(const Error& error, const std::string& last_words, const DoctorReport& report,
                                 const ServerReport& server);
// The server let us in, and lets this user send nothing at all.
[[nodiscard]] Cause explain_no_payload(const DoctorReport& report, const ServerReport& server);

// What makes it likely that this machine's clock, or the server's, is off.
[[nodiscard]] std::optional<posture::Finding> suspect_clock(const Cause& cause, const DoctorReport& report,
                                                            const ServerReport& server);

// What a server's INFO says of authentication: "it asks for a credential, and takes NKeys or JWTs (it sent a nonce)".
[[nodiscard]] std::string offer_of(const wire::ServerInfo& info);

}  // namespace hawser::cli
