// Copies a response head for the client as runs of bytes between the lines that are dropped.
#include "http1/client_head.h"

#include <array>
#include <cstring>

#include "http1/bytes.h"
#include "http1/field_name.h"
#include "http1/reason.h"

namespace sluice::http1 {
namespace {

constexpr size_t kVersionSize = 9;     // `HTTP/1.1 `
constexpr size_t kStatusCodeSize = 3;  // `200`
constexpr size_t kLineEndSize = 2;

/// One field line of a head that was accepted: all offsets are known to be there.
struct FieldLine {
  std::string_view name;
  const char* colon;
  const char* line_end;  // the CR
};

/// @param begin start of the readable bytes
FieldLine ReadFieldLine(const char* begin, const char* line, const char* end) {
  const char* const colon = FindByte(begin, line, end, ':');
  const char* name_end = colon;
  while (IsBlank(name_end[-1]))
    --name_end;
  return {std::string_view(line, static_cast<size_t>(name_end - line)), colon,
          FindByte(begin, line, end, '\r')};
}

/// The fields that the Connection lines of one head nominate, without the protected ones.
class Nominations {
 public:
  Nominations(const char* begin, const char* end) {
    const char* lines = begin;
    while (lines != end) {
      const FieldLine line = ReadFieldLine(begin, lines, end);
      if (ClassifyFieldName(line.name) == FieldName::kConnection) {
        const char* const value = line.colon + 1;
        ForEachListElement(std::string_view(value, static_cast<size_t>(line.line_end - value)),
                           [this](std::string_view option) {
                             if (count_ < names_.size() && !IsProtectedFieldName(option))
                               names_[count_++] = option;
                           });
      }
      lines = line.line_end + kLineEndSize;
    }
  }

  bool Has(std::string_view name) const {
    for (size_t index = 0; index < count_; ++index) {
      if (EqualsIgnoringCase(names_[index], name)) return true;
    }
    return false;
  }

 private:
  std::array<std::string_view, kMaxConnectionOptions> names_;  // as many as the parser lets through
  size_t count_ = 0;
};

/// Appends runs of the input to the output.
class RunWriter {
 public:
  RunWriter(const char* run, char* out) : run_(run), out_(out) {}

  /// Copies what was not yet copied before `until`, and goes on at `resume`.
  void CopyUntil(const char* until, const char* resume) {
    const auto size = static_cast<size_t>(until - run_);
    std::memcpy(out_, run_, size);
    out_ += size;
    run_ = resume;
  }

  char* out() const { return out_; }

 private:
  const char* run_;
  char* out_;
};

/// Copies the field lines in [begin, end) but for the dropped ones. @param nominations null where
/// there are none
void CopyFieldLines(const char* begin, const char* end, bool keeps_length,
                    const Nominations* nominations, RunWriter* writer) {
  const char* lines = begin;
  while (lines != end) {
    const FieldLine line = ReadFieldLine(begin, lines, end);
    const char* const next = line.line_end + kLineEndSize;
    const FieldName name = ClassifyFieldName(line.name);
    const bool is_dropped = name == FieldName::kContentLength ? !keeps_length
                            : name != FieldName::kOther
                                ? true
                                : nominations != nullptr && nominations->Has(line.name);
    if (is_dropped) {
      writer->CopyUntil(lines, next);
    } else if (const char* const name_end = line.name.data() + line.name.size();
               name_end != line.colon) {
      writer->CopyUntil(name_end, line.colon);
    }
    lines = next;
  }
  writer->CopyUntil(end, end);
}

/// Puts the phrase behind `NNN ` at the front of a head of `size` bytes, where it fits. @returns
/// the new size
size_t InsertReason(std::string_view reason, size_t size, size_t capacity, char* out) {
  if (reason.size() > capacity - size) return size;
  constexpr size_t kBefore = kStatusCodeSize + 1;
  std::memmove(out + kBefore + reason.size(), out + kBefore, size - kBefore);
  std::memcpy(out + kBefore, reason.data(), reason.size());
  return size + reason.size();
}

}  // namespace

size_t WriteClientHead(std::string_view input, const ResponseHead& head, bool keep_content_length,
                       char* out) {
  const char* const end = input.data() + head.head_bytes - kLineEndSize;  // the empty line
  const char* const status = input.data() + kVersionSize;
  const char* const reason = status + kStatusCodeSize;
  const char* const status_line_end = FindByte(status, reason, end, '\r');
  const char* const lines = status_line_end + kLineEndSize;
  const bool is_reason_empty =
      TrimBlanks(std::string_view(reason, static_cast<size_t>(status_line_end - reason))).empty();
  const bool keeps_length = keep_content_length && head.status >= 200 && head.status != 204;

  if (is_reason_empty) {
    std::memcpy(out, status, kStatusCodeSize);
    out[kStatusCodeSize] = ' ';
  }
  RunWriter writer = is_reason_empty ? RunWriter(status_line_end, out + kStatusCodeSize + 1)
                                     : RunWriter(status, out);
  if (head.has_nominations) {
    const Nominations nominations(lines, end);
    CopyFieldLines(lines, end, keeps_length, &nominations, &writer);
  } else {
    CopyFieldLines(lines, end, keeps_length, nullptr, &writer);
  }
  const size_t size = static_cast<size_t>(writer.out() - out) - kLineEndSize;  // of the last line
  return is_reason_empty ? InsertReason(ReasonOf(head.status), size, head.head_bytes, out) : size;
}

}  // namespace sluice::http1
