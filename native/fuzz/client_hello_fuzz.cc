// libFuzzer target: ClientHellos over growing input, and cut into other records.
#include <string>

#include "fuzz_input.h"
#include "l4/client_hello.h"

namespace sluice::fuzz {
namespace {

using l4::ClientHello;
using l4::PrefaceStatus;

struct Parsed {
  PrefaceStatus status = PrefaceStatus::kNeedMore;
  ClientHello hello = {};
};

Parsed Parse(std::string_view input) {
  const ExactCopy received(input);
  Parsed parsed;
  parsed.status = l4::ParseClientHello(received.view(), &parsed.hello);
  return parsed;
}

bool AreSame(const Parsed& left, const Parsed& right) {
  return left.status == right.status && left.hello.is_tls == right.hello.is_tls &&
         left.hello.server_name == right.hello.server_name && left.hello.alpn == right.hello.alpn;
}

/// The first verdict over growing input.
Parsed ParseInPieces(std::string_view input, const std::vector<size_t>& piece_sizes) {
  Parsed parsed;
  ForEachPiece(input.size(), piece_sizes, [&](size_t, size_t end) {
    parsed = Parse(input.substr(0, end));
    return parsed.status == PrefaceStatus::kNeedMore;
  });
  return parsed;
}

/// The bytes of the first handshake message; `input` holds a whole hello.
std::string MessageOf(std::string_view input) {
  std::string message;
  size_t message_bytes = 4;
  while (message.size() < message_bytes) {
    const size_t length =
        static_cast<size_t>(static_cast<uint8_t>(input[3])) << 8 | static_cast<uint8_t>(input[4]);
    message += input.substr(5, length);
    input.remove_prefix(5 + length);
    if (message.size() >= 4) {
      message_bytes = 4;
      for (size_t at = 1, shift = 16; at < 4; ++at, shift -= 8)
        message_bytes += static_cast<size_t>(static_cast<uint8_t>(message[at])) << shift;
    }
  }
  REQUIRE(message.size() == message_bytes);
  return message;
}

std::string InRecords(std::string_view message, const std::vector<size_t>& piece_sizes) {
  std::string records;
  ForEachPiece(message.size(), piece_sizes, [&](size_t begin, size_t end) {
    records += "\x16\x03\x03";
    records += static_cast<char>((end - begin) >> 8);
    records += static_cast<char>((end - begin) & 0xff);
    records += message.substr(begin, end - begin);
    return true;
  });
  return records;
}

void CheckNames(const ClientHello& hello) {
  const std::string& name = hello.server_name;
  REQUIRE(name.size() <= 253 && !name.ends_with('.') && !name.starts_with('.'));
  REQUIRE(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos);
  REQUIRE(name.find("..") == std::string::npos);
  for (size_t at = 0; at < hello.alpn.size();) {
    const size_t protocol_bytes = static_cast<uint8_t>(hello.alpn[at]);
    REQUIRE(protocol_bytes > 0);
    at += 1 + protocol_bytes;
    REQUIRE(at <= hello.alpn.size());
  }
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: number of piece sizes, piece sizes, what the client sends.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  const std::string_view input = steering.rest();

  const Parsed whole = Parse(input);
  REQUIRE(AreSame(ParseInPieces(input, piece_sizes), whole));
  if (input.size() <= 256) REQUIRE(AreSame(ParseInPieces(input, {1}), whole));
  REQUIRE(whole.status != PrefaceStatus::kNeedMore ||
          input.size() < sluice::l4::kMaxClientHelloBytes);
  if (whole.status != PrefaceStatus::kDone) return 0;
  CheckNames(whole.hello);
  if (!whole.hello.is_tls) {
    REQUIRE(!input.starts_with("\x16\x03"));
    REQUIRE(whole.hello.server_name.empty() && whole.hello.alpn.empty());
    return 0;
  }
  const std::string message = MessageOf(input);
  const std::string records = InRecords(message, piece_sizes);
  if (records.size() > sluice::l4::kMaxClientHelloBytes) return 0;
  REQUIRE(AreSame(Parse(records), whole));
  REQUIRE(Parse(records.substr(0, records.size() - 1)).status == PrefaceStatus::kNeedMore);
  return 0;
}
