// The byte classes of HTTP/1.1 (RFC 9110 section 5.6) and fast scans for them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__) && !defined(SLUICE_PORTABLE_SCAN)
#define SLUICE_SSE2_SCAN 1
#include <emmintrin.h>
#endif

namespace sluice::http1 {

namespace bytes_internal {

inline constexpr std::array<bool, 256> kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (size_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                  (byte >= 'A' && byte <= 'Z');
  }
  for (const char byte : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<uint8_t>(byte)] = true;
  return table;
}();

#ifdef SLUICE_SSE2_SCAN
/// A bit for each of the 16 bytes that is a control or above 0x7f: two instructions, for they are
/// rare but for line ends.
inline uint32_t SuspectsIn16(const char* at) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  // One more than the byte, as a signed number, is below 0x21 for 0x00..0x1f and 0x7f..0xff.
  const __m128i next = _mm_add_epi8(block, _mm_set1_epi8(1));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmplt_epi8(next, _mm_set1_epi8(0x21))));
}

/// A bit for each of the 16 bytes that is `wanted`.
inline uint32_t MatchesIn16(const char* at, char wanted) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(wanted))));
}

/// The bits of the places from `index`, 0..16, on.
inline uint32_t From(std::ptrdiff_t index) {
  return ~0u << index;
}
#endif

}  // namespace bytes_internal

/// RFC 9110 tchar: what names and methods are made of.
inline bool IsTokenByte(char byte) {
  return bytes_internal::kTokenBytes[static_cast<uint8_t>(byte)];
}

/// A control character, HTAB excepted: never valid in a head, but for the CRLF that ends a line.
inline bool IsControlByte(char byte) {
  const auto value = static_cast<uint8_t>(byte);
  return (value < 0x20 && value != '\t') || value == 0x7f;
}

inline bool IsDigit(char byte) {
  return byte >= '0' && byte <= '9';
}

inline char ToLowerCase(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}

/// Optional white space inside a line (RFC 9110 OWS).
inline bool IsBlank(char byte) {
  return byte == ' ' || byte == '\t';
}

/// The text without the white space around it.
inline std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// First control byte in [at, end), or `end`; byte by byte, the reference for FindControl.
inline const char* FindControlPortable(const char* at, const char* end) {
  while (at != end && !IsControlByte(*at))
    ++at;
  return at;
}

/// First control byte in [at, end), or `end`. HOT.
/// @param begin start of the readable bytes that `at` lies in: a short rest is read with those
/// before it
inline const char* FindControl([[maybe_unused]] const char* begin, const char* at,
                               const char* end) {
#ifdef SLUICE_SSE2_SCAN
  const auto first_control = [](const char* block, uint32_t suspects) -> const char* {
    for (; suspects != 0; suspects &= suspects - 1) {
      const char* const suspect = block + std::countr_zero(suspects);
      if (IsControlByte(*suspect)) return suspect;
    }
    return nullptr;
  };
  for (; end - at >= 16; at += 16) {
    const char* const found = first_control(at, bytes_internal::SuspectsIn16(at));
    if (found != nullptr) return found;
  }
  if (end - begin >= 16) {
    const char* const block = end - 16;
    const char* const found = first_control(
        block, bytes_internal::SuspectsIn16(block) & bytes_internal::From(at - block));
    return found != nullptr ? found : end;
  }
#endif
  return FindControlPortable(at, end);
}

/// First byte in [at, end) that is no token byte, or `end`; byte by byte, the reference for
/// SkipToken.
inline const char* SkipTokenPortable(const char* at, const char* end) {
  while (at != end && IsTokenByte(*at))
    ++at;
  return at;
}

/// First byte in [at, end) that is no token byte, or `end`. HOT.
inline const char* SkipToken(const char* at, const char* end) {
#ifdef SLUICE_SSE2_SCAN
  // Letters, digits and '-' sixteen at a time: nearly every name. The other token bytes are left to
  // the table.
  while (end - at >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i letter =
        _mm_sub_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i digit = _mm_sub_epi8(block, _mm_set1_epi8('0'));
    const __m128i usual =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter),
                                  _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit)),
                     _mm_cmpeq_epi8(block, _mm_set1_epi8('-')));
    const auto unusual = static_cast<uint32_t>(_mm_movemask_epi8(usual)) ^ 0xffffu;
    if (unusual == 0) {
      at += 16;
      continue;
    }
    at += std::countr_zero(unusual);
    if (!IsTokenByte(*at)) return at;
    ++at;
  }
#endif
  return SkipTokenPortable(at, end);
}

/// First `wanted` in [at, end), or `end`. HOT.
/// @param begin as for FindControl
inline const char* FindByte([[maybe_unused]] const char* begin, const char* at, const char* end,
                            char wanted) {
#ifdef SLUICE_SSE2_SCAN
  for (; end - at >= 16; at += 16) {
    const uint32_t found = bytes_internal::MatchesIn16(at, wanted);
    if (found != 0) return at + std::countr_zero(found);
  }
  if (end - begin >= 16) {
    const char* const block = end - 16;
    const uint32_t found =
        bytes_internal::MatchesIn16(block, wanted) & bytes_internal::From(at - block);
    return found != 0 ? block + std::countr_zero(found) : end;
  }
#endif
  while (at != end && *at != wanted)
    ++at;
  return at;
}

/// What cannot stand in a request target: a blank, a control below it, the '#' of a fragment.
inline bool IsTargetEnd(char byte) {
  return static_cast<uint8_t>(byte) <= ' ' || byte == '#';
}

/// First byte in [at, end) that ends a request target, or `end`; DEL and bytes above it do not.
/// HOT.
/// @param begin as for FindControl
inline const char* FindTargetEnd([[maybe_unused]] const char* begin, const char* at,
                                 const char* end) {
#ifdef SLUICE_SSE2_SCAN
  const auto ends_in_16 = [](const char* block_at) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block_at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(' ')), block);
    return static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(block, _mm_set1_epi8('#')))));
  };
  for (; end - at >= 16; at += 16) {
    const uint32_t found = ends_in_16(at);
    if (found != 0) return at + std::countr_zero(found);
  }
  if (end - begin >= 16) {
    const char* const block = end - 16;
    const uint32_t found = ends_in_16(block) & bytes_internal::From(at - block);
    return found != 0 ? block + std::countr_zero(found) : end;
  }
#endif
  while (at != end && !IsTargetEnd(*at))
    ++at;
  return at;
}

/// Compares, ignoring the case of letters.
inline bool EqualsIgnoringCase(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (size_t index = 0; index < left.size(); ++index) {
    if (ToLowerCase(left[index]) != ToLowerCase(right[index])) return false;
  }
  return true;
}

namespace bytes_internal {

/// The first kSize <= 8 bytes at `at` as a word, in the machine's byte order.
template <size_t kSize>
inline uint64_t LoadWord(const char* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, kSize);
  return word;
}

/// Zero where `text` is `lower` but for bit 0x20 of each byte.
template <size_t kSize>
inline uint64_t DifferenceIgnoringCase(const char* text, const char* lower) {
  if constexpr (kSize > 8) {
    return DifferenceIgnoringCase<8>(text, lower) |
           DifferenceIgnoringCase<kSize - 8>(text + 8, lower + 8);
  } else {
    return (LoadWord<kSize>(text) | LoadWord<kSize>("\x20\x20\x20\x20\x20\x20\x20\x20")) ^
           LoadWord<kSize>(lower);
  }
}

}  // namespace bytes_internal

/// Compares with a lower-case literal of letters, digits and '-', ignoring the case of letters.
/// Exact for text without control bytes: no other byte turns into one of those by setting bit 0x20.
template <size_t kLiteralSize>
inline bool EqualsLowerCase(std::string_view text, const char (&lower)[kLiteralSize]) {
  constexpr size_t kSize = kLiteralSize - 1;
  return text.size() == kSize &&
         bytes_internal::DifferenceIgnoringCase<kSize>(text.data(), lower) == 0;
}

}  // namespace sluice::http1
