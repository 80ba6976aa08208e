#include "tls/distinguished_name.hpp"

#include <gtest/gtest.h>

namespace hawser::tls {
namespace {

// "CN=a|OU=b+OU=c", so that rows can be read.
std::string spelt(std::string_view text) {
  const std::optional<DistinguishedName> name = parse_distinguished_name(text);
  if (!name) {
    return "nothing";
  }
  std::string out;
  for (const RelativeName& part : name->parts) {
    std::string places;
    for (const NameAttribute& one : part) {
      places += (places.empty() ? "" : "+") + one.type + "=" + one.value;
    }
    out += (out.empty() ? "" : "|") + places;
  }
  return out;
}

TEST(DistinguishedNames, are_parsed_by_rfc_4514) {
  const std::pair<const char*, const char*> rows[] = {
      {"CN=kate", "CN=kate"},
      {"CN=kate,OU=field,O=Example", "CN=kate|OU=field|O=Example"},
      {"CN=kate, OU=field ,  O = Example Corp ", "CN=kate|OU=field|O=Example Corp"},
      {"CN=kate+SERIALNUMBER=7,O=x", "CN=kate+SERIALNUMBER=7|O=x"},
      {"CN=a\\,b", "CN=a,b"},
      {"CN=a\\2Cb", "CN=a,b"},
      {"CN=a\\C3\\A4", "CN=a\xC3\xA4"},
      {"CN=\\ a\\ ", "CN= a "},
      {"CN=a\\ ,O=b", "CN=a |O=b"},
      {"CN=a=b", "CN=a=b"},
      {"1.2.3=x", "1.2.3=x"},
      {"DC=com,DC=example", "DC=com|DC=example"},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(spelt(text), expected) << text;
  }
}

TEST(DistinguishedNames, refuse_what_is_none) {
  for (const char* text : {"", " ", "bob", "bob@example.com", "CN", "CN=", "=x", ",", "CN=a,", "CN=a,,O=b", "CN=a+",
                           "CN=a,b", "CN=\\", "CN=\\2", "CN=\\zz", "CN=#0401ff", "CN=a\\", "CN=,O=b", "+CN=a"}) {
    EXPECT_EQ(spelt(text), "nothing") << text;
  }
}

struct Pair {
  const char* a;
  const char* b;
  bool in_order;
  bool in_any_order;
};

TEST(DistinguishedNames, are_compared_in_order_and_in_any) {
  const Pair rows[] = {
      {"CN=a,O=b", "CN=a,O=b", true, true},
      {"CN=a,O=b", "cn=a,o=b", true, true},
      {"CN=a,O=b", "O=b,CN=a", false, true},
      {"CN=a,O=b", "CN=A,O=b", false, false},
      {"CN=a,O=b", "CN=a", false, false},
      {"CN=a", "CN=a,O=b", false, false},
      {"CN=a+OU=c,O=b", "OU=c+CN=a,O=b", true, true},
      {"CN=a+OU=c,O=b", "CN=a,OU=c,O=b", false, false},
      {"OU=x,OU=x,OU=y", "OU=x,OU=y,OU=y", false, false},
      {"OU=x+OU=x", "OU=x+OU=y", false, false},
      {"DC=com,DC=example", "DC=example,DC=com", false, true},
  };
  for (const Pair& row : rows) {
    const auto a = parse_distinguished_name(row.a);
    const auto b = parse_distinguished_name(row.b);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(equal(*a, *b), row.in_order) << row.a << " / " << row.b;
    EXPECT_EQ(equal_in_any_order(*a, *b), row.in_any_order) << row.a << " / " << row.b;
  }
}

TEST(DistinguishedNames, have_the_text_that_go_gives_them) {
  const std::pair<const char*, const char*> rows[] = {
      {"CN=a,OU=b,O=c,C=d", "CN=a,OU=b,O=c,C=d"},
      {"C=d,O=c,OU=b,CN=a", "CN=a,OU=b,O=c,C=d"},
      {"OU=two,OU=one,CN=a", "CN=a,OU=one+OU=two"},
      {"CN=a,DC=example,DC=com", "CN=a"},
      {"CN=inner,CN=outer", "CN=inner"},
      {"1.2.3=x,CN=a", "CN=a"},
      {"CN=a\\,b,O=\\#c", "CN=a\\,b,O=\\#c"},
      {"SERIALNUMBER=7,CN=a,L=t,ST=s,POSTALCODE=1,STREET=x", "SERIALNUMBER=7,CN=a,POSTALCODE=1,STREET=x,L=t,ST=s"},
      {"DC=foo4,DC=foo3,CN=localhost,OU=NATS,O=NATS,L=Los Angeles,ST=CA,C=US",
       "CN=localhost,OU=NATS,O=NATS,L=Los Angeles,ST=CA,C=US"},
      {"1.2.3=x", ""},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(go_subject_text(*parse_distinguished_name(text)), expected) << text;
  }
}

TEST(DistinguishedNames, list_their_domain_components_from_the_general_to_the_special) {
  EXPECT_EQ(domain_components(*parse_distinguished_name("CN=a,DC=example,DC=com")), "DC=com,DC=example");
  EXPECT_EQ(domain_components(*parse_distinguished_name("CN=a")), "");
}

}  // namespace
}  // namespace hawser::tls
