// The class `SessionEngine` that JavaScript sees (src/engine/session-engine.ts).
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>

#include "binding/loop_callback.h"
#include "binding/loop_object.h"
#include "l4/acceptor.h"
#include "l4/mailbox.h"
#include "l4/session_engine.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on to the
/// engine. Owns what brings the engine connections: its mailbox, and the acceptors of listeners of
/// its own.
///
/// It is busy while sessions are open and while it listens itself. A mailbox alone keeps no thread
/// alive: the connections of a worker that ends go to the others.
class SessionEngineWrap final : public LoopObject<SessionEngineWrap>,
                                private l4::SessionBatchSink,
                                private l4::AcceptedSink {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit SessionEngineWrap(const Napi::CallbackInfo& info);
  ~SessionEngineWrap() override;

 private:
  // SessionBatchSink, AcceptedSink (both tell of a shortage), LoopObject
  void OnBatch(size_t count) override;
  void OnAccepted(l4::Accepted* accepted, size_t count) override;
  void OnShortage(int error_number) override;
  size_t Room() const override;
  bool IsBusy() const override { return engine_->is_busy() || acceptors_->is_listening(); }
  void CloseNative() override;

  // The methods of `SessionEngine`.
  void OpenListener(const Napi::CallbackInfo& info);
  void Listen(const Napi::CallbackInfo& info);
  void CloseListener(const Napi::CallbackInfo& info);
  void StopListening(const Napi::CallbackInfo& info);
  void OpenEndpoint(const Napi::CallbackInfo& info);
  void SetAddresses(const Napi::CallbackInfo& info);
  void CloseEndpoint(const Napi::CallbackInfo& info);
  void Decide(const Napi::CallbackInfo& info);
  void CloseSession(const Napi::CallbackInfo& info);
  Napi::Value ClientCertificate(const Napi::CallbackInfo& info);
  Napi::Value Handshakes(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// Reads the options and begins; leaves an exception pending where they are wrong.
  void Start(const Napi::CallbackInfo& info);

  size_t max_sessions_ = l4::kMaxSessions;
  std::unique_ptr<l4::SessionEngine> engine_;
  std::unique_ptr<l4::AcceptorGroup> acceptors_;
  LoopCallback on_batch_;
  LoopCallback on_shortage_;
};

}  // namespace sluice::binding
