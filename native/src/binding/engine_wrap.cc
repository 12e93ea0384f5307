// The class `Engine` that JavaScript sees.
#include "binding/engine_wrap.h"

#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/batch_options.h"
#include "binding/counters.h"
#include "binding/errors.h"

namespace sluice::binding {

namespace {

using upstream::Misuse;

/// Tells objects of this class from all others that are wrapped: drawn once, at random.
constexpr napi_type_tag kTypeTag = {0x6c1f40b2d95a4e37, 0xa3d80e7b914c52f6};

constexpr int64_t kMaxSlot = 65535;
constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr int64_t kMaxTimeoutMs = INT32_MAX;

std::optional<int32_t> ReadExchange(const Napi::CallbackInfo& info) {
  const auto id = ReadInteger(info.Env(), info[0], "exchange", 0, upstream::kMaxNumbers - 1);
  if (!id) return std::nullopt;
  return static_cast<int32_t>(*id);
}

/// The profile of an attempt; absent: the plain one.
std::optional<int32_t> ReadProfile(const Napi::CallbackInfo& info, size_t place) {
  if (info.Length() <= place || info[place].IsUndefined()) return upstream::kPlainProfile;
  const auto profile = ReadInteger(info.Env(), info[place], "profile", 0, upstream::kMaxProfile);
  if (!profile) return std::nullopt;
  return static_cast<int32_t>(*profile);
}

std::optional<int32_t> ReadSlot(const Napi::CallbackInfo& info, size_t place) {
  const auto slot = ReadInteger(info.Env(), info[place], "slot", 0, kMaxSlot);
  if (!slot) return std::nullopt;
  return static_cast<int32_t>(*slot);
}

const char* SentenceFor(Misuse misuse) {
  switch (misuse) {
    case Misuse::kNone:
      return "";
    case Misuse::kExchangeInUse:
      return "send: the exchange is still in use; wait for LAST or FAILED, or release it first";
    case Misuse::kNotHeld:
      return "resend: the exchange did not fail with RETRYABLE, and no response of it is asked "
             "about";
    case Misuse::kNoProfile:
      return "no profile is open under this number";
    case Misuse::kBodyAfterEnd:
      return "write: the request's body is complete already";
    case Misuse::kBodyLongerThanSaid:
      return "write: more bytes than the length given to send";
  }
  return "";
}

bool ThrowMisuse(Napi::Env env, Misuse misuse) {
  if (misuse == Misuse::kNone) return false;
  ThrowError(env, SentenceFor(misuse));
  return true;
}

}  // namespace

Napi::Function EngineWrap::Define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {
                         InstanceMethod<&EngineWrap::OpenPool>("openPool"),
                         InstanceMethod<&EngineWrap::SetPool>("setPool"),
                         InstanceMethod<&EngineWrap::SetAddresses>("setAddresses"),
                         InstanceMethod<&EngineWrap::ClosePool>("closePool"),
                         InstanceMethod<&EngineWrap::OpenProfile>("openProfile"),
                         InstanceMethod<&EngineWrap::Send>("send"),
                         InstanceMethod<&EngineWrap::Write>("write"),
                         InstanceMethod<&EngineWrap::Pause>("pause"),
                         InstanceMethod<&EngineWrap::Resume>("resume"),
                         InstanceMethod<&EngineWrap::Resend>("resend"),
                         InstanceMethod<&EngineWrap::Duplicate>("duplicate"),
                         InstanceMethod<&EngineWrap::Pass>("pass"),
                         InstanceMethod<&EngineWrap::Release>("release"),
                         InstanceMethod<&EngineWrap::Stats>("stats"),
                         InstanceMethod<&EngineWrap::Close>("close"),
                     });
}

EngineWrap::EngineWrap(const Napi::CallbackInfo& info) : LoopObject(info) {
  Start(info);
}

void EngineWrap::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = ReadBatchOptions(
      env, info[0],
      {"Engine", upstream::kEventStride, upstream::kMinEvents, upstream::kMinArenaBytes});
  if (!options) return;
  const auto self = info.This().As<Napi::Object>();
  options->KeepArraysIn(self);
  if (!on_batch_.Bind(self, "onBatch", options->on_batch, "sluice.Engine")) return;
  LoopDriver* const driver = LoopDriver::For(env);
  if (driver == nullptr) return;
  const upstream::BatchMemory memory{options->events, options->event_capacity, options->arena,
                                     options->arena_bytes};
  client_ = std::make_shared<upstream::UpstreamClient>(driver->loop(), memory,
                                                       static_cast<upstream::BatchSink*>(this));
  self.TypeTag(&kTypeTag);
  Join(driver);
}

EngineWrap::~EngineWrap() {
  Leave();
}

std::shared_ptr<upstream::UpstreamClient> EngineWrap::ClientOf(Napi::Env env, Napi::Value value) {
  bool is_engine = false;
  const bool is_known = value.IsObject() &&
                        napi_check_object_type_tag(env, value, &kTypeTag, &is_engine) == napi_ok &&
                        is_engine;
  return is_known ? Unwrap(value.As<Napi::Object>())->client_ : nullptr;
}

void EngineWrap::OnBatch(size_t count) {
  on_batch_.Call(static_cast<int32_t>(count), driver());
}

void EngineWrap::OpenPool(const Napi::CallbackInfo& info) {
  const auto slot = ReadSlot(info, 0);
  if (!slot) return;
  auto addresses = ReadAddresses(info.Env(), info[1]);
  if (!addresses) return;
  const auto settings = ReadPoolSettings(info.Env(), info[2]);
  if (!settings) return;
  if (client_->OpenPool(*slot, std::move(*addresses), *settings)) return;
  const char* const sentence =
      client_->is_closed() ? "openPool: the engine is closed" : "openPool: the slot has a pool";
  ThrowError(info.Env(), sentence);
}

void EngineWrap::SetPool(const Napi::CallbackInfo& info) {
  const auto slot = ReadSlot(info, 0);
  if (!slot) return;
  const auto settings = ReadPoolSettings(info.Env(), info[1]);
  if (!settings) return;
  if (client_->SetPool(*slot, *settings)) return;
  ThrowError(info.Env(), "setPool: no pool is open in this slot");
}

void EngineWrap::SetAddresses(const Napi::CallbackInfo& info) {
  const auto slot = ReadSlot(info, 0);
  if (!slot) return;
  auto addresses = ReadAddresses(info.Env(), info[1]);
  if (!addresses) return;
  if (client_->SetAddresses(*slot, std::move(*addresses))) return;
  ThrowError(info.Env(), "setAddresses: no pool is open in this slot");
}

void EngineWrap::ClosePool(const Napi::CallbackInfo& info) {
  if (const auto slot = ReadSlot(info, 0)) client_->ClosePool(*slot);
}

void EngineWrap::OpenProfile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto number =
      ReadInteger(env, info[0], "profile", upstream::kPlainProfile + 1, upstream::kMaxProfile);
  if (!number) return;
  auto settings = ReadAttemptProfile(env, info[1]);
  if (settings) client_->OpenProfile(static_cast<int32_t>(*number), std::move(*settings));
}

Napi::Value EngineWrap::Send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto id = ReadInteger(env, info[0], "exchange", 0, upstream::kMaxExchanges - 1);
  if (!id) return {};
  const auto slot = ReadSlot(info, 1);
  if (!slot) return {};
  size_t head_bytes = 0;
  // Room for the longest head and a little more: a longer one is cut off within that, and so is
  // seen to be longer.
  if (napi_get_value_string_utf8(env, info[2], client_->scratch(),
                                 upstream::kMaxRequestHeadBytes + 8, &head_bytes) != napi_ok) {
    ThrowTypeError(env, "send: head must be a string");
    return {};
  }
  const auto flags = ReadInteger(env, info[3], "flags", 0, INT32_MAX);
  if (!flags) return {};
  const auto body_bytes =
      ReadInteger(env, info[4], "bodyBytes", upstream::kChunkedBody, kMaxSafeInteger);
  if (!body_bytes) return {};
  const auto timeout_ms = ReadInteger(env, info[5], "exchangeTimeoutMs", 0, kMaxTimeoutMs);
  if (!timeout_ms) return {};
  const auto profile = ReadProfile(info, 6);
  if (!profile) return {};
  Misuse misuse = Misuse::kNone;
  const auto result =
      client_->Send(static_cast<int32_t>(*id), *slot, head_bytes, static_cast<int32_t>(*flags),
                    *body_bytes, static_cast<uint64_t>(*timeout_ms), &misuse, *profile);
  if (ThrowMisuse(env, misuse)) return {};
  UpdateReference();
  return Napi::Number::New(env, static_cast<int32_t>(result));
}

Napi::Value EngineWrap::Write(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto id = ReadExchange(info);
  if (!id) return {};
  const auto bytes = ReadBytes(env, info[1], "chunk");
  if (!bytes) return {};
  const auto is_last = ReadBoolean(env, info[2], "write: isLast");
  if (!is_last) return {};
  Misuse misuse = Misuse::kNone;
  const size_t held_bytes = client_->Write(*id, *bytes, *is_last, &misuse);
  if (ThrowMisuse(env, misuse)) return {};
  return Napi::Number::New(env, static_cast<double>(held_bytes));
}

void EngineWrap::Pause(const Napi::CallbackInfo& info) {
  if (const auto id = ReadExchange(info)) client_->Pause(*id);
}

void EngineWrap::Resume(const Napi::CallbackInfo& info) {
  if (const auto id = ReadExchange(info)) client_->Resume(*id);
}

Napi::Value EngineWrap::Resend(const Napi::CallbackInfo& info) {
  const auto id = ReadExchange(info);
  if (!id) return {};
  const auto slot = ReadSlot(info, 1);
  if (!slot) return {};
  const auto profile = ReadProfile(info, 2);
  if (!profile) return {};
  Misuse misuse = Misuse::kNone;
  const auto result = client_->Resend(*id, *slot, &misuse, *profile);
  if (ThrowMisuse(info.Env(), misuse)) return {};
  UpdateReference();
  return Napi::Number::New(info.Env(), static_cast<int32_t>(result));
}

Napi::Value EngineWrap::Duplicate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto from = ReadExchange(info);
  if (!from) return {};
  const auto to = ReadInteger(env, info[1], "to", 0, upstream::kMaxNumbers - 1);
  if (!to) return {};
  const auto slot = ReadSlot(info, 2);
  if (!slot) return {};
  const auto timeout_ms = ReadInteger(env, info[3], "exchangeTimeoutMs", 0, kMaxTimeoutMs);
  if (!timeout_ms) return {};
  const auto profile = ReadProfile(info, 4);
  if (!profile) return {};
  Misuse misuse = Misuse::kNone;
  const auto result = client_->Duplicate(*from, static_cast<int32_t>(*to), *slot,
                                         static_cast<uint64_t>(*timeout_ms), &misuse, *profile);
  if (ThrowMisuse(env, misuse)) return {};
  UpdateReference();
  return Napi::Number::New(env, static_cast<int32_t>(result));
}

void EngineWrap::Pass(const Napi::CallbackInfo& info) {
  if (const auto id = ReadExchange(info)) client_->Pass(*id);
}

void EngineWrap::Release(const Napi::CallbackInfo& info) {
  const auto id = ReadExchange(info);
  if (!id) return;
  client_->Release(*id);
  UpdateReference();
}

Napi::Value EngineWrap::Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const upstream::ClientStats stats = client_->stats();
  return ObjectOf(env, {
                           {"connections", stats.connections},
                           {"idleConnections", stats.idle_connections},
                           {"exchanges", stats.exchanges},
                           {"connects", stats.connects},
                           {"reuses", stats.reuses},
                           {"replays", stats.replays},
                           {"bytesToEndpoints", stats.bytes_to_endpoints},
                           {"bytesFromEndpoints", stats.bytes_from_endpoints},
                       });
}

void EngineWrap::Close(const Napi::CallbackInfo& /*info*/) {
  Leave();
}

}  // namespace sluice::binding
