#include "config/env_file.hpp"

#include <gtest/gtest.h>
#include <string>

namespace hawser::config {
namespace {

// "NAME=value@line:column", with "?" for a value that is not known here.
std::string read(std::string_view text) {
  const Result<std::vector<Variable>> variables = parse_env_file(text, "e");
  if (!variables) return error_id(variables.error().code) + " " + variables.error().doing;
  std::string out;
  for (const Variable& v : *variables) {
    out += (out.empty() ? "" : " ") + v.name + "=" + (v.value ? std::string(v.value->reveal()) : "?") + "@" +
           v.place.text().substr(2);
  }
  return out;
}

TEST(EnvFile, reads_lines_as_docker_compose_and_systemd_write_them) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"\n# c\n; c\n  # c\n", ""},
      {"A=1", "A=1@1:1"},
      {"A=1\r\nB=2\r\n", "A=1@1:1 B=2@2:1"},
      {"\xEF\xBB\xBF"
       "A=1",
       "A=1@1:1"},
      {"  export A=1", "A=1@1:10"},
      {"export=1", "export=1@1:1"},
      {"A = 1", "A=1@1:1"},
      {"A=", "A=@1:1"},
      {"A=  \n", "A=@1:1"},
      {"A=b c  # comment", "A=b c@1:1"},
      {"A=b#c", "A=b#c@1:1"},
      {"A=# c", "A=@1:1"},
      {"A=b=c", "A=b=c@1:1"},
      {"A=pa$$w0rd$x", "A=pa$$w0rd$x@1:1"},
      {"A=\"b # c\" # d", "A=b # c@1:1"},
      {"A='b \"c\"'", "A=b \"c\"@1:1"},
      {"A=\"b\\\"c\\nd\"", "A=b\"c\nd@1:1"},
      {"A='b\\n'", "A=b\\n@1:1"},
      {"A=\"x\ny\"\nB=1", "A=x\ny@1:1 B=1@3:1"},
      {"A=${B}", "A=?@1:1"},
      {"A='${B}'", "A=${B}@1:1"},
      {"A=\"x${B:-1}\"", "A=?@1:1"},
      {"NATS_TOKEN", "NATS_TOKEN=?@1:1"},
      {"NATS_TOKEN  # from outside", "NATS_TOKEN=?@1:1"},
      {"a.b-c=1", "a.b-c=1@1:1"},
      {"A=1\nA=2", "A=1@1:1 A=2@2:1"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read(text), expected) << text;
}

TEST(EnvFile, tells_every_bad_line_and_no_value) {
  EXPECT_EQ(read("=CANARY\nA=1\n1B=CANARY\nC CANARY\nD=\"CANARY\" CANARY\nE='CANARY"),
            "CFG-701 e:1:1: expected the name of a variable (A line is NAME=VALUE; a comment begins with '#'.)\n"
            "e:3:1: expected the name of a variable (A line is NAME=VALUE; a comment begins with '#'.)\n"
            "e:4:3: expected '=' after the name of a variable\n"
            "e:5:12: text after the closing quote\n"
            "e:6:3: a value in quotes does not end");
}

TEST(EnvFile, is_bounded) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "A=1\n";
  EXPECT_NE(read(many).find("more than 10000 variables"), std::string::npos);
  EXPECT_TRUE(read(std::string_view("A=1\0", 4)).starts_with("CFG-701"));
}

TEST(EnvFile, lets_the_last_of_two_equal_names_count) {
  const Result<std::vector<Variable>> variables = parse_env_file("A=1\nB=2\nA=3", "e");
  ASSERT_TRUE(variables.has_value());
  EXPECT_EQ(find_variable(*variables, "A")->value->reveal(), "3");
  EXPECT_EQ(find_variable(*variables, "C"), nullptr);
}

}  // namespace
}  // namespace hawser::config
