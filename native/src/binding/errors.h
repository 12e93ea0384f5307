// Throws JavaScript errors from native code.
#pragma once

#include <node_api.h>

#include <string>

#include "base/result.h"

namespace sluice::binding {

/// Throws an Error where nothing is pending yet and JavaScript may still run; else what is pending
/// stays. (Napi::Error would end the process where another exception is pending.)
inline void ThrowError(napi_env env, const std::string& sentence) {
  (void)napi_throw_error(env, nullptr, sentence.c_str());
}

/// The same with a TypeError.
inline void ThrowTypeError(napi_env env, const std::string& sentence) {
  (void)napi_throw_type_error(env, nullptr, sentence.c_str());
}

/// The same with a RangeError.
inline void ThrowRangeError(napi_env env, const std::string& sentence) {
  (void)napi_throw_range_error(env, nullptr, sentence.c_str());
}

/// Throws an Error as Node's own system calls do: `code`, `errno` (negative) and `syscall`.
/// @param about ends the sentence: what the call was for
void ThrowSystemError(napi_env env, SystemError error, const std::string& about);

}  // namespace sluice::binding
