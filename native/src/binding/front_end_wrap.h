// The class `FrontEnd` that JavaScript sees (src/engine/front-end.ts).
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>

#include "binding/loop_callback.h"
#include "binding/loop_object.h"
#include "frontend/front_end.h"
#include "l4/acceptor.h"
#include "upstream/upstream_client.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on to the
/// front end. Owns what brings it connections: its mailbox, and the acceptors of listeners of its
/// own.
///
/// The engine that it sends through hangs on the JavaScript object as a hidden property, beside the
/// events, the arena and the callbacks. It is busy while exchanges are open and while it listens
/// itself. Idle connections and a mailbox keep no thread alive.
class FrontEndWrap final : public LoopObject<FrontEndWrap>,
                           private frontend::FrontEndSink,
                           private l4::AcceptedSink {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit FrontEndWrap(const Napi::CallbackInfo& info);
  ~FrontEndWrap() override;

 private:
  // FrontEndSink, AcceptedSink (both tell of a shortage), LoopObject
  void OnBatch(size_t count) override;
  void OnAccepted(l4::Accepted* accepted, size_t count) override;
  void OnShortage(int error_number) override;
  size_t Room() const override;
  bool IsBusy() const override { return front_end_->is_busy() || acceptors_->is_listening(); }
  void CloseNative() override;

  // The methods of `FrontEnd`.
  void OpenListener(const Napi::CallbackInfo& info);
  void Listen(const Napi::CallbackInfo& info);
  void CloseListener(const Napi::CallbackInfo& info);
  void CutListener(const Napi::CallbackInfo& info);
  void StopListening(const Napi::CallbackInfo& info);
  void Drain(const Napi::CallbackInfo& info);
  Napi::Value Decide(const Napi::CallbackInfo& info);
  Napi::Value Pass(const Napi::CallbackInfo& info);
  Napi::Value Hedge(const Napi::CallbackInfo& info);
  void ReleaseHedge(const Napi::CallbackInfo& info);
  void Answer(const Napi::CallbackInfo& info);
  void BreakOff(const Napi::CallbackInfo& info);
  Napi::Value Header(const Napi::CallbackInfo& info);
  void SetHeader(const Napi::CallbackInfo& info);
  void AddResponseField(const Napi::CallbackInfo& info);
  Napi::Value Describe(const Napi::CallbackInfo& info);
  Napi::Value OpenKey(const Napi::CallbackInfo& info);
  Napi::Value HashKey(const Napi::CallbackInfo& info);
  Napi::Value KeyText(const Napi::CallbackInfo& info);
  void LogTo(const Napi::CallbackInfo& info);
  Napi::Value WriteAccessLine(const Napi::CallbackInfo& info);
  Napi::Value ForwardedFor(const Napi::CallbackInfo& info);
  Napi::Value ClientCertificate(const Napi::CallbackInfo& info);
  Napi::Value Http2Streams(const Napi::CallbackInfo& info);
  Napi::Value Handshakes(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// Reads options.keyWords. @returns false after throwing
  bool TakeKeyWords(Napi::Value value);
  /// Reads the numbers of an exchange and of a key. @returns false after throwing
  bool ReadKeyCall(const Napi::CallbackInfo& info, int32_t* exchange, int32_t* key) const;

  /// Reads the options and begins; leaves an exception pending where they are wrong.
  void Start(const Napi::CallbackInfo& info);

  size_t max_connections_ = frontend::kMaxConnections;
  /// Two words in JavaScript's hands; nullptr where its options had none.
  int32_t* key_words_ = nullptr;
  /// Outlives the front end.
  std::shared_ptr<upstream::UpstreamClient> client_;
  std::unique_ptr<frontend::FrontEnd> front_end_;
  std::unique_ptr<l4::AcceptorGroup> acceptors_;
  /// Keeps the memory that lines are written to; empty: nothing is logged.
  Napi::ObjectReference access_lines_;
  LoopCallback on_batch_;
  LoopCallback on_shortage_;
};

}  // namespace sluice::binding
