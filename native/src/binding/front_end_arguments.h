// Reads what src/engine/front-end.ts hands to the front end: settings of listeners, who it is.
#pragma once

#include <napi.h>

#include <optional>

#include "frontend/front_end.h"
#include "frontend/listener_settings.h"

namespace sluice::binding {

// Both return nothing after throwing an error that names the field.

std::optional<frontend::ListenerSettings> ReadFrontEndListenerSettings(Napi::Env env,
                                                                       Napi::Value value);
/// `viaName` and `requestIdPrefix` of the options.
std::optional<frontend::FrontEndIdentity> ReadFrontEndIdentity(Napi::Env env, Napi::Object options);

}  // namespace sluice::binding
