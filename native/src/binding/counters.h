// Gives counters to JavaScript.
#pragma once

#include <napi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace sluice::binding {

/// One counter; exact up to 2^53.
struct Counter {
  template <typename Number>
  Counter(const char* counter_name, Number number)
      : name(counter_name), value(static_cast<double>(number)) {}

  const char* name;
  double value;
};

/// An object with one property for each, as the `stats()` of a class gives it.
inline Napi::Object ObjectOf(Napi::Env env, std::initializer_list<Counter> counters) {
  const auto object = Napi::Object::New(env);
  for (const Counter& counter : counters)
    object.Set(counter.name, Napi::Number::New(env, counter.value));
  return object;
}

/// Counters by their place.
template <size_t kCount>
Napi::Array ArrayOf(Napi::Env env, const std::array<uint64_t, kCount>& counters) {
  const auto array = Napi::Array::New(env, kCount);
  for (uint32_t place = 0; place < kCount; ++place)
    array.Set(place, Napi::Number::New(env, static_cast<double>(counters[place])));
  return array;
}

}  // namespace sluice::binding
