// libFuzzer target: what a client of HTTP/2 sends, over arbitrary splits, while an owner answers,
// resets, consumes and forgets its streams in any order.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_input.h"
#include "http1/client_request.h"
#include "http2/server_session.h"
#include "http2_bytes.h"

namespace sluice::fuzz {
namespace {

using http1::ParseStatus;
using http2::Outgoing;
using http2::RequestHead;
using http2::ServerLimits;
using http2::ServerSession;
using http2::ServerSessionSink;
using http2::ServerStream;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kEmptySettings("\0\0\0\4\0\0\0\0\0", 9);

/// Small ones, so that short inputs pass them; and those of the defaults.
constexpr ServerLimits kNarrow = {.streams = 3,
                                  .stream_window_bytes = 100,
                                  .connection_window_bytes = http2::kLeastConnectionWindowBytes,
                                  .resets = {4, 1},
                                  .continuations = 2,
                                  .control_frames = {20, 5},
                                  .ack_timeout_ms = 1'000,
                                  .head_bytes = 256};
constexpr ServerLimits kWide = {.streams = 128,
                                .stream_window_bytes = 256 * 1024,
                                .connection_window_bytes = 1024 * 1024,
                                .resets = {200, 20},
                                .continuations = 8,
                                .control_frames = {1000, 100},
                                .ack_timeout_ms = 10'000,
                                .head_bytes = 16 * 1024};

/// A stream, and what its owner knows of it.
struct OwnedStream final : ServerStream {
  ByteBuffer out;
  size_t unconsumed_bytes = 0;
  std::string given;  // body bytes
  bool has_answer_ended = false;
  bool is_over = false;  // reset, forgotten
  bool was_reset = false;
  bool has_request_ended_here = false;
};

/// Does with streams what the script says, as far as the rules of ServerSession allow.
class Owner final : private ServerSessionSink {
 public:
  Owner(const ServerLimits& limits, std::string_view script)
      : limits_(limits),
        script_(script),
        session_(limits, static_cast<ServerSessionSink*>(this), &fields_, now_ms_) {}

  /// @returns false: the session is over
  bool Receive(std::string_view bytes) {
    const ExactCopy copy(bytes);
    const bool goes_on = session_.Receive(copy.view(), now_ms_);
    REQUIRE(goes_on == (session_.end() == http2::SessionEnd::kNone));
    Act();
    session_.Pump();
    // A socket that takes all, or nothing for a while.
    if (Next() % 4 != 0) Write();
    CheckBounds();
    return goes_on && !session_.IsOver();
  }
  /// Everything goes out; then nothing may be half said.
  void End() {
    for (int round = 0; round < 64 && (session_.WantsToWrite() || !session_.out().empty());
         ++round) {
      session_.Pump();
      Write();
    }
    REQUIRE(ledger_.is_whole());
    REQUIRE(session_.end() == http2::SessionEnd::kNone || ledger_.has_goaway());
    for (const auto& [id, stream] : streams_)
      REQUIRE(std::string_view(stream->given).starts_with(ledger_.data_of(id)));
  }

 private:
  uint8_t Next() {
    if (script_.empty()) return 1;
    return static_cast<uint8_t>(script_[at_++ % script_.size()]);
  }

  void Write() {
    ledger_.Take(session_.out().view());
    session_.out().DropFront(session_.out().size());
  }
  void CheckBounds() const {
    // What lies in `out`, and one frame more; what answers to pings and settings may be is bounded.
    REQUIRE(session_.out().size() <= ServerSession::kMostOutBytes + 32 * 1024);
    uint32_t live = 0;
    for (const auto& [id, stream] : streams_) {
      live += stream->is_live ? 1 : 0;
      REQUIRE(!(stream->is_live && stream->is_over));
    }
    REQUIRE(live <= session_.open_streams());
    REQUIRE(live <= limits_.streams);
  }

  void Act() {
    now_ms_ += Next() % 8 == 0 ? 500 : 1;
    for (auto& [id, stream] : streams_) {
      if (stream->unconsumed_bytes > 0 && Next() % 2 == 0) {
        session_.Consume(id, stream->unconsumed_bytes);
        stream->unconsumed_bytes = 0;
      }
      if (stream->is_live) ActOn(stream.get());
    }
    switch (Next()) {
      case 251:
        session_.GiveNotice();
        break;
      case 252:
        session_.RefuseStreams();
        break;
      case 253:
        session_.Terminate(NGHTTP2_NO_ERROR);
        break;
      default:
        break;
    }
  }

  void ActOn(OwnedStream* stream) {
    switch (Next() % 16) {
      case 0:
        session_.Reset(stream, NGHTTP2_CANCEL);
        stream->is_over = true;
        break;
      case 1:
        if (!stream->has_head) Send(stream, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0, 0);
        break;
      case 2:
      case 3:
        Send(stream, "HTTP/1.1 200 OK\r\nX-Name: value\r\nConnection: close\r\n\r\n", 1, Next());
        break;
      case 4:
        Send(stream, "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n", 0, 1);
        break;
      case 5:
      case 6:
        Send(stream, {}, size_t{Next()} * 64, 0);
        break;
      case 7:
        Send(stream, {}, Next(), 1);
        break;
      case 8:
        if (stream->has_answer_ended) {
          stream->is_over = true;
          session_.Forget(stream);
        }
        break;
      default:
        break;
    }
  }

  /// @param head empty: more of the body @param end not 0: the last piece; 2: with trailers
  void Send(OwnedStream* stream, std::string_view head, size_t body_bytes, int end) {
    if (stream->has_answer_ended || head.empty() != stream->has_head) return;
    std::string text(head);
    std::string body(body_bytes, 'b');
    for (size_t at = 0; at < body.size(); ++at)
      body[at] = static_cast<char>('a' + (stream->given.size() + at) % 23);
    Outgoing outgoing;
    outgoing.head = head.empty() ? nullptr : text.data();
    outgoing.head_bytes = text.size();
    outgoing.is_interim = head.starts_with("HTTP/1.1 1");
    if (!outgoing.is_interim) {
      outgoing.body = body;
      outgoing.is_last = end % 3 != 0;
      if (end % 3 == 2) outgoing.trailers = "grpc-status: 0\r\nX-Sum: 1\r\n";
      stream->given += body;
      stream->has_answer_ended = outgoing.is_last;
    }
    session_.Send(stream, outgoing);
    REQUIRE(stream->passing.empty());
    REQUIRE(stream->is_live || !stream->is_taken() || stream->has_ended || stream->was_reset);
  }

  // --- ServerSessionSink ---

  ServerStream* OnRequest(ServerSession*, const RequestHead& head) override {
    REQUIRE(!streams_.contains(head.stream_id));
    if (!head.is_too_large) CheckHead(head);
    if (Next() % 16 == 0) return nullptr;
    auto stream = std::make_unique<OwnedStream>();
    stream->Begin(head.stream_id, &stream->out);
    stream->has_request_ended_here = head.is_last;
    OwnedStream* const made = stream.get();
    streams_[head.stream_id] = std::move(stream);
    // As the front end does with faulty requests: within the call.
    if (Next() % 16 == 1) Send(made, "HTTP/1.1 400 Bad Request\r\n\r\n", Next(), 1);
    return made;
  }
  void OnData(ServerSession*, ServerStream* of, std::string_view bytes, bool is_last) override {
    OwnedStream* const stream = Live(of);
    REQUIRE(!stream->has_request_ended_here);
    stream->unconsumed_bytes += bytes.size();
    // Until the client has acknowledged our SETTINGS, its window is the one of RFC 9113.
    REQUIRE(stream->unconsumed_bytes <=
            std::max(limits_.stream_window_bytes, http2::kLeastConnectionWindowBytes));
    stream->has_request_ended_here = is_last;
    if (Next() % 4 == 0) {
      session_.Consume(stream->id, stream->unconsumed_bytes);
      stream->unconsumed_bytes = 0;
    }
    if (Next() % 32 == 0) ActOn(stream);
  }
  void OnRequestEnd(ServerSession*, ServerStream* of) override {
    OwnedStream* const stream = Live(of);
    REQUIRE(!stream->has_request_ended_here);
    stream->has_request_ended_here = true;
  }
  void OnTaken(ServerSession*, ServerStream* of) override {
    const OwnedStream* const stream = Live(of);
    REQUIRE(stream->is_taken());
  }
  void OnReset(ServerSession*, ServerStream* of) override {
    auto* const stream = static_cast<OwnedStream*>(of);
    REQUIRE(!stream->was_reset && !stream->is_over && !stream->is_live);
    stream->was_reset = true;
  }

  OwnedStream* Live(ServerStream* of) const {
    auto* const stream = static_cast<OwnedStream*>(of);
    REQUIRE(streams_.contains(stream->id) && streams_.at(stream->id).get() == stream);
    REQUIRE(!stream->is_over && !stream->was_reset);
    return stream;
  }

  /// One request, and nothing behind it: what is smuggled would be.
  void CheckHead(const RequestHead& head) const {
    const ExactCopy text(head.text);
    REQUIRE(text.view().size() <= limits_.head_bytes + 1024);
    http1::ClientRequestParser parser(
        {.head_bytes = 1 << 20, .target_bytes = 1 << 20, .headers = 1 << 16});
    http1::ClientRequest request;
    const ParseStatus status = parser.Parse(text.view(), &request);
    REQUIRE(status != ParseStatus::kNeedMore);
    if (status != ParseStatus::kDone) return;
    REQUIRE(request.head_bytes == head.text.size());
    REQUIRE(request.minor_version == 1);
    REQUIRE(!head.is_last || request.body_bytes <= 0);
    REQUIRE(head.own_fields <= request.headers);
    REQUIRE(request.wants_upgrade == head.is_extended_connect);
  }

  ServerLimits limits_;
  std::string_view script_;
  size_t at_ = 0;
  uint64_t now_ms_ = 1'000;
  http2::AnswerFields fields_;
  std::map<int32_t, std::unique_ptr<OwnedStream>> streams_;
  FrameLedger ledger_;
  ServerSession session_;
};

}  // namespace
}  // namespace sluice::fuzz

/// Input: flags (1 wide limits, 2 without a preface of ours in front), number of piece sizes, piece
/// sizes, length of the owner's script, the script, what the client sends.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const uint8_t flags = steering.TakeByte();
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  const size_t script_bytes = steering.TakeByte() % 32;
  const std::string_view script = steering.rest().substr(0, script_bytes);
  const std::string_view input = steering.rest().substr(script.size());

  Owner owner((flags & 1) != 0 ? kWide : kNarrow, script);
  bool goes_on = true;
  if ((flags & 2) == 0)
    goes_on = owner.Receive(std::string(kPreface) + std::string(kEmptySettings));
  if (goes_on) {
    ForEachPiece(input.size(), piece_sizes, [&](size_t begin, size_t end) {
      return owner.Receive(input.substr(begin, end - begin));
    });
  }
  owner.End();
  return 0;
}
