// The class `AccessLines` that JavaScript sees (src/engine/access-lines.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "log/access_lines.h"

namespace sluice::binding {

/// Reads arguments, throws JavaScript errors for a caller's mistakes, hands everything on. The
/// arrays of its options hang on the JavaScript object, so that their memory outlives it.
class AccessLinesWrap final : public Napi::ObjectWrap<AccessLinesWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  /// The lines behind an object of JavaScript. @returns nullptr where it is none
  static std::shared_ptr<log::AccessLines> LinesOf(Napi::Env env, Napi::Value value);

  explicit AccessLinesWrap(const Napi::CallbackInfo& info);

 private:
  // The methods of `AccessLines`.
  Napi::Value OpenText(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);

  void Start(const Napi::CallbackInfo& info);

  std::shared_ptr<log::AccessLines> lines_;
};

/// The clock on the wall in ms since 1970.
int64_t WallClockMs();

}  // namespace sluice::binding
