// How a client's connection ends.
#include "frontend/client_connection.h"

#include "frontend/client_session.h"

namespace sluice::frontend {

ClientConnection::ClientConnection(ConnectionOwner* owner, int32_t place)
    : number(place), owner_(owner) {}

ClientConnection::ClientConnection(ConnectionOwner* owner, ClientStream* self)
    : number(-1), stream(self), owner_(owner) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::FinishSending() {
  if (!is_plain() && !carrier->FinishSending()) {
    signs &= ~uint32_t{EPOLLOUT};  // until the next edge
    return;
  }
  has_said_end = true;
  if (fd.is_open()) sluice::FinishSending(fd.get());
}

void ClientConnection::Close(EventLoop* loop, bool with_reset) {
  // It may write to the socket for the last time.
  if (!is_plain()) carrier->Close(loop, with_reset);
  carrier.reset();
  if (!fd.is_open()) return;
  if (with_reset && !is_unix) ResetOnClose(fd.get());
  loop->Forget(fd.get());
  fd.Reset();
}

}  // namespace sluice::frontend
