// Listening sockets: what accepted sockets inherit, who may share an address, and whose file a UNIX
// socket's path is.
#include "l4/listening_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "check.h"

namespace {

using sluice::UniqueFd;
using sluice::l4::ListeningAddress;
using sluice::l4::ListeningOptions;
using sluice::l4::ListeningSocket;
using Sharing = ListeningSocket::Sharing;

/// A folder that goes with everything in it.
struct Folder {
  Folder() {
    char name[] = "/tmp/sluice-listening-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() {
    (void)::unlink((path + "/s").c_str());
    (void)::rmdir(path.c_str());
  }
  std::string path;
};

ListeningAddress Tcp(const char* host, uint16_t port = 0) {
  ListeningAddress address;
  address.host = host;
  address.port = port;
  return address;
}

ListeningAddress Unix(const std::string& path, mode_t mode = 0600) {
  ListeningAddress address;
  address.path = path;
  address.mode = mode;
  return address;
}

ListeningSocket MustOpen(const ListeningAddress& address, const ListeningOptions& options = {}) {
  auto opened = ListeningSocket::Open(address, options);
  CHECK(static_cast<bool>(opened));
  if (!opened) return {};
  return std::move(opened.value());
}

/// The errno with which opening fails; 0 where it does not.
int ErrorOf(const ListeningAddress& address, const ListeningOptions& options = {},
            Sharing sharing = Sharing::kFirst) {
  auto opened = ListeningSocket::Open(address, options, sharing);
  return opened ? 0 : opened.error().number;
}

ListeningOptions Shared() {
  ListeningOptions options;
  options.is_shared = true;
  return options;
}

UniqueFd ConnectTcp(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.Reset();
  return fd;
}

/// @returns 0 or the errno
int ConnectUnix(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const size_t size = offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '@' ? 0 : 1);
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)) ==
                 0
             ? 0
             : errno;
}

int OptionOf(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK_EQ(::getsockopt(fd, level, option, &value, &size), 0);
  return value;
}

bool Exists(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0;
}

/// Leaves a UNIX socket's file behind that nobody listens on.
void MakeStaleFile(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  CHECK_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  CHECK_EQ(::listen(fd.get(), 1), 0);
}

TEST(AcceptedSocketsInheritItsOptions) {
  ListeningOptions options;
  options.keep_alive = {61, 11, 7};
  const ListeningSocket socket = MustOpen(Tcp("127.0.0.1"), options);
  CHECK(socket.port() != 0);
  CHECK((::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_EQ(OptionOf(socket.get(), IPPROTO_TCP, TCP_FASTOPEN), 0);
  const UniqueFd client = ConnectTcp(socket.port());
  const UniqueFd accepted(::accept4(socket.get(), nullptr, nullptr, 0));
  CHECK(accepted.is_open());
  CHECK_EQ(OptionOf(accepted.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  CHECK_EQ(OptionOf(accepted.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  CHECK_EQ(OptionOf(accepted.get(), IPPROTO_TCP, TCP_KEEPIDLE), 61);
  CHECK_EQ(OptionOf(accepted.get(), IPPROTO_TCP, TCP_KEEPINTVL), 11);
  CHECK_EQ(OptionOf(accepted.get(), IPPROTO_TCP, TCP_KEEPCNT), 7);
}

TEST(LeavesKeepAliveOffWhereItIsOff) {
  const ListeningSocket socket = MustOpen(Tcp("127.0.0.1"));
  CHECK_EQ(OptionOf(socket.get(), SOL_SOCKET, SO_KEEPALIVE), 0);
  CHECK_EQ(OptionOf(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
}

TEST(DefersAcceptUntilTheClientHasSent) {
  ListeningOptions options;
  options.defer_accept_s = 5;
  const ListeningSocket socket = MustOpen(Tcp("127.0.0.1"), options);
  CHECK(OptionOf(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 5);
  const UniqueFd client = ConnectTcp(socket.port());
  CHECK_EQ(::accept4(socket.get(), nullptr, nullptr, 0), -1);
  CHECK_EQ(errno, EAGAIN);
  CHECK_EQ(::send(client.get(), "x", 1, 0), 1);
  pollfd waiting{socket.get(), POLLIN, 0};
  CHECK_EQ(::poll(&waiting, 1, 5000), 1);
  const UniqueFd accepted(::accept4(socket.get(), nullptr, nullptr, 0));
  CHECK(accepted.is_open());
}

TEST(TakesIpv4AtTheIpv6Wildcard) {
  auto opened = ListeningSocket::Open(Tcp("::"), {});
  if (!opened && opened.error().number == EAFNOSUPPORT) return;  // a machine without IPv6
  CHECK(static_cast<bool>(opened));
  CHECK(ConnectTcp(opened.value().port()).is_open());
}

TEST(RefusesAnAddressWhereSomebodyListens) {
  const ListeningSocket first = MustOpen(Tcp("127.0.0.1"));
  CHECK_EQ(ErrorOf(Tcp("127.0.0.1", first.port())), EADDRINUSE);
  CHECK_EQ(ErrorOf(Tcp("0.0.0.0", first.port())), EADDRINUSE);
  CHECK_EQ(ErrorOf(Tcp("127.0.0.1", first.port()), Shared()), EADDRINUSE);
  CHECK_EQ(ErrorOf(Tcp("127.0.0.1", first.port()), Shared(), Sharing::kJoining), EADDRINUSE);
}

TEST(SharesAnAddressWithThoseWhoJoinOnly) {
  const ListeningSocket first = MustOpen(Tcp("127.0.0.1"), Shared());
  CHECK_EQ(ErrorOf(Tcp("127.0.0.1", first.port()), Shared()), EADDRINUSE);
  CHECK_EQ(ErrorOf(Tcp("127.0.0.1", first.port())), EADDRINUSE);
  CHECK_EQ(ErrorOf(Tcp("127.0.0.1", first.port()), Shared(), Sharing::kJoining), 0);
}

TEST(SaysWhatIsWrongWithAnAddress) {
  CHECK_EQ(ErrorOf(Tcp("localhost")), EINVAL);
  CHECK_EQ(ErrorOf(Tcp("192.0.2.1")), EADDRNOTAVAIL);
  CHECK_EQ(ErrorOf(Unix("")), EINVAL);
  CHECK_EQ(ErrorOf(Unix("@")), EINVAL);
  CHECK_EQ(ErrorOf(Unix(std::string("/tmp/a\0b", 8))), EINVAL);
  CHECK_EQ(ErrorOf(Unix("/tmp/" + std::string(110, 'x'))), ENAMETOOLONG);
  CHECK_EQ(ErrorOf(Unix("/tmp/sluice-no-such-folder/s")), ENOENT);
}

TEST(MakesAFileWithItsPermissionsAndRemovesIt) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  const mode_t umask_before = ::umask(077);
  {
    ListeningSocket socket = MustOpen(Unix(path, 0662));
    CHECK_EQ(socket.port(), 0);
    struct stat file {};
    CHECK_EQ(::lstat(path.c_str(), &file), 0);
    CHECK(S_ISSOCK(file.st_mode));
    CHECK_EQ(file.st_mode & 0777, 0662);
    CHECK_EQ(ConnectUnix(path), 0);
    socket.Close();
    CHECK(!Exists(path));
    socket.Close();
    CHECK(!socket.is_open());
  }
  (void)::umask(umask_before);
}

TEST(ReplacesAFileThatNobodyListensOn) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  MakeStaleFile(path);
  CHECK_EQ(ConnectUnix(path), ECONNREFUSED);
  const ListeningSocket socket = MustOpen(Unix(path));
  CHECK_EQ(ConnectUnix(path), 0);
}

TEST(LeavesAPathWhereSomebodyListens) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  ListeningOptions options;
  options.backlog = 1;
  const ListeningSocket first = MustOpen(Unix(path), options);
  CHECK_EQ(ErrorOf(Unix(path)), EADDRINUSE);
  // A full backlog is no proof that nobody listens.
  for (int connections = 0; connections < 3; ++connections)
    CHECK_EQ(ErrorOf(Unix(path)), EADDRINUSE);
  CHECK(Exists(path));
}

TEST(LeavesAFileThatIsNoSocket) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  CHECK_EQ(ErrorOf(Unix(path)), EEXIST);
  CHECK(Exists(path));
  (void)::unlink(path.c_str());
  CHECK_EQ(::symlink("/dev/null", path.c_str()), 0);
  CHECK_EQ(ErrorOf(Unix(path)), EEXIST);
}

TEST(LeavesASocketOfAnotherTypeThatIsInUse) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  const UniqueFd datagrams(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  CHECK_EQ(::bind(datagrams.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  CHECK_EQ(ErrorOf(Unix(path)), EADDRINUSE);
}

TEST(DoesNotRemoveAFileThatSomebodyElseHasMade) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  ListeningSocket first = MustOpen(Unix(path));
  CHECK_EQ(::unlink(path.c_str()), 0);
  const ListeningSocket second = MustOpen(Unix(path));
  first.Close();
  CHECK(Exists(path));
  CHECK_EQ(ConnectUnix(path), 0);
}

TEST(ListensOnAnAbstractName) {
  const std::string name = "@sluice-listening-" + std::to_string(::getpid());
  {
    const ListeningSocket socket = MustOpen(Unix(name));
    CHECK_EQ(ConnectUnix(name), 0);
    CHECK_EQ(ErrorOf(Unix(name)), EADDRINUSE);
  }
  CHECK_EQ(ConnectUnix(name), ECONNREFUSED);
}

TEST(DuplicatesWithoutOwningTheFile) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  const ListeningSocket owner = MustOpen(Unix(path));
  auto duplicate = ListeningSocket::Duplicate(owner.get());
  CHECK(static_cast<bool>(duplicate));
  CHECK(duplicate.value().get() != owner.get());
  CHECK((::fcntl(duplicate.value().get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_EQ(duplicate.value().port(), 0);
  duplicate.value().Close();
  CHECK(Exists(path));
  CHECK_EQ(ConnectUnix(path), 0);

  const ListeningSocket tcp = MustOpen(Tcp("127.0.0.1"));
  auto second = ListeningSocket::Duplicate(tcp.get());
  CHECK_EQ(second.value().port(), tcp.port());
}

TEST(DuplicatesOnlyWhatListens) {
  CHECK_EQ(ListeningSocket::Duplicate(-1).error().number, EBADF);
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK_EQ(ListeningSocket::Duplicate(file.get()).error().number, ENOTSOCK);
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_EQ(ListeningSocket::Duplicate(fd.get()).error().number, EINVAL);
}

TEST(MovesWithItsFile) {
  const Folder folder;
  const std::string path = folder.path + "/s";
  ListeningSocket first = MustOpen(Unix(path));
  ListeningSocket second = std::move(first);
  first.Close();
  CHECK(Exists(path));
  first = std::move(second);
  CHECK_EQ(ConnectUnix(path), 0);
  first = ListeningSocket();
  CHECK(!Exists(path));
}

}  // namespace
