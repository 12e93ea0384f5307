// Sessions of the client's side that the next connection to the same endpoint takes up again.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tls/handles.h"

namespace sluice::tls {

/// Thread-safe. Holds copies, so that no session is read by one thread while the connection that it
/// came from changes it in another.
class SessionStore {
 public:
  void Keep(const std::string& key, const SSL_SESSION* session);
  /// The newest of a key. One of TLS 1.3 goes with it: to use a ticket twice lets onlookers tell
  /// that the two connections belong together (RFC 8446 appendix C.4). @returns nullptr: none
  SessionHandle Take(const std::string& key);

 private:
  std::mutex guard_;
  std::unordered_map<std::string, std::deque<SessionHandle>> by_key_;  // newest first
};

}  // namespace sluice::tls
