// What the JavaScript objects have in common whose native part lives in the engine's loop.
#pragma once

#include <napi.h>

#include <utility>

#include "binding/loop_driver.h"

namespace sluice::binding {

/// Base of the class `Wrap` that JavaScript sees. The object holds itself while its native part is
/// busy; one that is not and that nobody can reach is collected, which closes it.
///
/// `Wrap` calls Join when its native part has been made, and Leave in its destructor at the latest.
template <typename Wrap>
class LoopObject : public Napi::ObjectWrap<Wrap>, private LoopGuest {
 protected:
  explicit LoopObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Wrap>(info) {}

  /// Work is open that must not let the thread end by itself.
  virtual bool IsBusy() const = 0;
  /// Closes the native part, for good. Idempotent.
  virtual void CloseNative() = 0;

  /// Enters the loop: IsBusy is asked from now on.
  void Join(LoopDriver* driver) {
    driver_ = driver;
    driver_->AddGuest(this);
  }

  /// Closes the native part and leaves the loop. Idempotent.
  void Leave() {
    if (driver_ == nullptr) return;
    CloseNative();
    HoldWhileBusy();
    std::exchange(driver_, nullptr)->RemoveGuest(this);
  }

  /// To be called after each call of JavaScript that may have begun or ended work.
  void UpdateReference() {
    if (driver_ != nullptr) driver_->UpdateReference();
  }

  /// nullptr before Join, and once it has left.
  LoopDriver* driver() const { return driver_; }

 private:
  bool HoldWhileBusy() override {
    const bool is_busy = IsBusy();
    if (is_busy != is_held_) {
      is_held_ = is_busy;
      if (is_busy) {
        this->Ref();
      } else {
        this->Unref();
      }
    }
    return is_busy;
  }

  void OnLoopClosing() override {
    driver_ = nullptr;
    CloseNative();
  }

  LoopDriver* driver_ = nullptr;
  bool is_held_ = false;  // a strong reference to the JavaScript object exists
};

}  // namespace sluice::binding
