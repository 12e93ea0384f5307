// How bytes get to clients: written at once, held while a client is slow, or moved through a pipe.
#include <algorithm>
#include <cstring>
#include <utility>

#include "frontend/front_end.h"

namespace sluice::frontend {

namespace {

using upstream::SinkVerdict;
using upstream::SpliceOutcome;

/// Smaller writes go out of one buffer: copying costs less than a second part.
constexpr size_t kOneWriteBytes = 4 * 1024;

/// A splice that moves less has cost more than reading would have; so many in a row, and the rest
/// of the body is read.
constexpr size_t kSmallSpliceBytes = 16 * 1024;
constexpr uint8_t kMostSmallSplices = 2;

}  // namespace

bool FrontEnd::Put(ClientExchange* exchange, const OutgoingParts& parts) {
  ClientConnection* const connection = exchange->connection;
  exchange->bytes_to_client += parts.bytes();
  bytes_to_clients_ += parts.bytes();
  size_t sent_bytes = 0;
  const bool is_free = exchange->out.empty() && !exchange->is_unsent;
  if (is_free && parts.count() > 0) {
    IoResult sent;
    if (parts.count() == 1) {
      sent = connection->Send(parts.At(0).data(), parts.bytes());
    } else if (parts.bytes() <= kOneWriteBytes) {
      std::array<char, kOneWriteBytes> joined;
      char* at = joined.data();
      for (size_t index = 0; index < parts.count(); ++index) {
        std::memcpy(at, parts.At(index).data(), parts.At(index).size());
        at += parts.At(index).size();
      }
      sent = connection->Send(joined.data(), parts.bytes());
    } else {
      sent = connection->SendParts(parts.data(), parts.count());
    }
    if (sent.error != 0 && !sent.would_block()) return false;
    sent_bytes = sent.bytes;
    exchange->is_unsent = connection->HasUnsent();
  }
  if (sent_bytes == parts.bytes() && !exchange->is_unsent) return true;
  if (is_free) {
    connection->signs &= ~uint32_t{EPOLLOUT};  // until the next edge
    exchange->written_at_ms = loop_->now_ms();
  }
  for (size_t index = 0; index < parts.count(); ++index) {
    const size_t taken = std::min(sent_bytes, parts.At(index).size());
    sent_bytes -= taken;
    exchange->out.Append(parts.At(index).substr(taken));
  }
  ArmExchange(connection);
  return true;
}

SpliceOutcome FrontEnd::OnSpliceable(upstream::Exchange* from, int fd, uint64_t left_bytes) {
  SpliceOutcome outcome;
  ClientExchange* const exchange = FindAttempting(*from);
  const bool is_worth_while = exchange != nullptr && exchange->connection->is_plain() &&
                              !exchange->is_out_chunked && exchange->is_taken() &&
                              exchange->small_splices < kMostSmallSplices;
  std::unique_ptr<l4::Pipe> pipe = is_worth_while ? pipes_.Take() : nullptr;
  if (pipe == nullptr) {
    outcome.is_declined = true;
    return outcome;
  }
  exchange->pipe = std::move(pipe);
  is_in_sink_ = true;
  while (outcome.bytes < left_bytes && outcome.bytes < kSplicedPerTurnBytes) {
    const auto most_bytes = static_cast<size_t>(
        std::min<uint64_t>(left_bytes - outcome.bytes, l4::PipePool::kPipeBytes));
    const IoResult got = Splice(fd, exchange->pipe->write_end.get(), most_bytes);
    if (got.bytes == 0) {
      outcome.would_block = got.would_block();
      // The end, or urgent data in front of it, or no splicing from here: a read tells.
      outcome.is_declined = outcome.bytes == 0 && !outcome.would_block;
      if (outcome.is_declined) exchange->small_splices = kMostSmallSplices;
      break;
    }
    const bool is_small = got.bytes < kSmallSpliceBytes;
    exchange->small_splices = is_small ? static_cast<uint8_t>(exchange->small_splices + 1) : 0;
    outcome.bytes += got.bytes;
    exchange->pipe->bytes = got.bytes;
    exchange->bytes_to_client += got.bytes;
    bytes_to_clients_ += got.bytes;
    if (!PutPipe(exchange)) {
      Finish(exchange, ClientEnd::kGone);
      outcome.verdict = SinkVerdict::kRelease;
      break;
    }
    if (exchange->pipe->bytes > 0) {
      exchange->written_at_ms = loop_->now_ms();
      ArmExchange(exchange->connection);
      exchange->is_endpoint_paused = true;
      outcome.verdict = SinkVerdict::kPause;
      break;
    }
  }
  is_in_sink_ = false;
  if (exchange->pipe != nullptr && exchange->pipe->bytes == 0)
    pipes_.Give(std::move(exchange->pipe));
  return outcome;
}

bool FrontEnd::PutPipe(ClientExchange* exchange) {
  ClientConnection* const connection = exchange->connection;
  l4::Pipe& pipe = *exchange->pipe;
  while (pipe.bytes > 0) {
    const IoResult sent = Splice(pipe.read_end.get(), connection->fd.get(), pipe.bytes);
    if (sent.would_block()) {
      connection->signs &= ~uint32_t{EPOLLOUT};  // until the next edge
      return true;
    }
    if (sent.error != 0 || sent.bytes == 0) return false;
    pipe.bytes -= sent.bytes;
    exchange->written_at_ms = loop_->now_ms();
  }
  return true;
}

bool FrontEnd::FlushCarrier(ClientConnection* connection) {
  ClientExchange* const exchange = connection->exchange;
  const IoResult flushed = connection->carrier->Flush();
  if (flushed.error != 0 && !flushed.would_block()) return false;
  exchange->is_unsent = connection->HasUnsent();
  if (flushed.bytes > 0) exchange->written_at_ms = loop_->now_ms();
  if (exchange->is_unsent) connection->signs &= ~uint32_t{EPOLLOUT};
  return true;
}

void FrontEnd::Flush(ClientConnection* connection) {
  ClientExchange* const exchange = connection->exchange;
  if (exchange->is_unsent && !FlushCarrier(connection)) return Finish(exchange, ClientEnd::kGone);
  if (!exchange->out.empty() && !exchange->is_unsent) {
    const IoResult sent = connection->Send(exchange->out.data(), exchange->out.size());
    if (sent.error != 0 && !sent.would_block()) return Finish(exchange, ClientEnd::kGone);
    if (sent.bytes > 0) exchange->written_at_ms = loop_->now_ms();
    exchange->out.DropFront(sent.bytes);
    exchange->is_unsent = connection->HasUnsent();
    if (!exchange->out.empty() || exchange->is_unsent) connection->signs &= ~uint32_t{EPOLLOUT};
  }
  if (exchange->out.empty() && exchange->pipe != nullptr) {
    if (!PutPipe(exchange)) return Finish(exchange, ClientEnd::kGone);
    if (exchange->pipe->bytes == 0) pipes_.Give(std::move(exchange->pipe));
  }
  if (exchange->is_taken()) {
    if (exchange->stage == Stage::kFlushing) return Finish(exchange, ClientEnd::kDelivered);
    if (std::exchange(exchange->is_endpoint_paused, false)) client_->Resume(exchange->attempt_id);
  }
  ArmExchange(connection);
}

}  // namespace sluice::frontend
