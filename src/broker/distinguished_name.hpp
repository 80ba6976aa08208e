// Distinguished names (RFC 4514): parsed from a user's name in the configuration, compared with a certificate's
// subject.
//
// Values; pure. Comparison is exact but for the attribute types, whose case does not count, as nats-server has it.
//
//   const std::optional<DistinguishedName> name = parse_distinguished_name("CN=kate,OU=field,O=Example");
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::broker {

struct NameAttribute {
  std::string type;  // "CN", "OU", "DC"; a dotted OID when it has no short name
  std::string value;
  bool operator==(const NameAttribute& other) const;
};

// The parts of one place, most often a single one ("CN=a+UID=b" has two); their order means nothing.
using RelativeName = std::vector<NameAttribute>;

struct DistinguishedName {
  std::vector<RelativeName> parts;
  [[nodiscard]] bool empty() const noexcept { return parts.empty(); }
};

// Nothing: the text is no distinguished name ("bob", "CN", "=x").
[[nodiscard]] std::optional<DistinguishedName> parse_distinguished_name(std::string_view text);

// The same parts in the same order.
[[nodiscard]] bool equal(const DistinguishedName& a, const DistinguishedName& b);
// The same parts in any order.
[[nodiscard]] bool equal_in_any_order(const DistinguishedName& a, const DistinguishedName& b);

}  // namespace hawser::broker
