// What a broker's monitoring shows at `/`: how it is at a glance, and where to read more.
//
//   std::string html = admin::render_page(index_page(views, settings.monitoring.base_path), wall_now());
#pragma once

#include <string_view>

#include "admin/server.hpp"
#include "broker/monitor_views.hpp"

namespace hawser::broker {

[[nodiscard]] admin::Status index_page(MonitorViews& views, std::string_view base_path);

}  // namespace hawser::broker
