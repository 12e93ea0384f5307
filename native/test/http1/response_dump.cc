// Says what the parsers read from responses on stdin, for comparing them with another parser.
//
// stdin: records of a little-endian 32-bit size, one byte of flags (1 = it answers HEAD) and `size`
// bytes, behind which the connection closes.
// stdout: a JSON line each: {"result":"invalid"} or {"result":"incomplete"} when it ends in the
// head, else {"result":"complete" | "incomplete" |
// "invalid","status","minor","isUntilClose","keepAlive", "endsAt","decoded"}; "endsAt" is the
// offset behind what was read of the message, "decoded" its body's bytes in hex.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http1/chunked_decoder.h"
#include "http1/response_head.h"

namespace sluice::http1 {
namespace {

constexpr HeadLimits kLimits = {.head_bytes = 16384, .headers = 100};

std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(byte) & 0xffu);
    hex += digits;
  }
  return hex;
}

struct Body {
  const char* result = "complete";
  std::string_view bytes;
  size_t consumed = 0;
};

/// Reads the body that follows a head; `rest` is decoded in place.
Body ReadBody(const ResponseHead& head, char* rest, size_t size) {
  switch (head.body) {
    case BodyKind::kNone:
      return {};
    case BodyKind::kUntilClose:
      return {"complete", {rest, size}, size};
    case BodyKind::kLength:
      if (head.content_length > size) return {"incomplete", {rest, size}, size};
      return {"complete",
              {rest, static_cast<size_t>(head.content_length)},
              static_cast<size_t>(head.content_length)};
    case BodyKind::kChunked:
      break;
  }
  ChunkedDecoder decoder;
  Body body;
  size_t decoded = 0;
  const ChunkStatus status = decoder.Decode(rest, size, &decoded, &body.consumed);
  body.bytes = {rest, decoded};
  if (status != ChunkStatus::kDone)
    body.result = status == ChunkStatus::kInvalid ? "invalid" : "incomplete";
  return body;
}

void Dump(std::vector<char>* input, bool is_head_request) {
  ResponseHeadParser parser(kLimits);
  ResponseHead head;
  const ParseStatus status = parser.Parse({input->data(), input->size()}, is_head_request, &head);
  if (status != ParseStatus::kDone) {
    std::printf("{\"result\":\"%s\"}\n",
                status == ParseStatus::kNeedMore ? "incomplete" : "invalid");
    return;
  }
  const Body body =
      ReadBody(head, input->data() + head.head_bytes, input->size() - head.head_bytes);
  std::printf(
      "{\"result\":\"%s\",\"status\":%d,\"minor\":%d,\"isUntilClose\":%s,\"keepAlive\":%s,"
      "\"endsAt\":%zu,\"decoded\":\"%s\"}\n",
      body.result, head.status, head.minor_version,
      head.body == BodyKind::kUntilClose ? "true" : "false", head.keep_alive ? "true" : "false",
      head.head_bytes + body.consumed, HexOf(body.bytes).c_str());
}

int Run() {
  for (;;) {
    unsigned char prefix[5];
    const size_t read = std::fread(prefix, 1, sizeof prefix, stdin);
    if (read == 0) return 0;
    const uint32_t size = prefix[0] | static_cast<uint32_t>(prefix[1]) << 8 |
                          static_cast<uint32_t>(prefix[2]) << 16 |
                          static_cast<uint32_t>(prefix[3]) << 24;
    std::vector<char> input(size);
    if (read != sizeof prefix || std::fread(input.data(), 1, size, stdin) != size) {
      std::fputs("response_dump: a record on stdin is cut short\n", stderr);
      return 1;
    }
    Dump(&input, (prefix[4] & 1) != 0);
  }
}

}  // namespace
}  // namespace sluice::http1

int main() {
  return sluice::http1::Run();
}
