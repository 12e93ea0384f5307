// Decodes a chunked body in pieces and checks what must hold for every input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fuzz_input.h"
#include "http1/chunked_decoder.h"

namespace sluice::fuzz {

struct DecodedBody {
  http1::ChunkStatus status = http1::ChunkStatus::kNeedMore;
  std::string body;
  std::string trailers;
  size_t consumed = 0;

  bool operator==(const DecodedBody&) const = default;
};

/// Decodes `input` in pieces of these sizes.
inline DecodedBody DecodeInPieces(std::string_view input, const std::vector<size_t>& piece_sizes) {
  http1::ChunkedDecoder decoder;
  DecodedBody result;
  ForEachPiece(input.size(), piece_sizes, [&](size_t begin, size_t end) {
    const std::string_view piece = input.substr(begin, end - begin);
    ExactCopy bytes(piece);
    size_t decoded = 0;
    size_t consumed = 0;
    result.status =
        decoder.Decode(bytes.data(), piece.size(), &decoded, &consumed, &result.trailers);
    REQUIRE(decoded <= consumed && consumed <= piece.size());
    REQUIRE(bytes.view().substr(consumed) == piece.substr(consumed));
    REQUIRE(result.status != http1::ChunkStatus::kNeedMore || consumed == piece.size());
    result.body += bytes.view().substr(0, decoded);
    result.consumed += consumed;
    return result.status == http1::ChunkStatus::kNeedMore;
  });
  return result;
}

/// The coding of `body` in one chunk must decode to it again.
inline void CheckEncodesAndDecodes(std::string_view body, const std::vector<size_t>& piece_sizes) {
  if (body.empty()) return;
  char size[24];
  std::snprintf(size, sizeof size, "%zX\r\n", body.size());
  const std::string coded = size + std::string(body) + "\r\n0\r\n\r\n";
  const DecodedBody again = DecodeInPieces(coded, piece_sizes);
  REQUIRE(again.status == http1::ChunkStatus::kDone);
  REQUIRE(again.body == body && again.consumed == coded.size());
}

/// Decodes `input` whole and in pieces; both must agree. @returns what they agree on
inline DecodedBody CheckDecoding(std::string_view input, const std::vector<size_t>& piece_sizes) {
  const DecodedBody whole = DecodeInPieces(input, {input.size() + 1});
  REQUIRE(DecodeInPieces(input, piece_sizes) == whole);
  REQUIRE(whole.body.size() + whole.trailers.size() <= whole.consumed);
  REQUIRE(whole.trailers.size() <= http1::kMaxTrailerBytes);
  if (whole.status == http1::ChunkStatus::kDone)
    REQUIRE(whole.trailers.empty() || whole.trailers.ends_with("\r\n"));
  CheckEncodesAndDecodes(whole.body, piece_sizes);
  return whole;
}

}  // namespace sluice::fuzz
