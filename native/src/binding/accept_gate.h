// Stops and resumes accepting on listening sockets that another library polls in this thread's
// libuv loop.
#pragma once

#include <uv.h>

#include <cstdint>

namespace sluice::binding {

/// uWebSockets.js has no way to stop accepting, and its listener is level-triggered: out of
/// descriptors, it would spin. So its uv_poll handles are found by what their sockets are, and
/// stopped or started again as they were.
/// @returns listening sockets found, whatever their state was
uint32_t PauseAccepting(uv_loop_t* loop, bool is_paused);

}  // namespace sluice::binding
