// Times the engine's part of the access log, for a request as browsers send it: what is copied out
// of its head when it comes, and the line when it is over. The budgets are shares of the 500 ns of
// bench/micro/engine/access-lines.bench.ts, which has the TypeScript around it.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "bench/timing.h"
#include "frontend/client_address.h"
#include "frontend/logged_request.h"
#include "http1/client_request.h"
#include "log/access_lines.h"

namespace {

using namespace sluice::bench;
using sluice::frontend::LoggedRequest;

constexpr std::string_view kHead =
    "GET /api/v1/orders/18273?expand=items&page=2 HTTP/1.1\r\nHost: shop.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: application/json\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://shop.example.org/orders\r\n"
    "Connection: keep-alive\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n\r\n";
constexpr std::string_view kRequestId = "5c280ebf7713bd9e1e4bcdda00000000";
constexpr int64_t kNow = 1'764'000'000'123;
constexpr size_t kBufferBytes = 64 * 1024;

sluice::l4::PeerAddress Client() {
  sluice::l4::PeerAddress address;
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7};
  return address;
}

sluice::http1::ClientRequest Request() {
  using namespace sluice::http1;
  constexpr ClientRequestLimits kLimits = {
      .head_bytes = 65'536, .target_bytes = 8'192, .headers = 100};
  ClientRequestParser parser(kLimits);
  ClientRequest request;
  if (parser.Parse(kHead, &request) != ParseStatus::kDone) Refuse("request");
  return request;
}

void BenchHead() {
  const auto request = Request();
  const auto client = Client();
  LoggedRequest logged;
  // budget: 150 ns: head of a request, 10 fields
  Bench("head of a request, 10 fields", kHead.size(), [&] {
    logged.Begin(client, request, false);
    Keep(logged.Texts().method.size());
    return true;
  });
}

void BenchLine(const char* name, std::vector<sluice::log::AccessField> fields) {
  using namespace sluice::log;
  std::array<double, kAccessFacts> facts = {};
  std::array<char, 16> own_texts = {};
  std::vector<char> buffer(kBufferBytes);
  AccessMemory memory;
  memory.facts = facts.data();
  memory.texts = own_texts.data();
  memory.texts_bytes = own_texts.size();
  memory.buffers = {buffer.data(), buffer.data()};
  memory.buffer_bytes = {buffer.size(), buffer.size()};
  AccessLines lines(std::move(fields), memory, {16'384, 4'096});
  const std::array<const char*, 4> names = {"web", "*/api", "app", "10.0.0.1:8080"};
  for (size_t place = 0; place < names.size(); ++place)
    facts[access_fact::kListener + place] = lines.OpenText(names[place]);
  facts[access_fact::kCode] = -1;
  facts[access_fact::kStatus] = 200;
  facts[access_fact::kAttempts] = 1;
  facts[access_fact::kBytesFromClient] = 412;
  facts[access_fact::kBytesToClient] = 1'234;
  facts[access_fact::kTotalUs] = 12'345;
  facts[access_fact::kQueueUs] = 250;
  facts[access_fact::kConnectUs] = 310;
  facts[access_fact::kFirstByteUs] = 11'640;
  facts[access_fact::kReused] = 1;
  LoggedRequest logged;
  logged.Begin(Client(), Request(), false);
  size_t bytes = 0;
  Bench(name, 0, [&] {
    std::array<char, sluice::frontend::kAddressTextBytes> address;
    AccessTexts texts = logged.Texts();
    texts.client = sluice::frontend::AddressText(logged.client(), &address);
    texts.request_id = kRequestId;
    const int64_t end = lines.Write(texts, kNow);
    if (end == kNoRoom) return false;
    bytes = static_cast<size_t>(end);
    facts[access_fact::kOffset] = bytes > kBufferBytes - 4'096 ? 0 : static_cast<double>(bytes);
    return true;
  });
  Keep(bytes);
}

void BenchLines() {
  using sluice::log::AccessField;
  // budget: 150 ns: combined line
  BenchLine("combined line", {});
  std::vector<AccessField> fields;
  for (size_t field = 0; field < sluice::log::kAccessFields; ++field)
    fields.push_back(static_cast<AccessField>(field));
  // budget: 250 ns: line of JSON with all fields
  BenchLine("line of JSON with all fields", fields);
}

}  // namespace

int main() {
  BenchHead();
  BenchLines();
  return 0;
}
