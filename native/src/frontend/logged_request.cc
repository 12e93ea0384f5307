// Copies what a line of the access log can have out of a request's head, in one look at its lines.
#include "frontend/logged_request.h"

#include <algorithm>

#include "http1/bytes.h"

namespace sluice::frontend {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr char kReferer[] = "referer";
constexpr char kUserAgent[] = "user-agent";
constexpr char kTraceparent[] = "traceparent";
constexpr char kForwardedFor[] = "x-forwarded-for";
/// Makes a letter of ASCII a small one.
constexpr char kLowerCase = 0x20;
// Of `00-` 32 digits `-` 16 digits `-` 2 digits.
constexpr size_t kTraceIdBegin = 3;
constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdBegin = 36;
constexpr size_t kSpanIdDigits = 16;
constexpr size_t kFlagsBegin = 53;
constexpr size_t kTraceparentBytes = 55;

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char digit) {
    return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
  });
}

bool IsAllZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::string_view TraceIdOf(std::string_view traceparent) {
  if (traceparent.size() < kTraceparentBytes) return {};
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace_id = traceparent.substr(kTraceIdBegin, kTraceIdDigits);
  const std::string_view span_id = traceparent.substr(kSpanIdBegin, kSpanIdDigits);
  const bool is_longer = traceparent.size() > kTraceparentBytes;
  const bool has_end =
      version == "00" ? !is_longer : !is_longer || traceparent[kTraceparentBytes] == '-';
  const bool is_well = IsLowerHex(version) && version != "ff" && has_end && traceparent[2] == '-' &&
                       traceparent[kSpanIdBegin - 1] == '-' &&
                       traceparent[kFlagsBegin - 1] == '-' && IsLowerHex(trace_id) &&
                       !IsAllZero(trace_id) && IsLowerHex(span_id) && !IsAllZero(span_id) &&
                       IsLowerHex(traceparent.substr(kFlagsBegin, 2));
  return is_well ? trace_id : std::string_view();
}

void LoggedRequest::Begin(const l4::PeerAddress& client) {
  bytes_.Clear();
  client_ = client;
  method_ = target_ = host_ = referer_ = user_agent_ = trace_id_ = forwarded_for_ = {};
  is_read_ = false;
}

void LoggedRequest::Begin(const l4::PeerAddress& client, const http1::ClientRequest& request,
                          bool is_trusted, bool is_http2) {
  Begin(client);
  is_http2_ = is_http2;
  is_read_ = true;
  is_http10_ = request.minor_version == 0;
  method_ = Keep(request.method_text);
  target_ = Keep(request.target);
  host_ = Keep(request.host);
  size_t traceparents = 0;
  std::string_view traceparent;
  for (std::string_view lines = request.lines; !lines.empty();) {
    // No control stands within a line, and a name holds no colon.
    const size_t size = lines.find('\n') + 1;
    const std::string_view line = lines.substr(0, size - kLineEnd.size());
    lines.remove_prefix(size);
    const auto is = [&line](const auto& name) {
      constexpr size_t kSize = sizeof name - 1;
      return line.size() > kSize && line[kSize] == ':' &&
             http1::EqualsLowerCase(line.substr(0, kSize), name);
    };
    const auto value_of = [&line](const auto& name) {
      return http1::TrimBlanks(line.substr(sizeof name));
    };
    switch (line[0] | kLowerCase) {
      case 'r':
        if (referer_.size == 0 && is(kReferer)) referer_ = Keep(value_of(kReferer));
        break;
      case 'u':
        if (user_agent_.size == 0 && is(kUserAgent)) user_agent_ = Keep(value_of(kUserAgent));
        break;
      case 't':
        if (!is(kTraceparent)) break;
        ++traceparents;
        traceparent = value_of(kTraceparent);
        break;
      case 'x':
        if (!is_trusted || !is(kForwardedFor)) break;
        // Behind the first one there may be others already.
        if (forwarded_for_.size == 0) {
          forwarded_for_ = Keep(value_of(kForwardedFor));
        } else {
          std::string joined(At(forwarded_for_));
          forwarded_for_ = Keep(joined.append(", ").append(value_of(kForwardedFor)));
        }
        break;
      default:
        break;
    }
  }
  if (traceparents == 1) trace_id_ = Keep(TraceIdOf(traceparent));
}

LoggedRequest::Place LoggedRequest::Keep(std::string_view text) {
  const Place place{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(text.size())};
  bytes_.Append(text);
  return place;
}

log::AccessTexts LoggedRequest::Texts() const {
  log::AccessTexts texts;
  texts.method = At(method_);
  texts.target = At(target_);
  texts.host = At(host_);
  texts.referer = At(referer_);
  texts.user_agent = At(user_agent_);
  texts.trace_id = At(trace_id_);
  texts.tls_version = tls_version_;
  texts.tls_cipher = tls_cipher_;
  if (is_read_) texts.protocol = is_http2_ ? "HTTP/2.0" : is_http10_ ? "HTTP/1.0" : "HTTP/1.1";
  return texts;
}

std::string_view LoggedRequest::forwarded_for() const {
  return At(forwarded_for_);
}

}  // namespace sluice::frontend
