// Monitoring's JSON as text: as nats-server indents it, or in one line. Only for .cpp files of the monitoring, since it
// needs Boost.JSON.
//
//   Document connz(Form::pretty, std::move(head));
//   connz.begin_list("connections"); for (…) connz.add(object_of(connection)); return connz.finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace boost::json {
class value;
class object;
}  // namespace boost::json

namespace hawser::broker {

enum class Form : std::uint8_t { pretty, compact };

// Numbers as Go writes them ("2" for 2.0), members in their order, control characters and '<', '>', '&' escaped, so
// that it may stand in a script (JSONP), too.
void append_json(std::string& out, const boost::json::value& value, Form form, std::size_t depth = 0);
[[nodiscard]] std::string json_text(const boost::json::object& object, Form form);

// An object whose last member is a list that may be long: it is written item by item, so that only the text is in
// memory.
class Document {
 public:
  static constexpr std::size_t kMostBytes = 256UL << 20U;

  // `head` are the members before the list; there is at least one.
  Document(Form form, const boost::json::object& head, std::string_view list);
  // False, and nothing added, once the text has the size that it may have.
  bool add(const boost::json::value& item);
  [[nodiscard]] std::string finish() &&;

 private:
  void line(std::size_t depth);

  Form form_;
  std::string text_;
  bool empty_ = true;
};

}  // namespace hawser::broker
