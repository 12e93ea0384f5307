// Bookkeeping of one endpoint's connections.
#include "upstream/connection_pool.h"

#include <algorithm>

namespace sluice::upstream {

bool ConnectionPool::HasAddress(const Address& address) const {
  return std::find(addresses_->begin(), addresses_->end(), address) != addresses_->end();
}

}  // namespace sluice::upstream
