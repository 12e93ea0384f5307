// A JavaScript function that native code calls out of the engine's loop.
#pragma once

#include <napi.h>

#include "binding/loop_driver.h"

namespace sluice::binding {

/// Belongs to a JavaScript object: it lives as long as that does, and keeps it alive while it runs.
/// Thread: that of the environment.
class LoopCallback {
 public:
  LoopCallback() = default;
  LoopCallback(const LoopCallback&) = delete;
  LoopCallback& operator=(const LoopCallback&) = delete;
  ~LoopCallback();

  /// Hangs the function on `owner` as a hidden property of this name. To be called once.
  /// @param resource what async_hooks call it, e.g. 'sluice.Engine'
  /// @returns false with an exception pending
  bool Bind(Napi::Object owner, const char* name, Napi::Function function, const char* resource);

  /// Calls it in a callback scope of its own: ticks and promises run when it has returned. What it
  /// throws is an uncaught exception of the thread. Does nothing where JavaScript can no longer
  /// run.
  /// @param driver gives the thread back to libuv after a throw; may be nullptr
  void Call(int32_t argument, LoopDriver* driver);

 private:
  napi_env env_ = nullptr;
  napi_ref function_ = nullptr;  // weak: the hidden property keeps it
  napi_async_context async_context_ = nullptr;
};

/// Gives an object a property that only native code knows of: not listed, not writable.
void Hide(Napi::Object object, const char* name, Napi::Value value);

}  // namespace sluice::binding
