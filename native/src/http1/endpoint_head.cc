// Writes the endpoint's head: what the proxy says first, then the client's fields as runs of bytes
// between the lines that are dropped.
#include "http1/endpoint_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http1/bytes.h"
#include "http1/field_name.h"

namespace sluice::http1 {
namespace {

constexpr size_t kLineEndSize = 2;
/// Names of the proxy's own fields with their separators, the version, and every number in full.
constexpr size_t kOwnTextBytes = 256;
constexpr size_t kMaxRequestIdBytes = 128;

/// Appends text; the caller has seen to the room. HOT.
class TextWriter {
 public:
  explicit TextWriter(char* out) : out_(out) {}

  TextWriter& operator<<(std::string_view text) {
    std::memcpy(out_, text.data(), text.size());
    out_ += text.size();
    return *this;
  }

  TextWriter& operator<<(int64_t number) {
    constexpr size_t kMaxDigits = 20;
    out_ = std::to_chars(out_, out_ + kMaxDigits, number).ptr;
    return *this;
  }

  char* out() const { return out_; }

 private:
  char* out_;
};

std::string_view ValueOf(const ClientRequest& request, const MarkedLine& line) {
  return TrimBlanks(request.lines.substr(line.value, line.end - kLineEndSize - line.value));
}

template <typename Visit>
void ForEachMarkedLine(const ClientRequest& request, Visit visit) {
  for (uint32_t index = 0; index < request.marked_line_count; ++index)
    visit(request.marked_lines[index]);
}

/// Writes the values of all marked lines of `field` that are not empty, each with ", " behind it.
void WriteValues(const ClientRequest& request, RequestField field, TextWriter* writer) {
  ForEachMarkedLine(request, [&](const MarkedLine& line) {
    if (line.field != field) return;
    const std::string_view value = ValueOf(request, line);
    if (!value.empty()) *writer << value << ", ";
  });
}

/// The last value of a marked field, "" without one.
std::string_view LastValueOf(const ClientRequest& request, RequestField field) {
  std::string_view last;
  ForEachMarkedLine(request, [&](const MarkedLine& line) {
    if (line.field == field) last = ValueOf(request, line);
  });
  return last;
}

bool IsUsableRequestId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes &&
         std::all_of(id.begin(), id.end(), [](char byte) { return byte > ' ' && byte < 0x7f; });
}

/// What a policy changes: edits by name, without those that would touch framing or a connection.
class Edits {
 public:
  explicit Edits(const EndpointHeadOptions& options)
      : edits_(options.edits), count_(options.edit_count) {}

  bool empty() const { return count_ == 0; }

  /// Says whether the fields of this name are replaced or removed.
  bool Touch(std::string_view name) const { return Find(name) != nullptr; }

  /// Writes the set fields. A later edit of a name replaces the earlier ones.
  void Write(TextWriter* writer) const {
    for (size_t index = 0; index < count_; ++index) {
      const FieldEdit& edit = edits_[index];
      if (!edit.is_removal && Find(edit.name) == &edit)
        *writer << edit.name << ": " << edit.value << "\r\n";
    }
  }

 private:
  /// The edit that counts for this name, or null.
  const FieldEdit* Find(std::string_view name) const {
    for (size_t index = count_; index > 0; --index) {
      const FieldEdit& edit = edits_[index - 1];
      if (EqualsIgnoringCase(edit.name, name) ||
          (edit.covers_lookalikes && IsLookalikeOf(edit.name, name))) {
        return IsAllowed(edit) ? &edit : nullptr;
      }
    }
    return nullptr;
  }

  /// @param own lower case
  static bool IsLookalikeOf(std::string_view own, std::string_view name) {
    return std::equal(own.begin(), own.end(), name.begin(), name.end(),
                      [](char wanted, char found) {
                        return wanted == ToLowerCase(found) || (wanted == '-' && found == '_');
                      });
  }

  /// A request without a Host is none (RFC 9112 section 3.2).
  static bool IsAllowed(const FieldEdit& edit) {
    const RequestField field = ClassifyRequestField(edit.name);
    return !IsHopByHop(field) && !(edit.is_removal && field == RequestField::kHost);
  }

  const FieldEdit* edits_;
  size_t count_;
};

/// The fields that the Connection lines of a request name.
class Nominations {
 public:
  explicit Nominations(const ClientRequest& request) {
    if (!request.has_nominations) return;
    ForEachMarkedLine(request, [&](const MarkedLine& line) {
      if (line.field != RequestField::kConnection) return;
      ForEachListElement(ValueOf(request, line), [this](std::string_view option) {
        if (count_ < names_.size()) names_[count_++] = option;
      });
    });
  }

  bool Has(std::string_view name) const {
    return std::any_of(names_.begin(), names_.begin() + count_, [name](std::string_view option) {
      return EqualsIgnoringCase(option, name);
    });
  }

 private:
  std::array<std::string_view, kMaxConnectionOptions> names_;  // as many as the parser lets through
  size_t count_ = 0;
};

/// Says whether a line that the parser marked goes on as it came.
bool Passes(RequestField field, const ClientRequest& request, bool is_trusted) {
  switch (field) {
    case RequestField::kExpect:
      // A recipient ignores it in HTTP/1.0 (RFC 9110 section 10.1.1), and we send 1.1.
      return request.minor_version == 1;
    case RequestField::kForwarded:
    case RequestField::kXForwardedOther:
    case RequestField::kXRealIp:
      return is_trusted;
    case RequestField::kOther:
      return true;
    default:
      return false;
  }
}

/// Copies the lines that are not dropped by a look at the marked ones alone: nearly every request.
void CopyUnmarked(const ClientRequest& request, bool is_trusted, TextWriter* writer) {
  uint32_t run = 0;
  ForEachMarkedLine(request, [&](const MarkedLine& line) {
    if (Passes(line.field, request, is_trusted)) return;
    *writer << request.lines.substr(run, line.begin - run);
    run = line.end;
  });
  *writer << request.lines.substr(run);
}

/// The same where a nomination or an edit may drop any line.
void CopyChosen(const ClientRequest& request, bool is_trusted, const Nominations& nominations,
                const Edits& edits, TextWriter* writer) {
  const char* const begin = request.lines.data();
  const char* const end = begin + request.lines.size();
  for (const char* line = begin; line != end;) {
    const char* const colon = FindByte(begin, line, end, ':');
    const char* const next = FindByte(begin, colon, end, '\r') + kLineEndSize;
    const std::string_view name(line, static_cast<size_t>(colon - line));
    if (Passes(ClassifyRequestField(name), request, is_trusted) && !nominations.Has(name) &&
        !edits.Touch(name)) {
      *writer << std::string_view(line, static_cast<size_t>(next - line));
    }
    line = next;
  }
}

/// Writes Host and what the proxy says of the client and of itself.
void WriteOwnFields(const ClientRequest& request, const EndpointHeadOptions& options,
                    const Edits& edits, TextWriter* writer) {
  const auto is_written = [&edits](std::string_view name) {
    return edits.empty() || !edits.Touch(name);
  };
  std::string_view proto;
  std::string_view host;
  if (options.is_trusted) {
    proto = LastValueOf(request, RequestField::kXForwardedProto);
    host = LastValueOf(request, RequestField::kXForwardedHost);
  }
  if (proto.empty()) proto = options.scheme;
  if (host.empty()) host = request.host;

  // Empty for an HTTP/1.0 client that said none (RFC 9112 section 3.2).
  if (is_written("host")) *writer << "host: " << request.host << "\r\n";
  if (is_written("x-forwarded-for")) {
    *writer << "x-forwarded-for: ";
    if (options.is_trusted) WriteValues(request, RequestField::kXForwardedFor, writer);
    *writer << options.client_address << "\r\n";
  }
  if (is_written("x-forwarded-proto")) *writer << "x-forwarded-proto: " << proto << "\r\n";
  if (is_written("x-forwarded-host") && !host.empty())
    *writer << "x-forwarded-host: " << host << "\r\n";
  if (is_written("via")) {
    *writer << "via: ";
    if (request.has_via) WriteValues(request, RequestField::kVia, writer);
    // RFC 9110 section 7.6.3: the version that the request was received with.
    *writer << (options.is_http2             ? "2.0 "
                : request.minor_version == 1 ? "1.1 "
                                             : "1.0 ")
            << options.via_name << "\r\n";
  }
  if (is_written("x-request-id")) {
    *writer << "x-request-id: " << RequestIdOf(request, options.is_trusted, options.request_id)
            << "\r\n";
  }
  if (request.max_forwards >= 0 && is_written("max-forwards")) {
    // TRACE is refused, and for other methods the number means nothing (RFC 9110 section 7.6.2).
    const bool counts = request.method == Method::kOptions && request.max_forwards > 0;
    *writer << "max-forwards: " << request.max_forwards - (counts ? 1 : 0) << "\r\n";
  }
}

/// What this hop asks of the next one's connection.
void WriteConnection(const ClientRequest& request, const EndpointHeadOptions& options,
                     TextWriter* writer) {
  if (request.wants_upgrade) {
    *writer << "connection: upgrade\r\nupgrade: ";
    WriteValues(request, RequestField::kUpgrade, writer);
    constexpr size_t kSeparatorSize = 2;  // behind the last value
    *writer = TextWriter(writer->out() - kSeparatorSize);
    *writer << "\r\n";
  } else if (options.passes_trailers && request.takes_trailers) {
    *writer << "connection: te\r\nte: trailers\r\n";
  }
}

}  // namespace

size_t EndpointHeadBound(const ClientRequest& request, const EndpointHeadOptions& options) {
  // Each line of the client's is copied, or its value merged into a line of our own, which is no
  // longer: at most ", " stands where a name, its colon and the line's end were.
  size_t bound = kOwnTextBytes + request.method_text.size() + request.target.size() +
                 2 * request.host.size() + options.scheme.size() + options.client_address.size() +
                 options.via_name.size() + std::max(options.request_id.size(), kMaxRequestIdBytes) +
                 request.lines.size();
  for (size_t index = 0; index < options.edit_count; ++index)
    bound += options.edits[index].name.size() + options.edits[index].value.size() + 4;
  return bound;
}

size_t WriteEndpointHead(const ClientRequest& request, const EndpointHeadOptions& options,
                         char* out) {
  const Edits edits(options);
  TextWriter writer(out);
  // An absolute form may have a query without a path (RFC 9112 section 3.2.1).
  const std::string_view slash = request.target.starts_with('?') ? "/" : "";
  writer << request.method_text << " " << slash << request.target << " HTTP/1.1\r\n";
  WriteOwnFields(request, options, edits, &writer);
  WriteConnection(request, options, &writer);
  if (request.has_nominations || !edits.empty()) {
    CopyChosen(request, options.is_trusted, Nominations(request), edits, &writer);
  } else {
    CopyUnmarked(request, options.is_trusted, &writer);
  }
  edits.Write(&writer);
  return static_cast<size_t>(writer.out() - out);
}

std::string_view RequestIdOf(const ClientRequest& request, bool is_trusted, std::string_view made) {
  if (!is_trusted) return made;
  std::string_view id = made;
  ForEachMarkedLine(request, [&](const MarkedLine& line) {
    if (line.field != RequestField::kXRequestId) return;
    const std::string_view value = ValueOf(request, line);
    if (IsUsableRequestId(value)) id = value;
  });
  return id;
}

bool HasLoop(const ClientRequest& request, std::string_view via_name) {
  if (!request.has_via) return false;
  bool has_loop = false;
  ForEachMarkedLine(request, [&](const MarkedLine& line) {
    has_loop = has_loop || (line.field == RequestField::kVia &&
                            ValueOf(request, line).find(via_name) != std::string_view::npos);
  });
  return has_loop;
}

}  // namespace sluice::http1
