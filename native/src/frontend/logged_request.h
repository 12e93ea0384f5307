// What of a request the access log wants and what is gone by the time the request has its answer.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"
#include "http1/client_request.h"
#include "l4/accepted.h"
#include "log/access_lines.h"

namespace sluice::frontend {

/// Made for an exchange with its first request that is logged, and used again. HOT
/// (bench/micro/engine/access-lines.bench.ts).
class LoggedRequest {
 public:
  /// A request that could not be read: only its client is known.
  void Begin(const l4::PeerAddress& client);
  /// Copies what a line can have. Of fields that come more than once the first counts, but for
  /// traceparent, which then says nothing (Trace Context section 3.2.1).
  void Begin(const l4::PeerAddress& client, const http1::ClientRequest& request, bool is_trusted,
             bool is_http2 = false);

  /// How TLS carries its connection, of texts that live as long as the process; empty: it does not,
  /// or nobody wants to know. Begin leaves it.
  void NoteTls(std::string_view version, std::string_view cipher) {
    tls_version_ = version;
    tls_cipher_ = cipher;
  }

  /// All but the client, whose text needs memory, and the request's id; valid until the next Begin.
  log::AccessTexts Texts() const;
  const l4::PeerAddress& client() const { return client_; }
  /// X-Forwarded-For of a client that is believed; several fields are joined by ", ". Empty: none.
  std::string_view forwarded_for() const;

 private:
  /// Where a text lies in `bytes_`.
  struct Place {
    uint32_t begin = 0;
    uint32_t size = 0;
  };

  Place Keep(std::string_view text);
  std::string_view At(Place place) const { return bytes_.view().substr(place.begin, place.size); }

  ByteBuffer bytes_;
  l4::PeerAddress client_;
  Place method_;
  Place target_;
  Place host_;
  Place referer_;
  Place user_agent_;
  Place trace_id_;
  Place forwarded_for_;
  std::string_view tls_version_;
  std::string_view tls_cipher_;
  bool is_http10_ = false;
  bool is_http2_ = false;
  bool is_read_ = false;
  /// What Keep was asked to keep lies all in the buffer, whose own view may be empty.
};

/// The trace id of a traceparent field (Trace Context section 3.2); empty: it is malformed.
std::string_view TraceIdOf(std::string_view traceparent);

}  // namespace sluice::frontend
