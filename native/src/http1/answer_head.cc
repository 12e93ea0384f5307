// Writes response heads toward the client: the endpoint's fields as runs of bytes, then Date,
// framing and Connection of this hop.
#include "http1/answer_head.h"

#include <charconv>
#include <cstring>

#include "http1/bytes.h"
#include "http1/reason.h"
#include "http1/response_lines.h"

namespace sluice::http1 {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr std::string_view kHstsField = "strict-transport-security";
constexpr size_t kStatusCodeSize = 3;  // `200`

char* Append(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

/// The parts of a head that was accepted.
struct HeadParts {
  const char* status;           // its first digit
  const char* reason;           // behind the code: blank and phrase, or nothing
  const char* status_line_end;  // the CR
  const char* lines;
  const char* end;  // of the last line
};

HeadParts PartsOf(std::string_view input, const ResponseHead& head) {
  const char* const end = input.data() + head.head_bytes - kLineEndSize;  // the empty line
  const char* const status = input.data() + kVersion.size();
  const char* const reason = status + kStatusCodeSize;
  const char* const status_line_end = FindByte(status, reason, end, '\r');
  return {status, reason, status_line_end, status_line_end + kLineEndSize, end};
}

/// Writes the status line, its end excepted, then the lines that are not dropped, each with its end
/// (a head without any: the status line's end). @param is_dropped as for CopyFieldLines
/// @param options say what is dropped besides
/// @returns where to go on
template <typename IsDropped>
char* CopyHead(std::string_view input, const ResponseHead& head, IsDropped is_dropped,
               const AnswerOptions& options, char* out) {
  const HeadParts parts = PartsOf(input, head);
  out = Append(out, kVersion);
  const std::string_view reason(parts.reason,
                                static_cast<size_t>(parts.status_line_end - parts.reason));
  const bool is_reason_empty = TrimBlanks(reason).empty();
  if (is_reason_empty) {
    out = Append(out, {parts.status, kStatusCodeSize});
    out = Append(out, " ");
    out = Append(out, ReasonOf(head.status));
  }
  RunWriter writer(is_reason_empty ? parts.status_line_end : parts.status, out);
  if (head.has_nominations || !options.dropped_field.empty() || !options.hsts_line.empty()) {
    const std::string_view hsts_field = options.hsts_line.empty() ? "" : kHstsField;
    const ResponseNominations nominations(parts.lines, parts.end,
                                          {options.dropped_field, hsts_field});
    CopyFieldLines(parts.lines, parts.end, &nominations, is_dropped, &writer);
  } else {
    CopyFieldLines(parts.lines, parts.end, nullptr, is_dropped, &writer);
  }
  return writer.out();
}

/// What the proxy adds.
char* AppendAdded(const AnswerOptions& options, char* out) {
  // Without any there is no address either, which memcpy may not be given even for no bytes.
  if (!options.hsts_line.empty()) out = Append(out, options.hsts_line);
  if (!options.added_lines.empty()) out = Append(out, options.added_lines);
  return out;
}

/// Added lines, framing, Connection and the empty line.
char* AppendEnd(const AnswerOptions& options, char* out) {
  out = AppendAdded(options, out);
  switch (options.framing) {
    case AnswerFraming::kLength: {
      constexpr size_t kMaxDigits = 20;
      out = Append(out, "content-length: ");
      out = std::to_chars(out, out + kMaxDigits, options.content_length).ptr;
      out = Append(out, "\r\n");
      break;
    }
    case AnswerFraming::kChunked:
      out = Append(out, "transfer-encoding: chunked\r\n");
      break;
    case AnswerFraming::kNone:
    case AnswerFraming::kUntilClose:
      break;
  }
  if (options.closes) {
    out = Append(out, "connection: close\r\n");
  } else if (options.says_keep_alive) {
    out = Append(out, "connection: keep-alive\r\n");
  }
  return Append(out, "\r\n");
}

char* AppendDate(std::string_view date, char* out) {
  if (date.empty()) return out;
  out = Append(out, "date: ");
  out = Append(out, date);
  return Append(out, "\r\n");
}

}  // namespace

size_t WriteAnswerHead(std::string_view input, const ResponseHead& head,
                       const AnswerOptions& options, char* out) {
  const bool keeps_length = options.framing == AnswerFraming::kNone &&
                            (options.is_head_request || head.status == 304) && head.status >= 200 &&
                            head.status != 204;
  bool has_date = false;
  const auto is_dropped = [&](FieldName name) {
    switch (name) {
      case FieldName::kContentLength:
        return !keeps_length;
      case FieldName::kDate: {
        const bool is_repeated = has_date;
        has_date = true;
        return is_repeated;
      }
      case FieldName::kTrailer:
        return !options.passes_trailer_field;
      default:
        return true;
    }
  };
  char* at = CopyHead(input, head, is_dropped, options, out);
  if (!has_date) at = AppendDate(options.date, at);
  return static_cast<size_t>(AppendEnd(options, at) - out);
}

size_t WriteInterimHead(std::string_view input, const ResponseHead& head, char* out) {
  const auto is_dropped = [](FieldName name) { return name != FieldName::kDate; };
  char* const at = CopyHead(input, head, is_dropped, AnswerOptions{}, out);
  return static_cast<size_t>(Append(at, "\r\n") - out);
}

size_t WriteSwitchingHead(std::string_view input, const ResponseHead& head,
                          const AnswerOptions& options, char* out) {
  const auto is_dropped = [](FieldName name) {
    return name != FieldName::kDate && name != FieldName::kUpgrade;
  };
  char* const at = AppendAdded(options, CopyHead(input, head, is_dropped, options, out));
  return static_cast<size_t>(Append(at, "connection: upgrade\r\n\r\n") - out);
}

size_t WriteOwnHead(std::string_view head, const AnswerOptions& options, char* out) {
  char* at = Append(out, kVersion);
  at = Append(at, head);
  at = Append(at, "\r\n");
  at = AppendDate(options.date, at);
  return static_cast<size_t>(AppendEnd(options, at) - out);
}

}  // namespace sluice::http1
