// What is done with connections that epoll says something about, and what their reads say of that.
#include <utility>

#include "frontend/front_end.h"

namespace sluice::frontend {

void FrontEnd::OnConnectionReady(ClientConnection* connection) {
  if (connection->ListHook<ConnectionReadyTag>::is_linked()) return;
  if (connection->stream != nullptr) {
    if (IsStreamReady(*connection->stream)) ready_.PushBack(connection);
    return;
  }
  switch (connection->state) {
    case ConnectionState::kFree:
    case ConnectionState::kOpening:
    case ConnectionState::kTunnel:
    case ConnectionState::kClosed:
      return;
    case ConnectionState::kPreface:
      if (!connection->is_readable()) return;
      break;
    case ConnectionState::kHandshaking:
      // It may have to write first.
      if (!connection->is_readable() && (connection->is_plain() || !connection->is_writable()))
        return;
      break;
    case ConnectionState::kLingering:
      if (!connection->is_readable() && !MustSayEnd(*connection)) return;
      break;
    case ConnectionState::kSession:
      if (!IsSessionReady(*connection)) return;
      break;
    case ConnectionState::kReading: {
      const bool has_next = connection->holds_input() && !connection->unread->has_partial_head;
      const bool must_flush = connection->HasUnsent() && connection->is_writable();
      if (!connection->is_readable() && !has_next && !must_flush) return;
      break;
    }
    case ConnectionState::kExchange: {
      const ClientExchange& exchange = *connection->exchange;
      const bool can_write = connection->is_writable() && !exchange.is_taken();
      const bool can_read =
          WantsBody(exchange) && (connection->is_readable() || connection->holds_input());
      if (!can_write && !can_read && !HasLeft(*connection)) return;
      break;
    }
  }
  ready_.PushBack(connection);
}

void FrontEnd::HandleReady(ClientConnection* connection) {
  if (connection->stream != nullptr) return HandleStream(connection->stream);
  switch (connection->state) {
    case ConnectionState::kFree:
    case ConnectionState::kOpening:
    case ConnectionState::kTunnel:
    case ConnectionState::kClosed:
      return;
    case ConnectionState::kPreface:
      return ReadPreface(connection);
    case ConnectionState::kHandshaking:
      return connection->is_plain() ? ReadHello(connection) : Handshake(connection);
    case ConnectionState::kSession:
      return ReadSession(connection);
    case ConnectionState::kReading:
      return ReadRequest(connection);
    case ConnectionState::kExchange:
      if (HasLeft(*connection)) return Finish(connection->exchange, ClientEnd::kGone);
      if (connection->is_writable() && !connection->exchange->is_taken()) Flush(connection);
      if (connection->state == ConnectionState::kExchange && WantsBody(*connection->exchange))
        ReadBody(connection);
      return;
    case ConnectionState::kLingering:
      return DropInput(connection);
  }
}

bool FrontEnd::HasLeft(const ClientConnection& connection) {
  if (connection.is_broken()) return true;
  // Whoever has finished sending still gets an answer, but has no use for a tunnel; and who does so
  // in a wait has given it up, in all likelihood.
  const ClientExchange& exchange = *connection.exchange;
  return connection.has_finished() && !exchange.has_head_gone &&
         (exchange.wants_tunnel || exchange.leaves_by_finishing);
}

IoResult FrontEnd::Read(ClientConnection* connection, char* into, size_t size) {
  if (!connection->is_plain()) return ReadCarried(connection, into, size);
  const IoResult got = connection->Receive(into, size);
  connection->Heed(got, size);
  bytes_from_clients_ += got.bytes;
  return got;
}

IoResult FrontEnd::ReadCarried(ClientConnection* connection, char* into, size_t size) {
  for (;;) {
    const IoResult got = connection->Receive(into, size);
    const uint32_t disproved =
        connection->carrier->Disproved(got, connection->drains_by_short_read());
    connection->signs &= ~disproved;
    bytes_from_clients_ += got.bytes;
    // Behind part of a record may be the client's end: only another read tells.
    if (got.would_block() && disproved == 0) continue;
    // TLS may have had to answer something.
    if (connection->exchange != nullptr) connection->exchange->is_unsent = connection->HasUnsent();
    return got;
  }
}

bool FrontEnd::MustSayEnd(const ClientConnection& connection) {
  return !connection.has_said_end && connection.is_writable();
}

void FrontEnd::DropInput(ClientConnection* connection) {
  if (MustSayEnd(*connection)) connection->FinishSending();
  const IoResult got = connection->Drop(window_.get(), kBodyWindowBytes);
  connection->Heed(got, kBodyWindowBytes);
  bytes_from_clients_ += got.bytes;
  if (got.would_block()) return;
  if (got.error != 0 || got.bytes == 0) return CloseConnection(connection, connection->end, false);
  return OnConnectionReady(connection);
}

}  // namespace sluice::frontend
