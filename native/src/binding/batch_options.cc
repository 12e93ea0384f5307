// Reads the options of an engine's constructor.
#include "binding/batch_options.h"

#include <string>

#include "binding/errors.h"
#include "binding/loop_callback.h"

namespace sluice::binding {

namespace {

bool IsTypedArray(Napi::Value value, napi_typedarray_type type) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

}  // namespace

std::optional<BatchOptions> ReadBatchOptions(Napi::Env env, Napi::Value value,
                                             const BatchNeeds& needs) {
  const auto refuse = [&](const std::string& sentence) {
    ThrowTypeError(env, std::string(needs.class_name) + ": " + sentence);
    return std::nullopt;
  };
  if (!value.IsObject()) return refuse("options are missing");
  BatchOptions read;
  read.options = value.As<Napi::Object>();
  read.events_array = read.options.Get("events");
  read.arena_array = read.options.Get("arena");
  const Napi::Value on_batch = read.options.Get("onBatch");
  if (!IsTypedArray(read.events_array, napi_int32_array)) {
    return refuse("events must be an Int32Array");
  }
  if (!IsTypedArray(read.arena_array, napi_uint8_array)) {
    return refuse("arena must be a Uint8Array");
  }
  if (!on_batch.IsFunction()) return refuse("onBatch must be a function");
  read.on_batch = on_batch.As<Napi::Function>();

  size_t words = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env, read.events_array, nullptr, &words, &data, nullptr, nullptr);
  read.events = static_cast<int32_t*>(data);
  read.event_capacity = words / needs.event_stride;
  napi_get_typedarray_info(env, read.arena_array, nullptr, &read.arena_bytes, &data, nullptr,
                           nullptr);
  read.arena = static_cast<char*>(data);
  if (read.event_capacity < needs.min_events) {
    return refuse("events must have room for at least " + std::to_string(needs.min_events) +
                  " events");
  }
  if (read.arena_bytes < needs.min_arena_bytes || read.arena_bytes > INT32_MAX) {
    return refuse("arena must have at least " + std::to_string(needs.min_arena_bytes) +
                  " bytes, and below 2^31");
  }
  return read;
}

void BatchOptions::KeepArraysIn(Napi::Object object) const {
  Hide(object, "events", events_array);
  Hide(object, "arena", arena_array);
}

}  // namespace sluice::binding
