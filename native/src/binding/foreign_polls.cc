// Closes the sockets that another addon leaves open in a thread that ends.
#include "binding/foreign_polls.h"

#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <mutex>

namespace sluice::binding {
namespace {

bool EndsWithNode(const char* path) {
  const size_t length = std::strlen(path);
  return length > 5 && std::strcmp(path + length - 5, ".node") == 0;
}

/// Does the function live in a .node file other than this one?
bool IsForeign(void* function) {
  Dl_info theirs{};
  Dl_info ours{};
  if (function == nullptr || dladdr(function, &theirs) == 0 || theirs.dli_fname == nullptr)
    return false;
  if (dladdr(reinterpret_cast<void*>(&CloseForeignPolls), &ours) == 0) return false;
  return theirs.dli_fbase != ours.dli_fbase && EndsWithNode(theirs.dli_fname);
}

void CloseIfForeign(uv_handle_t* handle, void* count) {
  if (handle->type != UV_POLL || uv_is_closing(handle) != 0) return;
  auto* poll = reinterpret_cast<uv_poll_t*>(handle);
  if (!IsForeign(reinterpret_cast<void*>(poll->poll_cb))) return;
  uv_os_fd_t fd = -1;
  const bool has_fd = uv_fileno(handle, &fd) == 0;
  uv_poll_stop(poll);
  // No callback: the memory is the other addon's, which no longer runs.
  uv_close(handle, nullptr);
  // libuv has forgotten the descriptor with uv_poll_stop, so that it may be closed at once.
  if (has_fd) close(fd);
  ++*static_cast<int*>(count);
}

void SilenceIfForeign(uv_handle_t* handle, void* /*unused*/) {
  if (handle->type == UV_ASYNC) {
    auto* async = reinterpret_cast<uv_async_t*>(handle);
    if (IsForeign(reinterpret_cast<void*>(async->async_cb))) async->async_cb = [](uv_async_t*) {};
  } else if (handle->type == UV_TIMER) {
    auto* timer = reinterpret_cast<uv_timer_t*>(handle);
    if (IsForeign(reinterpret_cast<void*>(timer->timer_cb))) uv_timer_stop(timer);
  }
}

void CountIfWriting(uv_handle_t* handle, void* count) {
  if (handle->type != UV_POLL || uv_is_active(handle) == 0) return;
  auto* poll = reinterpret_cast<uv_poll_t*>(handle);
  const bool is_writing = (poll->io_watcher.pevents & POLLOUT) != 0;
  if (is_writing && IsForeign(reinterpret_cast<void*>(poll->poll_cb))) {
    ++*static_cast<uint32_t*>(count);
  }
}

}  // namespace

uint32_t CountForeignWriters(uv_loop_t* loop) {
  uint32_t count = 0;
  uv_walk(loop, CountIfWriting, &count);
  return count;
}

int CloseForeignPolls(uv_loop_t* loop) {
  int count = 0;
  uv_walk(loop, CloseIfForeign, &count);
  return count;
}

void SilenceForeignHandles(uv_loop_t* loop) {
  CloseForeignPolls(loop);
  uv_walk(loop, SilenceIfForeign, nullptr);
}

void MuteStandardOutputStream() {
  // Of the whole process, which every worker asks for.
  static std::once_flag once;
  std::call_once(once, [] { std::cout.setstate(std::ios_base::failbit); });
}

}  // namespace sluice::binding
