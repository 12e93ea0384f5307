// The class `SessionEngine` that JavaScript sees.
#include "binding/session_engine_wrap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/batch_options.h"
#include "binding/counters.h"
#include "binding/errors.h"
#include "binding/listening_calls.h"
#include "binding/session_arguments.h"
#include "binding/tls_arguments.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxSlot = 65535;

std::optional<int32_t> ReadSlot(const Napi::CallbackInfo& info) {
  const auto slot = ReadInteger(info.Env(), info[0], "slot", 0, kMaxSlot);
  if (!slot) return std::nullopt;
  return static_cast<int32_t>(*slot);
}

}  // namespace

Napi::Function SessionEngineWrap::Define(Napi::Env env) {
  return DefineClass(env, "SessionEngine",
                     {
                         InstanceMethod<&SessionEngineWrap::OpenListener>("openListener"),
                         InstanceMethod<&SessionEngineWrap::Listen>("listen"),
                         InstanceMethod<&SessionEngineWrap::CloseListener>("closeListener"),
                         InstanceMethod<&SessionEngineWrap::StopListening>("stopListening"),
                         InstanceMethod<&SessionEngineWrap::OpenEndpoint>("openEndpoint"),
                         InstanceMethod<&SessionEngineWrap::SetAddresses>("setAddresses"),
                         InstanceMethod<&SessionEngineWrap::CloseEndpoint>("closeEndpoint"),
                         InstanceMethod<&SessionEngineWrap::Decide>("decide"),
                         InstanceMethod<&SessionEngineWrap::CloseSession>("closeSession"),
                         InstanceMethod<&SessionEngineWrap::ClientCertificate>("clientCertificate"),
                         InstanceMethod<&SessionEngineWrap::Handshakes>("handshakes"),
                         InstanceMethod<&SessionEngineWrap::Stats>("stats"),
                         InstanceMethod<&SessionEngineWrap::Close>("close"),
                     });
}

SessionEngineWrap::SessionEngineWrap(const Napi::CallbackInfo& info) : LoopObject(info) {
  Start(info);
}

void SessionEngineWrap::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = ReadBatchOptions(
      env, info[0],
      {"SessionEngine", l4::kSessionEventStride, l4::kMinSessionEvents, l4::kMinSessionArenaBytes});
  if (!options) return;
  const Napi::Value on_shortage = options->options.Get("onShortage");
  if (!on_shortage.IsFunction()) {
    return ThrowTypeError(env, "SessionEngine: onShortage must be a function");
  }
  const auto max_sessions = ReadOptionalCount(env, options->options.Get("maxSessions"),
                                              "SessionEngine: maxSessions", l4::kMaxSessions);
  if (!max_sessions) return;
  max_sessions_ = *max_sessions;
  const auto self = info.This().As<Napi::Object>();
  options->KeepArraysIn(self);
  if (!on_batch_.Bind(self, "onBatch", options->on_batch, "sluice.SessionEngine") ||
      !on_shortage_.Bind(self, "onShortage", on_shortage.As<Napi::Function>(),
                         "sluice.SessionEngine")) {
    return;
  }
  auto mailbox = OpenMailbox(self, "the mailbox of a session engine");
  if (mailbox == nullptr) return;
  LoopDriver* const driver = LoopDriver::For(env);
  if (driver == nullptr) return;
  const l4::SessionBatchMemory memory{options->events, options->event_capacity, options->arena,
                                      options->arena_bytes};
  engine_ = std::make_unique<l4::SessionEngine>(
      driver->loop(), memory, static_cast<l4::SessionBatchSink*>(this), std::move(mailbox));
  if (engine_->start_error() != 0) {
    const int error = std::exchange(engine_, nullptr)->start_error();  // not to outlive its loop
    return ThrowSystemError(env, {error, "epoll_ctl"}, "the mailbox of a session engine");
  }
  acceptors_ =
      std::make_unique<l4::AcceptorGroup>(driver->loop(), static_cast<l4::AcceptedSink*>(this));
  Join(driver);
}

SessionEngineWrap::~SessionEngineWrap() {
  Leave();
}

void SessionEngineWrap::CloseNative() {
  acceptors_->Stop();
  engine_->Close();
}

void SessionEngineWrap::OnBatch(size_t count) {
  on_batch_.Call(static_cast<int32_t>(count), driver());
}

void SessionEngineWrap::OnAccepted(l4::Accepted* accepted, size_t count) {
  engine_->OnAccepted(accepted, count);
}

void SessionEngineWrap::OnShortage(int error_number) {
  on_shortage_.Call(error_number, driver());
}

size_t SessionEngineWrap::Room() const {
  const size_t sessions = engine_->stats().sessions;
  return sessions < max_sessions_ ? max_sessions_ - sessions : 0;
}

void SessionEngineWrap::OpenListener(const Napi::CallbackInfo& info) {
  const auto listener = ReadListener(info.Env(), info[0]);
  if (!listener) return;
  const auto settings = ReadSessionListenerSettings(info.Env(), info[1]);
  if (!settings) return;
  if (engine_->is_closed()) return ThrowError(info.Env(), "openListener: the engine is closed");
  engine_->OpenListener(*listener, *settings);
}

void SessionEngineWrap::Listen(const Napi::CallbackInfo& info) {
  if (AddListeningSocket(info, acceptors_.get(),
                         engine_->is_closed() ? "the engine is closed" : ""))
    UpdateReference();
}

void SessionEngineWrap::CloseListener(const Napi::CallbackInfo& info) {
  const auto listener = ReadListener(info.Env(), info[0]);
  if (!listener) return;
  acceptors_->Remove(*listener);
  UpdateReference();
}

void SessionEngineWrap::StopListening(const Napi::CallbackInfo& /*info*/) {
  acceptors_->Stop();
  UpdateReference();
}

void SessionEngineWrap::OpenEndpoint(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto slot = ReadSlot(info);
  if (!slot) return;
  auto addresses = ReadAddresses(env, info[1]);
  if (!addresses) return;
  const auto settings = ReadSessionEndpointSettings(env, info[2]);
  if (!settings) return;
  if (engine_->OpenEndpoint(*slot, std::move(*addresses), *settings)) return;
  ThrowError(env, "openEndpoint: the engine is closed");
}

void SessionEngineWrap::SetAddresses(const Napi::CallbackInfo& info) {
  const auto slot = ReadSlot(info);
  if (!slot) return;
  auto addresses = ReadAddresses(info.Env(), info[1]);
  if (!addresses) return;
  if (engine_->SetAddresses(*slot, std::move(*addresses))) return;
  ThrowError(info.Env(), "setAddresses: the slot is not open");
}

void SessionEngineWrap::CloseEndpoint(const Napi::CallbackInfo& info) {
  if (const auto slot = ReadSlot(info)) engine_->CloseEndpoint(*slot);
}

void SessionEngineWrap::Decide(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto session = ReadInteger(env, info[0], "session", 0, l4::kMaxSessions - 1);
  if (!session) return;
  const auto slot = ReadInteger(env, info[1], "slot", l4::kRefuse, kMaxSlot);
  if (slot) engine_->DecideLate(static_cast<int32_t>(*session), static_cast<int32_t>(*slot));
}

void SessionEngineWrap::CloseSession(const Napi::CallbackInfo& info) {
  const auto session = ReadInteger(info.Env(), info[0], "session", 0, l4::kMaxSessions - 1);
  if (session) engine_->CloseSession(static_cast<int32_t>(*session));
}

Napi::Value SessionEngineWrap::ClientCertificate(const Napi::CallbackInfo& info) {
  const auto session = ReadInteger(info.Env(), info[0], "session", 0, l4::kMaxSessions - 1);
  if (!session) return {};
  return CertificateObject(info.Env(), engine_->ClientCertificate(static_cast<int32_t>(*session)));
}

Napi::Value SessionEngineWrap::Handshakes(const Napi::CallbackInfo& info) {
  const auto listener = ReadListener(info.Env(), info[0]);
  if (!listener) return {};
  return ArrayOf(info.Env(), engine_->handshakes(*listener).ends);
}

Napi::Value SessionEngineWrap::Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const l4::SessionEngineStats stats = engine_->stats();
  return ObjectOf(env, {
                           {"sessions", stats.sessions},
                           {"queued", stats.queued},
                           {"handshakes", stats.handshakes},
                           {"endpointConnections", stats.endpoint_connections},
                           {"heldBytes", stats.held_bytes},
                           {"pipes", stats.pipes},
                           {"splicing", stats.splicing},
                           {"opened", stats.opened},
                           {"dropped", stats.dropped},
                           {"bytesFromClients", stats.bytes_from_clients},
                           {"bytesToClients", stats.bytes_to_clients},
                       });
}

void SessionEngineWrap::Close(const Napi::CallbackInfo& /*info*/) {
  Leave();
}

}  // namespace sluice::binding
