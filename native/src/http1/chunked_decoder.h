// Decodes a chunked message body (RFC 9112 section 7.1) strictly and in place, as its bytes arrive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::http1 {

/// What the decoder says about the bytes it has seen so far. kDone and kInvalid are final.
enum class ChunkStatus : uint8_t {
  kNeedMore,  // valid so far, the body has not ended
  kDone,      // the last chunk and the trailers are complete
  kInvalid,   // not chunked coding, or a bound is passed
};

/// Digits of a chunk size, leading zeros included; the value is below 2^63.
inline constexpr uint32_t kMaxChunkSizeDigits = 16;
/// Bytes of chunk extensions over a whole body. Nobody uses them; unbounded, they are work without
/// a body byte.
inline constexpr uint32_t kMaxChunkExtensionBytes = 4096;
/// Trailer lines of a body, and their bytes with their line ends. They are validated, and dropped
/// unless asked for.
inline constexpr uint32_t kMaxTrailers = 64;
inline constexpr uint32_t kMaxTrailerBytes = 8192;

/// Incremental decoder of one body. No allocation but for trailers that are asked for, 32 bytes of
/// state. Runs on the worker's thread.
///
/// Strict: hex digits only, CRLF only, no white space around a size but before an extension's
/// semicolon (the text of extensions is not judged), no controls but HTAB in extensions and
/// trailers, no line folds. Verdict and decoded bytes do not depend on how the input is split.
class ChunkedDecoder {
 public:
  /// Forgets everything; the next byte starts a new body.
  /// @param is_of_request white space before the colon of a trailer is invalid, as in a request's
  ///        head; in a response it is stripped (RFC 9112 section 5.1)
  void Reset(bool is_of_request = false);

  /// Decodes the next bytes of the body in place.
  ///
  /// @param data the next `size` bytes; body bytes are moved to its front, bytes from `consumed`
  ///        on stay as they are, those between are scratch
  /// @param decoded body bytes now at the front of `data`; on kInvalid those before the fault
  /// @param consumed input bytes used: `size` on kNeedMore; on kDone the bytes behind are surplus;
  ///        on kInvalid the offset of the byte that cannot be
  /// @param trailers nullptr: trailers are dropped; else, the same in all calls of a body: trailer
  ///        lines are added with their CRLFs, without white space before the colon, and whole on
  ///        kDone only. What they name is not judged
  ChunkStatus Decode(char* data, size_t size, size_t* decoded, size_t* consumed,
                     std::string* trailers = nullptr);

 private:
  enum class Phase : uint8_t {
    kSizeStart,        // first digit of a size
    kSize,             // further digits
    kBeforeExtension,  // white space behind the size: a semicolon must come
    kExtension,
    kSizeLf,
    kData,  // chunk_bytes_ > 0
    kDataCr,
    kDataLf,
    kTrailerStart,  // first byte of a trailer line, or the CR of the empty line
    kTrailerName,
    kBeforeColon,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kDone,
    kInvalid,
  };

  // Each reads one byte of framing. @returns false where that byte cannot be
  bool Step(char byte, std::string* trailers);
  bool StepInSize(char byte);
  bool StepInTrailers(char byte, std::string* trailers);
  bool CountExtensionByte();
  bool Enter(Phase phase);  // always true

  uint64_t chunk_bytes_ = 0;  // while reading a size: its value; in kData: bytes still to come
  uint32_t size_digits_ = 0;
  uint32_t extension_bytes_ = 0;
  uint32_t trailer_bytes_ = 0;
  uint32_t trailers_ = 0;
  Phase phase_ = Phase::kSizeStart;
  bool is_of_request_ = false;
};

}  // namespace sluice::http1
