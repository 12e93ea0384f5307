// Makes the lines of the access log: facts in numbers and texts in, one line out.
// src/engine/access-lines.ts is its documentation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "log/line_writer.h"

namespace sluice::log {

/// Facts that a line of JSON can have; the order is that of ACCESS_FIELDS in
/// src/config/observing-plan.ts.
enum class AccessField : uint8_t {
  kTime,
  kListener,
  kClient,
  kMethod,
  kPath,
  kQuery,
  kProtocol,
  kHost,
  kStatus,
  kCode,
  kRoute,
  kUpstream,
  kEndpoint,
  kAttempts,
  kBytesFromClient,
  kBytesToClient,
  kDurationMs,
  kQueueMs,
  kConnectMs,
  kFirstByteMs,
  kReused,
  kRequestId,
  kTraceId,
  kReferer,
  kUserAgent,
  kTlsVersion,
  kTlsCipher,
};
inline constexpr size_t kAccessFields = 27;

/// Words of the facts; the same numbers stand in src/engine/access-lines.ts.
namespace access_fact {
inline constexpr size_t kBuffer = 0;
inline constexpr size_t kOffset = 1;
inline constexpr size_t kIsSession = 2;
inline constexpr size_t kListener = 3;
inline constexpr size_t kRoute = 4;
inline constexpr size_t kUpstream = 5;
inline constexpr size_t kEndpoint = 6;
inline constexpr size_t kCode = 7;
inline constexpr size_t kStatus = 8;
inline constexpr size_t kAttempts = 9;
inline constexpr size_t kBytesFromClient = 10;
inline constexpr size_t kBytesToClient = 11;
inline constexpr size_t kTotalUs = 12;
inline constexpr size_t kQueueUs = 13;
inline constexpr size_t kConnectUs = 14;
inline constexpr size_t kFirstByteUs = 15;
inline constexpr size_t kReused = 16;
/// Lengths of the texts that TypeScript gives, in the order of AccessTexts.
inline constexpr size_t kTexts = 17;
}  // namespace access_fact
inline constexpr size_t kAccessTexts = 9;
inline constexpr size_t kAccessFacts = access_fact::kTexts + kAccessTexts;

/// What is known of a request in words; empty: nothing.
struct AccessTexts {
  std::string_view client;
  std::string_view method;
  /// Path and query.
  std::string_view target;
  std::string_view protocol;
  std::string_view host;
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view referer;
  std::string_view user_agent;
  // Never of TypeScript.
  std::string_view tls_version;  // "TLSv1.3"
  std::string_view tls_cipher;   // as OpenSSL names it
};

/// Memory that TypeScript and the lines share; it outlives them.
struct AccessMemory {
  const double* facts = nullptr;
  /// Where TypeScript puts texts, one behind the other.
  const char* texts = nullptr;
  size_t texts_bytes = 0;
  std::array<char*, 2> buffers = {};
  std::array<size_t, 2> buffer_bytes = {};
};

/// How long what clients have sent may get in a line, once escaped.
struct AccessLimits {
  size_t target_bytes = 0;
  /// Of each other text.
  size_t text_bytes = 0;
};

/// Write's answer where the line does not fit.
inline constexpr int64_t kNoRoom = -1;

/// One format, with the names that its lines have. One thread.
class AccessLines {
 public:
  /// @param fields of JSON, in the order of the line; empty: the combined format
  AccessLines(std::vector<AccessField> fields, AccessMemory memory, AccessLimits limits);

  /// A line says how TLS carried its request.
  bool wants_tls() const { return wants_tls_; }

  /// Keeps a name for `listener`, `route` … of the facts. @returns its number
  int32_t OpenText(std::string_view text);

  /// Writes a line by the facts. HOT (bench/micro/engine/access-lines.bench.ts).
  /// @param own what is known of the request here; a text that TypeScript gives counts before
  /// @param now_ms since 1970
  /// @returns the offset behind it, or kNoRoom
  int64_t Write(const AccessTexts& own, int64_t now_ms);

 private:
  AccessTexts TextsOver(const AccessTexts& own) const;
  void WriteCombined(const AccessTexts& texts, LineWriter* out) const;
  void WriteJson(const AccessTexts& texts, LineWriter* out) const;
  void WriteField(AccessField field, const AccessTexts& texts, LineWriter* out) const;
  void TellTime(int64_t now_ms);
  double Fact(size_t word) const { return memory_.facts[word]; }
  /// @returns "" for a number that nothing has
  std::string_view Name(size_t word) const;

  const bool is_json_;
  const Escaping escaping_;
  const AccessMemory memory_;
  const AccessLimits limits_;
  std::vector<AccessField> fields_;
  const bool wants_tls_;
  /// Escaped already.
  std::vector<std::string> names_;
  /// The second that `time_` is about.
  int64_t second_ = INT64_MIN;
  unsigned millisecond_ = 0;
  std::string time_;
};

}  // namespace sluice::log
