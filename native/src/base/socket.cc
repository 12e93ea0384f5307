// The socket calls of the engine.
#include "base/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>

namespace sluice {

namespace {

template <typename Call>
IoResult Repeat(Call call) {
  for (;;) {
    const ssize_t moved = call();
    if (moved >= 0) return {static_cast<size_t>(moved), 0};
    if (errno != EINTR) return {0, errno};
  }
}

}  // namespace

IoResult Receive(int fd, void* buffer, size_t size) {
  return Repeat([&] { return ::recv(fd, buffer, size, MSG_DONTWAIT); });
}

IoResult Send(int fd, const void* bytes, size_t size) {
  return Repeat([&] { return ::send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

IoResult SendParts(int fd, const iovec* parts, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  return Repeat([&] { return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

bool HasInput(int fd) {
  char byte = 0;
  const IoResult peeked = Repeat([&] { return ::recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK); });
  return !peeked.would_block();
}

Result<UniqueFd> OpenStreamSocket(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError{errno, "socket"};
  return UniqueFd(fd);
}

int Connect(int fd, const sockaddr* address, socklen_t size) {
  if (::connect(fd, address, size) == 0) return 0;
  // An interrupted connect goes on in the background like any non-blocking one (connect(2)).
  return errno == EINTR ? EINPROGRESS : errno;
}

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool IsSelfConnected(int fd) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0) return false;
  if (own.ss_family != AF_INET && own.ss_family != AF_INET6) return false;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return false;
  return own_size == peer_size && std::memcmp(&own, &peer, own_size) == 0;
}

void SetNoDelay(int fd) {
  const int on = 1;
  // Fails only for sockets that are not TCP or no longer connected: then there is nothing to gain
  // either.
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void SetKeepAlive(int fd, const KeepAlive& keep_alive) {
  if (keep_alive.idle_s == 0) return;
  const int on = 1;
  // As with SetNoDelay, there is nothing to gain where these fail.
  (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keep_alive.idle_s, sizeof(int));
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &keep_alive.interval_s, sizeof(int));
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &keep_alive.probes, sizeof(int));
}

void FinishSending(int fd) {
  // Fails only where the connection is broken already; the next event tells.
  (void)::shutdown(fd, SHUT_WR);
}

void ResetOnClose(int fd) {
  const linger at_once{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

Result<std::pair<UniqueFd, UniqueFd>> OpenSocketPair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    return SystemError{errno, "socketpair"};
  return std::pair<UniqueFd, UniqueFd>(ends[0], ends[1]);
}

Result<std::pair<UniqueFd, UniqueFd>> OpenPipe() {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return SystemError{errno, "pipe2"};
  return std::pair<UniqueFd, UniqueFd>(ends[0], ends[1]);
}

void SetPipeBytes(int pipe_fd, size_t size) {
  (void)::fcntl(pipe_fd, F_SETPIPE_SZ, static_cast<int>(size));
}

IoResult Splice(int from, int to, size_t size) {
  return Repeat([&] {
    return ::splice(from, nullptr, to, nullptr, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  });
}

}  // namespace sluice
