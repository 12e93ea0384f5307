// A session with one client of the test, who hears everything that the session says.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "frames.h"
#include "http2/server_session.h"

namespace sluice::http2 {

using namespace frames;

constexpr ServerLimits kLimits = {.streams = 4,
                                  .stream_window_bytes = 65'536,
                                  .connection_window_bytes = 1 << 20,
                                  .resets = {5, 1},
                                  .continuations = 3,
                                  .control_frames = {10, 2},
                                  .ack_timeout_ms = 1'000,
                                  .head_bytes = 1'024};

/// What a session has told of a stream.
struct SeenStream final : ServerStream {
  std::string head;
  std::string body;
  ByteBuffer out;
  uint32_t own_fields = 0;
  bool was_too_large = false;
  bool is_extended_connect = false;
  int ends = 0;
  int takings = 0;
  int resets = 0;
};

class Client final : private ServerSessionSink {
 public:
  explicit Client(const ServerLimits& limits = kLimits)
      : session(limits, static_cast<ServerSessionSink*>(this), &fields, 1'000) {
    Say(std::string(kMagic) + Settings());
  }

  /// The session reads bytes, then everything that it sends is looked at.
  const std::vector<Parsed>& Say(std::string_view bytes, uint64_t now_ms = 1'000) {
    goes_on = session.Receive(bytes, now_ms);
    return Listen();
  }
  const std::vector<Parsed>& Listen() {
    session.Pump();
    heard.append(session.out().view());
    session.out().DropFront(session.out().size());
    frames = Take(&heard);
    return frames;
  }
  SeenStream* At(int32_t id) { return streams.count(id) == 0 ? nullptr : streams[id].get(); }
  uint32_t ResetOf(uint32_t stream) const {
    const Parsed* const frame = Find(frames, kRstStream, stream);
    return frame == nullptr ? UINT32_MAX : frame->code();
  }
  uint32_t GoawayCode() const {
    const Parsed* const frame = Find(frames, kGoaway, 0);
    return frame == nullptr ? UINT32_MAX : frame->code();
  }
  void Answer(int32_t id, std::string head, std::string_view body, bool is_last,
              std::string_view trailers = {}) {
    session.Send(At(id), {.head = head.empty() ? nullptr : head.data(),
                          .head_bytes = head.size(),
                          .body = body,
                          .is_last = is_last,
                          .trailers = trailers});
  }

  AnswerFields fields;
  std::map<int32_t, std::unique_ptr<SeenStream>> streams;
  bool refuses = false;
  bool goes_on = true;
  std::string heard;
  std::vector<Parsed> frames;
  ServerSession session;

 private:
  ServerStream* OnRequest(ServerSession*, const RequestHead& head) override {
    if (refuses) return nullptr;
    auto made = std::make_unique<SeenStream>();
    made->Begin(head.stream_id, &made->out);
    made->head = head.text;
    made->own_fields = head.own_fields;
    made->was_too_large = head.is_too_large;
    made->is_extended_connect = head.is_extended_connect;
    if (head.is_last) ++made->ends;
    return (streams[head.stream_id] = std::move(made)).get();
  }
  void OnData(ServerSession*, ServerStream* stream, std::string_view bytes, bool is_last) override {
    static_cast<SeenStream*>(stream)->body.append(bytes);
    if (is_last) ++static_cast<SeenStream*>(stream)->ends;
  }
  void OnRequestEnd(ServerSession*, ServerStream* stream) override {
    ++static_cast<SeenStream*>(stream)->ends;
  }
  void OnTaken(ServerSession*, ServerStream* stream) override {
    ++static_cast<SeenStream*>(stream)->takings;
  }
  void OnReset(ServerSession*, ServerStream* stream) override {
    ++static_cast<SeenStream*>(stream)->resets;
  }
};

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nX-Name: value\r\nConnection: close\r\n\r\n";

/// Literal or indexed, the bytes of a text stand in a block only where it is not Huffman-coded: so
/// blocks that the session writes are read by sizes alone.
inline bool HasEnd(const std::vector<Parsed>& frames, uint32_t stream) {
  return std::any_of(frames.begin(), frames.end(), [stream](const Parsed& frame) {
    return frame.stream == stream && frame.ends_stream() &&
           (frame.type == kData || frame.type == kHeaders);
  });
}

inline std::string BodyIn(const std::vector<Parsed>& frames, uint32_t stream) {
  std::string body;
  for (const Parsed& frame : frames)
    if (frame.type == kData && frame.stream == stream) body += frame.payload;
  return body;
}

}  // namespace sluice::http2
