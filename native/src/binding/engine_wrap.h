// The class `Engine` that JavaScript sees (src/engine/engine.ts).
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>

#include "binding/loop_driver.h"
#include "upstream/upstream_client.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on to the
/// client.
///
/// The events, the arena and onBatch hang on the JavaScript object as hidden properties: they live
/// as long as it does. The object holds itself while exchanges are open; one that is idle and that
/// nobody can reach is collected, which closes it.
class EngineWrap final : public Napi::ObjectWrap<EngineWrap>,
                         private upstream::BatchSink,
                         private LoopGuest {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit EngineWrap(const Napi::CallbackInfo& info);
  ~EngineWrap() override;

 private:
  // BatchSink, LoopGuest
  void OnBatch(size_t count) override;
  bool HoldWhileBusy() override;
  void OnLoopClosing() override;

  // The methods of `Engine`.
  void OpenPool(const Napi::CallbackInfo& info);
  void SetAddresses(const Napi::CallbackInfo& info);
  void ClosePool(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  void Pause(const Napi::CallbackInfo& info);
  void Resume(const Napi::CallbackInfo& info);
  Napi::Value Resend(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// Reads the options and begins; leaves an exception pending where they are wrong.
  void Start(const Napi::CallbackInfo& info);
  void CloseClient();
  void UpdateReference();

  std::unique_ptr<upstream::UpstreamClient> client_;
  LoopDriver* driver_ = nullptr;  // nullptr once closed
  bool is_held_ = false;          // a strong reference to the JavaScript object exists
  napi_ref on_batch_ = nullptr;   // weak: the hidden property keeps it
  napi_async_context async_context_ = nullptr;
};

}  // namespace sluice::binding
