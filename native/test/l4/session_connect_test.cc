// How sessions get to their endpoints, and what happens where they do not.
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "l4/session_rig.h"

namespace {

using namespace rig;

/// Decides for slot 1 at first and for slot 0 after a failure.
int32_t FirstOneThenZero(const Told& event) {
  return event.type == SessionEventType::kOpened ? 1 : 0;
}

TEST(TriesAnotherEndpointAfterARefusalAndTheClientSeesNothing) {
  Rig rig;
  CHECK(rig.engine->OpenEndpoint(1, {RefusingAddress()}, PatientEndpoint()));
  rig.decide = FirstOneThenZero;
  Peer client = rig.Connect();
  client.Say("early");
  const Told failed = rig.Wait(SessionEventType::kConnectFailed);
  CHECK_EQ(failed.reason(), static_cast<int32_t>(ConnectFailure::kRefused));
  CHECK_EQ(failed.words[kErrno], ECONNREFUSED);
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("early"); }));
  endpoint.Say("late");
  CHECK(rig.Until([&] { return client.HasHeard("late"); }));
}

TEST(TriesTheNextAddressAndBeginsWithItFromThenOn) {
  Rig rig;
  CHECK(
      rig.engine->OpenEndpoint(1, {RefusingAddress(), rig.endpoint.address()}, PatientEndpoint()));
  rig.decide = [](const Told&) { return 1; };
  for (int count = 0; count < 3; ++count) {
    rig.told.clear();
    Peer client = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    rig.Wait(SessionEventType::kConnected);
    CHECK_EQ(rig.Count(SessionEventType::kConnectFailed), 0);
  }
}

TEST(GivesUpASilentEndpointAfterItsTime) {
  Rig rig;
  BlackHole silent;
  SessionEndpointSettings settings = PatientEndpoint();
  settings.connect_timeout_ms = 60;
  CHECK(rig.engine->OpenEndpoint(1, {silent.address()}, settings));
  rig.decide = FirstOneThenZero;
  Peer client = rig.Connect();
  const Told failed = rig.Wait(SessionEventType::kConnectFailed);
  CHECK_EQ(failed.reason(), static_cast<int32_t>(ConnectFailure::kTimeout));
  CHECK(failed.words[kElapsedUs] >= 55'000);
  Peer endpoint = rig.AcceptAtEndpoint();
  client.Say("here");
  CHECK(rig.Until([&] { return endpoint.HasHeard("here"); }));
}

TEST(LeavesTimeForTheNextAddressOfASilentEndpoint) {
  Rig rig;
  BlackHole silent;
  SessionEndpointSettings settings = PatientEndpoint();
  settings.connect_timeout_ms = 200;
  CHECK(rig.engine->OpenEndpoint(1, {silent.address(), rig.endpoint.address()}, settings));
  rig.decide = [](const Told&) { return 1; };
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  const Told& connected = rig.Wait(SessionEventType::kConnected);
  CHECK(connected.words[kElapsedUs] >= 95'000);
  CHECK(connected.words[kElapsedUs] < 5'000'000);
}

TEST(EndsTheAttemptWhenTheClientResets) {
  Rig rig;
  BlackHole silent;
  CHECK(rig.engine->OpenEndpoint(1, {silent.address()}, PatientEndpoint()));
  rig.decide = [](const Told&) { return 1; };
  Peer client = rig.Connect();
  rig.loop->Turn(0);
  CHECK_EQ(rig.engine->stats().endpoint_connections, 1);
  client.Reset();
  rig.CheckEnded(SessionEnd::kClientReset);
  CHECK(!rig.WaitEnded().has(session_flag::kWasConnected));
  rig.CheckEmpty();
}

TEST(ConnectsForAClientThatHasFinishedAlready) {
  Rig rig;
  Peer client = rig.Connect();
  client.Say("request");
  client.Finish();
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
  CHECK_EQ(endpoint.heard, "request");
  endpoint.Say("answer");
  endpoint.Close();
  CHECK(rig.Until([&] { return client.HasEnded(); }));
  CHECK_EQ(client.heard, "answer");
  rig.CheckEnded(SessionEnd::kClean);
}

TEST(RelaysWhatTheEndpointSaysFirst) {
  Rig rig;
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  endpoint.Say("220 ready");
  CHECK(rig.Until([&] { return client.HasHeard("220 ready"); }));
}

TEST(ConnectsToUnixEndpoints) {
  Rig rig;
  const std::string path = "/tmp/sluice-session-" + std::to_string(::getpid()) + ".sock";
  Listener unix_endpoint(16, path);
  CHECK(rig.engine->OpenEndpoint(1, {unix_endpoint.address()}, PatientEndpoint()));
  rig.decide = [](const Told&) { return 1; };
  for (const RelayKind relay : {RelayKind::kCopy, RelayKind::kSplice, RelayKind::kAdaptive}) {
    rig.engine->OpenListener(0, PatientListener(relay));
    rig.told.clear();
    Peer client = rig.Connect();
    client.Say("over a path");
    Peer endpoint = rig.AcceptAt(&unix_endpoint);
    CHECK(rig.Until([&] { return endpoint.HasHeard("over a path"); }));
    endpoint.Say(std::string(100'000, 'z'));
    endpoint.Finish();
    CHECK(rig.Until([&] { return client.HasEnded(); }));
    CHECK_EQ(client.heard.size(), 100'000);
    client.Finish();
    rig.CheckEnded(SessionEnd::kClean);
  }
  ::unlink(path.c_str());
}

TEST(WaitsWhileTheQueueOfAUnixEndpointIsFull) {
  Rig rig;
  const std::string path = "/tmp/sluice-queue-" + std::to_string(::getpid()) + ".sock";
  Listener unix_endpoint(0, path);
  const UniqueFd first = unix_endpoint.Connect();
  CHECK(rig.engine->OpenEndpoint(1, {unix_endpoint.address()}, PatientEndpoint()));
  rig.decide = [](const Told&) { return 1; };
  Peer client = rig.Connect();
  const uint64_t until_us = MonotonicUs() + 50'000;
  while (MonotonicUs() < until_us)
    rig.loop->Turn(10);
  CHECK_EQ(rig.told.size(), 1);
  Peer queued = rig.AcceptAt(&unix_endpoint);
  Peer endpoint = rig.AcceptAt(&unix_endpoint);
  rig.Wait(SessionEventType::kConnected);
  ::unlink(path.c_str());
}

TEST(GivesUpWhenTheQueueOfAUnixEndpointStaysFull) {
  Rig rig;
  const std::string path = "/tmp/sluice-full-" + std::to_string(::getpid()) + ".sock";
  Listener unix_endpoint(0, path);
  const UniqueFd first = unix_endpoint.Connect();
  SessionEndpointSettings settings = PatientEndpoint();
  settings.connect_timeout_ms = 50;
  CHECK(rig.engine->OpenEndpoint(1, {unix_endpoint.address()}, settings));
  rig.decide = FirstOneThenZero;
  Peer client = rig.Connect();
  CHECK_EQ(rig.Wait(SessionEventType::kConnectFailed).reason(),
           static_cast<int32_t>(ConnectFailure::kTimeout));
  ::unlink(path.c_str());
}

/// Lowers the limit of open files to what is open now, for as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // The lowest free number is what the next descriptor would get.
    const UniqueFd next(::dup(0));
    rlimit lowered = before_;
    lowered.rlim_cur = static_cast<rlim_t>(next.get());
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

TEST(WaitsForADescriptor) {
  Rig rig;
  Peer client = rig.Connect();
  {
    NoDescriptors none;
    const uint64_t until_us = MonotonicUs() + 60'000;
    while (MonotonicUs() < until_us)
      rig.loop->Turn(10);
    CHECK_EQ(rig.told.size(), 1);
    CHECK_EQ(rig.engine->stats().endpoint_connections, 0);
  }
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  client.Say("after all");
  CHECK(rig.Until([&] { return endpoint.HasHeard("after all"); }));
}

TEST(FailsWhereNoDescriptorIsToBeHadInTime) {
  SessionEndpointSettings settings = PatientEndpoint();
  settings.connect_timeout_ms = 50;
  Rig rig(PatientListener(), settings);
  rig.decide = [](const Told& event) {
    return event.type == SessionEventType::kOpened ? 0 : kRefuse;
  };
  Peer client = rig.Connect();
  NoDescriptors none;
  const Told& failed = rig.Wait(SessionEventType::kConnectFailed);
  CHECK_EQ(failed.reason(), static_cast<int32_t>(ConnectFailure::kFileLimit));
  CHECK_EQ(failed.words[kErrno], EMFILE);
  rig.CheckEnded(SessionEnd::kRefused);
  CHECK_EQ(rig.WaitEnded().words[kErrno], 0);
}

TEST(CopiesWhereNoPipeIsToBeHad) {
  Rig rig(PatientListener(RelayKind::kSplice));
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  NoDescriptors none;
  client.Say("copied");
  CHECK(rig.Until([&] { return endpoint.HasHeard("copied"); }));
  CHECK_EQ(rig.engine->stats().pipes, 0);
}

TEST(TellsTheErrorOfTheAddressThatWasTriedLast) {
  Rig rig;
  CHECK(rig.engine->OpenEndpoint(1, {RefusingAddress(), RefusingAddress()}, PatientEndpoint()));
  rig.decide = [](const Told& event) {
    return event.type == SessionEventType::kOpened ? 1 : kRefuse;
  };
  Peer client = rig.Connect();
  CHECK_EQ(rig.Wait(SessionEventType::kConnectFailed).words[kErrno], ECONNREFUSED);
  rig.CheckEnded(SessionEnd::kRefused);
  rig.CheckEmpty();
}

/// Sockets of this process that probe after so many seconds of silence.
size_t CountProbing(int idle_s) {
  size_t count = 0;
  for (int fd = 0; fd < 256; ++fd) {
    int on = 0;
    int found_s = 0;
    socklen_t size = sizeof on;
    if (::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) != 0 || on == 0) continue;
    size = sizeof found_s;
    (void)::getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &found_s, &size);
    count += found_s == idle_s ? 1 : 0;
  }
  return count;
}

TEST(SetsKeepAliveOnceASessionHasLivedForHalfOfItsSilence) {
  SessionEndpointSettings settings = PatientEndpoint();
  settings.keep_alive = {1, 2, 3};
  Rig rig(PatientListener(), settings);
  Peer client = rig.Connect();
  rig.Wait(SessionEventType::kConnected);
  CHECK_EQ(CountProbing(1), 0);  // four system calls that a short session is spared
  rig.Until([] { return CountProbing(1) == 1; });
}

}  // namespace
