// Who takes the response of an exchange: the batch for TypeScript, or a front end in native code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"
#include "http1/response_head.h"
#include "tls/channel.h"
#include "upstream/exchange.h"

namespace sluice::upstream {

/// A piece of a response.
struct ResponsePart {
  /// nullptr: more of the body.
  const http1::ResponseHead* head = nullptr;
  /// The head's bytes as received.
  std::string_view head_input = {};
  /// Decoded of any chunking. The memory is the client's and may be written to by the sink. Where
  /// body_bytes is 0 it means nothing.
  char* body = nullptr;
  size_t body_bytes = 0;
  /// The response is complete.
  bool is_last = false;
  /// ... before the request's body was sent: its client's connection cannot be used again.
  bool is_request_unfinished = false;
  /// With is_last, where SendFlag kTrailers was given: field lines with their CRLFs; empty: none.
  /// Well-formed, but not judged by their names (RFC 9110 section 6.5.1).
  std::string_view trailers = {};
  /// µs since the attempt began.
  uint64_t elapsed_us = 0;
  /// With a head: as Exchange::connect_us and Exchange::is_reused.
  uint64_t connect_us = 0;
  bool is_reused = false;
  /// With a head: its status is one that the attempt's profile asks about, and the request is held
  /// whole. The sink may answer kHold.
  bool is_asked = false;
};

enum class SinkVerdict : uint8_t {
  kMore,
  /// Nothing more until Resume.
  kPause,
  /// The exchange is to be released; nothing more of it is told.
  kRelease,
  /// To a part that is_asked: the sink has copied what it needs of it and will say what becomes of
  /// the response. Nothing more comes until Pass, and the request is kept for Resend. If the part
  /// is_last, its connection is free for others already.
  kHold,
};

/// A connection that has switched protocols. What channel holds goes before what holds the socket.
struct SwitchedConnection {
  UniqueFd fd;
  std::unique_ptr<tls::Channel> tls = nullptr;  // nullptr: plain
};

/// What became of an offer to splice.
struct SpliceOutcome {
  /// Nothing was tried: the bytes are to be read.
  bool is_declined = false;
  /// Taken out of the endpoint's socket.
  size_t bytes = 0;
  /// The endpoint's socket has nothing more for now.
  bool would_block = false;
  /// Reading from it failed: an errno.
  int error = 0;
  SinkVerdict verdict = SinkVerdict::kMore;
};

/// Called by UpstreamClient in its turn. No call may call back into the client; what a sink wants
/// of it in that moment is its verdict. With is_last the client has let go of the exchange when the
/// call returns, unless the verdict is kHold.
class ResponseSink {
 public:
  /// An interim response: 100, 102..199.
  virtual SinkVerdict OnInterim(Exchange* exchange, const http1::ResponseHead& head,
                                std::string_view head_input) = 0;
  /// The head with what came along of the body, or more of the body.
  virtual SinkVerdict OnResponse(Exchange* exchange, const ResponsePart& part) = 0;
  /// Bytes of a body lie in the endpoint's socket, of which at least `left_bytes` belong to this
  /// response: the sink may move as many of them without their being read. Offered behind the head,
  /// where it is worth while.
  virtual SpliceOutcome OnSpliceable(Exchange* /*exchange*/, int /*fd*/, uint64_t /*left_bytes*/) {
    SpliceOutcome declined;
    declined.is_declined = true;
    return declined;
  }
  /// 101 to an exchange sent with kUpgrade (or 2xx with kConnectMethod): the connection is the
  /// sink's from now on. It is out of the loop's set; the exchange is released. @param received
  /// what came behind the head
  virtual void OnSwitched(Exchange* exchange, const http1::ResponseHead& head,
                          std::string_view head_input, SwitchedConnection connection,
                          std::string_view received, uint64_t elapsed_us) = 0;
  /// exchange->failure, failure_errno and failure_flags (with kSent, kReused, kAnswered as facts)
  /// say why. With kRetryable the request is held for Resend until Release or a new Send; without,
  /// the client has let go of it. It comes for responses that wait for Pass, too. Told in
  /// OnReady or OnTurnEnd, never within a call of the front end's. elapsed: failed_at_us -
  /// started_us.
  virtual void OnFailed(Exchange* exchange) = 0;
  /// All that Write was given is with the kernel, after it held some.
  virtual void OnDrained(Exchange* exchange) = 0;

 protected:
  ~ResponseSink() = default;
};

}  // namespace sluice::upstream
