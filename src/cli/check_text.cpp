// `hawser check` for people, and for GitHub's annotations: both a line or some a finding.
#include <charconv>
#include <fmt/format.h>

#include "cli/check_render.hpp"

namespace hawser::cli {

namespace {

using posture::Severity;

// What came from a file may hold escape sequences; a terminal must not see them.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    out += control ? '?' : c;
  }
  return out;
}

struct Paint {
  Colours colours;
  [[nodiscard]] std::string operator()(std::string_view code, std::string_view text) const {
    return colours == Colours::on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::error: return "1;31";
    case Severity::warning: return "33";
    case Severity::note: return "36";
  }
  return "0";
}

std::string plural(std::size_t n, std::string_view word) { return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s"); }

std::string decision_line(const config::CheckResult& result) {
  if (!result.decision) {
    return {};
  }
  std::string servers;
  for (const std::string& server : result.decision->servers) {
    servers += (servers.empty() ? "" : ", ") + plain(server);
  }
  return fmt::format("  transport {}, authentication {}{}{}\n", posture::to_string(result.decision->transport),
                     posture::to_string(result.decision->auth_mode), servers.empty() ? "" : ", servers ", servers);
}

// The escapes of workflow commands; a property's also for what ends a property.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%') {
      out += "%25";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else if (property && c == ':') {
      out += "%3A";
    } else if (property && c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

SourcePlace place_of(std::string_view source) {
  if (source.starts_with("env ") || source.starts_with("flag ") || source.empty() || source == "environment") {
    return {};
  }
  if (const std::size_t note = source.rfind(" ("); note != std::string_view::npos && source.ends_with(')')) {
    source = source.substr(0, note);
  }
  // Up to two numbers after colons, from the right: a line and a column, or a line.
  std::uint32_t numbers[2] = {0, 0};
  int found = 0;
  while (found < 2) {
    const std::size_t colon = source.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == source.size()) {
      break;
    }
    const char* end = source.data() + source.size();
    const auto [stopped, error] = std::from_chars(source.data() + colon + 1, end, numbers[found]);
    if (error != std::errc() || stopped != end) {
      break;
    }
    ++found;
    source = source.substr(0, colon);
  }
  SourcePlace out{std::string(source), 0, 0};
  if (found == 1) {
    out.line = numbers[0];
  } else if (found == 2) {
    out.line = numbers[1];
    out.column = numbers[0];
  }
  return out;
}

std::string render_check_text(const config::CheckReport& report, Colours colours) {
  const Paint paint{colours};
  std::string out;
  std::size_t counts[3] = {0, 0, 0};
  for (const config::CheckResult& result : report.results) {
    out += paint("1", plain(result.subject)) + "\n" + decision_line(result);
    if (result.findings.empty()) {
      out += paint("32", "  nothing to complain about") + "\n";
    }
    for (const posture::Finding& finding : result.findings) {
      ++counts[static_cast<std::size_t>(finding.severity)];
      out += fmt::format("  {} {} {}: {}\n",
                         paint(colour_of(finding.severity), fmt::format("{:<7}", posture::to_string(finding.severity))),
                         error_id(finding.code), info(finding.code).name, plain(finding.message));
      for (const std::string& source : finding.sources) {
        out += fmt::format("          at {}\n", plain(source));
      }
      out += fmt::format("          {}\n", paint("2", "hint: " + plain(finding.hint)));
    }
    out += '\n';
  }
  return out + fmt::format("{}: {}, {}, {} in {}\n", report.ok() ? paint("32", "ok") : paint("1;31", "not ok"),
                           plural(counts[2], "error"), plural(counts[1], "warning"), plural(counts[0], "note"),
                           plural(report.results.size(), "result"));
}

std::string render_check_github(const config::CheckReport& report) {
  std::string out;
  for (const config::CheckResult& result : report.results) {
    for (const posture::Finding& finding : result.findings) {
      SourcePlace place;
      for (const std::string& source : finding.sources) {
        place = place_of(source);
        if (!place.file.empty()) {
          break;
        }
      }
      std::string where;
      if (!place.file.empty()) {
        where = "file=" + escaped(place.file, true);
        where += place.line != 0 ? fmt::format(",line={}", place.line) : "";
        where += place.column != 0 ? fmt::format(",col={}", place.column) : "";
        where += ',';
      }
      const std::string_view command =
          finding.severity == Severity::note ? "notice" : posture::to_string(finding.severity);
      out += fmt::format("::{} {}title={}::{}\n", command, where,
                         escaped(fmt::format("{} {}", error_id(finding.code), info(finding.code).name), true),
                         escaped(fmt::format("{}: {}\n{}", result.subject, finding.message, finding.hint), false));
    }
  }
  return out;
}

}  // namespace hawser::cli
