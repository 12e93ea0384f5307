// Strict, resumable parsing of one response head: phases of a line, then what the interpreted
// fields add up to.
#include "http1/response_head.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "http1/bytes.h"
#include "http1/field_name.h"

namespace sluice::http1 {
namespace {

constexpr size_t kStatusSize = 12;  // `HTTP/1.1 200`

/// Says whether `byte` may stand at `offset` < kStatusSize of a status line.
bool IsStatusLineByte(size_t offset, char byte) {
  constexpr std::string_view kVersion = "HTTP/1.";
  if (offset < kVersion.size()) return byte == kVersion[offset];
  if (offset == 7) return byte == '0' || byte == '1';
  if (offset == 8) return byte == ' ';
  if (offset == 9) return byte >= '1' && byte <= '9';
  return IsDigit(byte);
}

/// Says the same of the first kStatusSize bytes of a usual status line at once.
bool IsWholeStatus(std::string_view input) {
  return input.size() >= kStatusSize && std::memcmp(input.data(), "HTTP/1.1 ", 9) == 0 &&
         input[9] >= '1' && input[9] <= '9' && IsDigit(input[10]) && IsDigit(input[11]);
}

/// Reads a run of digits as one number of at most 2^63 - 1. @returns false where it is anything
/// else
bool ReadDecimal(std::string_view text, uint64_t* number) {
  constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  uint64_t value = 0;
  for (const char byte : text) {
    if (!IsDigit(byte) || value > kMax / 10) return false;
    value = value * 10 + static_cast<uint64_t>(byte - '0');  // at most kMax + 2: no wrap
  }
  *number = value;
  return !text.empty() && value <= kMax;
}

/// A tab is white space to the standard, but llhttp, for one, takes it for a part of a framing
/// value and then reads until the close. What recipients disagree about is refused.
bool HasTab(std::string_view value) {
  return value.find('\t') != std::string_view::npos;
}

}  // namespace

void ResponseHeadParser::Reset() {
  *this = ResponseHeadParser(limits_);
}

ParseStatus ResponseHeadParser::Parse(std::string_view input, bool is_head_request,
                                      ResponseHead* head) {
  if (status_ == ParseStatus::kNeedMore) {
    // Bytes beyond the limit are never looked at, so that the verdict is the same however they
    // arrive.
    status_ = Advance(input.substr(0, limits_.head_bytes));
    if (status_ == ParseStatus::kNeedMore && input.size() >= limits_.head_bytes)
      status_ = ParseStatus::kTooLarge;
    if (status_ == ParseStatus::kDone) Conclude(is_head_request);
  }
  if (status_ == ParseStatus::kDone) *head = head_;
  return status_;
}

ParseStatus ResponseHeadParser::Advance(std::string_view input) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* at = begin + at_;
  Phase phase = phase_;
  const auto offset = [&] { return static_cast<size_t>(at - begin); };
  const auto need_more = [&] {
    phase_ = phase;
    at_ = offset();
    return ParseStatus::kNeedMore;
  };
  const auto is_half_line_end = [&] { return at == end || (*at == '\r' && end - at < 2); };
  const auto is_line_end = [&] { return at[0] == '\r' && at[1] == '\n'; };

  for (;;) {
    switch (phase) {
      case Phase::kStatusCode:
        if (at == begin && IsWholeStatus(input)) at += kStatusSize;
        for (; at != end && offset() < kStatusSize; ++at) {
          if (!IsStatusLineByte(offset(), *at)) return ParseStatus::kInvalid;
        }
        if (at == end) return need_more();
        if (*at != ' ' && *at != '\r') return ParseStatus::kInvalid;
        head_.minor_version = begin[7] - '0';
        head_.status = (begin[9] - '0') * 100 + (begin[10] - '0') * 10 + (begin[11] - '0');
        phase = Phase::kReason;
        [[fallthrough]];
      case Phase::kReason:
        at = FindControl(begin, at, end);
        if (is_half_line_end()) return need_more();
        if (!is_line_end()) return ParseStatus::kInvalid;
        at += 2;
        phase = Phase::kLineStart;
        [[fallthrough]];
      case Phase::kLineStart:
        if (is_half_line_end()) return need_more();
        if (is_line_end()) {
          head_.head_bytes = offset() + 2;
          return ParseStatus::kDone;
        }
        if (!IsTokenByte(*at)) return ParseStatus::kInvalid;
        if (headers_ == limits_.headers) return ParseStatus::kTooLarge;
        ++headers_;
        line_ = offset();
        if (const char* const line_end = FindControl(begin, at, end); end - line_end >= 2) {
          // The whole line is there, as nearly always.
          const char* const name_end = SkipToken(at, end);
          const char* colon = name_end;
          while (IsBlank(*colon))
            ++colon;
          if (*colon != ':' || line_end[0] != '\r' || line_end[1] != '\n')
            return ParseStatus::kInvalid;
          const ParseStatus field =
              FinishField(std::string_view(at, static_cast<size_t>(name_end - at)),
                          std::string_view(colon + 1, static_cast<size_t>(line_end - colon - 1)));
          if (field != ParseStatus::kNeedMore) return field;
          at = line_end + 2;
          continue;
        }
        phase = Phase::kName;
        [[fallthrough]];
      case Phase::kName:
        at = SkipToken(at, end);
        if (at == end) return need_more();
        name_size_ = offset() - line_;
        phase = Phase::kBeforeColon;
        [[fallthrough]];
      case Phase::kBeforeColon:
        while (at != end && IsBlank(*at))
          ++at;
        if (at == end) return need_more();
        if (*at != ':') return ParseStatus::kInvalid;
        ++at;
        value_ = offset();
        phase = Phase::kValue;
        [[fallthrough]];
      case Phase::kValue:
        at = FindControl(begin, at, end);
        if (is_half_line_end()) return need_more();
        if (!is_line_end()) return ParseStatus::kInvalid;
        const ParseStatus field =
            FinishField(input.substr(line_, name_size_), input.substr(value_, offset() - value_));
        if (field != ParseStatus::kNeedMore) return field;
        at += 2;
        phase = Phase::kLineStart;
    }
  }
}

ParseStatus ResponseHeadParser::FinishField(std::string_view name, std::string_view value) {
  switch (ClassifyFieldName(name)) {
    case FieldName::kContentLength:
      if (HasTab(value)) return ParseStatus::kInvalid;
      if (head_.has_content_length || has_transfer_encoding_) return ParseStatus::kInvalid;
      if (!ReadDecimal(TrimBlanks(value), &head_.content_length)) return ParseStatus::kInvalid;
      head_.has_content_length = true;
      return ParseStatus::kNeedMore;
    case FieldName::kTransferEncoding:
      if (HasTab(value)) return ParseStatus::kInvalid;
      if (has_transfer_encoding_ || head_.has_content_length) return ParseStatus::kInvalid;
      if (head_.minor_version == 0 || head_.status < 200 || head_.status == 204)
        return ParseStatus::kInvalid;
      if (!EqualsLowerCase(TrimBlanks(value), "chunked")) return ParseStatus::kInvalid;
      has_transfer_encoding_ = true;
      return ParseStatus::kNeedMore;
    case FieldName::kConnection:
      return FinishConnection(value);
    case FieldName::kProxyConnection:
      // No standard, but who says close there may mean it.
      ForEachListElement(value, [this](std::string_view option) {
        has_close_ = has_close_ || EqualsLowerCase(option, "close");
      });
      return ParseStatus::kNeedMore;
    case FieldName::kKeepAlive:
      FinishKeepAlive(value);
      return ParseStatus::kNeedMore;
    default:
      return ParseStatus::kNeedMore;
  }
}

ParseStatus ResponseHeadParser::FinishConnection(std::string_view value) {
  ForEachListElement(value, [this](std::string_view option) {
    ++connection_options_;
    if (EqualsLowerCase(option, "close")) {
      has_close_ = true;
    } else if (EqualsLowerCase(option, "keep-alive")) {
      has_keep_alive_ = true;
    } else {
      head_.has_nominations = true;
    }
  });
  return connection_options_ > kMaxConnectionOptions ? ParseStatus::kTooLarge
                                                     : ParseStatus::kNeedMore;
}

void ResponseHeadParser::FinishKeepAlive(std::string_view value) {
  // No standard, hence no fault: what is not `timeout=N` announces nothing.
  ForEachListElement(value, [this](std::string_view parameter) {
    const size_t equals = parameter.find('=');
    if (equals == std::string_view::npos ||
        !EqualsLowerCase(TrimBlanks(parameter.substr(0, equals)), "timeout"))
      return;
    uint64_t seconds = 0;
    if (!ReadDecimal(TrimBlanks(parameter.substr(equals + 1)), &seconds)) return;
    const auto timeout_s =
        static_cast<uint32_t>(std::min<uint64_t>(seconds, kMaxKeepAliveTimeoutS));
    if (timeout_s == 0) {
      has_zero_timeout_ = true;
    } else if (head_.keep_alive_timeout_s == 0 || timeout_s < head_.keep_alive_timeout_s) {
      head_.keep_alive_timeout_s = timeout_s;
    }
  });
}

void ResponseHeadParser::Conclude(bool is_head_request) {
  if (is_head_request || head_.status < 200 || head_.status == 204 || head_.status == 304) {
    head_.body = BodyKind::kNone;
  } else if (has_transfer_encoding_) {
    head_.body = BodyKind::kChunked;
  } else if (head_.has_content_length) {
    head_.body = BodyKind::kLength;
  } else {
    head_.body = BodyKind::kUntilClose;
  }
  const bool is_persistent = head_.minor_version == 1 || has_keep_alive_;
  head_.keep_alive = is_persistent && !has_close_ && !has_zero_timeout_ && head_.status != 101 &&
                     head_.body != BodyKind::kUntilClose;
}

}  // namespace sluice::http1
