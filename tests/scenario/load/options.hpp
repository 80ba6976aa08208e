// What a run of hawser_load does: read once from the command line, then constant.
//
//   auto options = parse_options(argc, argv);  // or an exit code: --help, bad usage
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace hawser::load {

struct TlsFiles {  // used for tls:// URLs
  std::string ca;
  std::string cert;
  std::string key;
  std::string server_name;
};

struct Shapes {
  bool literal = false;   // one subscription for each subject
  bool wildcard = false;  // one for all of them
  bool overlap = false;   // a second one for each subject, by another wildcard
  bool queue = false;     // a queue group over all subjects
  bool self = false;      // each publisher also listens to all subjects, on its own connection
};

// Faults that a publisher commits on purpose, to show that they are found: every N-th message, 0 is never.
struct Faults {
  std::uint64_t drop_every = 0;
  std::uint64_t duplicate_every = 0;
  std::uint64_t swap_every = 0;
  std::uint64_t corrupt_every = 0;
  std::uint64_t heartbeat_drop_every = 0;
  std::uint64_t heartbeat_duplicate_every = 0;
};

struct Options {
  std::vector<std::string> publisher_urls;
  std::vector<std::string> subscriber_urls;
  TlsFiles tls;
  std::string run;  // first token of every subject
  std::uint32_t publishers = 3;
  std::uint32_t subjects = 3;
  std::uint32_t subscribers = 1;
  std::uint32_t queue_members = 3;
  Shapes shapes;
  Faults faults;
  double rate = 1000;          // messages a second for each publisher; 0: as fast as it goes
  double heartbeat_rate = 0;   // identical empty messages a second for each publisher
  std::uint32_t requesters = 0;
  double request_rate = 100;   // for each requester
  std::size_t size_bytes = 0;  // of a payload; at least the stamp
  bool headers = false;        // every other message carries a header
  bool no_echo = false;        // publishers' connections ask not to hear themselves
  std::uint32_t churners = 0;  // clients whose subscriptions come and go
  std::uint64_t count = 0;     // messages for each publisher; 0: until stopped
  std::chrono::milliseconds duration{0};
  std::chrono::milliseconds warm_limit{30000};
  std::chrono::milliseconds drain_quiet{2000};
  std::chrono::milliseconds drain_limit{60000};
  std::chrono::milliseconds reconnect_wait{50};
  bool send_asap = false;  // write each message at once, rather than when libnats flushes (about a millisecond)
  bool control = false;    // commands on standard input
};

std::expected<Options, int> parse_options(int argc, char** argv);

}  // namespace hawser::load
