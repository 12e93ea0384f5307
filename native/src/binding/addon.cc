// What the .node file exports: `Addon` in src/engine/engine.ts.
#include <napi.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "binding/accept_gate.h"
#include "binding/acceptor_wrap.h"
#include "binding/access_lines_wrap.h"
#include "binding/arguments.h"
#include "binding/engine_wrap.h"
#include "binding/errors.h"
#include "binding/file_limits.h"
#include "binding/foreign_polls.h"
#include "binding/front_end_wrap.h"
#include "binding/hash_calls.h"
#include "binding/listening_calls.h"
#include "binding/reserved_address.h"
#include "binding/session_engine_wrap.h"
#include "binding/tls_wraps.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxPort = 65535;

Napi::Value ReserveAddressCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    ThrowTypeError(env, "reserveAddress: host must be a string");
    return {};
  }
  const std::string host = info[0].As<Napi::String>().Utf8Value();
  const auto port = ReadInteger(env, info[1], "port", 0, kMaxPort);
  if (!port) return {};
  auto reserved = ReserveAddress(host, static_cast<uint16_t>(*port));
  if (!reserved) {
    ThrowSystemError(env, reserved.error(), host + " port " + std::to_string(*port));
    return {};
  }
  const auto object = Napi::Object::New(env);
  object.Set("port", Napi::Number::New(env, reserved.value().port));
  // Shared with the function that JavaScript holds: close() or its collection ends the reservation.
  const auto held = std::make_shared<UniqueFd>(std::move(reserved.value().fd));
  object.Set("close", Napi::Function::New(
                          env, [held](const Napi::CallbackInfo&) { held->Reset(); }, "close"));
  return object;
}

Napi::Value RaiseFileLimitCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto number = [env](uint64_t limit) {
    const bool is_unlimited = limit == std::numeric_limits<uint64_t>::max();
    return Napi::Number::New(
        env, is_unlimited ? std::numeric_limits<double>::infinity() : static_cast<double>(limit));
  };
  const FileLimits limits = RaiseFileLimit();
  const auto object = Napi::Object::New(env);
  object.Set("soft", number(limits.soft));
  object.Set("hard", number(limits.hard));
  return object;
}

uv_loop_t* LoopOf(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  return loop;
}

Napi::Value FreeFilesCall(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(CountFreeFiles()));
}

Napi::Value PauseAcceptingCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto is_paused = ReadBoolean(env, info[0], "pauseAccepting: isPaused");
  if (!is_paused) return {};
  return Napi::Number::New(env, PauseAccepting(LoopOf(env), *is_paused));
}

Napi::Value CountForeignWritersCall(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), CountForeignWriters(LoopOf(info.Env())));
}

Napi::Value LoopBusyShareCall(const Napi::CallbackInfo& info) {
  LoopDriver* const driver = info.Env().GetInstanceData<AddonState>()->driver;
  return Napi::Number::New(info.Env(), driver == nullptr ? 0 : driver->TakeBusyShare());
}

void SilenceForeignHandlesCall(const Napi::CallbackInfo& info) {
  SilenceForeignHandles(LoopOf(info.Env()));
}

void MuteStandardOutputStreamCall(const Napi::CallbackInfo& /*info*/) {
  MuteStandardOutputStream();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  // Freed by the environment, after the hook that it is the argument of.
  AddonState* const state = std::make_unique<AddonState>().release();
  state->uv_loop = LoopOf(env);
  env.SetInstanceData(state);
  // For every thread that loads the engine, whether it makes one or not. Node ends the process when
  // a hook and its argument come a second time: the loop would, where a thread loads the file
  // twice.
  napi_add_env_cleanup_hook(
      env, [](void* ending) { CloseForeignPolls(static_cast<AddonState*>(ending)->uv_loop); },
      state);
  exports.Set("Engine", EngineWrap::Define(env));
  exports.Set("FrontEnd", FrontEndWrap::Define(env));
  exports.Set("SessionEngine", SessionEngineWrap::Define(env));
  exports.Set("Acceptor", AcceptorWrap::Define(env));
  exports.Set("AccessLines", AccessLinesWrap::Define(env));
  exports.Set("openListeningSocket",
              Napi::Function::New<OpenListeningSocketCall>(env, "openListeningSocket"));
  exports.Set("reserveAddress", Napi::Function::New<ReserveAddressCall>(env, "reserveAddress"));
  exports.Set("freeFiles", Napi::Function::New<FreeFilesCall>(env, "freeFiles"));
  exports.Set("pauseAccepting", Napi::Function::New<PauseAcceptingCall>(env, "pauseAccepting"));
  exports.Set("loopBusyShare", Napi::Function::New<LoopBusyShareCall>(env, "loopBusyShare"));
  exports.Set("countForeignWriters",
              Napi::Function::New<CountForeignWritersCall>(env, "countForeignWriters"));
  exports.Set("silenceForeignHandles",
              Napi::Function::New<SilenceForeignHandlesCall>(env, "silenceForeignHandles"));
  exports.Set("muteStandardOutputStream",
              Napi::Function::New<MuteStandardOutputStreamCall>(env, "muteStandardOutputStream"));
  exports.Set("raiseFileLimit", Napi::Function::New<RaiseFileLimitCall>(env, "raiseFileLimit"));
  ExportTls(env, exports);
  ExportHashCalls(env, exports);  // what it throws, the loading throws
  return exports;
}

NODE_API_MODULE(sluice_engine, Init)

}  // namespace

}  // namespace sluice::binding
