#include "identity/strict_json.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <vector>

namespace hawser::identity {
namespace {

namespace json = boost::json;
using json::error_code;

constexpr std::size_t kDepth = 16;  // claims nest six deep

// Builds the tree as Boost.JSON's own handler does, and remembers the names of every object that is still open.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = 65536;
  static constexpr std::size_t max_array_size = 65536;
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);  // the text itself is bounded

  TreeBuilder() { stack_.reset(); }

  [[nodiscard]] bool repeated() const { return repeated_; }
  [[nodiscard]] json::value release() { return stack_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, error_code& ec) {
    std::vector<std::string>& names = names_.back();
    std::ranges::sort(names);
    repeated_ = std::ranges::adjacent_find(names) != names.end();
    names_.pop_back();
    stack_.push_object(n);
    if (repeated_) {
      ec = json::error::incomplete;  // any will do: repeated() is what is said
    }
    return !repeated_;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t n, error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    names_.back().push_back(std::move(name_));
    name_.clear();
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, error_code&) {
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, error_code&) {
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double value, json::string_view, error_code&) {
    stack_.push_double(value);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::vector<std::vector<std::string>> names_;
  std::string name_;
  bool repeated_ = false;
};

}  // namespace

Result<json::object> parse_object(std::string_view text, Errc code, std::string doing) {
  json::parse_options options;
  options.max_depth = kDepth;
  json::basic_parser<TreeBuilder> parser(options);
  error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().repeated()) {
    return fail(code, std::move(doing) + " has two members of one name");
  }
  if (ec == json::error::too_deep || ec == json::error::object_too_large || ec == json::error::array_too_large ||
      ec == json::error::key_too_large) {
    return fail(code, std::move(doing) + " is nested too deep or too large");
  }
  if (ec || read < text.size()) {
    return fail(code, std::move(doing) + " is not a JSON object");
  }
  json::value value = parser.handler().release();
  if (!value.is_object()) {
    return fail(code, std::move(doing) + " is not a JSON object");
  }
  return std::move(value.as_object());
}

}  // namespace hawser::identity
