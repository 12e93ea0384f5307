// The class `FrontEnd` that JavaScript sees.
#include "binding/front_end_wrap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/batch_options.h"
#include "binding/counters.h"
#include "binding/engine_wrap.h"
#include "binding/errors.h"
#include "binding/front_end_arguments.h"
#include "binding/listening_calls.h"
#include "binding/session_arguments.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxSlot = 65535;
constexpr int64_t kMaxTimeoutMs = INT32_MAX;

std::optional<int32_t> ReadExchange(const Napi::CallbackInfo& info) {
  const auto exchange = ReadInteger(info.Env(), info[0], "exchange", frontend::kFirstExchange,
                                    upstream::kMaxExchanges - 1);
  if (!exchange) return std::nullopt;
  return static_cast<int32_t>(*exchange);
}

std::optional<int32_t> ReadProfile(Napi::Env env, Napi::Value value) {
  const auto profile =
      ReadInteger(env, value, "profile", upstream::kPlainProfile, upstream::kMaxProfile);
  if (!profile) return std::nullopt;
  return static_cast<int32_t>(*profile);
}

/// A text whose characters are bytes.
Napi::Value TextOfBytes(Napi::Env env, const std::string& bytes) {
  napi_value text = nullptr;
  napi_create_string_latin1(env, bytes.data(), bytes.size(), &text);
  return {env, text};
}

}  // namespace

Napi::Function FrontEndWrap::Define(Napi::Env env) {
  return DefineClass(env, "FrontEnd",
                     {
                         InstanceMethod<&FrontEndWrap::OpenListener>("openListener"),
                         InstanceMethod<&FrontEndWrap::Listen>("listen"),
                         InstanceMethod<&FrontEndWrap::CloseListener>("closeListener"),
                         InstanceMethod<&FrontEndWrap::CutListener>("cutListener"),
                         InstanceMethod<&FrontEndWrap::StopListening>("stopListening"),
                         InstanceMethod<&FrontEndWrap::Drain>("drain"),
                         InstanceMethod<&FrontEndWrap::Decide>("decide"),
                         InstanceMethod<&FrontEndWrap::Pass>("pass"),
                         InstanceMethod<&FrontEndWrap::Hedge>("hedge"),
                         InstanceMethod<&FrontEndWrap::ReleaseHedge>("releaseHedge"),
                         InstanceMethod<&FrontEndWrap::Answer>("answer"),
                         InstanceMethod<&FrontEndWrap::BreakOff>("breakOff"),
                         InstanceMethod<&FrontEndWrap::Header>("header"),
                         InstanceMethod<&FrontEndWrap::SetHeader>("setHeader"),
                         InstanceMethod<&FrontEndWrap::AddResponseField>("addResponseField"),
                         InstanceMethod<&FrontEndWrap::Describe>("describe"),
                         InstanceMethod<&FrontEndWrap::OpenKey>("openKey"),
                         InstanceMethod<&FrontEndWrap::HashKey>("hashKey"),
                         InstanceMethod<&FrontEndWrap::KeyText>("keyText"),
                         InstanceMethod<&FrontEndWrap::LogTo>("logTo"),
                         InstanceMethod<&FrontEndWrap::WriteAccessLine>("writeAccessLine"),
                         InstanceMethod<&FrontEndWrap::ForwardedFor>("forwardedFor"),
                         InstanceMethod<&FrontEndWrap::ClientCertificate>("clientCertificate"),
                         InstanceMethod<&FrontEndWrap::Handshakes>("handshakes"),
                         InstanceMethod<&FrontEndWrap::Http2Streams>("http2Streams"),
                         InstanceMethod<&FrontEndWrap::Stats>("stats"),
                         InstanceMethod<&FrontEndWrap::Close>("close"),
                     });
}

FrontEndWrap::FrontEndWrap(const Napi::CallbackInfo& info) : LoopObject(info) {
  Start(info);
}

void FrontEndWrap::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = ReadBatchOptions(
      env, info[0],
      {"FrontEnd", frontend::kEventStride, frontend::kMinEvents, frontend::kMinArenaBytes});
  if (!options) return;
  const Napi::Value on_shortage = options->options.Get("onShortage");
  if (!on_shortage.IsFunction()) {
    return ThrowTypeError(env, "FrontEnd: onShortage must be a function");
  }
  const auto max_connections =
      ReadOptionalCount(env, options->options.Get("maxConnections"), "FrontEnd: maxConnections",
                        frontend::kMaxConnections);
  if (!max_connections) return;
  max_connections_ = *max_connections;
  auto identity = ReadFrontEndIdentity(env, options->options);
  if (!identity) return;
  if (!TakeKeyWords(options->options.Get("keyWords"))) return;
  const Napi::Value engine = options->options.Get("engine");
  client_ = EngineWrap::ClientOf(env, engine);
  if (client_ == nullptr) return ThrowTypeError(env, "FrontEnd: engine must be an Engine");
  if (client_->is_closed()) return ThrowError(env, "FrontEnd: the engine is closed");
  const auto self = info.This().As<Napi::Object>();
  options->KeepArraysIn(self);
  Hide(self, "engine", engine);
  Hide(self, "keyWords", options->options.Get("keyWords"));
  if (!on_batch_.Bind(self, "onBatch", options->on_batch, "sluice.FrontEnd") ||
      !on_shortage_.Bind(self, "onShortage", on_shortage.As<Napi::Function>(), "sluice.FrontEnd")) {
    return;
  }
  auto mailbox = OpenMailbox(self, "the mailbox of a front end");
  if (mailbox == nullptr) return;
  LoopDriver* const driver = LoopDriver::For(env);
  if (driver == nullptr) return;
  const frontend::FrontEndMemory memory{options->events, options->event_capacity, options->arena,
                                        options->arena_bytes};
  front_end_ = std::make_unique<frontend::FrontEnd>(driver->loop(), client_.get(), memory,
                                                    static_cast<frontend::FrontEndSink*>(this),
                                                    std::move(mailbox), std::move(*identity));
  if (front_end_->start_error() != 0) {
    const int error = std::exchange(front_end_, nullptr)->start_error();  // as its loop may go
    return ThrowSystemError(env, {error, "epoll_ctl"}, "the mailbox of a front end");
  }
  acceptors_ =
      std::make_unique<l4::AcceptorGroup>(driver->loop(), static_cast<l4::AcceptedSink*>(this));
  Join(driver);
}

FrontEndWrap::~FrontEndWrap() {
  Leave();
}

void FrontEndWrap::CloseNative() {
  acceptors_->Stop();
  front_end_->Close();
}

void FrontEndWrap::OnBatch(size_t count) {
  on_batch_.Call(static_cast<int32_t>(count), driver());
}

void FrontEndWrap::OnAccepted(l4::Accepted* accepted, size_t count) {
  front_end_->OnAccepted(accepted, count);
}

void FrontEndWrap::OnShortage(int error_number) {
  on_shortage_.Call(error_number, driver());
}

size_t FrontEndWrap::Room() const {
  const size_t connections = frontend::kMaxConnections - front_end_->Room();
  return connections < max_connections_ ? max_connections_ - connections : 0;
}

void FrontEndWrap::OpenListener(const Napi::CallbackInfo& info) {
  const auto listener = ReadListener(info.Env(), info[0]);
  if (!listener) return;
  auto settings = ReadFrontEndListenerSettings(info.Env(), info[1]);
  if (!settings) return;
  if (front_end_->is_closed()) {
    return ThrowError(info.Env(), "openListener: the front end is closed");
  }
  front_end_->OpenListener(*listener, std::move(*settings));
}

void FrontEndWrap::Listen(const Napi::CallbackInfo& info) {
  const char* const closed = front_end_->is_closed() ? "the front end is closed" : "";
  if (AddListeningSocket(info, acceptors_.get(), closed)) UpdateReference();
}

void FrontEndWrap::CloseListener(const Napi::CallbackInfo& info) {
  const auto listener = ReadListener(info.Env(), info[0]);
  if (!listener) return;
  acceptors_->Remove(*listener);
  UpdateReference();
  front_end_->CloseListener(*listener);
}

void FrontEndWrap::CutListener(const Napi::CallbackInfo& info) {
  if (const auto listener = ReadListener(info.Env(), info[0])) front_end_->CutListener(*listener);
}

void FrontEndWrap::StopListening(const Napi::CallbackInfo& /*info*/) {
  acceptors_->Stop();
  UpdateReference();
}

void FrontEndWrap::Drain(const Napi::CallbackInfo& /*info*/) {
  front_end_->Drain();
}

Napi::Value FrontEndWrap::Decide(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange = ReadExchange(info);
  if (!exchange) return {};
  const auto slot = ReadInteger(env, info[1], "slot", 0, kMaxSlot);
  if (!slot) return {};
  const auto timeout_ms = ReadInteger(env, info[2], "exchangeTimeoutMs", 0, kMaxTimeoutMs);
  if (!timeout_ms) return {};
  const auto profile = ReadProfile(env, info[3]);
  if (!profile) return {};
  const bool is_open = front_end_->Decide(*exchange, static_cast<int32_t>(*slot),
                                          static_cast<uint64_t>(*timeout_ms), *profile);
  return Napi::Boolean::New(env, is_open);
}

Napi::Value FrontEndWrap::Pass(const Napi::CallbackInfo& info) {
  const auto exchange = ReadExchange(info);
  if (!exchange) return {};
  return Napi::Boolean::New(info.Env(), front_end_->Pass(*exchange));
}

Napi::Value FrontEndWrap::Hedge(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange = ReadExchange(info);
  if (!exchange) return {};
  const auto slot = ReadInteger(env, info[1], "slot", 0, kMaxSlot);
  if (!slot) return {};
  const auto profile = ReadProfile(env, info[2]);
  if (!profile) return {};
  const auto timeout_ms = ReadInteger(env, info[3], "timeoutMs", 0, kMaxTimeoutMs);
  if (!timeout_ms) return {};
  const bool is_begun = front_end_->Hedge(*exchange, static_cast<int32_t>(*slot), *profile,
                                          static_cast<uint64_t>(*timeout_ms));
  return Napi::Boolean::New(env, is_begun);
}

void FrontEndWrap::ReleaseHedge(const Napi::CallbackInfo& info) {
  if (const auto exchange = ReadExchange(info)) front_end_->ReleaseHedge(*exchange);
}

void FrontEndWrap::Answer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange = ReadExchange(info);
  if (!exchange) return;
  const auto head = ReadLatin1(env, info[1], "answer: head");
  if (!head) return;
  const auto body = ReadUtf8(env, info[2], "answer: body");
  if (!body) return;
  const auto must_close = ReadBoolean(env, info[3], "answer: mustClose");
  if (!must_close) return;
  // An exchange that has ended meanwhile needs no answer.
  (void)front_end_->Answer(*exchange, *head, *body, *must_close);
}

void FrontEndWrap::BreakOff(const Napi::CallbackInfo& info) {
  if (const auto exchange = ReadExchange(info)) front_end_->BreakOff(*exchange);
}

Napi::Value FrontEndWrap::Header(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange = ReadExchange(info);
  if (!exchange) return {};
  const auto name = ReadLatin1(env, info[1], "header: name");
  if (!name) return {};
  const auto value = front_end_->Header(*exchange, *name);
  return value ? TextOfBytes(env, *value) : env.Null();
}

void FrontEndWrap::SetHeader(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange = ReadExchange(info);
  if (!exchange) return;
  const auto name = ReadLatin1(env, info[1], "setHeader: name");
  if (!name) return;
  std::optional<std::string> value;
  if (!info[2].IsNull()) {
    value = ReadLatin1(env, info[2], "setHeader: value");
    if (!value) return;
  }
  if (front_end_->SetHeader(*exchange, *name, value)) return;
  ThrowTypeError(env, "setHeader: '" + *name +
                          "' cannot be changed: it is no token, or is about framing or this "
                          "connection, or its value holds a control, or too many were changed");
}

void FrontEndWrap::AddResponseField(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange = ReadExchange(info);
  if (!exchange) return;
  const auto name = ReadLatin1(env, info[1], "addResponseField: name");
  if (!name) return;
  std::optional<std::string> value;
  if (!info[2].IsNull()) {
    value = ReadLatin1(env, info[2], "addResponseField: value");
    if (!value) return;
  }
  if (front_end_->AddResponseField(*exchange, *name, value)) return;
  ThrowTypeError(env, "addResponseField: '" + *name +
                          "' cannot be added: it is no token, or is about framing or this "
                          "connection, or its value holds something else than printable ASCII, or "
                          "all added fields are more than 16 KiB");
}

Napi::Value FrontEndWrap::Describe(const Napi::CallbackInfo& info) {
  const auto exchange = ReadExchange(info);
  if (!exchange) return {};
  return TextOfBytes(info.Env(), front_end_->Describe(*exchange));
}

Napi::Value FrontEndWrap::Stats(const Napi::CallbackInfo& info) {
  const frontend::FrontEndStats stats = front_end_->stats();
  return ObjectOf(info.Env(), {
                                  {"connections", stats.connections},
                                  {"idleConnections", stats.idle_connections},
                                  {"queued", stats.queued},
                                  {"exchanges", stats.exchanges},
                                  {"tunnels", stats.tunnels},
                                  {"heldBytes", stats.held_bytes},
                                  {"handshakes", stats.handshakes},
                                  {"accepted", stats.accepted},
                                  {"requests", stats.requests},
                                  {"dropped", stats.dropped},
                                  {"bytesFromClients", stats.bytes_from_clients},
                                  {"bytesToClients", stats.bytes_to_clients},
                                  {"http2Connections", stats.http2_connections},
                              });
}

void FrontEndWrap::Close(const Napi::CallbackInfo& /*info*/) {
  Leave();
}

}  // namespace sluice::binding
