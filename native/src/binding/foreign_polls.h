// Closes what another addon leaves open in a thread that ends, since libuv refuses to end with open
// handles.
#pragma once

#include <uv.h>

#include <cstdint>

namespace sluice::binding {

/// uWebSockets.js never closes the uv_poll handles of its sockets when its thread ends by an
/// uncaught error or terminate(); Node then aborts the whole process (CheckedUvLoopClose). Closes
/// every uv_poll handle whose callback belongs to another .node file, and its socket with it.
/// Handles of Node itself (c-ares) are left alone: Node closes them.
///
/// The few hundred bytes that uWebSockets.js keeps for each socket are lost: nothing can free them
/// from outside. Thread: the worker that ends, in its cleanup hook. Returns how many were closed.
int CloseForeignPolls(uv_loop_t* loop);

/// Sockets of other .node files that wait for their peer to take bytes: libuv polls them for
/// writing, which uWebSockets.js asks for only while it has something buffered.
uint32_t CountForeignWriters(uv_loop_t* loop);

/// Closes them as CloseForeignPolls does, and no timer or wake-up of another .node file calls back
/// any more: for a thread whose JavaScript has ended while its loop still turns. uWebSockets.js
/// would handle sockets that other threads have handed to it, find that no handler can run, and end
/// the process.
void SilenceForeignHandles(uv_loop_t* loop);

/// Nothing more goes to std::cout in this process: uWebSockets.js prints there which server names
/// it has, between the lines of the log. Node and this addon write to the descriptor.
void MuteStandardOutputStream();

}  // namespace sluice::binding
