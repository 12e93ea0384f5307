// Moves the bytes of one direction of a pair: by recv and send through one buffer, or by splice
// through a pipe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/socket.h"
#include "l4/pipe_pool.h"
#include "l4/relay_pair.h"
#include "l4/session_event.h"

namespace sluice::l4 {

/// How far a direction has got.
enum class RelayStep : uint8_t {
  kWaiting,       // for bytes, or for room
  kYielding,      // there is more, and others have waited long enough
  kEnded,         // the source has finished, and everything was handed to the sink
  kSourceBroken,  // a read failed; see error
  kSinkBroken,    // a write failed; see error
};

struct RelayOutcome {
  RelayStep step = RelayStep::kWaiting;
  int error = 0;  // errno
};

/// The means of one engine: its buffer, its pipes, its counters. HOT: bench l4-echo.
///
/// A direction holds at most kBufferBytes: what the sink did not take. While it holds any, it does
/// not read. It owns memory only then.
class Relay {
 public:
  static constexpr size_t kBufferBytes = 64 * 1024;
  /// A direction gives way to others after this much in one turn.
  static constexpr size_t kBytesPerTurn = 1024 * 1024;
  /// Most that one splice moves: what a pipe holds.
  static constexpr size_t kSpliceBytes = PipePool::kPipeBytes;
  /// A splice that moves less has cost more than copying would have.
  static constexpr size_t kWorthwhileSpliceBytes = 16 * 1024;
  /// So many in a row, and a direction copies again. One alone is the tail of a large answer, and
  /// the next answer may be as large.
  static constexpr int kSmallSplices = 2;

  Relay();

  /// Moves what can be moved.
  RelayOutcome Move(Side* source, Side* sink, Direction* direction, RelayKind kind);
  /// Begins a direction with bytes that no read brings: `own` (not counted) and then `kept`;
  /// together at most kMaxPrefixBytes. What the source has sent meanwhile goes along in the same
  /// call. Move has to follow.
  RelayOutcome MoveFirst(std::string_view own, std::string_view kept, Side* source, Side* sink,
                         Direction* direction, RelayKind kind);
  static constexpr size_t kMaxPrefixBytes = 32 * 1024;
  /// The same with bytes of any number, which are kept until Move sends them: neither reads nor
  /// sends itself.
  void HoldFirst(std::string_view own, std::string_view kept, Direction* direction);

  /// Begins to relay both ways: SPLICE does so from the first byte, unless a side has a channel:
  /// what it carries is copied, whatever the kind. Channels are there already.
  void Start(RelayPair* pair, RelayKind kind);
  /// Gives back what a direction holds.
  void Release(Direction* direction);

  /// For reads of whoever shares the thread; kBufferBytes.
  char* buffer() { return buffer_.get(); }
  PipePool& pipes() { return pipes_; }
  const PipePool& pipes() const { return pipes_; }
  size_t held_bytes() const { return held_bytes_; }
  size_t splicing() const { return splicing_; }

 private:
  // These say whether to go on; where not, the outcome says why (kWaiting as it stands).
  bool Deliver(Side* sink, Direction* direction, RelayOutcome* outcome);
  bool CopyIn(std::string_view own, std::string_view kept, Side* source, Side* sink,
              Direction* direction, RelayKind kind, RelayOutcome* outcome);
  bool SpliceIn(Side* source, Direction* direction, RelayKind kind, RelayOutcome* outcome);
  RelayOutcome MoveOverTls(Side* source, Side* sink, Direction* direction);
  bool DeliverOverTls(Side* sink, Direction* direction, RelayOutcome* outcome);
  bool Pass(size_t size, size_t own_bytes, Side* sink, Direction* direction, RelayOutcome* outcome);

  static void NoteRead(Side* source, Direction* direction, size_t got, size_t asked);
  static void CountSent(Direction* direction, size_t bytes);
  void Hold(Direction* direction, std::string_view first, std::string_view second = {});
  void DropHeld(Direction* direction);
  void SetSplicing(Direction* direction, bool splices);

  std::unique_ptr<char[]> buffer_;
  PipePool pipes_;
  size_t held_bytes_ = 0;
  size_t splicing_ = 0;
};

}  // namespace sluice::l4
