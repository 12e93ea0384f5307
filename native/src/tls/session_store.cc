// Keeping and taking sessions.
#include "tls/session_store.h"

#include <utility>

namespace sluice::tls {

namespace {

/// Servers give two tickets to a connection as a rule.
constexpr size_t kMostOfKey = 2;
/// A bound on memory (a session takes about 2 KB, with the peer's certificate more): where
/// endpoints come and go, those of gone ones stay behind.
constexpr size_t kMostKeys = 4096;

}  // namespace

void SessionStore::Keep(const std::string& key, const SSL_SESSION* session) {
  SessionHandle copy(SSL_SESSION_dup(session));
  if (copy == nullptr) return;
  const std::lock_guard lock(guard_);
  if (by_key_.size() >= kMostKeys && !by_key_.contains(key)) by_key_.erase(by_key_.begin());
  std::deque<SessionHandle>& kept = by_key_[key];
  kept.push_front(std::move(copy));
  if (kept.size() > kMostOfKey) kept.pop_back();
}

SessionHandle SessionStore::Take(const std::string& key) {
  const std::lock_guard lock(guard_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  std::deque<SessionHandle>& kept = found->second;
  if (SSL_SESSION_get_protocol_version(kept.front().get()) < TLS1_3_VERSION)
    return SessionHandle(SSL_SESSION_dup(kept.front().get()));
  SessionHandle session = std::move(kept.front());
  kept.pop_front();
  if (kept.empty()) by_key_.erase(found);
  return session;
}

}  // namespace sluice::tls
