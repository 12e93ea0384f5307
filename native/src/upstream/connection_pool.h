// The connection pool of one endpoint in one worker: idle connections, attempts that wait, and the
// limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/intrusive_list.h"
#include "upstream/connection.h"
#include "upstream/exchange.h"
#include "upstream/http2_connection.h"

namespace sluice::upstream {

struct DispatchTag;

/// Largest response_head_bytes: a head must fit into the arena twice, as received and as rewritten,
/// next to a read.
inline constexpr uint32_t kMaxResponseHeadBytes = 128 * 1024;

/// What an endpoint is spoken to; kAuto: what it chooses (ALPN), without TLS HTTP/1.1.
enum class EndpointProtocol : uint8_t { kHttp1 = 0, kHttp2 = 1, kAuto = 2 };

/// PoolSettings::tls_context of a pool without TLS.
inline constexpr int32_t kNoTls = -1;

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
  int32_t tls_context = kNoTls;
  EndpointProtocol protocol = EndpointProtocol::kHttp1;
  /// Asked for and verified with TLS; :authority of requests that say none.
  std::string server_name = {};
  uint32_t http2_streams = 100;
  uint32_t http2_stream_window_bytes = 65'535;
  uint32_t http2_connection_window_bytes = 65'535;
  uint32_t http2_ping_ms = 0;  // 0: off

  /// Connections made by the one serve the other as well.
  bool ConnectsAs(const PoolSettings& other) const {
    return tls_context == other.tls_context && protocol == other.protocol &&
           server_name == other.server_name &&
           http2_stream_window_bytes == other.http2_stream_window_bytes &&
           http2_connection_window_bytes == other.http2_connection_window_bytes;
  }
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
  /// Connections stay, and what they do from now on goes by these; but they are not current any
  /// more where new ones would be made otherwise.
  void SetSettings(const PoolSettings& settings) {
    if (!settings.ConnectsAs(settings_)) {
      ++edition_;
      has_chosen_http1_ = false;
    }
    settings_ = settings;
  }
  /// Counts changes of how connections are made.
  uint32_t edition() const { return edition_; }
  const Addresses& addresses() const { return addresses_; }
  /// Addresses for new connections; the preference starts anew.
  void SetAddresses(Addresses addresses) {
    addresses_ = std::move(addresses);
    preferred_ = 0;
  }
  /// Says whether a connection made earlier goes to an address that still counts. HOT.
  bool IsCurrent(const Connection& connection) const;
  bool IsCurrent(const Http2Connection& carrier) const;

  /// Where connecting starts: the address that worked last, so that a dead one costs its share of
  /// the timeout only once.
  size_t preferred() const { return preferred_; }
  void Prefer(const Addresses& addresses, size_t index) {
    if (addresses == addresses_) preferred_ = index;
  }

  bool speaks_tls() const { return settings_.tls_context != kNoTls; }
  /// Exchanges go, or may go, as streams of HTTP/2. HOT: a compare where they do not. CONNECT goes
  /// over HTTP/1.1 always, and upgrades where the endpoint may speak that: what they become needs a
  /// socket. An endpoint of HTTP/2 alone would break off, and be blamed for what a client asked: it
  /// gets the request without its Upgrade, as if the proxy knew none (RFC 9110 section 7.8).
  bool Multiplexes(int32_t send_flags) const {
    if (settings_.protocol == EndpointProtocol::kHttp1) [[likely]]
      return false;
    return MayMultiplex(send_flags);
  }
  /// ALPN may say HTTP/2 as well as HTTP/1.1.
  bool OffersHttp2(int32_t send_flags) const {
    return settings_.protocol != EndpointProtocol::kHttp1 && !NeedsSocket(send_flags);
  }
  /// ... and the endpoint chooses.
  bool is_auto(int32_t send_flags) const {
    return settings_.protocol == EndpointProtocol::kAuto && speaks_tls() &&
           !NeedsSocket(send_flags);
  }
  /// What the endpoint chose last, with EndpointProtocol::kAuto.
  void SetChosen(bool is_http2) { has_chosen_http1_ = !is_http2; }

  bool is_open() const { return is_open_; }
  void MarkClosed() { is_open_ = false; }
  /// Nothing holds on to it any more.
  bool is_abandoned() const {
    return !is_open_ && connections == 0 && streams == 0 && waiting.empty();
  }

  bool has_room() const {
    return settings_.max_connections == 0 || connections < settings_.max_connections;
  }

  /// The connection used last is in front (LIFO): the others grow old and are closed.
  IntrusiveList<Connection, IdleTag> idle;
  size_t idle_connections = 0;
  /// Connecting, busy and idle ones, and those that carry streams.
  size_t connections = 0;
  /// Those that carry streams.
  IntrusiveList<Http2Connection, CarrierTag> carriers;
  /// Connections that are streams.
  size_t streams = 0;
  /// Connections that may become carriers once they are there: one at most, and attempts wait for
  /// it.
  size_t connecting_carriers = 0;
  /// Attempts above max_connections, or above the streams of the carriers, in the order they came.
  IntrusiveList<Exchange, WaitingTag> waiting;

 private:
  bool NeedsSocket(int32_t send_flags) const {
    const bool may_switch = settings_.protocol != EndpointProtocol::kHttp2;
    return (send_flags & ((may_switch ? send_flag::kUpgrade : 0) | send_flag::kConnectMethod)) != 0;
  }
  bool MayMultiplex(int32_t send_flags) const;
  bool IsCurrent(uint32_t edition, const Addresses& addresses, const Address& address) const;

  PoolSettings settings_;
  Addresses addresses_;
  size_t preferred_ = 0;
  uint32_t edition_ = 0;
  bool has_chosen_http1_ = false;  // kAuto
  bool is_open_ = true;
};

}  // namespace sluice::upstream
