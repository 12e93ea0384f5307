// Opens listening sockets for JavaScript.
#include "binding/listening_calls.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "binding/errors.h"
#include "binding/session_arguments.h"

namespace sluice::binding {

namespace {

/// The socket that `listen` names: a duplicate of a descriptor, which has its options, or one that
/// is opened now. @returns nothing after throwing
std::optional<l4::ListeningSocket> ReadListeningSocket(Napi::Env env, Napi::Value from,
                                                       Napi::Value options_value) {
  const Napi::Value descriptor =
      from.IsObject() ? from.As<Napi::Object>().Get("descriptor") : env.Undefined();
  if (!descriptor.IsUndefined()) {
    const auto number = ReadDescriptor(env, descriptor);
    if (!number || !ReadListeningOptions(env, options_value, false)) return std::nullopt;
    auto duplicate = l4::ListeningSocket::Duplicate(*number);
    if (duplicate) return std::move(duplicate.value());
    ThrowListeningError(env, duplicate.error(), "descriptor " + std::to_string(*number));
    return std::nullopt;
  }
  const auto address = ReadListeningAddress(env, from);
  if (!address) return std::nullopt;
  const auto options = ReadListeningOptions(env, options_value, address->host.empty());
  if (!options) return std::nullopt;
  // Other workers may listen there already: that nobody else does, the primary has proven.
  auto opened =
      l4::ListeningSocket::Open(*address, *options, l4::ListeningSocket::Sharing::kJoining);
  if (opened) return std::move(opened.value());
  ThrowListeningError(env, opened.error(), TextOf(*address));
  return std::nullopt;
}

}  // namespace

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

bool AddListeningSocket(const Napi::CallbackInfo& info, l4::AcceptorGroup* acceptors,
                        const char* closed) {
  const Napi::Env env = info.Env();
  const auto listener = ReadListener(env, info[0]);
  if (!listener) return false;
  if (acceptors->is_stopped()) {
    const std::string sentence = *closed == '\0' ? "accepting has been stopped for good" : closed;
    ThrowError(env, "listen: " + sentence);
    return false;
  }
  auto socket = ReadListeningSocket(env, info[1], info[2]);
  if (!socket) return false;
  const int error = acceptors->Add(*listener, std::move(*socket));
  if (error != 0) ThrowSystemError(env, {error, "epoll_ctl"}, "a listening socket");
  return error == 0;
}

std::shared_ptr<l4::Mailbox> OpenMailbox(Napi::Object owner, const char* about) {
  const Napi::Env env = owner.Env();
  auto mailbox = l4::Mailbox::Create();
  if (!mailbox) {
    ThrowSystemError(env, mailbox.error(), about);
    return nullptr;
  }
  owner.DefineProperty(Napi::PropertyDescriptor::Value(
      "mailbox", Napi::Number::New(env, mailbox.value()->number()), napi_enumerable));
  return std::move(mailbox.value());
}

void ThrowListeningError(Napi::Env env, SystemError error, const std::string& about) {
  const char* const advice =
      error.number == EEXIST ? ", which is no socket: remove it, or listen on another path" : "";
  ThrowSystemError(env, error, about + advice);
}

}  // namespace sluice::binding
