// What the admin endpoint shows, as text: the status page, and the JSON forms of status and health. Pure.
//
//   std::string html = render_page(status, wall_now());
#pragma once

#include <string>
#include <string_view>

#include "admin/server.hpp"
#include "base/clock.hpp"

namespace hawser::admin {

inline constexpr std::size_t kRowsShown = 200;  // of a table on the page; the JSON has all that were handed over

// Text as it may stand in HTML, in attributes too.
[[nodiscard]] std::string html_escaped(std::string_view text);

// Self-contained HTML: its one script keeps it current (page_look.hpp), and without scripts it asks for itself again
// every few seconds. Everything in it is escaped.
[[nodiscard]] std::string render_page(const Status& status, WallTime now);
// What of it changes, as GET /events sends it.
[[nodiscard]] std::string render_parts(const Status& status);
// One server-sent event (WHATWG HTML, 9.2) with this text.
[[nodiscard]] std::string event_of(std::string_view text);
[[nodiscard]] std::string status_json(const Status& status);
// {"ok":false,"checks":[{"name":"upstream","ok":false,"reason":"…"}]}
[[nodiscard]] std::string health_json(const Health& health);
// {"ok":true,"detail":"…"}, or {"ok":false,"error":{"id","name","message","hint"}}
[[nodiscard]] std::string outcome_json(const Result<std::string>& outcome);

}  // namespace hawser::admin
