// All sessions of one engine, by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "l4/session.h"
#include "l4/session_event.h"

namespace sluice::l4 {

/// Sessions are made when they are first needed, stay where they are, and are used again, the last
/// one first: its memory is still in the processor's caches.
class SessionTable {
 public:
  SessionTable(EventLoop* loop, SessionOwner* owner) : loop_(loop), owner_(owner) {}

  /// @returns nullptr when kMaxSessions are in use
  Session* Take() {
    if (!free_.empty()) {
      Session* const session = At(free_.back());
      free_.pop_back();
      return session;
    }
    if (sessions_.size() == kMaxSessions) return nullptr;
    const auto id = static_cast<int32_t>(sessions_.size());
    sessions_.push_back(std::make_unique<Session>(loop_, owner_, id));
    return sessions_.back().get();
  }

  /// The session must be kFree.
  void Give(Session* session) { free_.push_back(session->id); }

  /// @returns nullptr where the number is out of range
  Session* Find(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < sessions_.size() ? At(id) : nullptr;
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (const auto& session : sessions_)
      visit(session.get());
  }

 private:
  Session* At(int32_t id) const { return sessions_[static_cast<size_t>(id)].get(); }

  EventLoop* loop_;
  SessionOwner* owner_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<int32_t> free_;
};

}  // namespace sluice::l4
