// Opens listening sockets.
#include "l4/listening_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/bound_socket.h"

namespace sluice::l4 {

namespace {

struct UnixAddress {
  sockaddr_un un{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&un); }
};

Result<UnixAddress> ParseUnixPath(const std::string& path) {
  if (path.empty() || path == "@" || path.find('\0') != path.npos) {
    return SystemError{EINVAL, "bind"};
  }
  UnixAddress address;
  if (path.size() >= sizeof address.un.sun_path) return SystemError{ENAMETOOLONG, "bind"};
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path, path.data(), path.size());
  const size_t length = offsetof(sockaddr_un, sun_path) + path.size();
  if (path.front() == '@') {
    address.un.sun_path[0] = '\0';  // unix(7): an abstract name begins with NUL and has no end mark
    address.size = static_cast<socklen_t>(length);
  } else {
    address.size = static_cast<socklen_t>(length + 1);
  }
  return address;
}

/// Removes the file of a UNIX socket that nobody listens on any more. @returns errno 0: the path is
/// free now
///
/// A socket that has been bound and does not listen yet refuses connections just like a stale one.
/// Two processes that start at the same path at the same time may so take it from one another; who
/// binds has called listen() some microseconds later.
SystemError RemoveStaleFile(const std::string& path, const UnixAddress& address) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? SystemError{} : SystemError{errno, "lstat"};
  }
  if (!S_ISSOCK(file.st_mode)) return {EEXIST, "bind"};
  auto probe = OpenStreamSocket(AF_UNIX);
  if (!probe) return probe.error();
  const int error = Connect(probe.value().get(), address.get(), address.size);
  if (error == ENOENT) return {};
  // Without the right to connect nothing is proven.
  if (error == EACCES || error == EPERM) return {error, "connect"};
  // Connected, or a full backlog, or a socket of another type.
  if (error != ECONNREFUSED) return {EADDRINUSE, "bind"};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return {errno, "unlink"};
  return {};
}

SystemError SetOption(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return {errno, "setsockopt"};
}

/// Everything that accepted sockets inherit.
SystemError SetTcpOptions(int fd, const ListeningOptions& options) {
  SystemError error = SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (error.number == 0 && options.defer_accept_s > 0) {
    error = SetOption(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, options.defer_accept_s);
  }
  if (error.number == 0) SetKeepAlive(fd, options.keep_alive);
  return error;
}

}  // namespace

Result<ListeningSocket> ListeningSocket::Open(const ListeningAddress& address,
                                              const ListeningOptions& options, Sharing sharing) {
  return address.host.empty() ? OpenUnix(address, options) : OpenTcp(address, options, sharing);
}

Result<ListeningSocket> ListeningSocket::OpenTcp(const ListeningAddress& address,
                                                 const ListeningOptions& options, Sharing sharing) {
  auto local = LocalAddress::Parse(address.host, address.port);
  if (!local) return local.error();
  // Not shared, bind and listen are the proof themselves.
  if (options.is_shared && sharing == Sharing::kFirst) {
    const SystemError probed = ProveNobodyListens(local.value());
    if (probed.number != 0) return probed;
  }
  auto bound = BindTcpSocket(local.value(), options.is_shared);
  if (!bound) return bound.error();
  ListeningSocket socket;
  socket.fd_ = std::move(bound.value());
  const SystemError error = SetTcpOptions(socket.get(), options);
  if (error.number != 0) return error;
  if (::listen(socket.get(), options.backlog) != 0) return SystemError{errno, "listen"};
  auto port = PortOf(socket.get());
  if (!port) return port.error();
  socket.port_ = port.value();
  return socket;
}

Result<ListeningSocket> ListeningSocket::OpenUnix(const ListeningAddress& address,
                                                  const ListeningOptions& options) {
  auto parsed = ParseUnixPath(address.path);
  if (!parsed) return parsed.error();
  const UnixAddress& local = parsed.value();
  auto opened = OpenStreamSocket(AF_UNIX);
  if (!opened) return opened.error();
  ListeningSocket socket;
  socket.fd_ = std::move(opened.value());
  const bool has_file = address.path.front() != '@';
  // Linux makes the file with the mode of the socket's own inode, less the umask: it is never open
  // to more than it shall be.
  if (has_file && ::fchmod(socket.get(), address.mode) != 0) return SystemError{errno, "fchmod"};
  if (::bind(socket.get(), local.get(), local.size) != 0) {
    if (errno != EADDRINUSE || !has_file) return SystemError{errno, "bind"};
    const SystemError error = RemoveStaleFile(address.path, local);
    if (error.number != 0) return error;
    if (::bind(socket.get(), local.get(), local.size) != 0) return SystemError{errno, "bind"};
  }
  if (has_file) {
    struct stat file {};
    if (::lstat(address.path.c_str(), &file) != 0) return SystemError{errno, "lstat"};
    socket.made_path_ = address.path;
    socket.device_ = file.st_dev;
    socket.inode_ = file.st_ino;
    if (::chmod(address.path.c_str(), address.mode) != 0) return SystemError{errno, "chmod"};
  }
  if (::listen(socket.get(), options.backlog) != 0) return SystemError{errno, "listen"};
  return socket;
}

Result<ListeningSocket> ListeningSocket::Duplicate(int descriptor) {
  int is_listening = 0;
  socklen_t size = sizeof is_listening;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0) {
    return SystemError{errno, "getsockopt"};
  }
  if (is_listening == 0) return SystemError{EINVAL, "accept4"};
  ListeningSocket socket;
  socket.fd_.Reset(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!socket.is_open()) return SystemError{errno, "fcntl"};
  // Shared with the owner's descriptor, which is non-blocking already where this engine opened it.
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return SystemError{errno, "fcntl"};
  }
  // A UNIX socket has no port, whatever stands in its name.
  int family = AF_UNSPEC;
  size = sizeof family;
  (void)::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
  if (family != AF_UNIX) {
    auto port = PortOf(socket.get());
    if (!port) return port.error();
    socket.port_ = port.value();
  }
  return socket;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      port_(std::exchange(other.port_, uint16_t{0})),
      made_path_(std::exchange(other.made_path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = std::move(other.fd_);
  port_ = std::exchange(other.port_, uint16_t{0});
  made_path_ = std::exchange(other.made_path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void ListeningSocket::Close() {
  const std::string path = std::exchange(made_path_, {});
  struct stat file {};
  // Before the descriptor is closed: as long as it is open the inode is in use, so that no other
  // file can have its number.
  if (!path.empty() && ::lstat(path.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_) {
    (void)::unlink(path.c_str());
  }
  fd_.Reset();
}

}  // namespace sluice::l4
