// How events are laid out in a batch, and what happens when it is full.
#include "l4/session_batch.h"

#include <cstring>
#include <string>
#include <vector>

#include "l4/made_hello.h"
#include "l4/session_rig.h"

namespace {

using namespace rig;

/// As many protocols as fit into `bytes`; the first byte of each is `mark`.
std::string ManyProtocols(size_t bytes, char mark) {
  std::string list;
  while (list.size() + 201 <= bytes)
    list += static_cast<char>(200) + std::string(200, mark);
  return list;
}

TEST(HandsABatchOverWhenTheArenaIsFull) {
  SessionListenerSettings settings = PatientListener();
  settings.reads_client_hello = true;
  Rig rig(settings);
  std::vector<Peer> clients;
  std::vector<std::string> lists;
  for (char mark = 'a'; mark < 'm'; ++mark) {
    lists.push_back(ManyProtocols(12 * 1024, mark));
    // Over UNIX sockets, where what was said is there at once: all of it comes in one turn.
    clients.push_back(rig.ConnectUnix());
    clients.back().Say(made_hello::ClientHelloFor(std::string(1, mark) + ".example", lists.back()));
  }
  rig.loop->Turn(0);
  CHECK(rig.batches > 1);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), lists.size());
  for (size_t place = 0; place < lists.size() && place < rig.told.size(); ++place) {
    CHECK_EQ(rig.told[place].sni, std::string(1, static_cast<char>('a' + place)) + ".example");
    CHECK(rig.told[place].alpn == lists[place]);
  }
}

/// A batch of its own memory, filled by hand.
struct Batch {
  Batch() : events(kMinSessionEvents * kSessionEventStride, -7), arena(kMinSessionArenaBytes) {}
  const int32_t* words(size_t place) const { return events.data() + place * kSessionEventStride; }

  std::vector<int32_t> events;
  std::vector<char> arena;
  SessionBatch batch{{events.data(), kMinSessionEvents, arena.data(), arena.size()}};
};

struct NoOwner final : SessionOwner {
  void OnPairReady(RelayPair*) override {}
  void OnSessionTimer(Session*, uint64_t) override {}
};

TEST(WritesLargeCountsAndCapsWhatDoesNotFit) {
  NoOwner owner;
  Session session(nullptr, &owner, 3);
  session.listener = 2;
  session.end = SessionEnd::kEndpointReset;
  session.error_number = ECONNRESET;
  session.from_client.moved_bytes = 0x1'2345'6789'abcd;
  session.to_client.moved_bytes = 0xffff'ffff;
  session.accepted_at_us = 1000;
  session.ended_at_us = uint64_t{1} << 60;
  Batch batch;
  CHECK(batch.batch.AddEnded(session));
  const int32_t* const words = batch.words(0);
  CHECK_EQ(words[kType], static_cast<int32_t>(SessionEventType::kEnded));
  CHECK_EQ(words[kSession], 3);
  CHECK_EQ(words[kListener], 2);
  CHECK_EQ(words[kReason], static_cast<int32_t>(SessionEnd::kEndpointReset));
  CHECK_EQ(words[kErrno], ECONNRESET);
  CHECK_EQ(static_cast<uint32_t>(words[kFromClientLow]), 0x6789abcd);
  CHECK_EQ(words[kFromClientHigh], 0x12345);
  CHECK_EQ(words[kToClientLow], -1);
  CHECK_EQ(words[kToClientHigh], 0);
  CHECK_EQ(words[kDurationMs], INT32_MAX);
  CHECK_EQ(words[kFlags], session_flag::kNeverOpened);
  CHECK_EQ(words[kSessionEventStride - 1], 0);
}

TEST(TellsWhetherTheEndpointHadFinished) {
  NoOwner owner;
  Session session(nullptr, &owner, 3);
  session.end = SessionEnd::kEndpointReset;
  session.was_opened = session.was_connected = true;
  session.to_client.has_ended = true;  // not passed on yet
  Batch batch;
  CHECK(batch.batch.AddEnded(session));
  session.to_client.is_delivered = true;
  CHECK(batch.batch.AddEnded(session));
  CHECK_EQ(batch.words(0)[kFlags], session_flag::kWasConnected);
  CHECK_EQ(batch.words(1)[kFlags], session_flag::kWasConnected | session_flag::kEndpointFinished);
}

TEST(RefusesWhereTheSinkDoesNotDecide) {
  NoOwner owner;
  Session session(nullptr, &owner, 0);
  Batch batch;
  CHECK(batch.batch.AddOpened(session));
  CHECK(batch.batch.AddConnected(session));
  CHECK(batch.batch.AddConnectFailed(session));
  CHECK_EQ(batch.batch.DecisionAt(0)->slot, kRefuse);
  CHECK(batch.batch.DecisionAt(0)->is_opening);
  CHECK(!batch.batch.DecisionAt(0)->is_believed);
  CHECK(!batch.batch.DecisionAt(1).has_value());
  CHECK(!batch.batch.DecisionAt(2)->is_opening);
}

TEST(WithdrawsOnlyWhatTellsOfConnecting) {
  NoOwner owner;
  Session first(nullptr, &owner, 0);
  Session second(nullptr, &owner, 1);
  Batch batch;
  CHECK(batch.batch.AddOpened(first));
  CHECK(batch.batch.AddConnectFailed(first));
  CHECK(batch.batch.AddConnected(first));
  CHECK(batch.batch.AddConnected(second));
  batch.batch.Withdraw(0);
  const SessionEventType wanted[] = {SessionEventType::kOpened, SessionEventType::kNone,
                                     SessionEventType::kNone, SessionEventType::kConnected};
  for (size_t place = 0; place < 4; ++place)
    CHECK_EQ(batch.words(place)[kType], static_cast<int32_t>(wanted[place]));
}

TEST(TakesNoMoreThanItHasRoomFor) {
  NoOwner owner;
  Session session(nullptr, &owner, 0);
  Batch batch;
  for (size_t count = 0; count < kMinSessionEvents; ++count)
    CHECK(batch.batch.AddConnected(session));
  CHECK(!batch.batch.AddConnected(session));
  CHECK(!batch.batch.AddOpened(session));
  CHECK_EQ(batch.batch.count(), kMinSessionEvents);
  batch.batch.Empty();
  CHECK(batch.batch.AddEnded(session));
}

}  // namespace
