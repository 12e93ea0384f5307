// The socket calls of the engine, each wrapped once: EINTR is retried here, failures are values.
// Any thread.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice {

/// What a read or write moved. `error` is an errno, 0 when the call succeeded.
struct IoResult {
  size_t bytes = 0;
  int error = 0;

  bool would_block() const { return error == EAGAIN || error == EWOULDBLOCK; }
};

/// Reads at most `size` bytes. 0 bytes without an error: the peer has finished sending.
IoResult Receive(int fd, void* buffer, size_t size);

/// Sends at most `size` bytes; less than `size` means that the socket's buffer is full. Never
/// raises SIGPIPE.
IoResult Send(int fd, const void* bytes, size_t size);

/// Sends several parts in one call, as Send does.
IoResult SendParts(int fd, const iovec* parts, size_t count);

/// Says without reading whether a read would return at once: with bytes, with the peer's end, or
/// with an error.
bool HasInput(int fd);

/// Opens a non-blocking stream socket that is closed on exec. Fails with socket()'s errno (EMFILE,
/// ENFILE …).
Result<UniqueFd> OpenStreamSocket(int family);

/// Begins to connect. @returns 0 when connected, EINPROGRESS when it goes on, or the errno
int Connect(int fd, const sockaddr* address, socklen_t size);

/// The result of a connect that has ended, and any later error of the socket. @returns 0 or an
/// errno
int PendingError(int fd);

/// Says whether a connected TCP socket is connected to itself: a connect to a local ephemeral port
/// nobody listens on may meet its own source port (simultaneous open, RFC 9293 section 3.5).
bool IsSelfConnected(int fd);

/// Sends small writes at once (TCP_NODELAY). Not for UNIX sockets.
void SetNoDelay(int fd);

/// TCP keep-alive; off where idle_s is 0.
struct KeepAlive {
  int idle_s = 0;
  int interval_s = 0;
  int probes = 0;
};

/// Sets keep-alive; nothing happens where it is off. Not for UNIX sockets.
void SetKeepAlive(int fd, const KeepAlive& keep_alive);

/// Says that nothing more will be sent (FIN); what was sent is still delivered.
void FinishSending(int fd);

/// Makes the next close() send a reset and drop what is not delivered. Without effect on UNIX
/// sockets.
void ResetOnClose(int fd);

/// Opens a pair of connected non-blocking UNIX stream sockets that are closed on exec. Fails with
/// socketpair()'s errno (EMFILE …).
Result<std::pair<UniqueFd, UniqueFd>> OpenSocketPair();

/// Opens a non-blocking pipe that is closed on exec. Fails with pipe2()'s errno (EMFILE …).
Result<std::pair<UniqueFd, UniqueFd>> OpenPipe();

/// Asks for a pipe that holds so many bytes; it stays as it was where the kernel refuses.
void SetPipeBytes(int pipe_fd, size_t size);

/// Moves at most `size` bytes between a socket and a pipe (either way round) without copying them
/// to user memory. 0 bytes without an error: the source has finished, or urgent data stands in
/// front of its end, which only a read gets past. EAGAIN does not say which of the two would block.
/// There is no MSG_NOSIGNAL for it: the process must ignore SIGPIPE, as Node does from its start.
IoResult Splice(int from, int to, size_t size);

}  // namespace sluice
