// Walks over the loop's poll handles.
#include "binding/accept_gate.h"

#include <sys/socket.h>

namespace sluice::binding {

namespace {

struct Walk {
  bool is_paused;
  uint32_t found;
};

bool IsListening(int fd) {
  int is_listening = 0;
  socklen_t size = sizeof is_listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 &&
         is_listening != 0;
}

void Visit(uv_handle_t* handle, void* argument) {
  auto* const walk = static_cast<Walk*>(argument);
  uv_os_fd_t fd = -1;
  if (handle->type != UV_POLL || uv_is_closing(handle) || uv_fileno(handle, &fd) != 0 ||
      !IsListening(fd))
    return;
  ++walk->found;
  auto* const poll = reinterpret_cast<uv_poll_t*>(handle);
  if (walk->is_paused) {
    uv_poll_stop(poll);
  } else if (!uv_is_active(handle) && poll->poll_cb != nullptr) {
    uv_poll_start(poll, UV_READABLE, poll->poll_cb);
  }
}

}  // namespace

uint32_t PauseAccepting(uv_loop_t* loop, bool is_paused) {
  Walk walk{is_paused, 0};
  uv_walk(loop, Visit, &walk);
  return walk.found;
}

}  // namespace sluice::binding
