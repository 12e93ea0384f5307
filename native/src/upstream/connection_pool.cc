// Bookkeeping of one endpoint's connections.
#include "upstream/connection_pool.h"

#include <algorithm>

namespace sluice::upstream {

bool ConnectionPool::IsCurrent(const Connection& connection) const {
  // Nearly always: nobody has changed the addresses since.
  if (connection.addresses() == addresses_ && connection.edition == edition_) return true;
  return IsCurrent(connection.edition, connection.addresses(), connection.address());
}

bool ConnectionPool::IsCurrent(const Http2Connection& carrier) const {
  return IsCurrent(carrier.edition(), carrier.addresses(), carrier.address());
}

bool ConnectionPool::IsCurrent(uint32_t edition, const Addresses& addresses,
                               const Address& address) const {
  if (edition != edition_) return false;
  return addresses == addresses_ ||
         std::find(addresses_->begin(), addresses_->end(), address) != addresses_->end();
}

bool ConnectionPool::MayMultiplex(int32_t send_flags) const {
  if (NeedsSocket(send_flags)) return false;
  if (settings_.protocol == EndpointProtocol::kHttp2) return true;
  return speaks_tls() && !has_chosen_http1_;
}

}  // namespace sluice::upstream
