// How the status page looks and stays current: the style and the script that stand in it. Nothing else is loaded.
#pragma once

#include <string>
#include <string_view>

namespace hawser::admin {

extern const std::string_view kPageStyle;
// Takes what GET /events says and puts it in place of what is shown, part by part, so that focus and scrolling stay.
// Where there are no events, it asks for the page again every few seconds.
extern const std::string_view kPageScript;

// Of every answer: nothing but this style and this script (by its hash), and connections to ourselves.
[[nodiscard]] const std::string& content_security_policy();

}  // namespace hawser::admin
