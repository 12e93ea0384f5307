// Times the parsers of the engine: ns for each input and MB/s. Prints one line of JSON for each
// bench; scripts/bench-micro.mjs compares them with the budgets written here. They are about one
// and a half times what was measured at commit 6036e7e on a shared AMD EPYC virtual machine.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bench/timing.h"
#include "http1/answer_head.h"
#include "http1/chunked_decoder.h"
#include "http1/client_request.h"
#include "http1/endpoint_head.h"
#include "http1/request_head.h"
#include "http1/response_head.h"
#include "l4/client_hello.h"
#include "l4/proxy_header.h"
#include "test/l4/recorded_hellos.h"

namespace {

using namespace sluice::bench;

void BenchResponseHead(const char* name, const std::string& head) {
  using namespace sluice::http1;
  ResponseHeadParser parser({.head_bytes = 65'536, .headers = 128});
  Bench(name, head.size(), [&] {
    parser.Reset();
    ResponseHead found;
    const ParseStatus status = parser.Parse(head, false, &found);
    Keep(found.content_length);
    return status == ParseStatus::kDone;
  });
}

void BenchResponseHeads() {
  // budget: 110 ns: response head, 5 fields
  BenchResponseHead(
      "response head, 5 fields",
      "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 02:15:03 GMT\r\n"
      "Content-Type: text/plain\r\nContent-Length: 43\r\nConnection: keep-alive\r\n\r\n");
  std::string large = "HTTP/1.1 200 OK\r\nContent-Length: 4321\r\n";
  for (int field = 0; field < 20; field++)
    large += "X-Field-" + std::to_string(field) + ": " + std::string(60, 'v') + "\r\n";
  // budget: 375 ns: response head, 21 fields
  BenchResponseHead("response head, 21 fields", large + "\r\n");
}

void BenchRequestHeads() {
  using sluice::http1::IsSendableRequestHead;
  const std::string minimal = "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nvia: 1.1 sluice\r\n";
  // budget: 26 ns: request head check, 2 fields
  Bench("request head check, 2 fields", minimal.size(),
        [&] { return IsSendableRequestHead(minimal); });
  std::string browser = minimal;
  for (int field = 0; field < 13; field++)
    browser += "x-field-" + std::to_string(field) + ": " + std::string(45, 'v') + "\r\n";
  // budget: 160 ns: request head check, 15 fields
  Bench("request head check, 15 fields", browser.size(),
        [&] { return IsSendableRequestHead(browser); });
}

/// Times how a client's request is read, and how its head for the endpoint is written.
void BenchClientRequest(const char* read_name, const char* write_name, const std::string& head) {
  using namespace sluice::http1;
  constexpr ClientRequestLimits kLimits = {
      .head_bytes = 65'536, .target_bytes = 8'192, .headers = 100};
  ClientRequestParser parser(kLimits);
  ClientRequest request;
  Bench(read_name, head.size(), [&] {
    parser.Reset(kLimits);
    const ParseStatus status = parser.Parse(head, &request);
    Keep(request.head_bytes);
    return status == ParseStatus::kDone;
  });
  const EndpointHeadOptions options = {.scheme = "http",
                                       .via_name = "sluice-0f1e2d3c",
                                       .client_address = "192.0.2.7",
                                       .request_id = "0123456789abcdef0123456700000001"};
  std::vector<char> room(EndpointHeadBound(request, options));
  Bench(write_name, head.size(), [&] {
    const size_t size = WriteEndpointHead(request, options, room.data());
    Keep(room[size - 1]);
    return size > 0;
  });
}

void BenchClientRequests() {
  // budget: 60 ns: client request, 3 fields
  // budget: 60 ns: endpoint head, 3 fields
  BenchClientRequest("client request, 3 fields", "endpoint head, 3 fields",
                     "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench/1\r\n"
                     "Accept: */*\r\n\r\n");
  // budget: 250 ns: client request, 13 fields
  // budget: 200 ns: endpoint head, 13 fields
  BenchClientRequest(
      "client request, 13 fields", "endpoint head, 13 fields",
      "GET /assets/app.3f2a9c1b.js?v=20261123 HTTP/1.1\r\nHost: www.example.com\r\n"
      "Connection: keep-alive\r\n"
      "sec-ch-ua: \"Chromium\";v=\"130\", \"Google Chrome\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
      "sec-ch-ua-mobile: ?0\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/130.0.0.0 Safari/537.36\r\n"
      "sec-ch-ua-platform: \"Linux\"\r\nAccept: */*\r\nSec-Fetch-Site: same-origin\r\n"
      "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n"
      "Referer: https://www.example.com/index.html\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
      "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\r\n");
}

void BenchAnswerHead() {
  using namespace sluice::http1;
  const std::string head =
      "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 02:15:03 GMT\r\n"
      "Content-Type: text/plain\r\nContent-Length: 43\r\nConnection: keep-alive\r\n\r\n";
  ResponseHeadParser parser({.head_bytes = 65'536, .headers = 128});
  ResponseHead found;
  if (parser.Parse(head, false, &found) != ParseStatus::kDone) Refuse("answer head, 5 fields");
  std::vector<char> room(head.size() + kAnswerExtraBytes);
  // budget: 120 ns: answer head, 5 fields
  Bench("answer head, 5 fields", head.size(), [&] {
    const AnswerOptions options = {.framing = AnswerFraming::kLength,
                                   .content_length = found.content_length,
                                   .date = "Mon, 23 Nov 2026 02:15:03 GMT"};
    const size_t size = WriteAnswerHead(head, found, options, room.data());
    Keep(room[size - 1]);
    return size > 0;
  });
}

void BenchChunkedBody(const char* name, size_t chunk_bytes, int chunks) {
  using namespace sluice::http1;
  char size_line[24];
  std::snprintf(size_line, sizeof size_line, "%zx\r\n", chunk_bytes);
  std::string body;
  for (int chunk = 0; chunk < chunks; chunk++)
    body += size_line + std::string(chunk_bytes, 'b') + "\r\n";
  body += "0\r\n\r\n";
  std::vector<char> scratch(body.size());
  ChunkedDecoder decoder;
  // It decodes in place: the copy of the body is part of the figure.
  Bench(name, body.size(), [&] {
    std::memcpy(scratch.data(), body.data(), body.size());
    decoder.Reset();
    size_t decoded = 0;
    size_t consumed = 0;
    const ChunkStatus status = decoder.Decode(scratch.data(), scratch.size(), &decoded, &consumed);
    return status == ChunkStatus::kDone && consumed == body.size();
  });
}

void BenchChunkedBodies() {
  // budget: 290 ns: chunked body, 8 chunks of 64 bytes
  BenchChunkedBody("chunked body, 8 chunks of 64 bytes", 64, 8);
  // budget: 3300 ns: chunked body, 4 chunks of 16 KiB
  BenchChunkedBody("chunked body, 4 chunks of 16 KiB", 16'384, 4);
}

void BenchProxyHeader(const char* name, const std::string& header) {
  using namespace sluice::l4;
  Bench(name, header.size(), [&] {
    ProxyHeader found;
    const PrefaceStatus status = ParseProxyHeader(header, &found);
    Keep(found.header_bytes);
    return status == PrefaceStatus::kDone && found.has_addresses;
  });
}

void BenchProxyHeaders() {
  using namespace sluice::l4;
  const std::string line = "PROXY TCP4 192.0.2.7 198.51.100.9 51234 443\r\n";
  // budget: 72 ns: PROXY header, version 1
  BenchProxyHeader("PROXY header, version 1", line);
  ProxyHeader facts;
  if (ParseProxyHeader(line, &facts) != PrefaceStatus::kDone) Refuse("PROXY header, version 1");
  facts.authority = "www.example.com";
  facts.alpn = "h2";
  char written[kMaxWrittenProxyHeaderBytes];
  const size_t written_bytes = WriteProxyHeader(2, facts, written);
  // budget: 45 ns: PROXY header, version 2*
  BenchProxyHeader("PROXY header, version 2 with authority and ALPN", {written, written_bytes});
}

std::string FromHex(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2)
    bytes += static_cast<char>(std::strtol(std::string(text.substr(at, 2)).c_str(), nullptr, 16));
  return bytes;
}

void BenchClientHello() {
  using namespace sluice::l4;
  const std::string hello = FromHex(preface::kNodeTls13);
  // budget: 255 ns: ClientHello, name and ALPN
  Bench("ClientHello, name and ALPN", hello.size(), [&] {
    ClientHello found;
    const PrefaceStatus status = ParseClientHello(hello, &found);
    Keep(found.server_name.size());
    return status == PrefaceStatus::kDone && found.is_tls && !found.server_name.empty();
  });
}

}  // namespace

int main() {
  BenchResponseHeads();
  BenchRequestHeads();
  BenchClientRequests();
  BenchAnswerHead();
  BenchChunkedBodies();
  BenchProxyHeaders();
  BenchClientHello();
  return 0;
}
