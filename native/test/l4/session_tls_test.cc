// Sessions over TLS: bytes both ways, ends, cuts, broken records, and what is left of them.
#include <algorithm>
#include <cstdint>
#include <string>

#include "l4/tls_session_rig.h"

namespace {

using namespace rig;

constexpr size_t kMegabyte = 1024 * 1024;

/// Bytes that differ at each place.
std::string Bytes(size_t size, uint64_t seed) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(seed >> 56);
  }
  return bytes;
}

TEST(CarriesEveryPieceBothWays) {
  for (const Mode mode : kModes) {
    TlsSession session(mode);
    if (!session.Open()) return;
    std::string from_client;
    std::string to_client;
    for (int round = 0; round < 50; ++round) {
      session.client.Say("ping" + std::to_string(round));
      from_client += "ping" + std::to_string(round);
      CHECK(session.Until([&] { return session.endpoint->heard == from_client; }));
      session.endpoint->Say("pong");
      to_client += "pong";
      CHECK(session.Until([&] { return session.client.heard == to_client; }));
    }
    session.client.Finish();
    session.endpoint->Finish();
    session.CheckEnded(SessionEnd::kClean);
    CHECK_EQ(session.rig.WaitEnded().from_client_bytes(), from_client.size());
    CHECK_EQ(session.rig.WaitEnded().to_client_bytes(), to_client.size());
  }
}

TEST(CarriesAMegabyteEachWayToSinksOfAnySpeed) {
  const std::string up = Bytes(kMegabyte, 1);
  const std::string down = Bytes(kMegabyte, 2);
  for (const Mode mode : kModes) {
    for (const size_t most : {size_t{3'000}, size_t{64 * 1024}}) {
      TlsSession session(mode);
      session.most_to_client = most;
      session.most_to_endpoint = most;
      // What is said before the endpoint is there waits for it.
      session.client.Say(up);
      session.client.Finish();
      if (!session.Open()) return;
      session.endpoint->Say(down);
      session.endpoint->Finish();
      session.CheckEnded(SessionEnd::kClean);
      CHECK(session.Until([&] { return session.client.has_ended && session.endpoint->has_ended; }));
      CHECK(session.endpoint->heard == up);
      CHECK(session.client.heard == down);
      CHECK(!session.client.was_cut());
      CHECK(!session.endpoint->was_cut());
    }
  }
}

TEST(HoldsNoMoreThanItsBufferForASinkThatDoesNotRead) {
  for (const Mode mode : kModes) {
    TlsSession session(mode);
    if (!session.Open()) return;
    session.most_to_client = 0;
    session.endpoint->Say(Bytes(16 * kMegabyte, 3));
    uint64_t quiet = 0;
    size_t most_held = 0;
    (void)session.Until([&] {
      most_held = std::max(most_held, session.rig.engine->stats().held_bytes);
      return ++quiet > 2'000;
    });
    CHECK(!session.endpoint->has_said_all());
    CHECK(most_held <= Relay::kBufferBytes);
    session.client.Reset();
    session.CheckEnded(SessionEnd::kClientReset);
  }
}

TEST(PassesOnTheEndOfEitherSideWhileTheOtherGoesOn) {
  for (const Mode mode : kModes) {
    for (const bool is_client_first : {true, false}) {
      TlsSession session(mode);
      if (!session.Open()) return;
      Talker& first = is_client_first ? session.client : *session.endpoint;
      Talker& second = is_client_first ? *session.endpoint : session.client;
      first.Say("last words");
      first.Finish();
      CHECK(session.Until([&] { return second.has_ended; }));
      CHECK_EQ(second.heard, "last words");
      CHECK(!second.was_cut());
      second.Say(Bytes(100'000, 4));
      second.Finish();
      CHECK(session.Until([&] { return first.has_ended; }));
      CHECK(first.heard == Bytes(100'000, 4));
      CHECK(!first.was_cut());
      session.CheckEnded(SessionEnd::kClean);
    }
  }
}

TEST(EndsBothWithTheFirstWhereEndsAreNotPassedOn) {
  for (const Mode mode : kModes) {
    SessionListenerSettings settings = TlsListener(mode);
    settings.half_close = false;
    TlsSession session(mode, settings, TlsEndpoint(mode));
    if (!session.Open()) return;
    session.endpoint->Say("bye");
    session.endpoint->Finish();
    session.CheckEnded(SessionEnd::kClean);
    CHECK(session.Until([&] { return session.client.has_ended; }));
    CHECK_EQ(session.client.heard, "bye");
    CHECK(!session.client.was_cut());
  }
}

TEST(TakesACutForAResetOfWhoeverDidNotSayThatItEnds) {
  for (const bool is_client_cut : {true, false}) {
    TlsSession session(Mode::kBoth);
    if (!session.Open()) return;
    Talker& cut = is_client_cut ? session.client : *session.endpoint;
    Talker& other = is_client_cut ? *session.endpoint : session.client;
    cut.Say("not all of it");
    CHECK(session.Until([&] { return other.heard == "not all of it"; }));
    cut.Close();
    session.CheckEnded(is_client_cut ? SessionEnd::kClientReset : SessionEnd::kEndpointReset);
    CHECK(session.Until([&] { return other.error != 0 || other.has_ended; }));
    CHECK(other.error == ECONNRESET || other.was_cut());
  }
}

TEST(TakesACutForTheEndWhereTheOtherSideHasFinished) {
  for (const bool is_client_cut : {true, false}) {
    TlsSession session(Mode::kBoth);
    if (!session.Open()) return;
    Talker& cut = is_client_cut ? session.client : *session.endpoint;
    Talker& other = is_client_cut ? *session.endpoint : session.client;
    other.Finish();
    CHECK(session.Until([&] { return cut.has_ended; }));
    cut.Close();
    session.CheckEnded(SessionEnd::kClean);
    CHECK(session.Until([&] { return other.has_ended; }));
    CHECK(!other.was_cut());
  }
}

TEST(EndsWhereASideIsResetInsideARecordOrBreaksTls) {
  // The head of a record of application data whose rest never comes, and one that nobody made.
  const std::string begun(
      "\x17\x03\x03\x40\x00"
      "begun",
      10);
  const std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + Bytes(32, 5);
  for (const Mode mode : kModes) {
    for (const bool resets : {true, false}) {
      TlsSession session(mode);
      if (!session.Open()) return;
      Talker& broken = HasClientTls(mode) ? session.client : *session.endpoint;
      const std::string& said = resets ? begun : forged;
      CHECK_EQ(Send(broken.fd(), said.data(), said.size()).bytes, said.size());
      for (int turns = 0; turns < 3; ++turns)
        session.rig.loop->Turn(1);
      if (resets) broken.Reset();
      session.CheckEnded(HasClientTls(mode) ? SessionEnd::kClientReset
                                            : SessionEnd::kEndpointReset);
      Talker& other = HasClientTls(mode) ? *session.endpoint : session.client;
      CHECK(session.Until([&] { return other.error != 0 || other.was_cut(); }));
      CHECK_EQ(other.heard, "");
    }
  }
}

TEST(GivesEverythingBackWhenTheEngineIsClosedAtAnyPoint) {
  const size_t descriptors = CountDescriptors();
  for (const Mode mode : kModes) {
    for (int steps = 0; steps < 12; ++steps) {
      TlsSession session(mode);
      session.client.Say(Bytes(300'000, 6));
      for (int step = 0; step < steps; ++step) {
        session.Step();
        session.rig.loop->Turn(0);
      }
      session.rig.engine->Close();
      CHECK_EQ(session.rig.engine->stats().held_bytes, 0);
    }
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

}  // namespace
