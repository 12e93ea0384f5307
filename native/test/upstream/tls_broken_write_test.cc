// Endpoints with TLS that answer, or refuse us, and close while a request is still being sent.
#include <string>

#include "upstream/tls_peer.h"

namespace {

using namespace loopback;
using sluice::tls::TlsFailure;

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nhost: a\r\n";
constexpr std::string_view kTooLarge =
    "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig";

/// The endpoint has the head of an upload, and nothing of what its answer will be.
void BeginUpload(Secure& test, std::string_view body) {
  test.client.Send(1, 0, 0, kChunkedBody, 0, kPost);
  test.client.Write(1, body, false);
  test.Accept();
  CHECK(test.Until([&] { return test.peer->received.find("\r\n\r\n") != std::string::npos; }));
}

TEST(ReadsAnEarlyAnswerAlthoughTheUploadMeetsAReset) {
  for (const bool is_orderly : {true, false}) {
    Secure test;
    BeginUpload(test, "hello");
    test.client->Pause(1);  // the answer waits in the socket while the upload goes on
    test.peer->Write(kTooLarge);
    is_orderly ? test.peer->Finish() : test.peer->Cut();
    test.client.Write(1, "one", false);  // answered with a reset
    test.client.TurnsWithin(50'000);
    test.client.Write(1, "two", false);  // fails
    test.client->Resume(1);
    const SeenEvent end = test.client.UntilEnd(1);
    CHECK(end.type != EventType::kFailed);
    CHECK(end.has(event_flag::kLast));
    CHECK(end.has(event_flag::kRequestUnfinished));
    CHECK_EQ(end.body, "big");
    CHECK_EQ(test.client->stats().connections, 0);
  }
}

TEST(ReadsAnEarlyAnswerBehindAFullSocket) {
  Secure test;
  BeginUpload(test, std::string(8 << 20, 'x'));
  test.peer->Write(kTooLarge);
  test.peer->Cut();  // unread bytes: the kernel sends a reset
  const SeenEvent end = test.client.UntilEnd(1);
  // A reset may overtake the answer's way through the kernel; it is never taken for an end.
  if (end.type == EventType::kFailed) {
    CHECK(end.failure() == EngineError::kReset || end.failure() == EngineError::kTruncated);
  } else {
    CHECK_EQ(end.body, "big");
  }
}

TEST(TakesNoCutForTheEndOfAnAnswerBehindAFailedWrite) {
  Secure test;
  BeginUpload(test, "hello");
  test.peer->Write("HTTP/1.1 200 OK\r\n\r\npartial");
  CHECK(test.client.Until([&] { return test.client.BodyOf(1) == "partial"; }));
  test.peer->Cut();
  test.client.Write(1, "one", false);
  test.client.TurnsWithin(50'000);
  test.client.Write(1, "two", false);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kTruncated);
}

TEST(TellsARefusedCertificateAlthoughTheUploadMeetsAReset) {
  sluice::tls::ServerSettings wants;
  wants.client_auth = sluice::tls::ClientAuth::kRequired;
  wants.client_ca = made::Ours().ca();
  Secure test(wants);
  test.client.Send(1, 0, 0, kChunkedBody, 0, kPost);
  test.Accept();
  CHECK(test.Until([&] { return test.client->stats().connects == 1; }));
  test.peer->Pump();  // refuses: nothing of it is read here yet
  CHECK(test.peer->channel().failure() == TlsFailure::kNoCertificate);
  test.peer->Cut();
  test.client.Write(1, "one", false);
  const SeenEvent end = test.client.UntilEnd(1);
  CHECK(end.failure() == EngineError::kTls);
  CHECK(end.error_number >> Wire::kFailureShift == static_cast<int>(TlsFailure::kAlert));
  CHECK(!end.has(event_flag::kSent));
}

}  // namespace
