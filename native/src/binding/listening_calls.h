// Listening sockets for JavaScript: `openListeningSocket` of src/engine/session-engine.ts.
#pragma once

#include <napi.h>

#include "l4/listening_socket.h"

namespace sluice::binding {

/// `openListeningSocket(address, options)`.
Napi::Value OpenListeningSocketCall(const Napi::CallbackInfo& info);

/// Throws what a failed Open or Duplicate has to say. @param about what was to be listened on
void ThrowListeningError(Napi::Env env, SystemError error, const std::string& about);

}  // namespace sluice::binding
