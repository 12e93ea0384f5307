// Finds grpc-status among fields (gRPC over HTTP/2, "Responses").
#include "frontend/grpc_status.h"

#include "http1/bytes.h"
#include "http1/response_lines.h"

namespace sluice::frontend {

namespace {

constexpr std::string_view kStatusField = "grpc-status";
constexpr std::string_view kGrpcType = "application/grpc";
constexpr int32_t kMostCode = 16;
constexpr int32_t kNoStatus = -1;

/// `application/grpc`, then the end, a parameter or the encoding; application/grpc-web is no gRPC.
bool IsGrpcType(std::string_view value) {
  if (value.size() < kGrpcType.size() ||
      !http1::EqualsIgnoringCase(value.substr(0, kGrpcType.size()), kGrpcType))
    return false;
  if (value.size() == kGrpcType.size()) return true;
  const char next = value[kGrpcType.size()];
  return next == '+' || next == ';' || http1::IsBlank(next);
}

/// Digits alone, as the specification has them.
int32_t StatusOf(std::string_view value) {
  if (value.empty() || value.size() > 2) return kGrpcOther;
  int32_t code = 0;
  for (const char digit : value) {
    if (digit < '0' || digit > '9') return kGrpcOther;
    code = code * 10 + (digit - '0');
  }
  return code > kMostCode ? kGrpcOther : code + 1;
}

struct Found {
  bool is_grpc = false;
  int32_t status = kNoStatus;
};

Found Look(const char* begin, const char* lines, const char* end) {
  Found found;
  while (lines != end) {
    const http1::FieldLine line = http1::ReadFieldLine(begin, lines, end);
    const char* const after_colon = line.colon + 1;
    const std::string_view value =
        http1::TrimBlanks({after_colon, static_cast<size_t>(line.line_end - after_colon)});
    if (http1::EqualsIgnoringCase(line.name, "content-type"))
      found.is_grpc = IsGrpcType(value);
    else if (found.status == kNoStatus && http1::EqualsIgnoringCase(line.name, kStatusField))
      found.status = StatusOf(value);
    lines = line.line_end + http1::kLineEndSize;
  }
  return found;
}

}  // namespace

int32_t GrpcStatusOfHead(std::string_view head_input, const http1::ResponseHead& head) {
  const char* const begin = head_input.data();
  const char* const end = begin + head.head_bytes - http1::kLineEndSize;  // the empty line
  const Found found = Look(begin, http1::FindByte(begin, begin, end, '\n') + 1, end);
  if (!found.is_grpc) return kNotGrpc;
  return found.status == kNoStatus ? kGrpcAwaited : found.status;
}

int32_t GrpcStatusOfTrailers(std::string_view trailers) {
  const char* const begin = trailers.data();
  const int32_t status =
      trailers.empty() ? kNoStatus : Look(begin, begin, begin + trailers.size()).status;
  return status == kNoStatus ? kGrpcOther : status;
}

}  // namespace sluice::frontend
