// The class `Engine` that JavaScript sees.
#include "binding/engine_wrap.h"

#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/errors.h"

namespace sluice::binding {

namespace {

using upstream::Misuse;

constexpr int64_t kMaxSlot = 65535;
constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr int64_t kMaxTimeoutMs = INT32_MAX;

// A terminated worker makes a call fail with no exception to speak of. Around onBatch, whatever it
// throws is something, so that both can be told apart.
constexpr const char* kGuardScript =
    "(function (onBatch) { 'use strict'; return function deliver(count) { try { onBatch(count); } "
    "catch (error) {"
    " throw error ?? new Error(`onBatch threw ${error}`); } }; })";

std::optional<int32_t> ReadExchange(const Napi::CallbackInfo& info) {
  const auto id = ReadInteger(info.Env(), info[0], "exchange", 0, upstream::kMaxExchanges - 1);
  if (!id) return std::nullopt;
  return static_cast<int32_t>(*id);
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
      return "resend: the exchange did not fail with RETRYABLE";
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

/// A property that only the engine knows of: not listed, not writable.
void Hide(Napi::Object object, const char* name, Napi::Value value) {
  object.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_default));
}

}  // namespace

Napi::Function EngineWrap::Define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {
                         InstanceMethod<&EngineWrap::OpenPool>("openPool"),
                         InstanceMethod<&EngineWrap::SetAddresses>("setAddresses"),
                         InstanceMethod<&EngineWrap::ClosePool>("closePool"),
                         InstanceMethod<&EngineWrap::Send>("send"),
                         InstanceMethod<&EngineWrap::Write>("write"),
                         InstanceMethod<&EngineWrap::Pause>("pause"),
                         InstanceMethod<&EngineWrap::Resume>("resume"),
                         InstanceMethod<&EngineWrap::Resend>("resend"),
                         InstanceMethod<&EngineWrap::Release>("release"),
                         InstanceMethod<&EngineWrap::Stats>("stats"),
                         InstanceMethod<&EngineWrap::Close>("close"),
                     });
}

EngineWrap::EngineWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineWrap>(info) {
  Start(info);
}

void EngineWrap::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto refuse = [&](const std::string& sentence) {
    ThrowTypeError(env, "Engine: " + sentence);
  };
  if (!info[0].IsObject()) return refuse("options are missing");
  const auto options = info[0].As<Napi::Object>();
  const Napi::Value events = options.Get("events");
  const Napi::Value arena = options.Get("arena");
  const Napi::Value on_batch = options.Get("onBatch");
  if (!events.IsTypedArray() ||
      events.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    return refuse("events must be an Int32Array");
  }
  if (!arena.IsTypedArray() || arena.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    return refuse("arena must be a Uint8Array");
  }
  if (!on_batch.IsFunction()) return refuse("onBatch must be a function");

  size_t words = 0;
  void* event_data = nullptr;
  napi_get_typedarray_info(env, events, nullptr, &words, &event_data, nullptr, nullptr);
  size_t arena_bytes = 0;
  void* arena_data = nullptr;
  napi_get_typedarray_info(env, arena, nullptr, &arena_bytes, &arena_data, nullptr, nullptr);
  if (words < upstream::kMinEvents * upstream::kEventStride) {
    return refuse("events must have room for at least " + std::to_string(upstream::kMinEvents) +
                  " events");
  }
  if (arena_bytes < upstream::kMinArenaBytes || arena_bytes > INT32_MAX) {
    return refuse("arena must have at least " + std::to_string(upstream::kMinArenaBytes) +
                  " bytes, and below 2^31");
  }

  const Napi::Value guard = env.RunScript(kGuardScript);
  if (guard.IsEmpty()) return;
  const Napi::Value guarded = guard.As<Napi::Function>().Call({on_batch});
  if (guarded.IsEmpty()) return;
  const auto self = info.This().As<Napi::Object>();
  Hide(self, "events", events);
  Hide(self, "arena", arena);
  Hide(self, "onBatch", guarded);
  napi_create_reference(env, guarded, 0, &on_batch_);
  napi_async_init(env, nullptr, Napi::String::New(env, "sluice.Engine"), &async_context_);

  driver_ = LoopDriver::For(env);
  if (driver_ == nullptr) return;
  const upstream::BatchMemory memory{static_cast<int32_t*>(event_data),
                                     words / upstream::kEventStride, static_cast<char*>(arena_data),
                                     arena_bytes};
  client_ = std::make_unique<upstream::UpstreamClient>(driver_->loop(), memory,
                                                       static_cast<upstream::BatchSink*>(this));
  driver_->AddGuest(this);
}

EngineWrap::~EngineWrap() {
  CloseClient();
  client_.reset();
  if (on_batch_ != nullptr) napi_delete_reference(Env(), on_batch_);
  if (async_context_ != nullptr) napi_async_destroy(Env(), async_context_);
}

void EngineWrap::CloseClient() {
  if (driver_ == nullptr) return;
  client_->Close();
  HoldWhileBusy();
  std::exchange(driver_, nullptr)->RemoveGuest(this);
}

bool EngineWrap::HoldWhileBusy() {
  const bool is_busy = client_->is_busy();
  if (is_busy != is_held_) {
    is_held_ = is_busy;
    if (is_busy) {
      Ref();
    } else {
      Unref();
    }
  }
  return is_busy;
}

void EngineWrap::OnLoopClosing() {
  driver_ = nullptr;
  client_->Close();
}

void EngineWrap::UpdateReference() {
  if (driver_ != nullptr) driver_->UpdateReference();
}

void EngineWrap::OnBatch(size_t count) {
  const napi_env env = Env();
  napi_handle_scope handles = nullptr;
  if (napi_open_handle_scope(env, &handles) != napi_ok) return;
  // One scope for the whole batch: ticks and promises run when it closes.
  napi_callback_scope callbacks = nullptr;
  if (napi_open_callback_scope(env, nullptr, async_context_, &callbacks) == napi_ok) {
    napi_value function = nullptr;
    napi_value receiver = nullptr;
    napi_value argument = nullptr;
    napi_get_reference_value(env, on_batch_, &function);
    napi_get_undefined(env, &receiver);
    napi_create_uint32(env, static_cast<uint32_t>(count), &argument);
    if (function != nullptr &&
        napi_call_function(env, receiver, function, 1, &argument, nullptr) != napi_ok) {
      if (driver_ != nullptr) driver_->LeaveSoon();
      napi_value exception = nullptr;
      napi_valuetype type = napi_undefined;
      napi_get_and_clear_last_exception(env, &exception);
      if (exception != nullptr) napi_typeof(env, exception, &type);
      // Nothing, or null: the thread is being terminated, and libuv's loop is about to be told.
      if (type != napi_undefined && type != napi_null) napi_fatal_exception(env, exception);
    }
    napi_close_callback_scope(env, callbacks);
  }
  napi_close_handle_scope(env, handles);
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

Napi::Value EngineWrap::Send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto id = ReadExchange(info);
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
  Misuse misuse = Misuse::kNone;
  const auto result = client_->Send(*id, *slot, head_bytes, static_cast<int32_t>(*flags),
                                    *body_bytes, static_cast<uint64_t>(*timeout_ms), &misuse);
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
  bool is_last = false;
  if (napi_get_value_bool(env, info[2], &is_last) != napi_ok) {
    ThrowTypeError(env, "write: isLast must be a boolean");
    return {};
  }
  Misuse misuse = Misuse::kNone;
  const size_t held_bytes = client_->Write(*id, *bytes, is_last, &misuse);
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
  Misuse misuse = Misuse::kNone;
  const auto result = client_->Resend(*id, *slot, &misuse);
  if (ThrowMisuse(info.Env(), misuse)) return {};
  UpdateReference();
  return Napi::Number::New(info.Env(), static_cast<int32_t>(result));
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
  const std::pair<const char*, double> fields[] = {
      {"connections", static_cast<double>(stats.connections)},
      {"idleConnections", static_cast<double>(stats.idle_connections)},
      {"exchanges", static_cast<double>(stats.exchanges)},
      {"connects", static_cast<double>(stats.connects)},
      {"reuses", static_cast<double>(stats.reuses)},
      {"replays", static_cast<double>(stats.replays)},
      {"bytesToEndpoints", static_cast<double>(stats.bytes_to_endpoints)},
      {"bytesFromEndpoints", static_cast<double>(stats.bytes_from_endpoints)},
  };
  const auto object = Napi::Object::New(env);
  for (const auto& [name, number] : fields)
    object.Set(name, Napi::Number::New(env, number));
  return object;
}

void EngineWrap::Close(const Napi::CallbackInfo& /*info*/) {
  CloseClient();
}

}  // namespace sluice::binding
