// The client's side of one HTTP/2 connection, between bytes and streams: nghttp2 with our limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "http2/client_stream.h"
#include "http2/receive_window.h"
#include "http2/request_fields.h"

namespace sluice::http2 {

/// What a session goes by.
struct ClientSessionSettings {
  /// What the endpoint may send ahead.
  uint32_t stream_window_bytes = 65'535;
  uint32_t connection_window_bytes = 65'535;
  /// Longest head of a response, as of HTTP/1.1.
  uint32_t response_head_bytes = 0;
  /// :scheme is https.
  bool is_tls = false;
  /// :authority of requests that say none.
  std::string authority;
};

/// Told of a session, from within calls of it and of its streams: it may only be remembered.
class ClientSessionOwner {
 public:
  /// There is something to collect.
  virtual void OnOutput() = 0;
  /// More or fewer streams may be opened than before.
  virtual void OnRoomChanged() = 0;

 protected:
  ~ClientSessionOwner() = default;
};

/// Knows no socket: bytes come and go in memory. Bounded: heads by response_head_bytes, bodies by
/// the windows (those of a connection's streams together by its own: a stream whose bytes nobody
/// takes keeps its part of that window, and what is left goes round among the others), the
/// endpoint's pings and settings by a rate (see kControlFrames), what they make us answer by
/// nghttp2. Pushes are refused (SETTINGS_ENABLE_PUSH 0). One thread.
class ClientSession {
 public:
  /// Frames of an endpoint that cost work and bring nothing (SETTINGS, PING, PRIORITY, empty DATA):
  /// so many at once, and so many a second, as HTTP2_CONTROL_FRAMES in src/config/tls-defaults.ts.
  static constexpr uint64_t kControlFrames = 10'000;
  static constexpr uint64_t kControlFramesPerSecond = 1'000;

  /// @returns nullptr: no memory
  static std::unique_ptr<ClientSession> Make(const ClientSessionSettings& settings,
                                             ClientSessionOwner* owner);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  const ClientSessionSettings& settings() const { return settings_; }

  /// Takes what came. @returns false: the endpoint broke the rules; Collect once more, then close
  bool Receive(std::string_view bytes, uint64_t now_ms);
  /// Adds frames until `out` has `most_bytes`, or a little more. @returns false: as Receive
  bool Collect(ByteBuffer* out, size_t most_bytes);

  /// Begins a stream; nothing is sent before its first Send.
  std::unique_ptr<ClientStream> Open(Pollable* watcher);
  /// Open ones, those before their first Send included.
  size_t streams() const { return streams_count_; }
  /// New streams may be opened at all: no GOAWAY, numbers are left.
  bool takes_streams() const;
  /// The endpoint's first SETTINGS have come.
  bool has_settings() const { return has_settings_; }
  /// SETTINGS_MAX_CONCURRENT_STREAMS of the endpoint; 1 before it has said so.
  uint32_t most_streams() const;
  /// A head of a response has come.
  bool has_answered() const { return has_answered_; }
  /// So much waits for those who do not take it that what comes for others has little room in the
  /// connection's window: streams had better be opened elsewhere.
  bool is_clogged() const;
  /// Neither side has anything more to say.
  bool is_over() const;

  void Ping();
  /// Says that this side opens no more streams (GOAWAY).
  void Finish();
  /// The connection is gone: all streams end with kLost.
  void Lose(int error_number);

 private:
  friend class ClientStream;
  struct Callbacks;

  ClientSession(const ClientSessionSettings& settings, ClientSessionOwner* owner)
      : settings_(settings), owner_(owner), window_(settings.connection_window_bytes) {}
  bool Begin();
  bool SubmitRequest(ClientStream* stream, std::string_view head, RequestFraming* framing,
                     uint64_t* body_bytes);
  void ResumeBody(int32_t stream_id);
  void Consume(int32_t stream_id, size_t bytes);
  void Drop(ClientStream* stream);
  void Leave(ClientStream* stream);
  ClientStream* Find(int32_t stream_id) const;
  void CountControlFrame();

  ClientSessionSettings settings_;
  ClientSessionOwner* owner_;
  nghttp2_session* session_ = nullptr;
  RequestFields fields_;
  IntrusiveList<ClientStream, StreamTag> streams_;
  // Over for the endpoint; whoever has them may still take what came.
  IntrusiveList<ClientStream, StreamTag> closed_;
  size_t streams_count_ = 0;
  ReceiveWindow window_;  // held: DATA of open streams that nobody has taken yet
  bool has_settings_ = false;
  bool has_answered_ = false;
  bool is_goaway_received_ = false;
  bool is_flooded_ = false;
  uint64_t now_ms_ = 0;
  uint64_t control_frames_ = 0;  // since control_since_ms_, beyond what leaked away
  uint64_t control_since_ms_ = 0;
};

}  // namespace sluice::http2
