// Makes JavaScript errors of failed system calls.
#include "binding/errors.h"

#include <napi.h>
#include <uv.h>

#include <cstring>

namespace sluice::binding {

void ThrowSystemError(napi_env env, SystemError error, const std::string& about) {
  const char* const name = uv_err_name(-error.number);
  const auto exception = Napi::Error::New(env, std::string(error.call) + " " + name + ": " +
                                                   std::strerror(error.number) + ", " + about);
  exception.Set("code", Napi::String::New(env, name));
  exception.Set("errno", Napi::Number::New(env, -error.number));
  exception.Set("syscall", Napi::String::New(env, error.call));
  (void)napi_throw(env, exception.Value());
}

}  // namespace sluice::binding
