// The connection pool of one endpoint in one worker: idle connections, attempts that wait, and the
// limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/intrusive_list.h"
#include "upstream/connection.h"
#include "upstream/exchange.h"

namespace sluice::upstream {

struct DispatchTag;

/// Largest response_head_bytes: a head must fit into the arena twice, as received and as rewritten,
/// next to a read.
inline constexpr uint32_t kMaxResponseHeadBytes = 128 * 1024;

/// Settings of one pool; the fields of PoolSettings in src/engine/engine.ts.
struct PoolSettings {
  uint32_t connect_timeout_ms = 0;
  uint32_t first_byte_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t keep_alive_idle_ms = 0;
  uint32_t max_idle = 0;
  uint32_t max_connections = 0;  // 0: unlimited
  uint32_t response_head_bytes = 0;
  uint32_t response_headers = 0;
  bool takes_reports = false;
};

/// Bookkeeping only: UpstreamClient opens, closes and moves connections. A pool that was closed
/// while connections or waiting attempts are left lives on without a slot until they are gone; a
/// new one may take its slot meanwhile.
class ConnectionPool final : public ListHook<DispatchTag> {
 public:
  using Addresses = std::shared_ptr<const std::vector<Address>>;

  ConnectionPool(Addresses addresses, const PoolSettings& settings)
      : settings_(settings), addresses_(std::move(addresses)) {}

  const PoolSettings& settings() const { return settings_; }
  /// Connections stay; what they do from now on goes by these.
  void SetSettings(const PoolSettings& settings) { settings_ = settings; }
  const Addresses& addresses() const { return addresses_; }
  /// Addresses for new connections; the preference starts anew.
  void SetAddresses(Addresses addresses) {
    addresses_ = std::move(addresses);
    preferred_ = 0;
  }
  /// Says whether a connection made earlier goes to an address that still counts. HOT.
  bool IsCurrent(const Connection& connection) const;

  /// Where connecting starts: the address that worked last, so that a dead one costs its share of
  /// the timeout only once.
  size_t preferred() const { return preferred_; }
  void Prefer(const Addresses& addresses, size_t index) {
    if (addresses == addresses_) preferred_ = index;
  }

  bool is_open() const { return is_open_; }
  void MarkClosed() { is_open_ = false; }
  /// Nothing holds on to it any more.
  bool is_abandoned() const { return !is_open_ && connections == 0 && waiting.empty(); }

  bool has_room() const {
    return settings_.max_connections == 0 || connections < settings_.max_connections;
  }

  /// The connection used last is in front (LIFO): the others grow old and are closed.
  IntrusiveList<Connection, IdleTag> idle;
  size_t idle_connections = 0;
  /// Connecting, busy and idle ones.
  size_t connections = 0;
  /// Attempts above max_connections, in the order they came.
  IntrusiveList<Exchange, WaitingTag> waiting;

 private:
  PoolSettings settings_;
  Addresses addresses_;
  size_t preferred_ = 0;
  bool is_open_ = true;
};

}  // namespace sluice::upstream
