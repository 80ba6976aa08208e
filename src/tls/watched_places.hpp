// Which directories to watch, and which names in them, to see every way in which the file at a path can change.
//
// Reads symlinks; nothing else. Any thread.
//
//   Places places; add_places("/etc/tls/tls.crt", places);   // {"/etc": {"tls"}, "/etc/tls": {"tls.crt", "..data"}, …}
#pragma once

#include <map>
#include <set>
#include <string>

namespace hawser::tls {

using Places = std::map<std::string, std::set<std::string>>;

// The directory of the file itself, those of every symlink on the way, and the parent of each of these (a directory may
// be replaced whole). What does not exist yet is watched for where it would appear.
void add_places(const std::string& path, Places& places);

}  // namespace hawser::tls
