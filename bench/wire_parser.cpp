// Nanoseconds a frame of the parser and the writer, on a buffer of 64 KiB as one read gives it.
#include <array>
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/parser.hpp"
#include "wire/subject.hpp"
#include "wire/writer.hpp"

namespace hawser::wire {
namespace {

constexpr std::size_t kReadBytes = 64UL << 10U;
constexpr std::string_view kHeaders = "NATS/1.0\r\nNats-Msg-Id: 1234567\r\n\r\n";

std::string repeated(std::string_view frame) {
  std::string bytes;
  do {
    bytes += frame;
  } while (bytes.size() + frame.size() <= kReadBytes);
  return bytes;
}

void parse(benchmark::State& state, Peer from, std::string_view frame_bytes) {
  const std::string bytes = repeated(frame_bytes);
  std::int64_t frames = 0;
  for (auto _ : state) {
    Parser parser(from);
    std::string_view rest = bytes;
    Frame frame;
    while (parser.next(rest, frame) == Parser::Status::frame) {
      benchmark::DoNotOptimize(frame);
      rest.remove_prefix(frame.raw.size());
      ++frames;
    }
    if (!rest.empty()) {
      std::abort();  // measured something else
    }
  }
  state.SetItemsProcessed(frames);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
  state.counters["ns_per_frame"] =
      benchmark::Counter(static_cast<double>(frames) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void parse_pub(benchmark::State& state) {
  std::string frame;
  append_pub(frame, "orders.eu.created", "", std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  parse(state, Peer::client, frame);
}
BENCHMARK(parse_pub)->Arg(16)->Arg(128)->Arg(4096);

void parse_pub_with_reply(benchmark::State& state) {
  std::string frame;
  append_pub(frame, "orders.eu.created", "_INBOX.Zq3nCKu2xvgLVx6iHpDXr9.JmWjyt3z", std::string(128, 'x'));
  parse(state, Peer::client, frame);
}
BENCHMARK(parse_pub_with_reply);

void parse_hpub(benchmark::State& state) {
  std::string frame;
  append_hpub(frame, "orders.eu.created", "", kHeaders, std::string(128, 'x'));
  parse(state, Peer::client, frame);
}
BENCHMARK(parse_hpub);

void parse_msg(benchmark::State& state) {
  std::string frame;
  append_msg(frame, "orders.eu.created", "12", "", std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  parse(state, Peer::server, frame);
}
BENCHMARK(parse_msg)->Arg(16)->Arg(128)->Arg(4096);

void parse_hmsg_with_reply(benchmark::State& state) {
  std::string frame;
  append_hmsg(frame, "orders.eu.created", "12", "_INBOX.Zq3nCKu2xvgLVx6iHpDXr9.JmWjyt3z", kHeaders,
              std::string(128, 'x'));
  parse(state, Peer::server, frame);
}
BENCHMARK(parse_hmsg_with_reply);

void parse_sub(benchmark::State& state) { parse(state, Peer::client, "SUB orders.*.created workers 12\r\n"); }
BENCHMARK(parse_sub);

void parse_ping(benchmark::State& state) { parse(state, Peer::client, kPing); }
BENCHMARK(parse_ping);

void write_msg(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  std::string out;
  out.reserve(kReadBytes + payload.size() + 128);
  for (auto _ : state) {
    append_msg(out, "orders.eu.created", "12", "", payload);
    if (out.size() > kReadBytes) {
      out.clear();
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_msg)->Arg(16)->Arg(128);

void write_line(benchmark::State& state) {
  std::array<char, 256> room{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(write_msg_line(room, "orders.eu.created", "12", "", 0, 128));
  }
}
BENCHMARK(write_line);

void match_wildcard(benchmark::State& state) {
  std::string_view pattern = "orders.*.created";
  std::string_view subject = "orders.eu.created";
  for (auto _ : state) {
    benchmark::DoNotOptimize(pattern);
    benchmark::DoNotOptimize(matches(pattern, subject));
  }
}
BENCHMARK(match_wildcard);

void judge_subject(benchmark::State& state) {
  std::string_view subject = "orders.eu.created";
  for (auto _ : state) {
    benchmark::DoNotOptimize(subject);
    benchmark::DoNotOptimize(valid_publish_subject(subject));
  }
}
BENCHMARK(judge_subject);

}  // namespace
}  // namespace hawser::wire

BENCHMARK_MAIN();
