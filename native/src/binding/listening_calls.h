// Listening sockets and mailboxes for JavaScript, which the engines of sessions and the front end
// have in common (src/engine/session-engine.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "l4/acceptor.h"
#include "l4/listening_socket.h"
#include "l4/mailbox.h"

namespace sluice::binding {

/// `openListeningSocket(address, options)`.
Napi::Value OpenListeningSocketCall(const Napi::CallbackInfo& info);

/// `listen(listener, from, options)`: adds the socket that is named, a duplicate of a descriptor or
/// one that is opened now.
/// @param closed says that the object is closed; '' where it is not
/// @returns false after throwing
bool AddListeningSocket(const Napi::CallbackInfo& info, l4::AcceptorGroup* acceptors,
                        const char* closed);

/// Makes a mailbox and shows its number as the property `mailbox` of its owner.
/// @param about ends the sentence of an error @returns nullptr after throwing
std::shared_ptr<l4::Mailbox> OpenMailbox(Napi::Object owner, const char* about);

/// Throws what a failed Open or Duplicate has to say. @param about what was to be listened on
void ThrowListeningError(Napi::Env env, SystemError error, const std::string& about);

}  // namespace sluice::binding
