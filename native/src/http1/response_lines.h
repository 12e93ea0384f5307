// Reads the field lines of a response head that was accepted, and copies runs of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "http1/bytes.h"
#include "http1/field_name.h"
#include "http1/response_head.h"

namespace sluice::http1 {

inline constexpr size_t kLineEndSize = 2;

/// One field line of a head that was accepted: all offsets are known to be there.
struct FieldLine {
  std::string_view name;
  const char* colon;
  const char* line_end;  // the CR
};

/// @param begin start of the readable bytes
inline FieldLine ReadFieldLine(const char* begin, const char* line, const char* end) {
  const char* const colon = FindByte(begin, line, end, ':');
  const char* name_end = colon;
  while (IsBlank(name_end[-1]))
    --name_end;
  return {std::string_view(line, static_cast<size_t>(name_end - line)), colon,
          FindByte(begin, line, end, '\r')};
}

/// The fields that the Connection lines of one response nominate, without the protected ones, and
/// those that the proxy drops.
class ResponseNominations {
 public:
  static constexpr size_t kMostDropped = 2;

  /// @param begin the first field line @param end behind the last one
  /// @param dropped names of fields; empty ones are none
  ResponseNominations(const char* begin, const char* end,
                      std::array<std::string_view, kMostDropped> dropped = {}) {
    for (const std::string_view name : dropped) {
      if (!name.empty()) names_[count_++] = name;
    }
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
  /// As many as the parser lets through, and the dropped ones.
  std::array<std::string_view, kMaxConnectionOptions + kMostDropped> names_;
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

/// Copies the field lines in [begin, end) but for the dropped ones and for the white space before a
/// colon. HOT.
/// @param is_dropped called with each FieldName but kOther; of the others go those nominated
/// @param nominations null where there are none
template <typename IsDropped>
void CopyFieldLines(const char* begin, const char* end, const ResponseNominations* nominations,
                    IsDropped is_dropped, RunWriter* writer) {
  const char* lines = begin;
  while (lines != end) {
    const FieldLine line = ReadFieldLine(begin, lines, end);
    const char* const next = line.line_end + kLineEndSize;
    const FieldName name = ClassifyFieldName(line.name);
    if (name != FieldName::kOther ? is_dropped(name)
                                  : nominations != nullptr && nominations->Has(line.name)) {
      writer->CopyUntil(lines, next);
    } else if (const char* const name_end = line.name.data() + line.name.size();
               name_end != line.colon) {
      writer->CopyUntil(name_end, line.colon);
    }
    lines = next;
  }
  writer->CopyUntil(end, end);
}

}  // namespace sluice::http1
