// The batch of events that is being filled for the sink, and the arena that names lie in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "l4/session.h"
#include "l4/session_event.h"

namespace sluice::l4 {

/// Memory of the events (kSessionEventStride words each) and of the arena; both belong to the
/// caller and outlive the batch.
struct SessionBatchMemory {
  int32_t* events = nullptr;
  size_t event_capacity = 0;
  char* arena = nullptr;
  size_t arena_bytes = 0;
};

/// Filled from the start, handed over as a whole, read for decisions, emptied. HOT.
class SessionBatch {
 public:
  explicit SessionBatch(SessionBatchMemory memory) : memory_(memory) {}

  size_t count() const { return count_; }

  // Write one event down; false: there is no room, the batch must be handed over first.
  bool AddOpened(const Session& session);
  bool AddConnected(const Session& session);
  bool AddConnectFailed(const Session& session);
  bool AddEnded(const Session& session);

  /// Turns what tells of the session's connecting into NONE, so that the sink, which has just
  /// closed it, is not asked for one more decision. OPENED stays: the sink may have read it.
  void Withdraw(int32_t session);

  /// What the sink wrote into an event.
  struct Decision {
    int32_t session = 0;
    int32_t slot = kRefuse;
    /// Only OPENED can be believed.
    bool is_opening = false;
    bool is_believed = false;
  };
  /// @returns nothing for an event that asks for none
  std::optional<Decision> DecisionAt(size_t place) const;

  void Empty();

 private:
  int32_t* Words(size_t place) const { return memory_.events + place * kSessionEventStride; }
  /// Takes the next event and clears its words. @returns nullptr when there is none
  int32_t* Next(SessionEventType type, const Session& session);

  /// Its words fit into the arena.
  bool HasRoomForHandshake(const Session& session) const;
  void PutHandshake(const SessionHandshake& handshake, int32_t* words);

  SessionBatchMemory memory_;
  size_t count_ = 0;
  size_t used_bytes_ = 0;
};

}  // namespace sluice::l4
