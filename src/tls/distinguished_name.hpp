// Distinguished names (RFC 4514): parsed from text, and compared with a certificate's subject.
//
// Values; pure; thread-safe. Values compare exactly; the case of attribute types does not count (RFC 4517, 4.2.15, as
// nats-server has it).
//
//   const std::optional<DistinguishedName> name = parse_distinguished_name("CN=kate,OU=field,O=Example");
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::tls {

struct NameAttribute {
  std::string type;  // "CN", "OU", "DC"; a dotted number when it has no name of its own here
  std::string value;
};

// What stands at one place, most often a single attribute ("CN=a+SERIALNUMBER=b" has two); their order means nothing.
using RelativeName = std::vector<NameAttribute>;

struct DistinguishedName {
  std::vector<RelativeName> parts;  // most specific first, as the text has them
};

// Nothing: the text is no distinguished name ("bob", "CN", "=x", "CN=a,").
[[nodiscard]] std::optional<DistinguishedName> parse_distinguished_name(std::string_view text);

// The same parts in the same order.
[[nodiscard]] bool equal(const DistinguishedName& a, const DistinguishedName& b);
// The same parts in any order.
[[nodiscard]] bool equal_in_any_order(const DistinguishedName& a, const DistinguishedName& b);

// As Go prints a certificate's subject: the attributes that it knows, in its own fixed order whatever the certificate's
// ("SERIALNUMBER=…,CN=…,OU=a+OU=b,O=…,POSTALCODE=…,STREET=…,L=…,ST=…,C=…"), special characters escaped.
[[nodiscard]] std::string go_subject_text(const DistinguishedName& name);
// "DC=example,DC=com" in the certificate's order (the most general first); empty without any.
[[nodiscard]] std::string domain_components(const DistinguishedName& name);

}  // namespace hawser::tls
