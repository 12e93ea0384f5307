// The methods of `FrontEnd` that are about the access log.
#include <cstdint>
#include <utility>

#include "binding/access_lines_wrap.h"
#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/front_end_wrap.h"

namespace sluice::binding {

void FrontEndWrap::LogTo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info[0].IsNull()) {
    front_end_->LogTo(nullptr);
    return access_lines_.Reset();
  }
  auto lines = AccessLinesWrap::LinesOf(env, info[0]);
  if (lines == nullptr) return ThrowTypeError(env, "logTo: lines must be AccessLines or null");
  front_end_->LogTo(std::move(lines));
  access_lines_ = Napi::Persistent(info[0].As<Napi::Object>());
}

Napi::Value FrontEndWrap::WriteAccessLine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int32_t exchange = 0;
  if (napi_get_value_int32(env, info[0], &exchange) != napi_ok) {
    ThrowTypeError(env, "writeAccessLine: exchange must be a number");
    return {};
  }
  const int64_t end = front_end_->WriteAccessLine(exchange, WallClockMs());
  return Napi::Number::New(env, static_cast<double>(end));
}

Napi::Value FrontEndWrap::ForwardedFor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int32_t exchange = 0;
  if (napi_get_value_int32(env, info[0], &exchange) != napi_ok) {
    ThrowTypeError(env, "forwardedFor: exchange must be a number");
    return {};
  }
  const std::string_view value = front_end_->ForwardedFor(exchange);
  napi_value text = nullptr;
  napi_create_string_latin1(env, value.data(), value.size(), &text);
  return {env, text};
}

}  // namespace sluice::binding
