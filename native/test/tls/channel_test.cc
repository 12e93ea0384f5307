// Both sides of a TLS connection over a socket pair: handshake, bytes, ends.
#include "tls/channel.h"

#include <algorithm>
#include <cerrno>

#include "check.h"
#include "tls_pair.h"

using pair::HandshakeStep;
using pair::IoResult;
using pair::Pair;
using pair::ReadAll;
using pair::Say;
using pair::TlsFailure;
using sluice::tls::SocketRead;

namespace {

/// A pair whose handshake is done, with contexts that are made once.
struct Done : Pair {
  Done() : Pair(Accepting(), Connecting()) {
    ShakeHands();
    CHECK(is_done());
    ReadAll(*client);  // tickets
  }
  static sluice::tls::ServerContext& Accepting() {
    static const auto context = pair::Server();
    return *context;
  }
  static sluice::tls::ClientContext& Connecting() {
    static const auto context = pair::Client({.resumes = false});
    return *context;
  }
};

std::string Raw(int fd) {
  char bytes[65536];
  const IoResult result = sluice::Receive(fd, bytes, sizeof bytes);
  return {bytes, result.bytes};
}

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t place = 0; place < size; ++place)
    text[place] = static_cast<char>(place * 7 + place / 251);
  return text;
}

/// A handshake whose bytes all go through the test.
struct Wiretap {
  pair::Sockets ours;    // server's end, and the test's
  pair::Sockets theirs;  // the test's, and the client's end
  std::unique_ptr<sluice::tls::Channel> server = Done::Accepting().Accept(ours.server.get());
  std::unique_ptr<sluice::tls::Channel> client =
      Done::Connecting().Connect(theirs.client.get(), "a.test", "", {});

  /// Hands on what the client has sent, cut at a place; calls `between` there.
  template <typename Between>
  void HandOn(const std::string& bytes, size_t cut, Between between) {
    sluice::Send(ours.client.get(), bytes.data(), cut);
    between();
    sluice::Send(ours.client.get(), bytes.data() + cut, bytes.size() - cut);
  }
  std::string FromClient() { return Raw(theirs.server.get()); }
  void ToClient() {
    const std::string bytes = Raw(ours.client.get());
    sluice::Send(theirs.server.get(), bytes.data(), bytes.size());
  }
};

}  // namespace

TEST(TwoSidesShakeHandsAndTalk) {
  const auto server = pair::Server({.alpn = {"h2", "http/1.1"}});
  const auto client = pair::Client();
  Pair both(*server, *client, "a.test", {"http/1.1"});
  both.ShakeHands();
  CHECK(both.is_done());
  CHECK_EQ(both.server->failure(), TlsFailure::kNone);
  CHECK_EQ(both.server->protocol(), "http/1.1");
  CHECK_EQ(both.client->protocol(), "http/1.1");
  CHECK_EQ(both.server->server_name(), "a.test");
  CHECK_EQ(both.client->server_name(), "a.test");
  CHECK_EQ(both.server->version(), "TLSv1.3");
  CHECK(both.server->cipher().starts_with("TLS_"));
  CHECK(!both.server->is_resumed());
  CHECK(!both.server->peer().is_shown());
  CHECK_EQ(both.client->peer().subject, "CN=a.test");
  CHECK_EQ(both.client->peer().issuer, "CN=Authority");
  CHECK_EQ(both.client->peer().fingerprint.size(), 64);
  CHECK_EQ(Say(*both.client, "question").bytes, 8);
  CHECK_EQ(ReadAll(*both.server), "question");
  CHECK_EQ(Say(*both.server, "answer").bytes, 6);
  CHECK_EQ(ReadAll(*both.client), "answer");
}

TEST(AHandshakeMayBeCutAtEveryByte) {
  for (size_t cut = 1;; ++cut) {
    Wiretap tap;
    tap.client->Handshake();
    const std::string hello = tap.FromClient();
    if (cut >= hello.size() + 200) break;
    const auto waits = [&tap] { CHECK_EQ(tap.server->Handshake(), HandshakeStep::kWaiting); };
    tap.HandOn(hello, std::min(cut, hello.size()), waits);
    CHECK_EQ(tap.server->Handshake(), HandshakeStep::kWaiting);
    tap.ToClient();
    CHECK_EQ(tap.client->Handshake(), HandshakeStep::kDone);
    const std::string finished = tap.FromClient();
    tap.HandOn(finished, std::min(cut, finished.size() - 1), waits);
    CHECK_EQ(tap.server->Handshake(), HandshakeStep::kDone);
    if (check::failed_checks > 0) return;
  }
}

TEST(AClientMayLeaveAtEveryByteOfItsHandshake) {
  for (size_t cut = 0;; cut += 3) {
    Wiretap tap;
    tap.client->Handshake();
    const std::string hello = tap.FromClient();
    if (cut > hello.size()) break;
    sluice::Send(tap.ours.client.get(), hello.data(), cut);
    tap.server->Handshake();
    tap.ours.client.Reset();
    CHECK_EQ(tap.server->Handshake(), HandshakeStep::kFailed);
    CHECK_EQ(tap.server->failure(), TlsFailure::kPeerLeft);
    CHECK_EQ(tap.server->Handshake(), HandshakeStep::kFailed);
    CHECK(!tap.server->was_cut());
    if (check::failed_checks > 0) return;
  }
}

TEST(WhatIsNoTlsIsRefused) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string(64, '\xff')}) {
    pair::Sockets sockets;
    const auto server = Done::Accepting().Accept(sockets.server.get());
    sluice::Send(sockets.client.get(), bytes.data(), bytes.size());
    CHECK_EQ(server->Handshake(), HandshakeStep::kFailed);
    CHECK_EQ(server->failure(), TlsFailure::kNotTls);
    CHECK(!server->words().empty());
    CHECK_EQ(ERR_peek_error(), 0);
  }
}

TEST(BytesReadBeforeComeFirst) {
  Wiretap tap;
  tap.client->Handshake();
  const std::string hello = tap.FromClient();
  const auto server = Done::Accepting().Accept(tap.ours.server.get(), hello.substr(0, 100));
  sluice::Send(tap.ours.client.get(), hello.data() + 100, hello.size() - 100);
  CHECK_EQ(server->Handshake(), HandshakeStep::kWaiting);
  tap.ToClient();
  CHECK_EQ(tap.client->Handshake(), HandshakeStep::kDone);
}

TEST(AReadAfterAShortOneIsSpared) {
  Done both;
  Say(*both.client, "text");
  char bytes[64];
  CHECK_EQ(both.server->Receive(bytes, sizeof bytes).bytes, 4);
  CHECK_EQ(both.server->last_read(), SocketRead::kShort);
  CHECK(!both.server->HasPending());
  CHECK(both.server->Receive(bytes, sizeof bytes).would_block());
  CHECK_EQ(both.server->last_read(), SocketRead::kEmpty);
  // Half a record: the same call does not ask twice.
  Say(*both.client, Pattern(1000));
  const std::string record = Raw(both.sockets.server.get());
  sluice::Send(both.sockets.client.get(), record.data(), 500);
  CHECK(both.server->Receive(bytes, sizeof bytes).would_block());
  CHECK_EQ(both.server->last_read(), SocketRead::kShort);
  CHECK(!both.server->HasPending());
  sluice::Send(both.sockets.client.get(), record.data() + 500, record.size() - 500);
  CHECK_EQ(both.server->Receive(bytes, sizeof bytes).bytes, 64);
  CHECK(both.server->HasPending());
  CHECK_EQ(ReadAll(*both.server).size(), 1000 - 64);
  CHECK(!both.server->HasPending());
}

TEST(LargeBodiesPassWithBackPressureBothWays) {
  Done both;
  const std::string body = Pattern(3'000'000);
  for (auto* const sides : {&both.server, &both.client}) {
    sluice::tls::Channel& from = **sides;
    sluice::tls::Channel& to = sides == &both.server ? *both.client : *both.server;
    std::string got;
    size_t sent = 0;
    size_t full = 0;
    while (got.size() < body.size()) {
      while (sent < body.size()) {
        // The bytes lie elsewhere each time: nothing of an earlier call may be asked for again.
        const std::string moved = body.substr(sent, 200'000);
        const IoResult result = from.Send(moved.data(), moved.size());
        sent += result.bytes;
        if (result.bytes == moved.size()) continue;
        CHECK(result.error == 0 || result.would_block());
        CHECK(from.HasUnsent());
        ++full;
        break;
      }
      got += ReadAll(to, nullptr, 10'000);
      if (from.HasUnsent()) from.Flush();
    }
    CHECK(full > 0);
    CHECK(got == body);
  }
}

TEST(PartsBecomeFewRecords) {
  Done both;
  const std::string head = Pattern(300);
  const std::string body = Pattern(40'000);
  const iovec parts[] = {{const_cast<char*>(head.data()), head.size()},
                         {nullptr, 0},
                         {const_cast<char*>(body.data()), body.size()}};
  CHECK_EQ(both.server->SendParts(parts, 3).bytes, 40'300);
  CHECK(ReadAll(*both.client) == head + body);
  const iovec small[] = {{const_cast<char*>(head.data()), 100},
                         {const_cast<char*>(body.data()), 50}};
  CHECK_EQ(both.server->SendParts(small, 2).bytes, 150);
  char bytes[1000];
  CHECK_EQ(both.client->Receive(bytes, sizeof bytes).bytes, 150);  // one record
}

TEST(AnEndIsOrderlyOrCut) {
  {
    Done both;
    Say(*both.client, "last");
    CHECK_EQ(both.client->FinishSending().error, 0);
    CHECK_EQ(both.client->FinishSending().error, 0);
    IoResult end;
    CHECK_EQ(ReadAll(*both.server, &end), "last");
    CHECK_EQ(end.error, 0);
    CHECK(!both.server->was_cut());
    // The other direction is still open.
    CHECK_EQ(Say(*both.server, "answer").bytes, 6);
    CHECK_EQ(ReadAll(*both.client), "answer");
  }
  {
    Done both;
    Say(*both.client, "last");
    sluice::FinishSending(both.sockets.client.get());
    IoResult end;
    CHECK_EQ(ReadAll(*both.server, &end), "last");
    CHECK_EQ(end.error, 0);
    CHECK(both.server->was_cut());
    CHECK_EQ(Say(*both.server, "answer").bytes, 6);
    CHECK_EQ(ReadAll(*both.client), "answer");
  }
}

TEST(AConnectionEndsInTheMiddleOfARecord) {
  Done both;
  Say(*both.client, Pattern(1000));
  const std::string record = Raw(both.sockets.server.get());
  sluice::Send(both.sockets.client.get(), record.data(), 500);
  char bytes[64];
  CHECK(both.server->Receive(bytes, sizeof bytes).would_block());
  both.sockets.client.Reset();
  const IoResult end = both.server->Receive(bytes, sizeof bytes);
  CHECK(end.error == ECONNRESET || (end.error == 0 && both.server->was_cut()));
  CHECK(Say(*both.server, "into nothing").error != EAGAIN);
  CHECK(Say(*both.server, "again").error != 0);
  CHECK_EQ(ERR_peek_error(), 0);
}

TEST(AForgedRecordBreaksTheConnection) {
  Done both;
  Say(*both.client, "text");
  std::string record = Raw(both.sockets.server.get());
  record[10] = static_cast<char>(record[10] ^ 1);
  sluice::Send(both.sockets.client.get(), record.data(), record.size());
  char bytes[64];
  CHECK_EQ(both.server->Receive(bytes, sizeof bytes).error, EPROTO);
  CHECK_EQ(both.server->Receive(bytes, sizeof bytes).error, EPROTO);
  CHECK_EQ(Say(*both.server, "text").error, EPROTO);
  CHECK_EQ(both.client->Receive(bytes, sizeof bytes).error, EPROTO);
  CHECK_EQ(both.client->failure(), TlsFailure::kAlert);
  CHECK_EQ(both.client->alert(), 20);  // bad_record_mac
  CHECK_EQ(ERR_peek_error(), 0);
}

TEST(AFailedWriteLeavesWhatThePeerHasSaid) {
  for (const bool says_end : {true, false}) {
    Done both;
    const std::string answer = Pattern(40'000);
    CHECK_EQ(Say(*both.server, answer).bytes, answer.size());
    if (says_end) CHECK_EQ(both.server->FinishSending().error, 0);
    both.sockets.server.Reset();
    CHECK_EQ(Say(*both.client, "more").error, EPIPE);
    CHECK(!both.client->HasUnsent());
    CHECK_EQ(Say(*both.client, "again").error, EPIPE);
    CHECK_EQ(both.client->Flush().error, EPIPE);
    IoResult end;
    CHECK(ReadAll(*both.client, &end) == answer);
    CHECK_EQ(end.error, 0);
    CHECK_EQ(both.client->was_cut(), !says_end);
    CHECK_EQ(Say(*both.client, "still").error, EPIPE);
    CHECK_EQ(both.client->FinishSending().error, EPIPE);
    CHECK_EQ(ERR_peek_error(), 0);
  }
}

TEST(AFailedFlushLeavesWhatThePeerHasSaid) {
  Done both;
  Say(*both.server, "answer");
  const std::string large = Pattern(4 << 20);
  size_t taken = 0;
  for (IoResult sent; sent.error == 0; taken += sent.bytes)
    sent = Say(*both.client, std::string_view(large).substr(taken, 200'000));
  CHECK(both.client->HasUnsent());
  both.sockets.server.Reset();
  const int error = both.client->Flush().error;
  CHECK(error == EPIPE || error == ECONNRESET);
  CHECK(!both.client->HasUnsent());
  CHECK_EQ(ReadAll(*both.client), "answer");
}

TEST(AnAlertIsReadThoughTheAnswerToItsFlightMeetsAClosedSocket) {
  // The server leaves with a word; the client meets the end while it writes, and tells the word.
  pair::Sockets sockets;
  const auto context = pair::Server({.alpn = {"h2"}});
  auto server = context->Accept(sockets.server.get());
  auto client = Done::Connecting().Connect(sockets.client.get(), "a.test", "", {"http/1.1"});
  CHECK_EQ(client->Handshake(), HandshakeStep::kWaiting);
  CHECK_EQ(server->Handshake(), HandshakeStep::kFailed);
  sockets.server.Reset();
  CHECK_EQ(client->Handshake(), HandshakeStep::kFailed);
  CHECK_EQ(client->failure(), TlsFailure::kAlert);
  CHECK_EQ(client->alert(), 120);  // no_application_protocol
}

TEST(AHandshakeWhoseLastFlightFailsIsNone) {
  Wiretap tap;
  tap.client->Handshake();
  tap.HandOn(tap.FromClient(), 0, [] {});
  CHECK_EQ(tap.server->Handshake(), HandshakeStep::kWaiting);
  tap.ToClient();
  tap.theirs.server.Reset();
  CHECK_EQ(tap.client->Handshake(), HandshakeStep::kFailed);
  CHECK_EQ(tap.client->failure(), TlsFailure::kPeerLeft);
  CHECK_EQ(tap.client->error_number(), EPIPE);
  CHECK(!tap.client->is_established());
}
