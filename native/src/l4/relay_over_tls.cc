// Moves the bytes of a direction where a side has a channel: by its reads and sends, through one
// buffer.
#include "l4/relay.h"

namespace sluice::l4 {

RelayOutcome Relay::MoveOverTls(Side* source, Side* sink, Direction* direction) {
  const uint64_t stop_at = direction->moved_bytes + kBytesPerTurn;
  RelayOutcome outcome;
  for (;;) {
    if (direction->held != nullptr || sink->has_unsent()) {
      if (!sink->is_writable() || !DeliverOverTls(sink, direction, &outcome)) return outcome;
    }
    if (direction->has_ended) {
      outcome.step = RelayStep::kEnded;
      return outcome;
    }
    if (!source->has_input()) return outcome;
    if (direction->moved_bytes >= stop_at) {
      outcome.step = RelayStep::kYielding;
      return outcome;
    }
    const IoResult got = source->Read(buffer_.get(), kBufferBytes);
    if (got.would_block()) return outcome;
    if (got.error != 0) {
      outcome = {RelayStep::kSourceBroken, got.error};
      return outcome;
    }
    if (source->tls == nullptr) {
      NoteRead(source, direction, got.bytes, kBufferBytes);
    } else if (got.bytes == 0) {
      direction->has_ended = true;
    }
    if (got.bytes == 0) continue;
    sink->PrepareToSend(got.bytes);
    const IoResult sent = sink->Write(buffer_.get(), got.bytes);
    if (sent.error != 0 && !sent.would_block()) {
      outcome = {RelayStep::kSinkBroken, sent.error};
      return outcome;
    }
    CountSent(direction, sent.bytes);
    if (sent.bytes < got.bytes)
      Hold(direction, {buffer_.get() + sent.bytes, got.bytes - sent.bytes});
  }
}

bool Relay::DeliverOverTls(Side* sink, Direction* direction, RelayOutcome* outcome) {
  IoResult sent;
  if (sink->has_unsent()) sent = sink->Flush();
  if (sent.error == 0 && direction->held != nullptr) {
    const size_t size = direction->held_end - direction->held_start;
    sink->PrepareToSend(size);
    sent = sink->Write(direction->held.get() + direction->held_start, size);
    CountSent(direction, sent.bytes);
    direction->held_start += static_cast<uint32_t>(sent.bytes);
    if (sent.bytes == size) DropHeld(direction);
  }
  if (sent.error != 0 && !sent.would_block()) *outcome = {RelayStep::kSinkBroken, sent.error};
  return sent.error == 0 && direction->held == nullptr && !sink->has_unsent();
}

}  // namespace sluice::l4
