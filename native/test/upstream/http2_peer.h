// The endpoint's side of one HTTP/2 connection for tests: says what the test says, and takes down
// what came.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http2/nghttp2.h"
#include "upstream/loopback.h"

namespace loopback {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A stream as the endpoint sees it.
struct SeenStream {
  int32_t id = 0;
  Fields fields;
  std::string body;
  bool has_ended = false;  // END_STREAM came
  bool is_closed = false;
  uint32_t error_code = 0;  // with is_closed
  // What is still to be sent.
  std::string answer;
  bool answer_ends = false;
  Fields trailers;

  std::string field(std::string_view name) const {
    std::string values;
    for (const auto& [key, value] : fields) {
      if (key == name) values += (values.empty() ? "" : "|") + value;
    }
    return values;
  }
};

inline PoolSettings Http2() {
  PoolSettings settings = Patient();
  settings.protocol = EndpointProtocol::kHttp2;
  settings.server_name = "endpoint.test";
  settings.http2_stream_window_bytes = 65'536;
  settings.http2_connection_window_bytes = 1024 * 1024;
  return settings;
}

class Http2Peer {
 public:
  explicit Http2Peer(Peer peer, std::vector<nghttp2_settings_entry> settings = {},
                     bool is_permissive = false)
      : peer_(std::move(peer)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnClose);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    // Then it may send what is no response.
    if (is_permissive) nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_session_server_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  ~Http2Peer() { nghttp2_session_del(session_); }
  Http2Peer(const Http2Peer&) = delete;

  Peer& peer() { return peer_; }
  nghttp2_session* session() { return session_; }

  /// Takes what is there, and sends what there is to say. @returns false: the connection is over
  bool Pump() {
    std::vector<char> bytes(256 * 1024);
    for (;;) {
      const auto received = sluice::Receive(peer_.fd(), bytes.data(), bytes.size());
      if (received.would_block()) break;
      if (received.error != 0 || received.bytes == 0) {
        is_over = true;
        return false;
      }
      ++reads;
      received_bytes += received.bytes;
      nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                               received.bytes);
    }
    for (;;) {
      const uint8_t* frames = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &frames);
      if (size <= 0) break;
      unsent_.append(reinterpret_cast<const char*>(frames), static_cast<size_t>(size));
    }
    const auto sent = sluice::Send(peer_.fd(), unsent_.data(), unsent_.size());
    unsent_.erase(0, sent.bytes);
    return true;
  }

  SeenStream* At(size_t place) { return place < order.size() ? &streams[order[place]] : nullptr; }
  bool has_ended(size_t place) { return At(place) != nullptr && At(place)->has_ended; }

  void Head(SeenStream* stream, const Fields& fields, bool is_end, bool is_interim = false) {
    std::vector<nghttp2_nv> lines = LinesOf(fields);
    if (is_interim || is_end) {
      nghttp2_submit_headers(session_, is_end ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE,
                             stream->id, nullptr, lines.data(), lines.size(), nullptr);
      return;
    }
    nghttp2_data_provider body{};
    body.read_callback = &ReadAnswer;
    nghttp2_submit_response(session_, stream->id, lines.data(), lines.size(), &body);
  }
  void Body(SeenStream* stream, std::string_view bytes, bool is_end, const Fields& trailers = {}) {
    stream->answer += bytes;
    stream->answer_ends = is_end;
    stream->trailers = trailers;
    nghttp2_session_resume_data(session_, stream->id);
  }
  void Answer(SeenStream* stream, std::string_view body, Fields fields = {{":status", "200"}}) {
    Head(stream, fields, false);
    Body(stream, body, true);
  }
  void Reset(SeenStream* stream, uint32_t error_code) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, error_code);
  }
  void GoAway(int32_t last_id, uint32_t error_code = NGHTTP2_NO_ERROR) {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_id, error_code, nullptr, 0);
  }
  /// Gives back the windows of what came.
  void Consume(SeenStream* stream) {
    nghttp2_session_consume(session_, stream->id, stream->body.size() - consumed_[stream->id]);
    consumed_[stream->id] = stream->body.size();
  }

  std::map<int32_t, SeenStream> streams;
  std::vector<int32_t> order;
  size_t pings = 0;
  size_t goaways = 0;
  uint32_t goaway_code = 0;
  size_t reads = 0;
  size_t received_bytes = 0;
  bool is_over = false;

 private:
  static Http2Peer* Self(void* user) { return static_cast<Http2Peer*>(user); }
  static std::vector<nghttp2_nv> LinesOf(const Fields& fields) {
    std::vector<nghttp2_nv> lines;
    for (const auto& [name, value] : fields) {
      nghttp2_nv line{};
      line.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
      line.namelen = name.size();
      line.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
      line.valuelen = value.size();
      lines.push_back(line);
    }
    return lines;
  }
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Peer* const self = Self(user);
    if (self->streams.contains(frame->hd.stream_id)) return 0;
    self->streams[frame->hd.stream_id].id = frame->hd.stream_id;
    self->order.push_back(frame->hd.stream_id);
    return 0;
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Self(user)->streams[frame->hd.stream_id].fields.emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Peer* const self = Self(user);
    if (frame->hd.type == NGHTTP2_PING) ++self->pings;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      ++self->goaways;
      self->goaway_code = frame->goaway.error_code;
    }
    const bool has_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (has_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      self->streams[frame->hd.stream_id].has_ended = true;
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                    void* user) {
    Self(user)->streams[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int OnClose(nghttp2_session*, int32_t id, uint32_t error_code, void* user) {
    SeenStream& stream = Self(user)->streams[id];
    stream.is_closed = true;
    stream.error_code = error_code;
    return 0;
  }
  static ssize_t ReadAnswer(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size,
                            uint32_t* flags, nghttp2_data_source*, void* user) {
    SeenStream& stream = Self(user)->streams[id];
    const size_t taken = std::min(size, stream.answer.size());
    std::memcpy(buffer, stream.answer.data(), taken);
    stream.answer.erase(0, taken);
    if (stream.answer.empty() && stream.answer_ends) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const std::vector<nghttp2_nv> lines = LinesOf(stream.trailers);
        nghttp2_submit_trailer(session, id, lines.data(), lines.size());
      }
    } else if (taken == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(taken);
  }

  Peer peer_;
  nghttp2_session* session_ = nullptr;
  std::string unsent_;
  std::map<int32_t, size_t> consumed_;
};

/// Turns the client and pumps the endpoint until it is so.
inline bool Both(Client& client, Http2Peer& peer, const std::function<bool()>& is_so) {
  const uint64_t end_us = sluice::MonotonicUs() + kDeadlineUs;
  for (;;) {
    peer.Pump();
    if (is_so()) return true;
    if (sluice::MonotonicUs() > end_us) return false;
    client.Turn(1);
  }
}

}  // namespace loopback
