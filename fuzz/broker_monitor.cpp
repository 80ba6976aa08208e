// What comes to a broker's monitoring from outside: a query string, a $SYS request (subject and options), and the bytes
// that clients called themselves, which have to come out as JSON. The first byte picks; lines part the fields.
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "admin/query.hpp"
#include "broker/monitor_source.hpp"
#include "broker/system_answers.hpp"

namespace {

using namespace hawser;
using namespace hawser::broker;

void must_be_json(const std::string& text) {
  boost::system::error_code failed;
  const boost::json::value value = boost::json::parse(text, failed);
  if (failed || !value.is_object()) __builtin_trap();
}

void ask_over_http(MonitorViews& views, std::string_view text) {
  const admin::Query query = admin::parse_query(text);
  if (const auto connz = connz_query(query)) must_be_json(views.connz(*connz, Form::pretty));
  if (const auto subsz = subsz_query(query)) must_be_json(views.subsz(*subsz, Form::pretty));
  if (const auto accstatz = accstatz_query(query)) must_be_json(views.accstatz(*accstatz, Form::pretty));
  if (const auto account = views.accountz(query.value("acc"), Form::pretty)) must_be_json(*account);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view first = text.substr(0, line);
  const std::string_view rest = text.substr(std::min(line + 1, text.size()));
  test::MadeUpSource source;
  ConnectionFacts client = test::connection(1);
  client.name = first;
  client.account = "A";
  client.subscriptions_list = {test::subscription("A", "foo.*", 1, std::string(first))};
  source.open = {client, test::connection(2)};
  source.all_subscriptions = client.subscriptions_list;
  source.accounts_now = {test::account("$G", 1), test::account("A", 1, 1)};
  MonitorViews views(source);
  if (*data == 'h') {
    ask_over_http(views, rest);
    return 0;
  }
  SystemAnswers answers(views, [](std::uint64_t cid) { return cid == 1; });
  const std::string account = *data == 'a' ? "A" : "";
  if (const auto answer =
          answers.answer({.subject = std::string(first), .payload = std::string(rest), .account = account})) {
    must_be_json(*answer);
  }
  must_be_json(answers.connected(client));
  return 0;
}
