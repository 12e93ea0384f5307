// Drives the engine's loop from the thread's libuv loop, with libuv's descriptor inside the
// engine's epoll set.
#pragma once

#include <napi.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "base/event_loop.h"

namespace sluice::binding {

/// Something that lives in a driver.
class LoopGuest {
 public:
  /// Says whether work is on its way that must not let the process end by itself; the guest sees to
  /// it that its JavaScript object is not collected as long as that is so.
  virtual bool HoldWhileBusy() = 0;
  /// The environment goes: close everything now. No JavaScript any more; do not call RemoveGuest.
  virtual void OnLoopClosing() = 0;

 protected:
  ~LoopGuest() = default;
};

/// One for each environment that has an engine: a uv_prepare handle that turns the engine's loop,
/// and an idle handle.
///
/// libuv's iteration is: timers, pending, idle, **prepare**, poll, check, closing. In prepare the
/// driver waits in the engine's epoll set instead of letting libuv wait in its own: until libuv's
/// descriptor is readable, libuv's next timer is due, libuv has something else to do at once, or
/// the engine has kept the thread for kQuantumUs. Then it starts the idle handle, which makes
/// libuv's own poll return at once, and the iteration goes on. So whoever lives in libuv's loop
/// (uWebSockets.js, sockets and timers of Node, MessagePorts, promises, immediates) is served as
/// always.
///
/// Both handles are unreferenced; prepare is referenced while a guest is busy.
class LoopDriver final : private Pollable {
 public:
  /// The environment's driver, made when there is none. @returns nullptr after throwing
  static LoopDriver* For(Napi::Env env);

  EventLoop* loop() { return loop_.get(); }
  void AddGuest(LoopGuest* guest);
  /// The last guest to leave closes the driver.
  void RemoveGuest(LoopGuest* guest);

  /// Gives the thread back to libuv after this turn.
  void LeaveSoon() { must_leave_ = true; }
  /// Share of the time since the last call (at first: since the driver was made) in which the
  /// thread was not blocked in a wait, 0 to 1. libuv's own poll never blocks: the idle handle sees
  /// to it.
  double TakeBusyShare();
  /// Looks whether guests are busy. HOT: to be called after each call that may have changed that.
  void UpdateReference();

  ~LoopDriver();

 private:
  /// The engine keeps the thread at most this long before libuv gets its turn.
  static constexpr uint64_t kQuantumUs = 2000;

  LoopDriver(Napi::Env env, std::unique_ptr<EventLoop> loop);
  void OnEvents(uint32_t epoll_events) override;
  /// false once the thread is being ended: whatever the engine began now, nobody would decide on.
  bool CanRunScript() const;
  void OnPrepare();
  void Close();
  void OnHandleClosed();

  static void OnEnvironmentCleanup(napi_async_cleanup_hook_handle handle, void* driver);

  napi_env env_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<LoopGuest*> guests_;
  uv_loop_t* uv_loop_ = nullptr;
  uv_prepare_t prepare_{};
  uv_idle_t idle_{};
  napi_async_cleanup_hook_handle cleanup_hook_ = nullptr;
  bool is_referenced_ = false;
  bool is_libuv_readable_ = false;
  bool must_leave_ = false;
  bool is_closing_ = false;
  int open_handles_ = 0;
  // At the last TakeBusyShare.
  uint64_t share_at_us_;
  uint64_t share_idle_us_ = 0;
  // The driver owns itself from Close() until libuv has let go of both handles.
  std::unique_ptr<LoopDriver> self_;
};

/// What hangs on the environment (napi instance data).
struct AddonState {
  uv_loop_t* uv_loop = nullptr;  // of the thread that loaded the addon
  LoopDriver* driver = nullptr;  // owns itself; leaves this place when it begins to close
};

}  // namespace sluice::binding
