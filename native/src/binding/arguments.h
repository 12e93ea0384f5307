// Reads arguments of calls from JavaScript; what does not fit becomes a JavaScript error that says
// which one.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "binding/errors.h"
#include "upstream/attempt_profile.h"
#include "upstream/connection_pool.h"

namespace sluice::binding {

/// A number without a fraction within [least, most]. HOT where the caller is.
/// @returns nothing after throwing a RangeError that names `what`
inline std::optional<int64_t> ReadInteger(napi_env env, napi_value value, const char* what,
                                          int64_t least, int64_t most) {
  // As a double: as an integer, Node would give 0 for NaN and for Infinity and cut off fractions.
  double number = 0;
  if (napi_get_value_double(env, value, &number) == napi_ok &&
      number >= static_cast<double>(least) && number <= static_cast<double>(most) &&
      number == std::trunc(number)) {
    return static_cast<int64_t>(number);
  }
  const std::string sentence = std::string(what) + " must be a whole number from " +
                               std::to_string(least) + " to " + std::to_string(most);
  ThrowRangeError(env, sentence);
  return std::nullopt;
}

/// true or false. @returns nothing after throwing a TypeError that names `what`
std::optional<bool> ReadBoolean(napi_env env, napi_value value, const char* what);

/// The bytes of an ArrayBuffer or a typed array (SharedArrayBuffer only behind a typed array);
/// valid until JavaScript runs.
/// @returns nothing after throwing a TypeError
std::optional<std::string_view> ReadBytes(napi_env env, napi_value value, const char* what);

/// A text whose characters are bytes, as those of header fields are: U+0000 to U+00FF.
/// @returns nothing after throwing a TypeError that names `what`
std::optional<std::string> ReadLatin1(napi_env env, napi_value value, const char* what);

/// A text, as UTF-8. @returns nothing after throwing a TypeError that names `what`
std::optional<std::string> ReadUtf8(napi_env env, napi_value value, const char* what);

/// Addresses of an endpoint. @returns nothing after throwing, which names the text that is no
/// address
std::optional<std::vector<Address>> ReadAddresses(Napi::Env env, Napi::Value value);

/// PoolSettings. @returns nothing after throwing, which names the field
std::optional<upstream::PoolSettings> ReadPoolSettings(Napi::Env env, Napi::Value value);

/// AttemptProfile. @returns nothing after throwing, which names the field
std::optional<upstream::AttemptProfile> ReadAttemptProfile(Napi::Env env, Napi::Value value);

}  // namespace sluice::binding
