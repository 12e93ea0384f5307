// The functions of the addon that hash keys and build tables (src/engine/hashing.ts).
#pragma once

#include <napi.h>

namespace sluice::binding {

/// Adds hashText, hashBytes, crc32Text, buildKetama and buildMaglev to what the addon exports. They
/// keep no state: any thread that has loaded the addon may call them.
/// @returns false with an exception pending
bool ExportHashCalls(Napi::Env env, Napi::Object exports);

}  // namespace sluice::binding
