// Drives the engine's loop from a uv_prepare handle.
#include "binding/loop_driver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/clock.h"
#include "binding/errors.h"
#include "binding/foreign_polls.h"

namespace sluice::binding {

LoopDriver* LoopDriver::For(Napi::Env env) {
  auto* const state = env.GetInstanceData<AddonState>();
  if (state->driver != nullptr) return state->driver;
  auto loop = EventLoop::Create();
  if (!loop) {
    ThrowError(env, std::string("the engine's epoll set cannot be made: ") +
                        std::strerror(loop.error().number));
    return nullptr;
  }
  auto driver = std::unique_ptr<LoopDriver>(
      new LoopDriver(env, std::move(loop.value())));  // private constructor
  const int error = driver->loop_->Watch(uv_backend_fd(driver->uv_loop_), EPOLLIN, driver.get());
  if (error != 0) {
    ThrowError(env, std::string("libuv's loop cannot be watched: ") + std::strerror(error));
    return nullptr;
  }
  uv_prepare_init(driver->uv_loop_, &driver->prepare_);
  uv_idle_init(driver->uv_loop_, &driver->idle_);
  driver->open_handles_ = 2;
  driver->prepare_.data = driver->idle_.data = driver.get();
  uv_prepare_start(&driver->prepare_, [](uv_prepare_t* handle) {
    static_cast<LoopDriver*>(handle->data)->OnPrepare();
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&driver->prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&driver->idle_));
  napi_add_async_cleanup_hook(env, OnEnvironmentCleanup, driver.get(), &driver->cleanup_hook_);
  state->driver = driver.get();
  driver->self_ = std::move(driver);
  return state->driver;
}

LoopDriver::LoopDriver(Napi::Env env, std::unique_ptr<EventLoop> loop)
    : env_(env), loop_(std::move(loop)), share_at_us_(MonotonicUs()) {
  napi_get_uv_event_loop(env, &uv_loop_);
}

LoopDriver::~LoopDriver() = default;

void LoopDriver::AddGuest(LoopGuest* guest) {
  guests_.push_back(guest);
}

void LoopDriver::RemoveGuest(LoopGuest* guest) {
  std::erase(guests_, guest);
  if (guests_.empty()) {
    Close();
  } else {
    UpdateReference();
  }
}

double LoopDriver::TakeBusyShare() {
  const uint64_t now_us = MonotonicUs();
  const auto wall_us = static_cast<double>(now_us - std::exchange(share_at_us_, now_us));
  const uint64_t idle_us = loop_->idle_us();
  const auto waited_us = static_cast<double>(idle_us - std::exchange(share_idle_us_, idle_us));
  return wall_us > 0 ? std::clamp(1 - waited_us / wall_us, 0.0, 1.0) : 0;
}

void LoopDriver::UpdateReference() {
  if (is_closing_) return;
  bool is_busy = false;
  for (LoopGuest* const guest : guests_)
    is_busy |= guest->HoldWhileBusy();
  if (is_busy == is_referenced_) return;
  is_referenced_ = is_busy;
  auto* const handle = reinterpret_cast<uv_handle_t*>(&prepare_);
  if (is_busy) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void LoopDriver::OnEvents(uint32_t /*epoll_events*/) {
  is_libuv_readable_ = true;
}

bool LoopDriver::CanRunScript() const {
  napi_handle_scope handles = nullptr;
  if (napi_open_handle_scope(env_, &handles) != napi_ok) return false;
  napi_value undefined = nullptr;
  bool is_equal = false;
  bool is_pending = false;
  napi_get_undefined(env_, &undefined);
  // Runs no JavaScript, but is refused where none may run, as every call that might; and where an
  // exception is pending, which is not what is asked here.
  const bool is_refused = napi_strict_equals(env_, undefined, undefined, &is_equal) != napi_ok;
  if (is_refused) napi_is_exception_pending(env_, &is_pending);
  napi_close_handle_scope(env_, handles);
  return !is_refused || is_pending;
}

void LoopDriver::OnPrepare() {
  uv_idle_stop(&idle_);
  // terminate() stops JavaScript at once, but libuv's loop only some iterations later. What lies
  // unread, as connections in a mailbox, is left to others; and uWebSockets.js, which would end the
  // process for a request that no handler answers, must not look any more.
  if (!CanRunScript()) {
    SilenceForeignHandles(uv_loop_);
    uv_idle_start(&idle_, [](uv_idle_t*) {});
    return;
  }
  is_libuv_readable_ = must_leave_ = false;
  uint64_t leave_at_us = 0;
  for (;;) {
    // 0: libuv has immediates, closing handles or new watchers, a timer is due, or nothing keeps
    // its loop alive.
    const int timeout_ms = uv_backend_timeout(uv_loop_);
    loop_->Turn(timeout_ms);
    if (is_closing_) return;
    UpdateReference();
    if (is_libuv_readable_ || must_leave_ || timeout_ms == 0) break;
    if (leave_at_us == 0) leave_at_us = loop_->waited_at_us() + kQuantumUs;
    if (loop_->waited_at_us() >= leave_at_us) break;
    uv_update_time(uv_loop_);  // or uv_backend_timeout would count from the time before the wait
  }
  // JavaScript may have been stopped in the turn: libuv's poll comes next.
  if (must_leave_ && !CanRunScript()) SilenceForeignHandles(uv_loop_);
  uv_idle_start(&idle_, [](uv_idle_t*) {});
}

void LoopDriver::Close() {
  if (is_closing_) return;
  is_closing_ = true;
  auto* const state = Napi::Env(env_).GetInstanceData<AddonState>();
  if (state != nullptr && state->driver == this) state->driver = nullptr;
  loop_->Unwatch(uv_backend_fd(uv_loop_));
  const auto on_closed = [](uv_handle_t* handle) {
    static_cast<LoopDriver*>(handle->data)->OnHandleClosed();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), on_closed);
}

void LoopDriver::OnHandleClosed() {
  if (--open_handles_ > 0) return;
  // Lets the environment go on with its end where it waits for us, and is due in any case.
  napi_remove_async_cleanup_hook(cleanup_hook_);
  self_.reset();
}

void LoopDriver::OnEnvironmentCleanup(napi_async_cleanup_hook_handle /*handle*/, void* driver) {
  auto* const self = static_cast<LoopDriver*>(driver);
  // The last first: a front end was made after the engine that it sends through.
  const std::vector<LoopGuest*> guests = std::exchange(self->guests_, {});
  for (auto guest = guests.rbegin(); guest != guests.rend(); ++guest)
    (*guest)->OnLoopClosing();
  self->Close();
}

}  // namespace sluice::binding
