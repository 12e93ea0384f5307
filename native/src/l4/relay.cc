// Moves bytes: copying, splicing, and changing between the two.
#include "l4/relay.h"

#include <algorithm>
#include <utility>

namespace sluice::l4 {

namespace {

bool MayAdapt(RelayKind kind) {
  return kind != RelayKind::kCopy;
}

}  // namespace

Relay::Relay() : buffer_(new char[kBufferBytes]) {}

void Relay::Start(RelayPair* pair, RelayKind kind) {
  const bool has_tls = pair->has_tls();
  for (Direction* const direction : {&pair->from_client, &pair->to_client}) {
    direction->is_over_tls = has_tls;
    SetSplicing(direction, kind == RelayKind::kSplice && !has_tls);
  }
}

void Relay::Release(Direction* direction) {
  if (direction->held != nullptr) DropHeld(direction);
  pipes_.Give(std::move(direction->pipe));
  SetSplicing(direction, false);
}

RelayOutcome Relay::Move(Side* source, Side* sink, Direction* direction, RelayKind kind) {
  if (direction->is_over_tls) return MoveOverTls(source, sink, direction);
  const uint64_t stop_at = direction->moved_bytes + kBytesPerTurn;
  RelayOutcome outcome;
  for (bool goes_on = true; goes_on;) {
    if (direction->holds_bytes()) {
      if (!sink->is_writable() || !Deliver(sink, direction, &outcome)) break;
    }
    if (direction->has_ended) {
      outcome.step = RelayStep::kEnded;
      break;
    }
    if (!source->is_readable()) break;
    if (direction->moved_bytes >= stop_at) {
      outcome.step = RelayStep::kYielding;
      break;
    }
    if (source->has_had_urgent_data()) {
      direction->can_splice = false;
      SetSplicing(direction, false);
    }
    goes_on = direction->splices ? SpliceIn(source, direction, kind, &outcome)
                                 : CopyIn({}, {}, source, sink, direction, kind, &outcome);
  }
  if (direction->pipe != nullptr && direction->pipe->bytes == 0)
    pipes_.Give(std::move(direction->pipe));
  return outcome;
}

RelayOutcome Relay::MoveFirst(std::string_view own, std::string_view kept, Side* source, Side* sink,
                              Direction* direction, RelayKind kind) {
  if (direction->is_over_tls) {
    HoldFirst(own, kept, direction);
    return MoveOverTls(source, sink, direction);
  }
  RelayOutcome outcome;
  (void)CopyIn(own, kept, source, sink, direction, kind, &outcome);
  return outcome;
}

void Relay::HoldFirst(std::string_view own, std::string_view kept, Direction* direction) {
  if (own.empty() && kept.empty()) return;
  Hold(direction, own, kept);
  direction->own_bytes = static_cast<uint32_t>(own.size());
}

bool Relay::CopyIn(std::string_view own, std::string_view kept, Side* source, Side* sink,
                   Direction* direction, RelayKind kind, RelayOutcome* outcome) {
  own.copy(buffer_.get(), own.size());
  kept.copy(buffer_.get() + own.size(), kept.size());
  size_t size = own.size() + kept.size();
  bool has_read = false;
  if (source->is_readable()) {
    const size_t room = kBufferBytes - size;
    const IoResult got = Receive(source->fd.get(), buffer_.get() + size, room);
    if (got.would_block()) {
      source->signs &= ~uint32_t{EPOLLIN};
    } else if (got.error != 0) {
      *outcome = {RelayStep::kSourceBroken, got.error};
      return false;
    } else {
      has_read = true;
      NoteRead(source, direction, got.bytes, room);
      if (got.bytes == room && MayAdapt(kind) && direction->can_splice)
        SetSplicing(direction, true);
    }
    size += got.bytes;
  }
  return Pass(size, own.size(), sink, direction, outcome) && has_read;
}

void Relay::NoteRead(Side* source, Direction* direction, size_t got, size_t asked) {
  if (got == 0) {
    direction->has_ended = true;
  } else if (got < asked && source->drains_by_short_read()) {
    // Everything is taken. Where the peer's end had been announced before this read, nothing can
    // stand behind it but that end; where the connection broke, the next read says how.
    if (!source->has_finished()) {
      source->signs &= ~uint32_t{EPOLLIN};
    } else if (!source->is_broken()) {
      direction->has_ended = true;
    }
  }
}

bool Relay::Pass(size_t size, size_t own_bytes, Side* sink, Direction* direction,
                 RelayOutcome* outcome) {
  if (size == 0) return true;
  sink->PrepareToSend(size);
  const IoResult sent = Send(sink->fd.get(), buffer_.get(), size);
  if (sent.error != 0 && !sent.would_block()) {
    *outcome = {RelayStep::kSinkBroken, sent.error};
    return false;
  }
  direction->own_bytes = static_cast<uint32_t>(own_bytes);
  CountSent(direction, sent.bytes);
  if (sent.bytes < size) {
    sink->signs &= ~uint32_t{EPOLLOUT};
    Hold(direction, {buffer_.get() + sent.bytes, size - sent.bytes});
  }
  return true;
}

bool Relay::SpliceIn(Side* source, Direction* direction, RelayKind kind, RelayOutcome* outcome) {
  if (direction->pipe == nullptr) direction->pipe = pipes_.Take();
  if (direction->pipe == nullptr) {
    SetSplicing(direction, false);  // copies until the buffer is filled once more
    return true;
  }
  Pipe* const pipe = direction->pipe.get();
  const IoResult got = Splice(source->fd.get(), pipe->write_end.get(), kSpliceBytes);
  if (got.would_block()) {  // the pipe was empty: it is the socket
    source->signs &= ~uint32_t{EPOLLIN};
    return false;
  }
  if (got.error == EINVAL) {
    direction->can_splice = false;
    SetSplicing(direction, false);
    return true;
  }
  if (got.error != 0) {
    *outcome = {RelayStep::kSourceBroken, got.error};
    return false;
  }
  if (got.bytes == 0) {
    // The end, or urgent data in front of it: a read tells.
    SetSplicing(direction, false);
    return true;
  }
  pipe->bytes = got.bytes;
  // Not even a short splice proves that the queue is empty: the pipe may have run out of slots.
  if (got.bytes >= kWorthwhileSpliceBytes) {
    direction->small_splices = 0;
  } else if (++direction->small_splices >= kSmallSplices && kind != RelayKind::kSplice) {
    SetSplicing(direction, false);
  }
  return true;
}

bool Relay::Deliver(Side* sink, Direction* direction, RelayOutcome* outcome) {
  const auto has_failed = [&](const IoResult& sent) {
    if (sent.error == 0) return false;
    if (sent.would_block()) {
      sink->signs &= ~uint32_t{EPOLLOUT};
    } else {
      *outcome = {RelayStep::kSinkBroken, sent.error};
    }
    return true;
  };
  if (direction->held != nullptr) {
    const size_t size = direction->held_end - direction->held_start;
    sink->PrepareToSend(size);
    const IoResult sent = Send(sink->fd.get(), direction->held.get() + direction->held_start, size);
    if (has_failed(sent)) return false;
    CountSent(direction, sent.bytes);
    if (sent.bytes < size) {
      sink->signs &= ~uint32_t{EPOLLOUT};
      direction->held_start += static_cast<uint32_t>(sent.bytes);
      return false;
    }
    DropHeld(direction);
  }
  Pipe* const pipe = direction->pipe.get();
  while (pipe != nullptr && pipe->bytes > 0) {
    sink->PrepareToSend(pipe->bytes);
    const IoResult sent = Splice(pipe->read_end.get(), sink->fd.get(), pipe->bytes);
    if (has_failed(sent)) return false;
    pipe->bytes -= sent.bytes;
    CountSent(direction, sent.bytes);
  }
  return true;
}

void Relay::CountSent(Direction* direction, size_t bytes) {
  const size_t own_bytes = std::min<size_t>(direction->own_bytes, bytes);
  direction->own_bytes -= static_cast<uint32_t>(own_bytes);
  direction->moved_bytes += bytes - own_bytes;
}

void Relay::Hold(Direction* direction, std::string_view first, std::string_view second) {
  const size_t size = first.size() + second.size();
  char* const copy = static_cast<char*>(std::malloc(size));
  if (copy == nullptr)
    std::abort();  // no exceptions: out of memory ends the process, as operator new does
  first.copy(copy, first.size());
  second.copy(copy + first.size(), second.size());
  direction->held.reset(copy);
  direction->held_start = 0;
  direction->held_end = static_cast<uint32_t>(size);
  held_bytes_ += size;
}

void Relay::DropHeld(Direction* direction) {
  held_bytes_ -= direction->held_end;
  direction->held.reset();
  direction->held_start = direction->held_end = 0;
}

void Relay::SetSplicing(Direction* direction, bool splices) {
  if (direction->splices == splices) return;
  direction->splices = splices;
  direction->small_splices = 0;
  splicing_ += splices ? size_t{1} : size_t{0} - 1;
}

}  // namespace sluice::l4
