// Connects a socket to the first of several addresses that accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/event_loop.h"
#include "base/socket.h"
#include "base/unique_fd.h"

namespace sluice {

/// Progress of connecting.
enum class ConnectStep : uint8_t {
  kConnected,
  kInProgress,
  kFailed,  // no address accepted; see Connector::error()
};

/// How a connection is to be made.
struct ConnectOptions {
  /// End of the time for all addresses, in ms of the loop's clock.
  uint64_t until_ms = 0;
  /// TCP_NODELAY from the start; whoever sends one short piece at first may set it later.
  bool has_no_delay = true;
  /// Without descriptors or memory for a socket: try again until the time is over; false: fail.
  bool waits_for_descriptors = false;
};

/// Says whether an errno of socket() is a shortage that may pass.
bool IsDescriptorShortage(int error_number);

/// Tries the addresses one after the other: the next at once on a refusal, and on silence when an
/// address has had its share of the time (what is left, divided by the addresses left).
///
/// The socket is registered for EventLoop::kSocketEvents and more_events, once, for its whole life.
class Connector {
 public:
  using Addresses = std::shared_ptr<const std::vector<Address>>;

  /// @param fd where the socket goes; whoever closes it calls EventLoop::Forget
  /// @param pollable is told what epoll says of it, and hands that to Continue
  Connector(EventLoop* loop, Pollable* pollable, UniqueFd* fd, uint32_t more_events = 0)
      : loop_(loop), pollable_(pollable), fd_(fd), more_events_(more_events) {}

  /// Begins. @param addresses not empty @param first index of the one to begin with
  ConnectStep Begin(Addresses addresses, size_t first, const ConnectOptions& options);
  /// Goes on after an event, or after attempt_deadline_ms() has passed.
  /// @param signs epoll's events of the socket so far; emptied when another socket takes its place
  ConnectStep Continue(uint32_t* signs);

  /// Until when nothing has to be done without an event.
  uint64_t attempt_deadline_ms() const { return attempt_deadline_ms_; }
  /// The errno of the address tried last: ETIMEDOUT for silence, EAGAIN for a UNIX socket's full
  /// queue.
  int error() const { return error_; }
  const Addresses& addresses() const { return addresses_; }
  /// Index of the address that is tried now, or was connected to.
  size_t address() const { return address_; }
  /// Forgets the addresses; the socket stays.
  void DropAddresses() { addresses_.reset(); }

 private:
  /// A UNIX listener whose queue is full refuses with EAGAIN and never reports that there is room;
  /// nor does the kernel tell when there are descriptors again: ask after this.
  static constexpr uint64_t kFullQueueRetryMs = 10;
  static constexpr uint64_t kShortageRetryMs = 20;

  ConnectStep TryFrom(uint32_t* signs);
  ConnectStep TryOne(uint32_t* signs);
  ConnectStep Pause(uint64_t ms);
  ConnectStep Finish();
  bool NextAddress();

  EventLoop* loop_;
  Pollable* pollable_;
  UniqueFd* fd_;
  uint32_t more_events_;
  Addresses addresses_;
  ConnectOptions options_;
  size_t address_ = 0;
  size_t tried_ = 0;
  int error_ = 0;
  bool is_paused_ = false;  // tried in vain, and to be tried again
  uint64_t attempt_deadline_ms_ = 0;
  uint64_t share_deadline_ms_ = 0;
};

}  // namespace sluice
