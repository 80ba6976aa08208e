// `hawser version`: this build, and the libraries that it runs with.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <boost/version.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <string>

#include "cli/command.hpp"

namespace hawser::cli {
namespace {

#ifdef __clang__
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

std::string boost_version() {
  return fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
}

void print_version(bool json) {
  std::string compiler = kCompiler;
  compiler.erase(compiler.find_last_not_of(' ') + 1);
  const std::string openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
  if (json) {
    const boost::json::value facts = {
        {"version", HAWSER_VERSION}, {"compiler", compiler}, {"openssl", openssl}, {"boost", boost_version()}};
    fmt::print("{}\n", boost::json::serialize(facts));
    return;
  }
  fmt::print("hawser {}\n  compiler  {}\n  OpenSSL   {}\n  Boost     {}\n", HAWSER_VERSION, compiler, openssl,
             boost_version());
}

}  // namespace

void add_version(CLI::App& app, Exit& exit) {
  CLI::App* command = add_command(app, "version", "Print the version, and the libraries it runs with",
                                  "hawser version\nhawser version --json");
  add_json_flag(*command, exit);
  command->callback([&exit] {
    print_version(exit.json);
    exit = ExitCode::done;
  });
}

}  // namespace hawser::cli
