// What the sink is told and what its decisions do: batches, numbers, closing.
#include <algorithm>
#include <string>
#include <vector>

#include "l4/mailbox.h"
#include "l4/session_rig.h"

namespace {

using namespace rig;

TEST(TellsWhoHasConnected) {
  Rig rig;
  Peer client = rig.Connect();
  const Told& opened = rig.Wait(SessionEventType::kOpened);
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&own), &size);
  CHECK_EQ(opened.words[kPeer0], 0);
  CHECK_EQ(opened.words[kPeer0 + 2], 0xffff);
  CHECK_EQ(opened.words[kPeer0 + 3], 0x7f000001);
  CHECK_EQ(opened.words[kPeerPort], ntohs(own.sin_port));
  CHECK_EQ(opened.words[kFlags], 0);
  CHECK_EQ(opened.words[kListener], 0);
  CHECK_EQ(opened.session(), 0);
}

TEST(TellsOfAllThatCameInOneTurnInOneBatch) {
  Rig rig;
  std::vector<Peer> clients;
  for (int count = 0; count < 10; ++count)
    clients.push_back(rig.Connect());
  rig.loop->Turn(0);
  CHECK_EQ(rig.batches, 1);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), 10);
  CHECK_EQ(rig.engine->stats().opened, 10);
}

TEST(SplitsWhatDoesNotFitIntoABatchAndKeepsTheOrder) {
  Rig rig(PatientListener(), PatientEndpoint(), kMinSessionEvents);
  std::vector<Peer> clients;
  for (int count = 0; count < 40; ++count)
    clients.push_back(rig.Connect());
  rig.loop->Turn(0);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), 40);
  CHECK_EQ(rig.batches, 3);
  for (int32_t id = 0; id < 40; ++id)
    CHECK_EQ(rig.told[static_cast<size_t>(id)].session(), id);
}

TEST(ClosesWithAResetWhatIsRefused) {
  Rig rig;
  rig.decide = [](const Told&) { return kRefuse; };
  Peer client = rig.Connect();
  rig.CheckEnded(SessionEnd::kRefused);
  CHECK(rig.Until([&] { return client.IsReset(); }));
  CHECK(!rig.WaitEnded().has(session_flag::kWasConnected));
  CHECK(!rig.WaitEnded().has(session_flag::kNeverOpened));
  rig.CheckEmpty();
}

TEST(ReportsInTheSameTurnWhatFailsOnTheSpot) {
  Rig rig;
  const std::string path = "/tmp/sluice-no-such-" + std::to_string(::getpid()) + ".sock";
  CHECK(rig.engine->OpenEndpoint(1, {*Address::Parse("unix:" + path)}, PatientEndpoint()));
  std::vector<int32_t> slots = {1, 7, 0};  // refused, unknown, good
  size_t next = 0;
  rig.decide = [&](const Told&) { return slots[std::min(next++, slots.size() - 1)]; };
  Peer client = rig.Connect();
  rig.loop->Turn(0);
  CHECK_EQ(rig.told.size(), 3);
  CHECK_EQ(rig.batches, 3);
  CHECK_EQ(rig.told[1].reason(), static_cast<int32_t>(ConnectFailure::kRefused));
  CHECK_EQ(rig.told[1].words[kErrno], ENOENT);
  CHECK_EQ(rig.told[2].reason(), static_cast<int32_t>(ConnectFailure::kNoAddress));
  Peer endpoint = rig.AcceptAtEndpoint();
  client.Say("at last");
  CHECK(rig.Until([&] { return endpoint.HasHeard("at last"); }));
}

TEST(DoesNotSpinForASinkThatKeepsChoosingAnEndpointWithoutAddresses) {
  Rig rig;
  rig.decide = [&](const Told& event) { return event.batch < 200 ? 5 : kRefuse; };
  Peer client = rig.Connect();
  rig.loop->Turn(0);
  CHECK(rig.batches < 200);
  rig.CheckEnded(SessionEnd::kRefused);
  CHECK_EQ(rig.Count(SessionEventType::kConnectFailed), 199);
}

TEST(GivesTheNumberThatWasFreedLast) {
  Rig rig;
  Peer first = rig.Connect();
  Peer second = rig.Connect();
  Peer third = rig.Connect();
  CHECK(rig.Until([&] { return rig.Count(SessionEventType::kConnected) == 3; }));
  rig.engine->CloseSession(1);
  CHECK(rig.Until([&] { return rig.Count(SessionEventType::kEnded) == 1; }));
  rig.told.clear();
  Peer fourth = rig.Connect();
  CHECK_EQ(rig.Wait(SessionEventType::kOpened).session(), 1);
}

TEST(ClosesASessionFromOutside) {
  Rig rig;
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  rig.engine->CloseSession(0);
  rig.engine->CloseSession(0);
  rig.engine->CloseSession(1);
  rig.engine->CloseSession(-1);
  rig.engine->CloseSession(INT32_MAX);
  CHECK(rig.Until([&] { return client.IsReset() && endpoint.IsReset(); }));
  rig.CheckEnded(SessionEnd::kClosed);
  CHECK_EQ(rig.Count(SessionEventType::kEnded), 1);
  rig.CheckEmpty();
}

TEST(ClosesASessionInsideTheBatchThatAsksForItsDecision) {
  Rig rig;
  rig.on_batch = [&] {
    if (rig.batches == 1) rig.engine->CloseSession(0);
  };
  Peer client = rig.Connect();
  rig.loop->Turn(0);
  CHECK_EQ(rig.told.size(), 2);
  rig.CheckEnded(SessionEnd::kClosed);
  CHECK(!rig.WaitEnded().has(session_flag::kNeverOpened));
  CHECK(rig.Until([&] { return client.IsReset(); }));
  rig.CheckEmpty();
}

TEST(WithdrawsWhatTheSinkClosedEarlierInTheSameBatch) {
  Rig rig;
  Peer first = rig.Connect();
  Peer second = rig.Connect();
  rig.decide = [&](const Told& event) {
    // Both connect; whoever is told first closes the other.
    if (event.type == SessionEventType::kConnected) rig.engine->CloseSession(1 - event.session());
    return 0;
  };
  CHECK(rig.Until([&] { return rig.Count(SessionEventType::kEnded) == 1; }));
  CHECK_EQ(rig.Count(SessionEventType::kConnected), 1);
  CHECK_EQ(rig.Count(SessionEventType::kNone), 1);
}

TEST(ClosesEverythingFromWithinABatch) {
  const size_t descriptors = CountDescriptors();
  {
    Rig rig;
    Peer relaying = rig.Connect();
    rig.Wait(SessionEventType::kConnected);
    Peer client = rig.Connect();
    rig.on_batch = [&] { rig.engine->Close(); };
    CHECK(rig.Until([&] { return rig.engine->is_closed(); }));
    CHECK(rig.Until([&] { return client.IsReset() && relaying.IsReset(); }));
    const size_t told = rig.told.size();
    rig.engine->Close();
    rig.engine->CloseSession(0);
    rig.loop->Turn(0);
    CHECK_EQ(rig.told.size(), told);
    rig.CheckEmpty();
    CHECK(!rig.engine->OpenEndpoint(3, {rig.endpoint.address()}, PatientEndpoint()));
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

TEST(ClosesFromEveryState) {
  const size_t descriptors = CountDescriptors();
  {
    SessionListenerSettings with_preface = PatientListener();
    with_preface.reads_proxy_header = true;
    Rig rig;
    BlackHole silent;
    rig.engine->OpenListener(1, with_preface);
    CHECK(rig.engine->OpenEndpoint(1, {silent.address()}, PatientEndpoint()));
    Peer in_preface = rig.Connect(1);
    rig.decide = [](const Told& event) { return event.session() == 1 ? 1 : 0; };
    Peer connecting = rig.Connect();
    Peer relaying = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    rig.Wait(SessionEventType::kConnected);
    Peer undecided = rig.Connect();
    CHECK_EQ(rig.engine->stats().sessions, 4);
    CHECK_EQ(rig.engine->stats().endpoint_connections, 2);
    rig.engine->Close();
    CHECK(rig.Until([&] {
      return in_preface.IsReset() && connecting.IsReset() && relaying.IsReset() &&
             undecided.IsReset() && endpoint.IsReset();
    }));
    rig.CheckEmpty();
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

TEST(GivesAnEndpointThatIsOpenedAnewToNewConnectionsOnly) {
  Rig rig;
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  CHECK(rig.engine->OpenEndpoint(0, {rig.endpoint.address()}, PatientEndpoint(1)));
  client.Say("as before");
  CHECK(rig.Until([&] { return endpoint.HasHeard("as before"); }));
  Peer late = rig.Connect();
  Peer told = rig.AcceptAtEndpoint();
  late.Say("anew");
  CHECK(rig.Until([&] { return told.Read() && told.heard.starts_with("PROXY TCP4 "); }));
}

TEST(KeepsSessionsOfAnEndpointThatIsClosed) {
  Rig rig;
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  rig.engine->CloseEndpoint(0);
  rig.engine->CloseEndpoint(0);
  CHECK(!rig.engine->SetAddresses(0, {rig.endpoint.address()}));
  client.Say("still there");
  CHECK(rig.Until([&] { return endpoint.HasHeard("still there"); }));
  rig.decide = [](const Told& event) {
    return event.type == SessionEventType::kOpened ? 0 : kRefuse;
  };
  Peer late = rig.Connect();
  CHECK_EQ(rig.Wait(SessionEventType::kConnectFailed).reason(),
           static_cast<int32_t>(ConnectFailure::kNoAddress));
  rig.CheckEnded(SessionEnd::kRefused);
}

TEST(ConnectsToNewAddresses) {
  Rig rig;
  Listener second;
  CHECK(rig.engine->SetAddresses(0, {second.address()}));
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAt(&second);
  client.Say("moved");
  CHECK(rig.Until([&] { return endpoint.HasHeard("moved"); }));
}

TEST(DropsConnectionsOfAListenerItDoesNotKnow) {
  Rig rig;
  Peer client = rig.Connect(9);
  CHECK(rig.Until([&] { return client.IsReset(); }));
  rig.loop->Turn(0);
  CHECK_EQ(rig.told.size(), 0);
  CHECK_EQ(rig.engine->stats().dropped, 1);
  rig.CheckEmpty();
}

TEST(PassesOnAShortage) {
  Rig rig;
  static_cast<ShortageSink*>(rig.engine.get())->OnShortage(EMFILE);
  CHECK_EQ(rig.shortage, EMFILE);
}

TEST(TakesConnectionsOutOfItsMailboxAndSaysWhenTheyHaveEnded) {
  const std::shared_ptr<Mailbox> mailbox = Mailbox::Create().value();
  Rig rig(PatientListener(), PatientEndpoint(), 64, mailbox);
  rig.loop->Turn(0);  // asleep from here on
  Peer first(rig.entrance().Connect());
  Peer second(rig.entrance().Connect());
  Peer unknown(rig.entrance().Connect());
  Accepted accepted[3] = {rig.entrance().AcceptForEngine(0), rig.entrance().AcceptForEngine(0),
                          rig.entrance().AcceptForEngine(5)};
  CHECK(mailbox->Put(accepted, 3));
  CHECK_EQ(rig.engine->stats().queued, 3);
  rig.loop->Turn(1000);
  CHECK_EQ(rig.engine->stats().queued, 0);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), 2);
  CHECK_EQ(mailbox->open(), 2);
  // One that it accepts itself does not count.
  Peer own = rig.Connect();
  CHECK(rig.Until([&] { return rig.Count(SessionEventType::kConnected) == 3; }));
  rig.engine->CloseSession(2);
  rig.engine->CloseSession(0);
  CHECK(rig.Until([&] { return rig.Count(SessionEventType::kEnded) == 2; }));
  CHECK_EQ(mailbox->open(), 1);
  rig.engine->Close();
  CHECK_EQ(mailbox->open(), 0);
  CHECK(!mailbox->Put(accepted, 1));
}

TEST(ReadsItsMailboxBeforeItWaits) {
  const std::shared_ptr<Mailbox> mailbox = Mailbox::Create().value();
  Rig rig(PatientListener(), PatientEndpoint(), 64, mailbox);
  Peer first(rig.entrance().Connect());
  Peer second;
  Accepted accepted = rig.entrance().AcceptForEngine(0);
  CHECK(mailbox->Put(&accepted, 1));
  rig.on_batch = [&] {  // in the middle of a turn, when the reader is awake: nobody wakes it
    if (second.is_open()) return;
    second = Peer(rig.entrance().Connect());
    Accepted late = rig.entrance().AcceptForEngine(0);
    CHECK(mailbox->Put(&late, 1));
  };
  rig.loop->Turn(1000);
  const uint64_t began_us = MonotonicUs();
  rig.loop->Turn(5000);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), 2);
  CHECK(MonotonicUs() - began_us < 4'000'000);
}

TEST(HasAtMostSoManySessions) {
  SessionTable table(nullptr, nullptr);
  for (int32_t id = 0; id < kMaxSessions; ++id)
    CHECK_EQ(table.Take()->id, id);
  CHECK(table.Take() == nullptr);
  table.Give(table.Find(5));
  CHECK_EQ(table.Take()->id, 5);
}

}  // namespace
