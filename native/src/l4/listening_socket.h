// Listening sockets of L4: TCP and UNIX, with all that accepted connections inherit from them.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/socket.h"
#include "base/unique_fd.h"

namespace sluice::l4 {

/// Where to listen.
struct ListeningAddress {
  /// A literal IP address; empty: `path` counts.
  std::string host;
  uint16_t port = 0;  // 0: the kernel chooses a free one
  /// Of a UNIX socket; '@name' is an abstract one.
  std::string path;
  mode_t mode = 0600;  // permissions of the UNIX socket's file
};

/// Options of a listening socket and what accepted sockets inherit from it.
struct ListeningOptions {
  int backlog = 511;
  int defer_accept_s = 0;  // 0: off
  KeepAlive keep_alive;
  bool is_shared = false;  // SO_REUSEPORT
};

/// Owns a listening descriptor, non-blocking and closed on exec, and the file of a UNIX socket that
/// it has made. TCP_NODELAY is set, TCP Fast Open never is.
class ListeningSocket {
 public:
  /// What has to be proven before a shared TCP address is taken.
  enum class Sharing : uint8_t {
    kFirst,   // that nobody listens there
    kJoining  // nothing: sockets of this process listen there already
  };

  /// Binds and listens. A UNIX socket's file that nobody listens on any more is replaced.
  ///
  /// Fails with EADDRINUSE where somebody listens, EEXIST where the path is a file that is no
  /// socket, EINVAL where the host is no address, ENAMETOOLONG, and what socket, setsockopt, bind
  /// or listen said.
  static Result<ListeningSocket> Open(const ListeningAddress& address,
                                      const ListeningOptions& options,
                                      Sharing sharing = Sharing::kFirst);
  /// Another descriptor of a listening socket that somebody else owns; its file is left to them.
  /// Fails with EBADF or ENOTSOCK, and with EINVAL where it does not listen.
  static Result<ListeningSocket> Duplicate(int descriptor);

  ListeningSocket() = default;
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket() { Close(); }

  int get() const { return fd_.get(); }
  bool is_open() const { return fd_.is_open(); }
  /// 0 for a UNIX socket.
  uint16_t port() const { return port_; }
  /// Closes it, and removes its file where that is still the one it made. Idempotent.
  void Close();

 private:
  static Result<ListeningSocket> OpenTcp(const ListeningAddress& address,
                                         const ListeningOptions& options, Sharing sharing);
  static Result<ListeningSocket> OpenUnix(const ListeningAddress& address,
                                          const ListeningOptions& options);

  UniqueFd fd_;
  uint16_t port_ = 0;
  std::string made_path_;  // empty: it has made no file
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace sluice::l4
