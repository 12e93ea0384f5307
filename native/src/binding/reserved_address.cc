// Probes and binds a TCP address.
#include "binding/reserved_address.h"

#include <sys/socket.h>

#include <utility>

#include "base/bound_socket.h"

namespace sluice::binding {

Result<ReservedAddress> ReserveAddress(const std::string& host, uint16_t port) {
  auto address = LocalAddress::Parse(host, port);
  if (!address) return address.error();
  const SystemError probed = ProveNobodyListens(address.value());
  if (probed.number != 0) return probed;
  auto held = BindTcpSocket(address.value(), true);
  if (!held) return held.error();
  ReservedAddress reserved;
  reserved.fd = std::move(held.value());
  // From here on another process's probe finds a socket that does not let others in (SO_REUSEADDR
  // on both sides would).
  const int off = 0;
  (void)::setsockopt(reserved.fd.get(), SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
  auto bound_port = PortOf(reserved.fd.get());
  if (!bound_port) return bound_port.error();
  reserved.port = bound_port.value();
  return reserved;
}

}  // namespace sluice::binding
