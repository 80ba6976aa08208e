// What a session's user asked for in its CONNECT: sent again on each link. A value without secrets.
#pragma once

#include <string>

namespace hawser::session {

struct ConnectProfile {
  std::string name;
  std::string lang = "hawser";
  std::string version;
  bool echo = true;
  bool pedantic = false;
  bool headers = true;
  bool no_responders = true;
};

}  // namespace hawser::session
