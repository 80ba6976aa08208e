#include "config/nats_conf.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <string>

namespace hawser::config {
namespace {

using Files = std::map<std::string, std::string>;

ConfReach reach_of(Files files = {}, Files environment = {}) {
  return {[files](const std::filesystem::path& path) -> Result<std::string> {
            const auto found = files.find(path.string());
            return found == files.end()
                       ? Result<std::string>(fail(Errc::file_unreadable, "there is no " + path.string()))
                       : found->second;
          },
          [environment](std::string_view name) -> std::optional<std::string> {
            const auto found = environment.find(std::string(name));
            return found == environment.end() ? std::nullopt : std::optional(found->second);
          }};
}

// The tree in one line: {a:1,b:"x",c:[true]}.
std::string shape(const ConfNode& node) {
  using Kind = ConfNode::Kind;
  std::string out;
  switch (node.kind) {
    case Kind::boolean: return node.boolean ? "true" : "false";
    case Kind::integer: return fmt::format("{}", node.integer);
    case Kind::real: return fmt::format("{}", node.real);
    case Kind::datetime: return "@" + node.text;
    case Kind::string: return "\"" + node.text + "\"";
    case Kind::array:
      for (const ConfNode& item : node.items) out += (out.empty() ? "" : ",") + shape(item);
      return "[" + out + "]";
    case Kind::map:
      for (const ConfMember& member : node.members)
        out += (out.empty() ? "" : ",") + member.key + ":" + shape(member.value);
      return "{" + out + "}";
  }
  return out;
}

std::string read(std::string_view text, Files files = {}, Files environment = {}) {
  const Result<ConfDocument> conf = parse_nats_conf(text, "n.conf", reach_of(std::move(files), std::move(environment)));
  return conf ? shape(conf->root) : error_id(conf.error().code) + " " + conf.error().doing;
}

struct Case {
  const char* text;
  const char* expected;
};

TEST(NatsConf, reads_the_language_as_nats_server_does) {
  // The right sides are what nats-server's own parser makes of the left ones.
  const Case cases[] = {
      {"", "{}"},
      {"# only a comment", "{}"},
      {"a: 1", "{a:1}"},
      {"a = 1", "{a:1}"},
      {"a 1", "{a:1}"},
      {"a=1,b:2;c 3}d 4", "{a:1,b:2,c:3,d:4}"},
      {"a: 1 # x\nb: 2 // y\n// z\nc: 3", "{a:1,b:2,c:3}"},
      {"a: http://h:1/p#f", "{a:\"http://h:1/p#f\"}"},
      {"a\n\n b", "{a:\"b\"}"},
      {"tls\n{\n x 1 }", "{tls:{x:1}}"},
      {"a {b: 1, c { d: [1, 2 ] } }", "{a:{b:1,c:{d:[1,2]}}}"},
      {"a {\n b:\n  1\n}", "{a:{b:1}}"},
      {"a: [\n x\n y # z\n 'w',\n {k v}\n]", "{a:[\"x\",\"y\",\"w\",{k:\"v\"}]}"},
      {"{\"a\": 1, \"b\": {\"c\": [true, false]}}", "{a:1,b:{c:[true,false]}}"},
      {"{ {a: 1}, b: 2 }", "{a:1,b:2}"},
      {"a {b: 1}\n}\n", "{a:{b:1}}"},
      {"\"a b\": 1\n'c' = 2", "{a b:1,c:2}"},
      {"a: TRUE\nb: on\nc: No\nd: Off\ne: yes", "{a:true,b:true,c:false,d:false,e:true}"},
      {"a: 'yes'\nb: \"1\"", "{a:\"yes\",b:\"1\"}"},
      {"a: \"x\\ty\\x41\\\"\\\\\"", "{a:\"x\tyA\"\\\"}"},
      {"a: 'x\\ty'", "{a:\"x\\ty\"}"},
      {"a: x\\ty", "{a:\"x\ty\"}"},
      {"a: 1k\nb: 1KB\nc: 2mib\nd: 1g\ne: 3Ti", "{a:1000,b:1024,c:2097152,d:1000000000,e:3298534883328}"},
      {"a: 1m", "{a:1000000}"},
      {"a: 2s\nb: 2min\nc: 1x2", "{a:\"2s\",b:\"2min\",c:\"1x2\"}"},
      {"a: -5\nb: -1k\nc: 1.5\nd: -0.25", "{a:-5,b:-1000,c:1.5,d:-0.25}"},
      {"a: 127.0.0.1:4222\nb: 10.0.0.1", "{a:\"127.0.0.1:4222\",b:\"10.0.0.1\"}"},
      {"a: 2016-05-04T18:53:41Z", "{a:@2016-05-04T18:53:41Z}"},
      {"a: (\nSELECT 1;\n)x\n)\nb: 2", "{a:\"\nSELECT 1;\n)x\n\",b:2}"},
      {"a: $2a$11$abc", "{a:\"$2a$11$abc\"}"},
      {"a: \"$b\"", "{a:\"$b\"}"},
      {"a: [1,2]", "{a:[1,2]}"},  // nats-server stumbles over this one
      {"a:", "{a:\"\"}"},
      {"a: ;b: 1", "{a:\"\",b:1}"},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.text), c.expected) << c.text;
}

TEST(NatsConf, refuses_with_the_place_of_the_mistake) {
  const Case cases[] = {
      {"a: b c", "CFG-701 n.conf:1:6: expected the end of the value"},
      {"a:\n  b: 1", "CFG-701 n.conf:1:3: expected a value, found the end of the line"},
      {": 1", "CFG-701 n.conf:1:1: expected a key"},
      {"x: 1\n  = 2", "CFG-701 n.conf:2:3: expected a key"},
      {"a {\n b: 1\n", "CFG-701 n.conf:1:3: a '{' that is not closed"},
      {"{ a: 1\n", "CFG-701 n.conf:1:1: a '{' that is not closed"},
      {"a: [1, 2", "CFG-701 n.conf:1:4: a '[' that is not closed"},
      {"a: [ , 1]", "CFG-701 n.conf:1:6: expected a value of the list"},
      {"a: [ 1 2 ]", "CFG-701 n.conf:1:8: expected ',' or ']'"},
      {"a: \"x", "CFG-701 n.conf:1:4: a text in double quotes does not end"},
      {"a: 'x", "CFG-701 n.conf:1:4: a text in single quotes does not end"},
      {"'a: 1", "CFG-701 n.conf:1:1: a quoted key does not end"},
      {"a: (\nx\n", "CFG-701 n.conf:1:4: a block of lines does not end"},
      {"a: \"\\q\"", "CFG-701 n.conf:1:6: unknown escape"},
      {"a: \"\\xg0\"", "CFG-701 n.conf:1:7: expected two hexadecimal digits"},
      {"a: -x", "CFG-701 n.conf:1:5: expected a digit after '-'"},
      {"a: .5", "CFG-701 n.conf:1:4: a number begins with a digit"},
      {"a: 1.x", "CFG-701 n.conf:1:6: expected a digit after '.'"},
      {"a: 1m30s", "CFG-701 n.conf:1:6: expected the end of the value"},
      {"a: 1kbb", "CFG-701 n.conf:1:4: unknown size suffix \"kbb\""},
      {"a: 99999999999999999999", "CFG-701 n.conf:1:4: a number is beyond 64 bits"},
      {"a: 9999999999G", "CFG-701 n.conf:1:4: a number is beyond 64 bits"},
      {"a: 2016-13-04T18:53:41Z", "CFG-701 n.conf:1:4: four digits and '-' begin a date"},
      {"a: 2023-02-29T00:00:00Z", "CFG-701 n.conf:1:4: four digits"},
      {"a: 12-34", "CFG-701 n.conf:1:6: a number is followed by '-'"},
      {"a { b }", "CFG-701 n.conf:1:5: the key \"b\" has no value"},
      {"tls{", "CFG-701 n.conf:1:1: the key \"tls{\" has no value (Put a space between a key and its '{'.)"},
      {"tls{ x: 1 }", "CFG-701 n.conf:1:1: \"tls{\" is read as one key"},
      {"}\na: 1", "CFG-701 n.conf:1:1: a '}' that closes nothing"},
      {"/x: 1", "CFG-701 n.conf:1:1: expected a key"},
      {"include", "CFG-701 n.conf:1:1: the key \"include\" has no value"},
      {"include 1.conf", "CFG-701 n.conf:1:9: an include path cannot begin with '1'"},
      {"a: $b", "CFG-707 n.conf:1:4: the variable $b is not defined"},
  };
  for (const Case& c : cases) {
    const std::string said = read(c.text);
    EXPECT_TRUE(said.starts_with(c.expected)) << c.text << " -> " << said;
  }
}

TEST(NatsConf, looks_variables_up_from_the_inside_out_and_then_in_the_environment) {
  EXPECT_EQ(read("v: 1\na {v: 2, b { c: $v } }"), "{v:1,a:{v:2,b:{c:2}}}");
  EXPECT_EQ(read("v: {x: 1}\na: $v"), "{v:{x:1},a:{x:1}}");
  EXPECT_EQ(read("a: $P", {}, {{"P", "4222"}}), "{a:4222}");
  EXPECT_EQ(read("a: $P", {}, {{"P", "[1, {b: c}]"}}), "{a:[1,{b:\"c\"}]}");
  EXPECT_EQ(read("a: $P", {}, {{"P", "$Q"}, {"Q", "x"}}), "{a:\"x\"}");
  EXPECT_EQ(read("a: $P", {}, {{"P", ""}}), "{a:\"\"}");
  EXPECT_EQ(read("a: $P", {}, {{"P", "$P"}}).substr(0, 7), "CFG-707");
}

TEST(NatsConf, does_not_show_what_an_environment_variable_holds) {
  const std::string said = read("a: $P", {}, {{"P", "CANARY CANARY"}});
  EXPECT_TRUE(said.starts_with("CFG-707 n.conf:1:4: the value of the environment variable $P cannot be read")) << said;
  EXPECT_EQ(said.find("CANARY"), std::string::npos);
}

TEST(NatsConf, marks_variables_and_keeps_how_a_value_was_written) {
  const Result<ConfDocument> conf = parse_nats_conf("T: 1m\ntls { timeout: $T }\nx: \"1m\"", "n.conf", reach_of());
  ASSERT_TRUE(conf.has_value());
  EXPECT_TRUE(conf->root.member("T")->used_as_variable);
  EXPECT_FALSE(conf->root.member("tls")->used_as_variable);
  const ConfNode* timeout = conf->root.find("TLS")->find("Timeout");
  EXPECT_EQ(timeout->form, ConfNode::Form::suffixed);
  EXPECT_EQ(timeout->text, "1m");
  EXPECT_EQ(timeout->variable, "T");
  EXPECT_EQ(timeout->place.text(), "n.conf:2:16");
  EXPECT_EQ(conf->root.find("x")->form, ConfNode::Form::quoted);
}

TEST(NatsConf, lists_keys_that_stand_twice_and_lets_the_last_count) {
  const Result<ConfDocument> conf = parse_nats_conf("a {\n b: 1\n B: 2 }\na: 3", "n.conf", reach_of());
  ASSERT_TRUE(conf.has_value());
  ASSERT_EQ(conf->duplicates.size(), 2U);
  EXPECT_EQ(conf->duplicates[0].path, "a.B");
  EXPECT_EQ(conf->duplicates[0].first.text(), "n.conf:2:2");
  EXPECT_EQ(conf->duplicates[0].second.text(), "n.conf:3:2");
  EXPECT_EQ(conf->duplicates[1].path, "a");
  EXPECT_EQ(conf->root.find("a")->integer, 3);
}

TEST(NatsConf, includes_files_relative_to_the_including_one) {
  const Files files{{"sub/x.conf", "x: 1\ninclude 'y.conf'"}, {"sub/y.conf", "y: 2"}, {"etc/z.conf", "z: 3"}};
  EXPECT_EQ(read("include sub/x.conf\na: $y", files), "{x:1,y:2,a:2}");
  EXPECT_EQ(read("m { include \"sub/y.conf\"; b: 1 }", files), "{m:{y:2,b:1}}");
  EXPECT_EQ(read("include /etc/z.conf", files), "{z:3}");  // nats-server joins here too
  EXPECT_TRUE(read("include nowhere.conf", files)
                  .starts_with("CFG-706 n.conf:1:1: including nowhere.conf: there is no nowhere.conf"));
  EXPECT_EQ(read("include: sub/x.conf", files), "{include:\"sub/x.conf\"}");
}

TEST(NatsConf, names_the_included_file_in_its_mistakes) {
  EXPECT_TRUE(read("include x.conf", {{"x.conf", "\n a: b c"}}).starts_with("CFG-701 x.conf:2:7: "));
}

TEST(NatsConf, stops_at_configurations_that_grow_without_end) {
  std::string laughs = "a0: [1, 1, 1, 1, 1, 1, 1, 1 ]\n";
  for (int i = 1; i < 12; ++i)
    laughs += fmt::format("a{0}: [$a{1}, $a{1}, $a{1}, $a{1}, $a{1}, $a{1}, $a{1}, $a{1} ]\n", i, i - 1);
  std::string nested = "a0: {x: 1}\n";
  for (int i = 1; i < 100; ++i) nested += fmt::format("a{}: {{x: $a{}}}\n", i, i - 1);
  std::string repeated = "a: \"" + std::string(1 << 20, 'x') + "\"\n";
  for (int i = 0; i < 100; ++i) repeated += fmt::format("b{}: $a\n", i);
  Files wide;
  std::string wide_main;
  for (int i = 0; i < 200; ++i) {
    wide.emplace(fmt::format("f{}", i), "x: 1");
    wide_main += fmt::format("include f{}\n", i);
  }
  Files long_chain;
  for (int i = 0; i < 20; ++i) long_chain.emplace(fmt::format("f{}", i), fmt::format("include f{}", i + 1));
  EXPECT_EQ(read(laughs).substr(0, 7), "CFG-705");
  EXPECT_EQ(read(nested).substr(0, 7), "CFG-705");
  EXPECT_EQ(read(repeated).substr(0, 7), "CFG-705");
  EXPECT_EQ(read("a: " + std::string(100'000, '[')).substr(0, 7), "CFG-705");
  EXPECT_EQ(read(std::string(100'000, '{')).substr(0, 7), "CFG-705");
  EXPECT_EQ(read("include n.conf", {{"n.conf", ""}}).substr(0, 7), "CFG-706");
  EXPECT_EQ(read("include a", {{"a", "include b"}, {"b", "include a"}}).substr(0, 7), "CFG-706");
  EXPECT_EQ(read(wide_main, wide).substr(0, 7), "CFG-705");
  EXPECT_EQ(read("include f0", long_chain).substr(0, 7), "CFG-705");
  EXPECT_EQ(read("a: $A", {{"x", "y: 1"}}, {{"A", "1\ninclude x"}}).substr(0, 7), "CFG-707")
      << "a variable reaches no file";
}

TEST(NatsConf, refuses_a_nul_byte) { EXPECT_EQ(read(std::string_view("a: 1\0b: 2", 9)).substr(0, 7), "CFG-701"); }

}  // namespace
}  // namespace hawser::config
