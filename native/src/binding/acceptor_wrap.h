// The class `Acceptor` that JavaScript sees (src/engine/session-engine.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "base/event_loop.h"
#include "binding/loop_callback.h"
#include "binding/loop_object.h"
#include "l4/accepted.h"
#include "l4/acceptor_thread.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on to the
/// accepting thread, and tells JavaScript of shortages in this one. It is busy while it has
/// listening sockets, with or without workers, as a server of Node is; once closed it keeps no
/// thread alive.
class AcceptorWrap final : public LoopObject<AcceptorWrap>,
                           private l4::ShortageSink,
                           private Pollable,
                           private LoopTask {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit AcceptorWrap(const Napi::CallbackInfo& info);
  ~AcceptorWrap() override;

 private:
  // ShortageSink, LoopObject, Pollable, LoopTask
  void OnShortage(int error_number) override;
  bool IsBusy() const override { return is_listening_; }
  void CloseNative() override;
  void OnEvents(uint32_t epoll_events) override;
  bool HasWork() const override { return false; }
  void OnReady() override;
  void OnTurnEnd() override {}

  // The methods of `Acceptor`.
  void Listen(const Napi::CallbackInfo& info);
  void CloseListener(const Napi::CallbackInfo& info);
  void AddWorker(const Napi::CallbackInfo& info);
  void RemoveWorker(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// Reads the options and begins; leaves an exception pending where they are wrong.
  void Start(const Napi::CallbackInfo& info);

  std::unique_ptr<l4::AcceptorThread> thread_;
  LoopCallback on_shortage_;
  EventLoop* loop_ = nullptr;  // of this thread; nullptr before Start and once closed
  bool is_listening_ = false;
  bool has_news_ = false;  // epoll said so in this turn
};

}  // namespace sluice::binding
