// An endpoint slot of one worker: where new connections go.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/connector.h"
#include "l4/session_settings.h"

namespace sluice::l4 {

/// Shared with the sessions that are connecting, which go on when the slot is closed.
class SessionEndpoint {
 public:
  SessionEndpoint(std::vector<Address> addresses, const SessionEndpointSettings& settings)
      : settings_(settings) {
    SetAddresses(std::move(addresses));
  }

  const SessionEndpointSettings& settings() const { return settings_; }
  const Connector::Addresses& addresses() const { return addresses_; }
  void SetAddresses(std::vector<Address> addresses) {
    addresses_ = std::make_shared<const std::vector<Address>>(std::move(addresses));
    preferred_ = 0;
  }

  /// Index of the address to begin with: the one that accepted last.
  size_t preferred() const { return preferred_; }
  void Prefer(const Connector::Addresses& addresses, size_t index) {
    if (addresses == addresses_) preferred_ = index;
  }

 private:
  SessionEndpointSettings settings_;
  Connector::Addresses addresses_;
  size_t preferred_ = 0;
};

}  // namespace sluice::l4
