// Opens listening sockets for JavaScript.
#include "binding/listening_calls.h"

#include <cerrno>
#include <memory>
#include <utility>

#include "binding/errors.h"
#include "binding/session_arguments.h"

namespace sluice::binding {

Napi::Value OpenListeningSocketCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto address = ReadListeningAddress(env, info[0]);
  if (!address) return {};
  const auto options = ReadListeningOptions(env, info[1], address->host.empty());
  if (!options) return {};
  auto opened = l4::ListeningSocket::Open(*address, *options);
  if (!opened) {
    ThrowListeningError(env, opened.error(), TextOf(*address));
    return {};
  }
  const auto object = Napi::Object::New(env);
  object.Set("descriptor", Napi::Number::New(env, opened.value().get()));
  object.Set("port", Napi::Number::New(env, opened.value().port()));
  // Shared with the function that JavaScript holds: close() or its collection closes the socket.
  const auto held = std::make_shared<l4::ListeningSocket>(std::move(opened.value()));
  object.Set("close", Napi::Function::New(
                          env, [held](const Napi::CallbackInfo&) { held->Close(); }, "close"));
  return object;
}

void ThrowListeningError(Napi::Env env, SystemError error, const std::string& about) {
  const char* const advice =
      error.number == EEXIST ? ", which is no socket: remove it, or listen on another path" : "";
  ThrowSystemError(env, error, about + advice);
}

}  // namespace sluice::binding
