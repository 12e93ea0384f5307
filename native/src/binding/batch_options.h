// The memory that JavaScript and an engine share for batches of events.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice::binding {

/// What an engine needs of its options.
struct BatchNeeds {
  const char* class_name;  // begins the sentence of an error
  size_t event_stride;     // int32 words of one event
  size_t min_events;
  size_t min_arena_bytes;
};

/// `events`, `arena` and `onBatch` of an engine's options. The memory stays where it is as long as
/// the two arrays live.
struct BatchOptions {
  Napi::Object options;
  Napi::Value events_array;
  Napi::Value arena_array;
  Napi::Function on_batch;
  int32_t* events = nullptr;
  size_t event_capacity = 0;
  char* arena = nullptr;
  size_t arena_bytes = 0;

  /// Hangs the two arrays on the object that uses them.
  void KeepArraysIn(Napi::Object object) const;
};

/// Reads the options object of an engine's constructor.
/// @returns nothing after throwing a TypeError that says what is wrong
std::optional<BatchOptions> ReadBatchOptions(Napi::Env env, Napi::Value value,
                                             const BatchNeeds& needs);

}  // namespace sluice::binding
