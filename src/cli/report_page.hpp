// The frame that reports share: one HTML page that needs nothing else, light and dark, from 360 px on. No script. Pure.
//
//   std::string page = report_head("Drill: passed") + … + std::string(kReportFoot);
#pragma once

#include <string>
#include <string_view>

namespace hawser::cli {

// Up to the first heading, which is the title. It is escaped here.
[[nodiscard]] std::string report_head(std::string_view title);

inline constexpr std::string_view kReportFoot = "</main></body></html>\n";

}  // namespace hawser::cli
