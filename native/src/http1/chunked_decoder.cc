// Incremental decoding of chunked bodies: one step a byte for framing, runs for data and ignored
// text.
#include "http1/chunked_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "http1/bytes.h"

namespace sluice::http1 {
namespace {

constexpr uint64_t kMaxChunkBytes = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

/// Value of a hex digit, or -1.
int HexValue(char byte) {
  if (IsDigit(byte)) return byte - '0';
  const char lower = ToLowerCase(byte);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

void ChunkedDecoder::Reset(bool is_of_request) {
  *this = ChunkedDecoder();
  is_of_request_ = is_of_request;
}

ChunkStatus ChunkedDecoder::Decode(char* data, size_t size, size_t* decoded, size_t* consumed,
                                   std::string* trailers) {
  const char* const end = data + size;
  const char* at = data;
  char* out = data;
  while (at != end && phase_ != Phase::kDone && phase_ != Phase::kInvalid) {
    if (phase_ == Phase::kData) {
      const auto run =
          static_cast<size_t>(std::min<uint64_t>(chunk_bytes_, static_cast<uint64_t>(end - at)));
      if (out != at) std::memmove(out, at, run);
      out += run;
      at += run;
      chunk_bytes_ -= run;
      if (chunk_bytes_ == 0) phase_ = Phase::kDataCr;
    } else if (Step(*at, trailers)) {
      ++at;
    } else {
      phase_ = Phase::kInvalid;
    }
  }
  *decoded = static_cast<size_t>(out - data);
  *consumed = static_cast<size_t>(at - data);
  if (phase_ == Phase::kDone) return ChunkStatus::kDone;
  return phase_ == Phase::kInvalid ? ChunkStatus::kInvalid : ChunkStatus::kNeedMore;
}

bool ChunkedDecoder::Step(char byte, std::string* trailers) {
  switch (phase_) {
    case Phase::kSizeStart:
    case Phase::kSize:
      return StepInSize(byte);
    case Phase::kBeforeExtension:
      if (byte != ';' && !IsBlank(byte)) return false;
      if (byte == ';') phase_ = Phase::kExtension;
      return CountExtensionByte();
    case Phase::kExtension:
      if (byte == '\r') return Enter(Phase::kSizeLf);
      return !IsControlByte(byte) && CountExtensionByte();
    case Phase::kSizeLf:
      if (byte != '\n') return false;
      size_digits_ = 0;
      return Enter(chunk_bytes_ == 0 ? Phase::kTrailerStart : Phase::kData);
    case Phase::kDataCr:
      return byte == '\r' && Enter(Phase::kDataLf);
    case Phase::kDataLf:
      return byte == '\n' && Enter(Phase::kSizeStart);
    case Phase::kTrailerStart:
    case Phase::kTrailerName:
    case Phase::kBeforeColon:
    case Phase::kTrailerValue:
    case Phase::kTrailerLf:
      return StepInTrailers(byte, trailers);
    case Phase::kEndLf:
      return byte == '\n' && Enter(Phase::kDone);
    case Phase::kData:
    case Phase::kDone:
    case Phase::kInvalid:
      return false;
  }
  return false;
}

bool ChunkedDecoder::StepInSize(char byte) {
  const int digit = HexValue(byte);
  if (digit >= 0) {
    const auto value = static_cast<uint64_t>(digit);
    if (size_digits_ == kMaxChunkSizeDigits || chunk_bytes_ > (kMaxChunkBytes - value) / 16)
      return false;
    ++size_digits_;
    chunk_bytes_ = chunk_bytes_ * 16 + value;
    return Enter(Phase::kSize);
  }
  if (phase_ == Phase::kSizeStart) return false;
  if (byte == '\r') return Enter(Phase::kSizeLf);
  if (byte == ';') return Enter(Phase::kExtension) && CountExtensionByte();
  return IsBlank(byte) && Enter(Phase::kBeforeExtension) && CountExtensionByte();
}

bool ChunkedDecoder::StepInTrailers(char byte, std::string* trailers) {
  if (phase_ == Phase::kTrailerStart) {
    if (byte == '\r') return Enter(Phase::kEndLf);
    if (!IsTokenByte(byte) || trailers_ == kMaxTrailers) return false;
    ++trailers_;
    phase_ = Phase::kTrailerName;
  }
  if (trailer_bytes_ == kMaxTrailerBytes) return false;
  ++trailer_bytes_;
  const bool is_before_colon =
      IsBlank(byte) && (phase_ == Phase::kTrailerName || phase_ == Phase::kBeforeColon);
  if (trailers != nullptr && !is_before_colon) trailers->push_back(byte);
  switch (phase_) {
    case Phase::kTrailerName:
    case Phase::kBeforeColon:
      if (byte == ':') return Enter(Phase::kTrailerValue);
      if (IsBlank(byte)) return !is_of_request_ && Enter(Phase::kBeforeColon);
      return phase_ == Phase::kTrailerName && IsTokenByte(byte);
    case Phase::kTrailerValue:
      if (byte == '\r') return Enter(Phase::kTrailerLf);
      return !IsControlByte(byte);
    default:
      return byte == '\n' && Enter(Phase::kTrailerStart);
  }
}

bool ChunkedDecoder::Enter(Phase phase) {
  phase_ = phase;
  return true;
}

bool ChunkedDecoder::CountExtensionByte() {
  return ++extension_bytes_ <= kMaxChunkExtensionBytes;
}

}  // namespace sluice::http1
