#include "tls/distinguished_name.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ranges>

namespace hawser::tls {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool same(const NameAttribute& a, const NameAttribute& b) {
  return equal_without_case(a.type, b.type) && a.value == b.value;
}

bool holds_all(const RelativeName& of, const RelativeName& in) {
  return std::ranges::all_of(of, [&in](const NameAttribute& wanted) {
    return std::ranges::any_of(in, [&wanted](const NameAttribute& one) { return same(one, wanted); });
  });
}

bool same(const RelativeName& a, const RelativeName& b) {
  return a.size() == b.size() && holds_all(a, b) && holds_all(b, a);
}

int hex_digit(char c) {
  const char small = lower(c);
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// One type or value at a time, up to the character that ends it.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char take() { return text_[at_++]; }
  // After blanks.
  [[nodiscard]] bool next_is(char c) const {
    const std::size_t next = text_.find_first_not_of(' ', at_);
    return next != std::string_view::npos && text_[next] == c;
  }

  // Up to one of `ends`, which stays; blanks around it fall away, escaped ones do not. Nothing: a bad escape.
  std::optional<std::string> until(std::string_view ends) {
    std::string out;
    std::size_t kept = 0;  // of `out`, with what may not be trimmed
    for (; !at_end() && ends.find(text_[at_]) == std::string_view::npos; ++at_) {
      const char c = text_[at_];
      if (c == '\\') {
        const std::optional<char> meant = escaped();
        if (!meant) {
          return std::nullopt;
        }
        out += *meant;
        kept = out.size();
      } else if (c != ' ') {
        out += c;
        kept = out.size();
      } else if (!out.empty()) {
        out += c;
      }
    }
    out.resize(kept);
    return out;
  }

 private:
  // `\,` or `\2C`; at its last character afterwards.
  std::optional<char> escaped() {
    constexpr std::string_view kSpecial = " \"#+,;<=>\\";
    if (at_ + 1 >= text_.size()) {
      return std::nullopt;
    }
    ++at_;
    if (kSpecial.find(text_[at_]) != std::string_view::npos) {
      return text_[at_];
    }
    const int high = hex_digit(text_[at_]);
    const int low = at_ + 1 < text_.size() ? hex_digit(text_[at_ + 1]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    ++at_;
    return static_cast<char>(high * 16 + low);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string escape(std::string_view value) {
  constexpr std::string_view kAlways = ",+\"\\<>;";
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool at_edge = i == 0 || i + 1 == value.size();
    if (kAlways.find(value[i]) != std::string_view::npos || (value[i] == ' ' && at_edge) ||
        (value[i] == '#' && i == 0)) {
      out += '\\';
    }
    out += value[i];
  }
  return out;
}

// In the certificate's own order, the most general part first.
template <class Visit>
void each_attribute(const DistinguishedName& name, Visit visit) {
  for (const RelativeName& part : name.parts | std::views::reverse) {
    for (const NameAttribute& one : part | std::views::reverse) {
      visit(one);
    }
  }
}

}  // namespace

std::optional<DistinguishedName> parse_distinguished_name(std::string_view text) {
  DistinguishedName name;
  Reader reader(text);
  for (bool new_part = true; !reader.at_end();) {
    std::optional<std::string> type = reader.until("=,+");
    if (!type || type->empty() || reader.at_end() || reader.take() != '=') {
      return std::nullopt;
    }
    if (reader.next_is('#')) {  // BER in hexadecimal, which nobody writes
      return std::nullopt;
    }
    std::optional<std::string> value = reader.until(",+");
    if (!value || value->empty()) {
      return std::nullopt;
    }
    if (new_part) {
      name.parts.emplace_back();
    }
    name.parts.back().push_back({std::move(*type), std::move(*value)});
    if (reader.at_end()) {
      return name;
    }
    new_part = reader.take() == ',';
  }
  return std::nullopt;  // nothing at all, or nothing after the last comma
}

bool equal(const DistinguishedName& a, const DistinguishedName& b) {
  return std::ranges::equal(a.parts, b.parts, [](const RelativeName& x, const RelativeName& y) { return same(x, y); });
}

bool equal_in_any_order(const DistinguishedName& a, const DistinguishedName& b) {
  if (a.parts.size() != b.parts.size()) {
    return false;
  }
  std::vector<bool> matched(b.parts.size(), false);
  return std::ranges::all_of(a.parts, [&](const RelativeName& part) {
    for (std::size_t i = 0; i < b.parts.size(); ++i) {
      if (!matched[i] && same(part, b.parts[i])) {
        matched[i] = true;
        return true;
      }
    }
    return false;
  });
}

std::string go_subject_text(const DistinguishedName& name) {
  struct Known {
    std::string_view type;
    bool once;  // of several, the certificate's last one counts; the others share a place, joined by `+`
  };
  constexpr std::array<Known, 9> kOrder = {{{"SERIALNUMBER", true},
                                            {"CN", true},
                                            {"OU", false},
                                            {"O", false},
                                            {"POSTALCODE", false},
                                            {"STREET", false},
                                            {"L", false},
                                            {"ST", false},
                                            {"C", false}}};
  std::string out;
  for (const Known& known : kOrder) {
    std::string values;
    each_attribute(name, [&](const NameAttribute& one) {
      if (one.type != known.type) {
        return;
      }
      std::string text = one.type + "=" + escape(one.value);
      values = known.once || values.empty() ? std::move(text) : values + "+" + text;
    });
    if (!values.empty()) {
      out += out.empty() ? values : "," + values;
    }
  }
  return out;
}

std::string domain_components(const DistinguishedName& name) {
  std::string out;
  each_attribute(name, [&out](const NameAttribute& one) {
    if (one.type == "DC") {
      out += (out.empty() ? "DC=" : ",DC=") + one.value;
    }
  });
  return out;
}

}  // namespace hawser::tls
