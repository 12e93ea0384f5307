// The class `Acceptor` that JavaScript sees (src/engine/session-engine.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "binding/loop_callback.h"
#include "binding/loop_object.h"
#include "l4/distributor.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on to the
/// distributor. It is busy while it has listening sockets, with or without workers, as a server of
/// Node is; once closed it keeps no thread alive.
class AcceptorWrap final : public LoopObject<AcceptorWrap>, private l4::ShortageSink {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit AcceptorWrap(const Napi::CallbackInfo& info);
  ~AcceptorWrap() override;

 private:
  // ShortageSink, LoopObject
  void OnShortage(int error_number) override;
  bool IsBusy() const override { return distributor_->is_listening(); }
  void CloseNative() override { distributor_->Close(); }

  // The methods of `Acceptor`.
  void Listen(const Napi::CallbackInfo& info);
  void AddWorker(const Napi::CallbackInfo& info);
  void RemoveWorker(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// Reads the options and begins; leaves an exception pending where they are wrong.
  void Start(const Napi::CallbackInfo& info);

  std::unique_ptr<l4::Distributor> distributor_;
  LoopCallback on_shortage_;
};

}  // namespace sluice::binding
