// Accepting: in bounded rounds, with the peer's address, and without spinning where descriptors run
// short.
#include "l4/acceptor.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "l4/arrivals.h"

namespace {

using namespace sluice::l4;
using sluice::EventLoop;
using sluice::UniqueFd;

struct Fixture {
  Fixture() {
    ListeningSocket socket = ListenOnLoopback();
    port = socket.port();
    auto started = Acceptor::Start(loop.get(), 3, std::move(socket), &arrivals);
    CHECK(static_cast<bool>(started));
    acceptor = std::move(started.value());
  }
  size_t accepted() const { return arrivals.accepted.size(); }

  std::unique_ptr<EventLoop> loop = MakeLoop();
  Arrivals arrivals;
  uint16_t port = 0;
  std::unique_ptr<Acceptor> acceptor;
};

uint64_t ProcessorTimeUs() {
  timespec used{};
  CHECK_EQ(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(used.tv_nsec) / 1000;
}

TEST(HandsOverWhatATurnBroughtInOneRound) {
  Fixture fixture;
  const auto clients = ConnectTimes(5, fixture.port);
  fixture.loop->Turn(1000);
  CHECK_EQ(fixture.arrivals.rounds.size(), 1);
  CHECK_EQ(fixture.accepted(), 5);
  for (const Accepted& accepted : fixture.arrivals.accepted) {
    CHECK_EQ(accepted.listener, 3);
    CHECK((::fcntl(accepted.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(accepted.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(accepted.accepted_at_us != 0 && accepted.accepted_at_us <= sluice::MonotonicUs());
  }
  CHECK(fixture.arrivals.shortages.empty());
}

TEST(LeavesTheRestOfALongQueueToTheNextTurn) {
  Fixture fixture;
  const auto clients = ConnectTimes(Acceptor::kMaxRound + 6, fixture.port);
  fixture.loop->Turn(1000);
  CHECK_EQ(fixture.accepted(), Acceptor::kMaxRound);
  fixture.loop->Turn(1000);
  CHECK_EQ(fixture.accepted(), Acceptor::kMaxRound + 6);
}

TEST(TellsThePeersAddress) {
  Fixture fixture;
  const UniqueFd client = ConnectTo(fixture.port);
  fixture.loop->Turn(1000);
  sockaddr_in own{};
  socklen_t size = sizeof own;
  CHECK_EQ(::getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  PeerAddress wanted;
  wanted.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  wanted.port = ntohs(own.sin_port);
  CHECK(fixture.arrivals.accepted.at(0).peer == wanted);
}

TEST(TellsAnIpv6PeersAddress) {
  ListeningAddress address;
  address.host = "::1";
  auto opened = ListeningSocket::Open(address, {});
  if (!opened) return;  // a machine without IPv6
  const uint16_t port = opened.value().port();
  auto loop = MakeLoop();
  Arrivals arrivals;
  auto started = Acceptor::Start(loop.get(), 0, std::move(opened.value()), &arrivals);
  const UniqueFd client(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_addr = in6addr_loopback;
  to.sin6_port = htons(port);
  CHECK_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  loop->Turn(1000);
  std::array<uint8_t, 16> wanted{};
  wanted[15] = 1;
  CHECK(arrivals.accepted.at(0).peer.ip == wanted);
  CHECK(arrivals.accepted.at(0).peer.port != 0);
}

TEST(HasNoAddressForThePeerOfAUnixSocket) {
  const std::string name = "@sluice-acceptor-" + std::to_string(::getpid());
  ListeningAddress address;
  address.path = name;
  auto opened = ListeningSocket::Open(address, {});
  CHECK(static_cast<bool>(opened));
  auto loop = MakeLoop();
  Arrivals arrivals;
  auto started = Acceptor::Start(loop.get(), 0, std::move(opened.value()), &arrivals);
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path + 1, name.data() + 1, name.size() - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  CHECK_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), size), 0);
  loop->Turn(1000);
  CHECK(arrivals.accepted.at(0).peer == PeerAddress{});
}

TEST(PassesOverConnectionsThatBrokeInTheQueue) {
  Fixture fixture;
  UniqueFd broken = ConnectTo(fixture.port);
  const linger at_once{1, 0};
  CHECK_EQ(::setsockopt(broken.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  broken.Reset();
  const UniqueFd client = ConnectTo(fixture.port);
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() >= 1; });
  CHECK(fixture.arrivals.shortages.empty());
}

TEST(AcceptsNothingWhilePaused) {
  Fixture fixture;
  fixture.acceptor->Pause();
  const auto clients = ConnectTimes(2, fixture.port);
  fixture.loop->Turn(20);
  CHECK_EQ(fixture.accepted(), 0);
  fixture.acceptor->Resume();
  fixture.loop->Turn(1000);
  CHECK_EQ(fixture.accepted(), 2);
}

TEST(MayBeStoppedByItsSink) {
  Fixture fixture;
  fixture.arrivals.on_accepted = [&] { fixture.acceptor->Stop(); };
  const UniqueFd client = ConnectTo(fixture.port);
  fixture.loop->Turn(1000);
  CHECK_EQ(fixture.accepted(), 1);
  fixture.acceptor->Stop();
  // Nobody listens there any more.
  const UniqueFd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(fixture.port);
  CHECK_EQ(::connect(late.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), -1);
  CHECK_EQ(errno, ECONNREFUSED);
  fixture.loop->Turn(0);
}

TEST(RestsWithoutDescriptorsAndGoesOnByItself) {
  Fixture fixture;
  const auto clients = ConnectTimes(5, fixture.port);
  {
    const LoweredFileLimit limit(2);
    TurnUntil(fixture.loop.get(), [&] { return !fixture.arrivals.shortages.empty(); });
    CHECK_EQ(fixture.accepted(), 2);
    // It tries again and again, says nothing more, and does not keep the processor.
    const uint64_t began_us = fixture.loop->now_us();
    const uint64_t used_us = ProcessorTimeUs();
    int turns = 0;
    while (fixture.loop->now_us() - began_us < 300'000) {
      fixture.loop->Turn(-1);
      ++turns;
    }
    // Six tries; the wheel may need a second turn for each.
    CHECK(turns <= 20);
    CHECK(ProcessorTimeUs() - used_us < 50'000);
    CHECK_EQ(fixture.accepted(), 2);
    CHECK(fixture.arrivals.shortages == std::vector<int>{EMFILE});
  }
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 5; });
  CHECK((fixture.arrivals.shortages == std::vector<int>{EMFILE, 0}));
  // It polls again.
  const UniqueFd late = ConnectTo(fixture.port);
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 6; });
}

TEST(StaysShortWhileEachDescriptorIsTakenAtOnce) {
  Fixture fixture;
  const auto clients = ConnectTimes(4, fixture.port);
  const LoweredFileLimit limit(1);
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 1; });
  for (size_t more = 2; more <= 3; ++more) {
    fixture.arrivals.accepted.clear();
    TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 1; });
  }
  CHECK(fixture.arrivals.shortages == std::vector<int>{EMFILE});
}

TEST(KnowsOfAShortageBeyondAPause) {
  Fixture fixture;
  const auto clients = ConnectTimes(2, fixture.port);
  {
    const LoweredFileLimit limit(1);
    TurnUntil(fixture.loop.get(), [&] { return !fixture.arrivals.shortages.empty(); });
    fixture.acceptor->Pause();
  }
  fixture.loop->Turn(70);
  CHECK_EQ(fixture.accepted(), 1);
  CHECK(fixture.arrivals.shortages == std::vector<int>{EMFILE});
  fixture.acceptor->Resume();
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 2; });
  CHECK((fixture.arrivals.shortages == std::vector<int>{EMFILE, 0}));
}

TEST(AcceptsNoMoreThanItsSinkHasRoomFor) {
  Fixture fixture;
  fixture.arrivals.room = 3;
  fixture.arrivals.on_accepted = [&] { fixture.arrivals.room -= fixture.arrivals.rounds.back(); };
  const auto clients = ConnectTimes(5, fixture.port);
  TurnUntil(fixture.loop.get(), [&] { return !fixture.arrivals.shortages.empty(); });
  CHECK_EQ(fixture.accepted(), 3);
  CHECK(fixture.arrivals.shortages == std::vector<int>{EMFILE});
  fixture.arrivals.room = 100;
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 5; });
  CHECK((fixture.arrivals.shortages == std::vector<int>{EMFILE, 0}));
}

TEST(ToldOnceForAllListenersOfAGroup) {
  auto loop = MakeLoop();
  Arrivals arrivals;
  AcceptorGroup group(loop.get(), &arrivals);
  uint16_t ports[2];
  for (int32_t listener = 0; listener < 2; ++listener) {
    ListeningSocket socket = ListenOnLoopback();
    ports[listener] = socket.port();
    CHECK_EQ(group.Add(listener, std::move(socket)), 0);
  }
  CHECK(group.is_listening());
  const auto first = ConnectTimes(2, ports[0]);
  const auto second = ConnectTimes(2, ports[1]);
  {
    const LoweredFileLimit limit(0);
    TurnUntil(loop.get(), [&] { return !arrivals.shortages.empty(); });
    loop->Turn(0);
    CHECK(arrivals.shortages == std::vector<int>{EMFILE});
  }
  TurnUntil(loop.get(),
            [&] { return arrivals.accepted.size() == 4 && arrivals.shortages.size() == 2; });
  CHECK((arrivals.shortages == std::vector<int>{EMFILE, 0}));
  group.Stop();
  group.Stop();
  CHECK(!group.is_listening());
}

TEST(AddsToAPausedGroupWithoutAccepting) {
  auto loop = MakeLoop();
  Arrivals arrivals;
  AcceptorGroup group(loop.get(), &arrivals);
  group.Pause();
  ListeningSocket socket = ListenOnLoopback();
  const uint16_t port = socket.port();
  CHECK_EQ(group.Add(0, std::move(socket)), 0);
  const UniqueFd client = ConnectTo(port);
  loop->Turn(20);
  CHECK(arrivals.accepted.empty());
  group.Resume();
  loop->Turn(1000);
  CHECK_EQ(arrivals.accepted.size(), 1);
}

/// A group that accepts for listener 3 at `port`.
struct GroupFixture {
  uint16_t Listen(int32_t listener) {
    ListeningSocket socket = ListenOnLoopback();
    const uint16_t at = socket.port();
    CHECK_EQ(group.Add(listener, std::move(socket)), 0);
    return at;
  }
  size_t accepted() const { return arrivals.accepted.size(); }

  std::unique_ptr<EventLoop> loop = MakeLoop();
  Arrivals arrivals;
  AcceptorGroup group{loop.get(), &arrivals};
  uint16_t port = Listen(3);
};

/// Nobody listens there.
bool IsRefused(uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

TEST(HandsTheBacklogOfARemovedListenerOverAndAcceptsNoMore) {
  GroupFixture fixture;
  const uint16_t other = fixture.Listen(4);
  const auto clients = ConnectTimes(Acceptor::kMaxRound + 6, fixture.port);
  fixture.group.Remove(3);
  fixture.group.Remove(3);
  CHECK_EQ(fixture.accepted(), Acceptor::kMaxRound + 6);
  CHECK(IsRefused(fixture.port));
  CHECK(fixture.group.is_listening());
  const UniqueFd still = ConnectTo(other);
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == Acceptor::kMaxRound + 7; });
  fixture.group.Remove(4);
  CHECK(!fixture.group.is_listening());
}

TEST(MovesAListenerToAnotherSocket) {
  GroupFixture fixture;
  const UniqueFd before = ConnectTo(fixture.port);
  const uint16_t moved = fixture.Listen(3);
  CHECK_EQ(fixture.accepted(), 1);
  CHECK(IsRefused(fixture.port));
  const UniqueFd after = ConnectTo(moved);
  TurnUntil(fixture.loop.get(), [&] { return fixture.accepted() == 2; });
  CHECK_EQ(fixture.arrivals.accepted.at(1).listener, 3);
}

TEST(MayBeRemovedByItsSink) {
  GroupFixture fixture;
  fixture.arrivals.on_accepted = [&] {
    fixture.group.Remove(3);
    fixture.port = fixture.Listen(3);
    fixture.group.Remove(3);
  };
  const auto clients = ConnectTimes(Acceptor::kMaxRound + 6, fixture.port);
  fixture.loop->Turn(1000);
  CHECK_EQ(fixture.accepted(), Acceptor::kMaxRound);
  CHECK(!fixture.group.is_listening());
  fixture.loop->Turn(0);
}

TEST(ForgetsTheShortageOfARemovedListener) {
  GroupFixture fixture;
  const UniqueFd client = ConnectTo(fixture.port);
  {
    const LoweredFileLimit limit(0);
    TurnUntil(fixture.loop.get(), [&] { return !fixture.arrivals.shortages.empty(); });
    fixture.group.Remove(3);
  }
  CHECK((fixture.arrivals.shortages == std::vector<int>{EMFILE, 0}));
  CHECK_EQ(fixture.accepted(), 0);
}

}  // namespace
