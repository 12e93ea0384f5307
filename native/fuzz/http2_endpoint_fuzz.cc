// libFuzzer target: what an endpoint sends over HTTP/2, over arbitrary splits, while requests are
// sent, read, paused and given up on its connection in any order.
#include <sys/epoll.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/event_loop.h"
#include "fuzz_input.h"
#include "http2/client_session.h"
#include "http2_bytes.h"
#include "upstream/response_reader.h"

namespace sluice::fuzz {
namespace {

using http2::ClientSession;
using http2::ClientSessionOwner;
using http2::ClientSessionSettings;
using http2::ClientStream;
using http2::StreamEnd;
using upstream::ReadOutcome;
using upstream::ResponseReader;

constexpr size_t kPrefaceBytes = 24;
constexpr std::string_view kEmptySettings("\0\0\0\4\0\0\0\0\0", 9);
constexpr uint32_t kHeadBytes = 512;
constexpr uint32_t kWindowBytes = 1'000;

/// Requests as the upstream client writes them; what is behind the empty line is their body.
constexpr std::array<std::string_view, 6> kRequests = {
    "GET /a?b HTTP/1.1\r\nhost: h\r\nx-name: value\r\n\r\n",
    "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n0123456789",
    "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "PUT / HTTP/1.1\r\nhost: h\r\nte: trailers\r\ncontent-length: 900\r\n\r\nonly the begin",
    "GET / HTTP/1.1\r\nhost: \r\ncookie: a=b\r\n\r\n",
};

/// One attempt: writes its request, and reads a response as Connection and its reader do.
class Attempt final : public Pollable {
 public:
  Attempt(ClientSession* session, size_t kind)
      : stream(session->Open(this)),
        unsent_(kRequests[kind]),
        reader_({.head_bytes = kHeadBytes * 2, .headers = 100}) {
    reader_.Begin({.is_head_request = kind == 1, .keeps_trailers = true, .ends_with_stream = true});
  }

  void OnEvents(uint32_t events) override { told |= events; }

  void Write(size_t most_bytes) {
    if (unsent_.empty()) return;
    // The first call has the whole head.
    const size_t head = has_begun_ ? 0 : unsent_.find("\r\n\r\n") + 4;
    const ExactCopy bytes(unsent_.substr(0, std::max(head, std::min(most_bytes, unsent_.size()))));
    const IoResult sent = stream->Send(bytes.view());
    REQUIRE(sent.bytes <= bytes.view().size());
    REQUIRE(sent.error == 0 || sent.error == EPIPE || sent.error == EAGAIN);
    has_begun_ = true;
    unsent_.remove_prefix(sent.bytes);
    if (sent.error == EPIPE) unsent_ = {};
  }

  void Read(size_t most_bytes) {
    if (is_over) return;
    ExactCopy room(std::string(most_bytes, '?'));
    const IoResult got = stream->Receive(room.data(), most_bytes);
    if (got.would_block()) {
      REQUIRE(stream->end() == StreamEnd::kOpen);
      return;
    }
    if (got.error != 0) {
      REQUIRE(stream->end() != StreamEnd::kOpen && stream->end() != StreamEnd::kComplete);
      // Who waits was told.
      REQUIRE((told & EPOLLRDHUP) != 0);
      is_over = true;
      return;
    }
    REQUIRE(got.bytes <= most_bytes);
    if (got.bytes == 0) {
      REQUIRE(stream->is_at_end());
      REQUIRE(stream->trailers().empty() || stream->trailers().ends_with("\r\n"));
      is_over = true;
      return;
    }
    Parse(room.data(), got.bytes);
  }

  std::unique_ptr<ClientStream> stream;
  bool is_over = false;
  uint32_t told = 0;

 private:
  void Parse(char* bytes, size_t size) {
    while (!is_over) {
      const ReadOutcome outcome = reader_.Read(bytes, size);
      if (outcome.verdict == ReadOutcome::Verdict::kInvalid ||
          outcome.verdict == ReadOutcome::Verdict::kTooLarge) {
        is_over = true;  // as after a bad response over HTTP/1.1
        return;
      }
      REQUIRE(outcome.verdict != ReadOutcome::Verdict::kSwitched);
      // Framing is the stream's: a head's own is the length alone.
      if (reader_.has_head()) {
        REQUIRE(reader_.head().body != http1::BodyKind::kChunked);
        REQUIRE(outcome.body_bytes <= size);
      }
      if (outcome.verdict != ReadOutcome::Verdict::kInterim) return;
      bytes = outcome.body;
      size = outcome.body_bytes;
    }
  }

  std::string_view unsent_;
  bool has_begun_ = false;
  ResponseReader reader_;
};

/// A connection whose attempts do what the script says.
class Connection final : private ClientSessionOwner {
 public:
  Connection(std::string_view script, bool is_tls) : script_(script) {
    ClientSessionSettings settings;
    settings.stream_window_bytes = kWindowBytes;
    settings.connection_window_bytes = 65'535;
    settings.response_head_bytes = kHeadBytes;
    settings.is_tls = is_tls;
    settings.authority = "endpoint.test";
    session_ = ClientSession::Make(settings, this);
    REQUIRE(session_ != nullptr);
    for (size_t count = Next() % 3 + 1u; count > 0; --count)
      Begin();
    Collect();
  }

  bool Receive(std::string_view bytes) {
    const ExactCopy copy(bytes);
    now_ms_ += Next() % 8 == 0 ? 500 : 1;
    const bool goes_on = session_->Receive(copy.view(), now_ms_);
    Act();
    const bool can_send = Collect();
    Check();
    return goes_on && can_send && !session_->is_over();
  }
  void End() {
    if (Next() % 2 == 0) {
      // All that has come is taken, then the connection is let go.
      for (const auto& attempt : attempts_)
        for (size_t reads = 0; reads < 64 && !attempt->is_over; ++reads)
          attempt->Read(256);
      session_->Finish();
      (void)Collect();
    }
    session_->Lose(ECONNRESET);
    REQUIRE(session_->streams() == 0);
    for (const auto& attempt : attempts_) {
      REQUIRE(!attempt->stream->is_carried());
      REQUIRE(attempt->stream->end() != StreamEnd::kOpen);
      for (size_t reads = 0; reads < 64 && !attempt->is_over; ++reads)
        attempt->Read(256);
      REQUIRE(attempt->is_over);
    }
    // In either order, as happens.
    if (Next() % 2 == 0) session_.reset();
    attempts_.clear();
  }

 private:
  static constexpr size_t kMostAttempts = 6;

  uint8_t Next() {
    if (script_.empty()) return 1;
    return static_cast<uint8_t>(script_[at_++ % script_.size()]);
  }
  void Begin() {
    if (!session_->takes_streams() || attempts_.size() >= kMostAttempts) return;
    attempts_.push_back(std::make_unique<Attempt>(session_.get(), Next() % kRequests.size()));
    attempts_.back()->Write(Next());
  }

  void Act() {
    for (size_t at = 0; at < attempts_.size(); ++at) {
      Attempt& attempt = *attempts_[at];
      switch (Next() % 8) {
        case 0:
          attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(at));  // given up
          break;
        case 1:
        case 2:
          attempt.Write(Next());
          break;
        case 3:
          break;  // paused
        default:
          attempt.Read(Next() + 1u);
      }
    }
    if (Next() % 4 == 0) Begin();
    if (Next() == 250) session_->Ping();
  }

  bool Collect() {
    ByteBuffer out;
    const bool goes_on = session_->Collect(&out, size_t{64} * 1024);
    REQUIRE(out.size() <= 64 * 1024 + 32 * 1024);
    ledger_.Take(out.view());
    return goes_on;
  }

  void Check() const {
    REQUIRE(session_->streams() <= attempts_.size());
    size_t open = 0;
    for (const auto& attempt : attempts_)
      open += attempt->stream->end() == StreamEnd::kOpen ? 1 : 0;
    REQUIRE(open <= session_->streams());
  }

  void OnOutput() override {}
  void OnRoomChanged() override {}

  std::string_view script_;
  size_t at_ = 0;
  uint64_t now_ms_ = 1'000;
  FrameLedger ledger_{kPrefaceBytes};
  std::unique_ptr<ClientSession> session_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
};

}  // namespace
}  // namespace sluice::fuzz

/// Input: flags (1 over TLS, 2 without SETTINGS of ours in front), number of piece sizes, piece
/// sizes, length of the script, the script, what the endpoint sends.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const uint8_t flags = steering.TakeByte();
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  const size_t script_bytes = steering.TakeByte() % 32;
  const std::string_view script = steering.rest().substr(0, script_bytes);
  const std::string_view input = steering.rest().substr(script.size());

  Connection connection(script, (flags & 1) != 0);
  const bool goes_on = (flags & 2) != 0 || connection.Receive(kEmptySettings);
  if (goes_on) {
    ForEachPiece(input.size(), piece_sizes, [&](size_t begin, size_t end) {
      return connection.Receive(input.substr(begin, end - begin));
    });
  }
  connection.End();
  return 0;
}
