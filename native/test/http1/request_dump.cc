// Says what the parsers read from requests on stdin, for comparing them with another parser.
//
// stdin: records of a little-endian 32-bit size and `size` bytes, behind which the connection ends.
// stdout: a JSON line each: {"result":"invalid"} or {"result":"incomplete"} when it ends in the
// head, else {"result":"complete" | "incomplete" |
// "invalid","method","target","host","minor","isChunked",
// "keepAlive","isUpgrade","endsAt","decoded"}; texts in hex, "endsAt" the offset behind what was
// read of the request, "decoded" its body's bytes.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "http1/chunked_decoder.h"
#include "http1/client_request.h"

namespace sluice::http1 {
namespace {

constexpr ClientRequestLimits kLimits = {.head_bytes = 16384, .target_bytes = 8192, .headers = 100};

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
  std::string_view bytes = {};
  size_t consumed = 0;
};

/// Reads the body that follows a head; `rest` is decoded in place.
Body ReadBody(int64_t body_bytes, char* rest, size_t size) {
  if (body_bytes == kNoRequestBody) return {};
  if (body_bytes >= 0) {
    const auto length = static_cast<uint64_t>(body_bytes);
    if (length > size) return {"incomplete", {rest, size}, size};
    return {"complete", {rest, static_cast<size_t>(length)}, static_cast<size_t>(length)};
  }
  ChunkedDecoder decoder;
  decoder.Reset(true);
  Body body;
  size_t decoded = 0;
  const ChunkStatus status = decoder.Decode(rest, size, &decoded, &body.consumed);
  body.bytes = {rest, decoded};
  if (status != ChunkStatus::kDone)
    body.result = status == ChunkStatus::kInvalid ? "invalid" : "incomplete";
  return body;
}

void Dump(std::vector<char>* input) {
  ClientRequestParser parser(kLimits);
  ClientRequest request;
  const ParseStatus status = parser.Parse({input->data(), input->size()}, &request);
  if (status != ParseStatus::kDone) {
    std::printf("{\"result\":\"%s\"}\n",
                status == ParseStatus::kNeedMore ? "incomplete" : "invalid");
    return;
  }
  const Body body = ReadBody(request.body_bytes, input->data() + request.head_bytes,
                             input->size() - request.head_bytes);
  std::printf(
      "{\"result\":\"%s\",\"method\":\"%s\",\"target\":\"%s\",\"host\":\"%s\",\"minor\":%d,"
      "\"isChunked\":%s,\"keepAlive\":%s,\"isUpgrade\":%s,\"endsAt\":%zu,\"decoded\":\"%s\"}\n",
      body.result, HexOf(request.method_text).c_str(), HexOf(request.target).c_str(),
      HexOf(request.host).c_str(), request.minor_version,
      request.body_bytes == kChunkedRequestBody ? "true" : "false",
      request.keep_alive ? "true" : "false", request.wants_upgrade ? "true" : "false",
      request.head_bytes + body.consumed, HexOf(body.bytes).c_str());
}

int Run() {
  for (;;) {
    unsigned char prefix[4];
    const size_t read = std::fread(prefix, 1, sizeof prefix, stdin);
    if (read == 0) return 0;
    const uint32_t size = prefix[0] | static_cast<uint32_t>(prefix[1]) << 8 |
                          static_cast<uint32_t>(prefix[2]) << 16 |
                          static_cast<uint32_t>(prefix[3]) << 24;
    std::vector<char> input(size);
    if (read != sizeof prefix || std::fread(input.data(), 1, size, stdin) != size) {
      std::fputs("request_dump: a record on stdin is cut short\n", stderr);
      return 1;
    }
    Dump(&input);
  }
}

}  // namespace
}  // namespace sluice::http1

int main() {
  return sluice::http1::Run();
}
