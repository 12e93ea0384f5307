// The class `Engine` that JavaScript sees (src/engine/engine.ts).
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>

#include "binding/loop_callback.h"
#include "binding/loop_object.h"
#include "upstream/upstream_client.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on to the
/// client.
///
/// The events, the arena and onBatch hang on the JavaScript object as hidden properties: they live
/// as long as it does. It is busy while exchanges are open.
class EngineWrap final : public LoopObject<EngineWrap>, private upstream::BatchSink {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit EngineWrap(const Napi::CallbackInfo& info);
  ~EngineWrap() override;

  /// The client of an `Engine` of this thread; whoever keeps it may find it closed.
  /// @returns nullptr where the value is no `Engine`
  static std::shared_ptr<upstream::UpstreamClient> ClientOf(Napi::Env env, Napi::Value value);

 private:
  // BatchSink, LoopObject
  void OnBatch(size_t count) override;
  bool IsBusy() const override { return client_->is_busy(); }
  void CloseNative() override { client_->Close(); }

  // The methods of `Engine`.
  void OpenPool(const Napi::CallbackInfo& info);
  void SetPool(const Napi::CallbackInfo& info);
  void SetAddresses(const Napi::CallbackInfo& info);
  void ClosePool(const Napi::CallbackInfo& info);
  void OpenProfile(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  void Pause(const Napi::CallbackInfo& info);
  void Resume(const Napi::CallbackInfo& info);
  Napi::Value Resend(const Napi::CallbackInfo& info);
  Napi::Value Duplicate(const Napi::CallbackInfo& info);
  void Pass(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// Reads the options and begins; leaves an exception pending where they are wrong.
  void Start(const Napi::CallbackInfo& info);

  /// Shared with front ends: objects that become unreachable together are freed in any order.
  std::shared_ptr<upstream::UpstreamClient> client_;
  LoopCallback on_batch_;
};

}  // namespace sluice::binding
