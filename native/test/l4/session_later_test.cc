// Sessions whose decision is put off: they keep their client waiting, and what it says in its
// socket.
#include <string>

#include "l4/session_rig.h"

namespace {

using namespace rig;

int32_t PutOff(const Told& /*event*/) {
  return kLater;
}

TEST(ConnectsWhenItIsDecidedLateAndLosesNothing) {
  Rig rig;
  rig.decide = PutOff;
  Peer client = rig.Connect();
  client.Say("early");
  const int32_t session = rig.Wait(SessionEventType::kOpened).session();
  rig.loop->Turn(1);
  CHECK_EQ(rig.engine->stats().endpoint_connections, 0);
  rig.engine->DecideLate(session, 0);
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("early"); }));
  client.Finish();
  CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
  endpoint.Finish();
  rig.CheckEnded(SessionEnd::kClean);
  rig.CheckEmpty();
}

TEST(PutsOffAfterAFailureToConnectToo) {
  Rig rig;
  CHECK(rig.engine->OpenEndpoint(1, {RefusingAddress()}, PatientEndpoint()));
  rig.decide = [](const Told& event) {
    return event.type == SessionEventType::kOpened ? 1 : kLater;
  };
  Peer client = rig.Connect();
  const int32_t session = rig.Wait(SessionEventType::kConnectFailed).session();
  rig.engine->DecideLate(session, 0);
  Peer endpoint = rig.AcceptAtEndpoint();
  client.Say("here");
  CHECK(rig.Until([&] { return endpoint.HasHeard("here"); }));
}

TEST(ResetsTheClientThatIsRefusedLate) {
  Rig rig;
  rig.decide = PutOff;
  Peer client = rig.Connect();
  rig.engine->DecideLate(rig.Wait(SessionEventType::kOpened).session(), kRefuse);
  rig.CheckEnded(SessionEnd::kRefused);
  CHECK(rig.Until([&] { return client.IsReset(); }));
  rig.CheckEmpty();
}

TEST(NoticesAClientThatResetsWhileItWaits) {
  Rig rig;
  rig.decide = PutOff;
  Peer client = rig.Connect();
  const int32_t session = rig.Wait(SessionEventType::kOpened).session();
  client.Reset();
  rig.CheckEnded(SessionEnd::kClientReset);
  rig.engine->DecideLate(session, 0);
  rig.loop->Turn(1);
  rig.CheckEmpty();
}

TEST(KeepsAHalfClosedClientWaiting) {
  Rig rig;
  rig.decide = PutOff;
  Peer client = rig.Connect();
  client.Say("all");
  client.Finish();
  const int32_t session = rig.Wait(SessionEventType::kOpened).session();
  for (int turn = 0; turn < 20; ++turn)
    rig.loop->Turn(1);
  CHECK_EQ(rig.Count(SessionEventType::kEnded), 0);
  rig.engine->DecideLate(session, 0);
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("all") && endpoint.has_ended; }));
  endpoint.Say("answer");
  endpoint.Finish();
  CHECK(rig.Until([&] { return client.HasHeard("answer"); }));
  rig.CheckEnded(SessionEnd::kClean);
}

TEST(HearsNoDecisionThatIsNotDue) {
  Rig rig;
  rig.engine->DecideLate(0, 0);
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  const int32_t session = rig.Wait(SessionEventType::kConnected).session();
  rig.engine->DecideLate(session, kRefuse);
  client.Say("still here");
  CHECK(rig.Until([&] { return endpoint.HasHeard("still here"); }));
}

TEST(OutlivesItsPrefaceTimeWhileItWaits) {
  SessionListenerSettings settings = PatientListener();
  settings.reads_client_hello = true;
  settings.preface_timeout_ms = 40;
  Rig rig(settings);
  rig.decide = PutOff;
  Peer client = rig.Connect();
  client.Say("no hello");
  const int32_t session = rig.Wait(SessionEventType::kOpened).session();
  const uint64_t end_us = MonotonicUs() + 80'000;
  while (MonotonicUs() < end_us)
    rig.loop->Turn(5);
  CHECK_EQ(rig.Count(SessionEventType::kEnded), 0);
  rig.engine->DecideLate(session, 0);
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("no hello"); }));
}

}  // namespace
