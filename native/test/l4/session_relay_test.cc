// Moving bytes: every kind of relay, both ways at once, with peers that are slow or do not read.
#include <algorithm>
#include <string>
#include <vector>

#include "l4/session_rig.h"

namespace {

using namespace rig;

constexpr RelayKind kKinds[] = {RelayKind::kCopy, RelayKind::kSplice, RelayKind::kAdaptive};

/// FNV-1a over a stream.
struct Hash {
  uint64_t value = 14695981039346656037u;
  void Add(const char* bytes, size_t size) {
    for (size_t index = 0; index < size; ++index)
      value = (value ^ static_cast<uint8_t>(bytes[index])) * 1099511628211u;
  }
};

/// Sends and receives pseudo-random streams over one connection, in pieces of changing sizes.
class Streamer {
 public:
  Streamer(Peer* peer, uint64_t seed, size_t total_bytes)
      : peer_(peer), state_(seed), total_bytes_(total_bytes), block_(96 * 1024) {}

  /// One piece each way.
  void Step() {
    if (sent_bytes_ < total_bytes_) SendPiece();
    char buffer[128 * 1024];
    const IoResult got = Receive(peer_->fd(), buffer, sizeof buffer);
    CHECK(got.error == 0 || got.would_block());
    heard.Add(buffer, got.bytes);
    heard_bytes += got.bytes;
    has_ended |= got.error == 0 && got.bytes == 0;
  }
  bool has_sent() const { return sent_bytes_ == total_bytes_; }

  Hash said;
  Hash heard;
  size_t heard_bytes = 0;
  bool has_ended = false;

 private:
  uint64_t Random() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  void SendPiece() {
    if (piece_at_ == piece_bytes_) {
      // Mostly large, now and then small: so that an adaptive relay changes its ways.
      const size_t size = Random() % 4 == 0 ? Random() % 300 + 1 : block_.size();
      piece_bytes_ = std::min(size, total_bytes_ - sent_bytes_);
      piece_at_ = 0;
      for (size_t at = 0; at < piece_bytes_; at += 8) {
        const uint64_t word = Random();
        std::memcpy(block_.data() + at, &word, std::min<size_t>(8, piece_bytes_ - at));
      }
    }
    const IoResult sent = Send(peer_->fd(), block_.data() + piece_at_, piece_bytes_ - piece_at_);
    CHECK(sent.error == 0 || sent.would_block());
    said.Add(block_.data() + piece_at_, sent.bytes);
    piece_at_ += sent.bytes;
    sent_bytes_ += sent.bytes;
    if (has_sent()) peer_->Finish();
  }

  Peer* peer_;
  uint64_t state_;
  size_t total_bytes_;
  size_t sent_bytes_ = 0;
  std::vector<char> block_;
  size_t piece_at_ = 0;
  size_t piece_bytes_ = 0;
};

void CheckStreams(Rig* rig, Peer* client, Peer* endpoint, size_t total_bytes) {
  Streamer from_client(client, 88172645463325252u, total_bytes);
  Streamer from_endpoint(endpoint, 1234567u, total_bytes);
  const uint64_t end_us = MonotonicUs() + 100'000'000;
  while (!(from_client.has_ended && from_endpoint.has_ended) && MonotonicUs() < end_us) {
    from_client.Step();
    from_endpoint.Step();
    rig->loop->Turn(0);
    const SessionEngineStats stats = rig->engine->stats();
    CHECK(stats.held_bytes <= 2 * Relay::kBufferBytes);
    CHECK(stats.pipes <= 2);
  }
  CHECK_EQ(from_client.heard_bytes, total_bytes);
  CHECK_EQ(from_endpoint.heard_bytes, total_bytes);
  CHECK(from_client.heard.value == from_endpoint.said.value);
  CHECK(from_endpoint.heard.value == from_client.said.value);
  rig->CheckEnded(SessionEnd::kClean);
  CHECK_EQ(rig->WaitEnded().from_client_bytes(), total_bytes);
  CHECK_EQ(rig->WaitEnded().to_client_bytes(), total_bytes);
  rig->CheckEmpty();
}

TEST(CarriesLongStreamsBothWaysAtOnceUnchanged) {
  for (const RelayKind kind : kKinds) {
    Rig rig(PatientListener(kind));
    Peer client = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    CheckStreams(&rig, &client, &endpoint, 64 * 1024 * 1024);
  }
}

TEST(CarriesLongStreamsBetweenUnixSocketsUnchanged) {
  const std::string path = "/tmp/sluice-relay-" + std::to_string(::getpid()) + ".sock";
  for (const RelayKind kind : kKinds) {
    Rig rig(PatientListener(kind));
    Listener unix_endpoint(16, path);
    CHECK(rig.engine->OpenEndpoint(1, {unix_endpoint.address()}, PatientEndpoint()));
    rig.decide = [](const Told&) { return 1; };
    Peer client = rig.ConnectUnix();
    Peer endpoint = rig.AcceptAt(&unix_endpoint);
    CheckStreams(&rig, &client, &endpoint, 8 * 1024 * 1024);
  }
  ::unlink(path.c_str());
}

TEST(SplicesLongStreamsOnlyWhereItIsTold) {
  for (const RelayKind kind : kKinds) {
    Rig rig(PatientListener(kind));
    Peer client = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    rig.Wait(SessionEventType::kConnected);
    CHECK_EQ(rig.engine->stats().splicing, kind == RelayKind::kSplice ? 2 : 0);
    const std::string block(256 * 1024, 'x');
    bool has_spliced = false;
    size_t said = 0;
    for (int round = 0; round < 100; ++round) {
      said += Send(endpoint.fd(), block.data(), block.size()).bytes;
      rig.loop->Turn(0);
      has_spliced |= rig.engine->stats().splicing > 0;
      client.Read();
    }
    CHECK_EQ(has_spliced, kind != RelayKind::kCopy);
    CHECK_EQ(rig.engine->stats().pipes > 0, kind != RelayKind::kCopy);
    CHECK(rig.Until([&] {
      client.Read();
      return client.heard.size() == said;
    }));
    // Small pieces again: an adaptive direction goes back to copying.
    for (int round = 0; round < 20; ++round) {
      endpoint.Say("y");
      ++said;
      CHECK(rig.Until([&] {
        client.Read();
        return client.heard.size() == said;
      }));
    }
    CHECK_EQ(rig.engine->stats().splicing, kind == RelayKind::kSplice ? 2 : 0);
  }
}

TEST(HoldsNoMoreThanItsBoundForAPeerThatDoesNotRead) {
  for (const RelayKind kind : kKinds) {
    Rig rig(PatientListener(kind));
    Peer client = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    const std::string block(256 * 1024, 'x');
    size_t said = 0;
    size_t rounds_without = 0;
    for (int round = 0; round < 2000 && rounds_without < 50; ++round) {
      const IoResult sent = Send(endpoint.fd(), block.data(), block.size());
      said += sent.bytes;
      rounds_without = sent.bytes == 0 ? rounds_without + 1 : 0;
      rig.loop->Turn(0);
      CHECK(rig.engine->stats().held_bytes <= Relay::kBufferBytes);
      CHECK(rig.engine->stats().pipes <= 1);
    }
    CHECK(rounds_without == 50);
    const uint64_t moved = rig.engine->stats().bytes_to_clients;
    CHECK(moved < said);
    endpoint.Close();
    CHECK(rig.Until([&] { return client.HasEnded(); }));
    CHECK_EQ(client.heard.size(), said);
    client.Close();
    rig.CheckEnded(SessionEnd::kClean);
    rig.CheckEmpty();
  }
}

TEST(FinishesTowardsASlowReaderLongAfterTheOtherSideHasGone) {
  for (const RelayKind kind : kKinds) {
    Rig rig(PatientListener(kind));
    Peer client = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    client.Finish();
    CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
    const std::string block(64 * 1024, 'x');
    size_t said = 0;
    for (int round = 0; round < 400; ++round) {
      said += Send(endpoint.fd(), block.data(), block.size()).bytes;
      rig.loop->Turn(0);
    }
    endpoint.Close();
    // A thousand bytes at a time, and the session lasts as long as that takes.
    char buffer[1000];
    size_t heard = 0;
    for (int round = 0; round < 200; ++round) {
      heard += Receive(client.fd(), buffer, sizeof buffer).bytes;
      rig.loop->Turn(0);
      CHECK_EQ(rig.Count(SessionEventType::kEnded), 0);
    }
    CHECK(rig.Until([&] { return client.HasEnded(); }));
    CHECK_EQ(client.heard.size() + heard, said);
    rig.CheckEnded(SessionEnd::kClean);
    rig.CheckEmpty();
  }
}

TEST(LetsOtherSessionsHaveTheirTurn) {
  Rig rig;
  Peer busy = rig.Connect();
  Peer busy_endpoint = rig.AcceptAtEndpoint();
  const std::string block(256 * 1024, 'x');
  for (int round = 0; round < 300; ++round) {
    (void)Send(busy.fd(), block.data(), block.size());
    rig.loop->Turn(0);
    const uint64_t before = rig.engine->stats().bytes_from_clients;
    char buffer[256 * 1024];
    for (int reads = 0; reads < 64; ++reads)
      (void)Receive(busy_endpoint.fd(), buffer, sizeof buffer);
    rig.loop->Turn(0);
    const uint64_t moved = rig.engine->stats().bytes_from_clients - before;
    CHECK(moved <= Relay::kBytesPerTurn + Relay::kBufferBytes);
  }
}

TEST(GoesOnAfterItHasGivenWay) {
  // More than one turn's worth lies ready and no further event comes.
  Rig rig(PatientListener(RelayKind::kCopy));
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  const std::string block(64 * 1024, 'x');
  size_t said = 0;
  for (int round = 0; round < 1000; ++round) {
    const IoResult sent = Send(client.fd(), block.data(), block.size());
    said += sent.bytes;
    if (sent.bytes == 0) break;
  }
  client.Finish();
  CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
  CHECK_EQ(endpoint.heard.size(), said);
}

TEST(PassesOnPiecesAtOnce) {
  // Nagle's algorithm would hold the second and third until the first has been acknowledged, and
  // the peer's delayed acknowledgement takes 40 ms.
  Rig rig;
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  const uint64_t began_us = MonotonicUs();
  std::string wanted;
  for (int round = 0; round < 50; ++round) {
    client.Say("abc");
    rig.loop->Turn(1);
    client.Say("def");
    rig.loop->Turn(1);
    wanted += "abcdef";
    CHECK(rig.Until([&] { return endpoint.HasHeard(wanted); }));
  }
  CHECK(MonotonicUs() - began_us < 1'500'000);
}

TEST(ReadsOnBehindUrgentData) {
  for (const RelayKind kind : kKinds) {
    for (const bool ends_at_once : {true, false}) {
      Rig rig(PatientListener(kind));
      Peer client = rig.Connect();
      Peer endpoint = rig.AcceptAtEndpoint();
      rig.Wait(SessionEventType::kConnected);
      client.Say("before");
      CHECK_EQ(::send(client.fd(), "!", 1, MSG_OOB), 1);
      client.Say("after");
      if (!ends_at_once) {
        CHECK(rig.Until([&] { return endpoint.HasHeard("beforeafter"); }));
        client.Say(" and more");
      }
      client.Close();
      CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
      // The urgent byte is not part of the stream.
      CHECK_EQ(endpoint.heard, ends_at_once ? "beforeafter" : "beforeafter and more");
      endpoint.Close();
      rig.CheckEnded(SessionEnd::kClean);
    }
  }
}

TEST(ReadsOnBehindUrgentDataThatComesWhileItSplices) {
  Rig rig;
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  const std::string block(256 * 1024, 'x');
  std::string said;
  for (int round = 0; round < 100 && rig.engine->stats().splicing == 0; ++round) {
    said.append(block, 0, Send(client.fd(), block.data(), block.size()).bytes);
    rig.loop->Turn(0);
    endpoint.Read();
  }
  CHECK_EQ(rig.engine->stats().splicing, 1);
  CHECK(rig.Until([&] { return endpoint.HasHeard(said); }));
  CHECK_EQ(::send(client.fd(), "!", 1, MSG_OOB), 1);
  client.Say("after");
  CHECK(rig.Until([&] { return endpoint.HasHeard(said + "after"); }));
  client.Close();
  CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
  endpoint.Close();
  rig.CheckEnded(SessionEnd::kClean);
  rig.CheckEmpty();
}

TEST(ReadsOnBehindDescriptorsThatAUnixClientPasses) {
  Rig rig;
  Peer client = rig.ConnectUnix();
  Peer endpoint = rig.AcceptAtEndpoint();
  rig.Wait(SessionEventType::kConnected);
  const size_t descriptors = CountDescriptors();
  char byte = 'd';
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = client.fd();
  std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
  CHECK_EQ(::sendmsg(client.fd(), &message, 0), 1);
  client.Say("ata");
  CHECK(rig.Until([&] { return endpoint.HasHeard("data"); }));
  CHECK_EQ(CountDescriptors(), descriptors);
}

}  // namespace
