// Reads what src/engine/session-engine.ts hands to the L4 part: settings, addresses, options.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>

#include "l4/listening_socket.h"
#include "l4/session_settings.h"

namespace sluice::binding {

// All of them return nothing after throwing an error that names the field.

/// Index of a listener in the plan.
std::optional<int32_t> ReadListener(Napi::Env env, Napi::Value value);
/// A descriptor of this process, as openListeningSocket gives it.
std::optional<int> ReadDescriptor(Napi::Env env, Napi::Value value);

std::optional<l4::SessionListenerSettings> ReadSessionListenerSettings(Napi::Env env,
                                                                       Napi::Value value);
std::optional<l4::SessionEndpointSettings> ReadSessionEndpointSettings(Napi::Env env,
                                                                       Napi::Value value);
std::optional<l4::ListeningAddress> ReadListeningAddress(Napi::Env env, Napi::Value value);
/// @param is_unix then sharing is a caller's mistake
std::optional<l4::ListeningOptions> ReadListeningOptions(Napi::Env env, Napi::Value value,
                                                         bool is_unix);

/// A count that may be missing, as `maxSessions`. @returns `absent` where it is
std::optional<size_t> ReadOptionalCount(Napi::Env env, Napi::Value value, const char* what,
                                        size_t absent);

/// An address for a sentence: 'HOST port N', or the path.
std::string TextOf(const l4::ListeningAddress& address);

}  // namespace sluice::binding
