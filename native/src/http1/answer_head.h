// Writes the head of a response as a client gets it: status line, fields, framing, Connection,
// Date.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http1/response_head.h"

namespace sluice::http1 {

/// How the body of an answer is framed toward the client.
enum class AnswerFraming : uint8_t {
  kNone,  // no body by rule; a Content-Length of the endpoint is kept for HEAD and 304
  kLength,
  kChunked,
  kUntilClose,  // HTTP/1.0 clients, where the length is not known
};

struct AnswerOptions {
  AnswerFraming framing = AnswerFraming::kNone;
  uint64_t content_length = 0;  // kLength
  bool is_head_request = false;
  bool closes = false;           // connection: close
  bool says_keep_alive = false;  // connection: keep-alive, for HTTP/1.0 clients that asked for it
  bool passes_trailer_field = false;    // Trailer goes on
  std::string_view date = {};           // an IMF-fixdate, for answers that have none of their own
  std::string_view dropped_field = {};  // name of a field that is not for the client
  std::string_view hsts_line = {};      // `strict-transport-security: …\r\n`, in place of others
  std::string_view added_lines = {};    // `name: value\r\n` for each field that the proxy adds
};

/// Most that WriteAnswerHead adds to a head besides AnswerOptions::added_lines; half of it is for
/// hsts_line.
inline constexpr size_t kAnswerExtraBytes = 512;

/// Rewrites a parsed response head of an endpoint: `HTTP/1.1 ` and what WriteClientHead
/// (client_head.h) would write, but Date is kept (the first; one is added where there is none, RFC
/// 9110 section 6.6.1), then the added lines, framing and Connection anew, and the empty line. HOT.
/// @param out room for head.head_bytes + kAnswerExtraBytes + the added lines
/// @returns bytes written
size_t WriteAnswerHead(std::string_view input, const ResponseHead& head,
                       const AnswerOptions& options, char* out);

/// Writes an interim response (1xx) for the client: no framing, hop-by-hop fields dropped, the rest
/// as it is. @param out room for head.head_bytes + kAnswerExtraBytes
size_t WriteInterimHead(std::string_view input, const ResponseHead& head, char* out);

/// Writes the head of 101: as WriteAnswerHead, with `connection: upgrade` and the endpoint's
/// Upgrade.
/// @param options of which dropped_field, hsts_line and added_lines count
/// @param out room for head.head_bytes + kAnswerExtraBytes + the added lines
size_t WriteSwitchingHead(std::string_view input, const ResponseHead& head,
                          const AnswerOptions& options, char* out);

/// Writes the head of an answer of the proxy's own. @param head "503 Service Unavailable\r\nname:
/// value"
/// @param out room for head.size() + kAnswerExtraBytes + the added lines
size_t WriteOwnHead(std::string_view head, const AnswerOptions& options, char* out);

}  // namespace sluice::http1
