// Bookkeeping of one endpoint's connections.
#include "upstream/connection_pool.h"

#include <algorithm>

namespace sluice::upstream {

bool ConnectionPool::IsCurrent(const Connection& connection) const {
  // Nearly always: nobody has changed the addresses since.
  if (connection.addresses() == addresses_) return true;
  return std::find(addresses_->begin(), addresses_->end(), connection.address()) !=
         addresses_->end();
}

}  // namespace sluice::upstream
