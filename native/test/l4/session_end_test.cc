// How sessions end: orderly, one side after the other, by resets and by silence.
#include <string>

#include "l4/session_rig.h"

namespace {

using namespace rig;

/// A session that relays.
struct Joined {
  explicit Joined(Rig& rig) : client(rig.Connect()), endpoint(rig.AcceptAtEndpoint()) {
    rig.Wait(SessionEventType::kConnected);
  }
  Peer client;
  Peer endpoint;
};

TEST(RelaysBothWaysAndEndsCleanly) {
  Rig rig;
  Joined session(rig);
  session.client.Say("question");
  CHECK(rig.Until([&] { return session.endpoint.HasHeard("question"); }));
  session.endpoint.Say("answer");
  CHECK(rig.Until([&] { return session.client.HasHeard("answer"); }));
  session.client.Finish();
  CHECK(rig.Until([&] { return session.endpoint.HasEnded(); }));
  session.endpoint.Close();
  CHECK(rig.Until([&] { return session.client.HasEnded(); }));
  const Told& ended = rig.WaitEnded();
  CHECK_EQ(ended.reason(), static_cast<int32_t>(SessionEnd::kClean));
  CHECK_EQ(ended.from_client_bytes(), 8);
  CHECK_EQ(ended.to_client_bytes(), 6);
  CHECK(ended.has(session_flag::kWasConnected));
  CHECK(!ended.has(session_flag::kNeverOpened));
  CHECK_EQ(rig.told.size(), 3);
  CHECK_EQ(rig.engine->stats().bytes_from_clients, 8);
  CHECK_EQ(rig.engine->stats().bytes_to_clients, 6);
  rig.CheckEmpty();
}

TEST(PassesOnTheEndOfTheClientAndGoesOnTheOtherWay) {
  Rig rig;
  Joined session(rig);
  session.client.Say("all of it");
  session.client.Finish();
  CHECK(rig.Until([&] { return session.endpoint.HasEnded(); }));
  CHECK_EQ(session.endpoint.heard, "all of it");
  session.endpoint.Say("one");
  CHECK(rig.Until([&] { return session.client.HasHeard("one"); }));
  session.endpoint.Say("two");
  CHECK(rig.Until([&] { return session.client.HasHeard("onetwo"); }));
  CHECK_EQ(rig.engine->stats().sessions, 1);
  session.endpoint.Finish();
  CHECK(rig.Until([&] { return session.client.HasEnded(); }));
  rig.CheckEnded(SessionEnd::kClean);
  rig.CheckEmpty();
}

TEST(PassesOnTheEndOfTheEndpointAndGoesOnTheOtherWay) {
  Rig rig;
  Joined session(rig);
  session.endpoint.Say("bye");
  session.endpoint.Finish();
  CHECK(rig.Until([&] { return session.client.HasEnded(); }));
  CHECK_EQ(session.client.heard, "bye");
  session.client.Say("still here");
  CHECK(rig.Until([&] { return session.endpoint.HasHeard("still here"); }));
  session.client.Close();
  CHECK(rig.Until([&] { return session.endpoint.HasEnded(); }));
  rig.CheckEnded(SessionEnd::kClean);
}

TEST(PassesOnWhatCameInTheSameSegmentAsTheEnd) {
  for (const RelayKind relay : {RelayKind::kCopy, RelayKind::kSplice, RelayKind::kAdaptive}) {
    Rig rig(PatientListener(relay));
    Joined session(rig);
    session.endpoint.Say(std::string(100'000, 'x'));
    session.endpoint.Close();
    CHECK(rig.Until([&] { return session.client.HasEnded(); }));
    CHECK_EQ(session.client.heard.size(), 100'000);
    session.client.Close();
    rig.CheckEnded(SessionEnd::kClean);
    rig.CheckEmpty();
  }
}

TEST(EndsTheSessionWithOneSideWhereThereIsNoHalfClose) {
  for (const bool is_client : {true, false}) {
    SessionListenerSettings settings = PatientListener();
    settings.half_close = false;
    Rig rig(settings);
    Joined session(rig);
    Peer& first = is_client ? session.client : session.endpoint;
    Peer& second = is_client ? session.endpoint : session.client;
    first.Say("last words");
    first.Finish();
    CHECK(rig.Until([&] { return second.HasEnded(); }));
    CHECK_EQ(second.heard, "last words");
    CHECK(rig.Until([&] { return first.HasEnded(); }));
    rig.CheckEnded(SessionEnd::kClean);
    rig.CheckEmpty();
  }
}

TEST(EndsOrderlyWithoutHalfCloseThoughTheOtherSideHasSpoken) {
  SessionListenerSettings settings = PatientListener(RelayKind::kCopy);
  settings.half_close = false;
  Rig rig(settings);
  Joined session(rig);
  // The endpoint does not read: the engine comes to hold bytes, and more lie in its socket.
  const std::string block(4096, 'x');
  CHECK(rig.Until([&] {
    session.client.Say(block);
    return rig.engine->stats().held_bytes > 0;
  }));
  session.client.Say(block);
  session.endpoint.Say("enough");
  session.endpoint.Finish();
  CHECK(rig.Until([&] { return session.client.HasEnded(); }));
  CHECK_EQ(session.client.heard, "enough");
  CHECK_EQ(PendingError(session.client.fd()), 0);
  rig.CheckEnded(SessionEnd::kClean);
  rig.CheckEmpty();
}

TEST(PassesOnAResetOfTheClient) {
  Rig rig;
  Joined session(rig);
  session.client.Reset();
  CHECK(rig.Until([&] { return session.endpoint.IsReset(); }));
  const Told& ended = rig.WaitEnded();
  CHECK_EQ(ended.reason(), static_cast<int32_t>(SessionEnd::kClientReset));
  CHECK_EQ(ended.words[kErrno], ECONNRESET);
  rig.CheckEmpty();
}

TEST(PassesOnAResetOfTheEndpoint) {
  Rig rig;
  Joined session(rig);
  session.endpoint.Reset();
  CHECK(rig.Until([&] { return session.client.IsReset(); }));
  rig.CheckEnded(SessionEnd::kEndpointReset);
  rig.CheckEmpty();
}

TEST(PassesOnAResetBehindAnEnd) {
  for (const bool is_client : {true, false}) {
    Rig rig;
    Joined session(rig);
    Peer& first = is_client ? session.client : session.endpoint;
    Peer& second = is_client ? session.endpoint : session.client;
    first.Finish();
    CHECK(rig.Until([&] { return second.HasEnded(); }));
    first.Reset();
    rig.CheckEnded(is_client ? SessionEnd::kClientReset : SessionEnd::kEndpointReset);
    CHECK(rig.Until([&] { return PendingError(second.fd()) != 0; }));
    rig.CheckEmpty();
  }
}

TEST(PassesOnAResetWhileTheOtherSideDoesNotRead) {
  for (const RelayKind relay : {RelayKind::kCopy, RelayKind::kSplice, RelayKind::kAdaptive}) {
    Rig rig(PatientListener(relay));
    Joined session(rig);
    const std::string block(256 * 1024, 'x');
    for (int round = 0; round < 100; ++round) {
      (void)Send(session.endpoint.fd(), block.data(), block.size());
      rig.loop->Turn(0);
    }
    CHECK(session.endpoint.is_open());
    session.endpoint.Reset();
    rig.CheckEnded(SessionEnd::kEndpointReset);
    CHECK(rig.Until([&] { return session.client.IsReset(); }));
    rig.CheckEmpty();
  }
}

TEST(PassesOnWhatTheEndpointSaidBeforeItReset) {
  Rig rig;
  Joined session(rig);
  // It answers and closes without having read: the kernel sends a reset behind the answer.
  session.client.Say("a long request");
  rig.loop->Turn(1);
  CHECK(rig.Until([&] { return rig.engine->stats().bytes_from_clients > 0; }));
  session.endpoint.Say("too long");
  session.endpoint.Close();
  rig.CheckEnded(SessionEnd::kEndpointReset);
  CHECK_EQ(rig.engine->stats().bytes_to_clients, 8);
  CHECK(rig.Until([&] { return session.client.IsReset(); }));
}

TEST(EndsTheSessionWhenAWriteMeetsAClosedEndpoint) {
  Rig rig;
  Joined session(rig);
  session.endpoint.Close();  // reads no more, though it looks like a half-close
  CHECK(rig.Until([&] { return session.client.HasEnded(); }));
  session.client.Say("anybody there?");
  rig.CheckEnded(SessionEnd::kEndpointReset);
  CHECK(rig.Until([&] { return PendingError(session.client.fd()) != 0; }));
  rig.CheckEmpty();
}

TEST(EndsTheSessionWhenTheEndpointDiesInTheMiddleOfATransfer) {
  for (const RelayKind relay : {RelayKind::kCopy, RelayKind::kSplice, RelayKind::kAdaptive}) {
    Rig rig(PatientListener(relay));
    Joined session(rig);
    const std::string block(256 * 1024, 'x');
    CHECK(rig.Until([&] {
      (void)Send(session.endpoint.fd(), block.data(), block.size());
      session.client.Read();
      return session.client.heard.size() > 4 * 1024 * 1024;
    }));
    session.endpoint.Reset();
    CHECK(rig.Until([&] { return session.client.IsReset(); }));
    rig.CheckEnded(SessionEnd::kEndpointReset);
    rig.CheckEmpty();
  }
}

TEST(EndsASilentSession) {
  SessionListenerSettings settings = PatientListener();
  settings.session_idle_timeout_ms = 60;
  Rig rig(settings);
  Joined session(rig);
  const uint64_t began_us = MonotonicUs();
  // Each word moves the deadline.
  while (MonotonicUs() - began_us < 150'000) {
    session.client.Say("x");
    rig.loop->Turn(5);
    CHECK_EQ(rig.Count(SessionEventType::kEnded), 0);
  }
  rig.CheckEnded(SessionEnd::kIdleTimeout);
  CHECK(rig.Until([&] { return session.client.IsReset() && session.endpoint.IsReset(); }));
  CHECK(rig.WaitEnded().words[kDurationMs] >= 200);
  rig.CheckEmpty();
}

TEST(EndsASessionInWhichOneSideHasFinishedEarlier) {
  for (const bool is_client : {true, false}) {
    SessionListenerSettings settings = PatientListener();
    settings.linger_timeout_ms = 60;
    Rig rig(settings);
    Joined session(rig);
    (is_client ? session.client : session.endpoint).Finish();
    rig.CheckEnded(SessionEnd::kLingerTimeout);
    Peer& other = is_client ? session.endpoint : session.client;
    CHECK(rig.Until([&] { return other.HasEnded() && PendingError(other.fd()) != 0; }));
    rig.CheckEmpty();
  }
}

TEST(RelaysForUnixClientsAndPassesOnTheirEnds) {
  Rig rig;
  Peer client = rig.ConnectUnix();
  Peer endpoint = rig.AcceptAtEndpoint();
  client.Say("hello");
  CHECK(rig.Until([&] { return endpoint.HasHeard("hello"); }));
  CHECK_EQ(rig.told[0].words[kPeerPort], 0);
  endpoint.Say(std::string(50'000, 'y'));
  endpoint.Finish();
  CHECK(rig.Until([&] { return client.HasEnded(); }));
  CHECK_EQ(client.heard.size(), 50'000);
  client.Close();
  rig.CheckEnded(SessionEnd::kClean);
  CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
}

}  // namespace
