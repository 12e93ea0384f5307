// Escapes what clients have sent: whole runs that need none are copied as they are.
#include "log/line_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#if defined(__SSE2__) && !defined(SLUICE_PORTABLE_SCAN)
#define SLUICE_LOG_SSE2 1
#include <emmintrin.h>
#endif

namespace sluice::log {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
/// What one byte or character becomes at most: `\u00HH`.
constexpr size_t kMostEscapeBytes = 6;

bool IsPlain(char byte) {
  return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

#ifdef SLUICE_LOG_SSE2
/// A bit for each byte of the block that is not plain.
unsigned SpecialsIn(__m128i block) {
  // One more than the byte, as a signed number, is below 0x21 for controls, DEL and 0x80 on.
  const __m128i next = _mm_add_epi8(block, _mm_set1_epi8(1));
  const __m128i special = _mm_or_si128(_mm_cmplt_epi8(next, _mm_set1_epi8(0x21)),
                                       _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                                    _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));
  return static_cast<unsigned>(_mm_movemask_epi8(special));
}

__m128i BlockAt(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

__m128i HalfAt(const char* at) {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
}
#endif

/// The first byte that is not plain, or `end`. The last block of a text overlaps what was looked at
/// before it, so that nothing is read byte by byte but the shortest texts.
const char* FindSpecial(const char* at, const char* end) {
#ifdef SLUICE_LOG_SSE2
  constexpr std::ptrdiff_t kBlock = 16;
  constexpr std::ptrdiff_t kHalf = 8;
  constexpr unsigned kHalfBits = 0xff;
  if (end - at >= kBlock) {
    for (; end - at >= kBlock; at += kBlock) {
      const unsigned specials = SpecialsIn(BlockAt(at));
      if (specials != 0) return at + std::countr_zero(specials);
    }
    if (at == end) return end;
    const unsigned specials = SpecialsIn(BlockAt(end - kBlock));
    return specials == 0 ? end : end - kBlock + std::countr_zero(specials);
  }
  if (end - at >= kHalf) {
    const unsigned specials = SpecialsIn(_mm_unpacklo_epi64(HalfAt(at), HalfAt(end - kHalf)));
    if (specials == 0) return end;
    const unsigned first = specials & kHalfBits;
    return first != 0 ? at + std::countr_zero(first)
                      : end - kHalf + std::countr_zero(specials >> kHalf);
  }
#endif
  while (at != end && IsPlain(*at))
    ++at;
  return at;
}

bool IsWithin(char byte, unsigned least, unsigned most) {
  const auto value = static_cast<uint8_t>(byte);
  return value >= least && value <= most;
}

/// How many bytes of UTF-8 the text begins with as one character, or, negative, how many are no
/// character together (a maximal subpart: The Unicode Standard, section 3.9, D93b).
int MeasureUtf8(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  size_t size = 0;
  unsigned least = 0x80;
  unsigned most = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) least = 0xA0;
    if (lead == 0xED) most = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) least = 0x90;
    if (lead == 0xF4) most = 0x8F;
  } else {
    return -1;
  }
  for (size_t at = 1; at < size; ++at) {
    if (at >= text.size() || !IsWithin(text[at], least, most)) return -static_cast<int>(at);
    least = 0x80;
    most = 0xBF;
  }
  return static_cast<int>(size);
}

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

/// What stands for one character of the text.
struct Escape {
  std::array<char, kMostEscapeBytes> bytes;
  size_t size = 0;
  /// Of the text.
  size_t taken = 1;
};

Escape EscapeOf(std::string_view text, Escaping escaping) {
  const auto byte = static_cast<uint8_t>(text[0]);
  const char high = kHexDigits[byte >> 4];
  const char low = kHexDigits[byte & 15];
  Escape escape;
  if (escaping == Escaping::kHex) {
    escape.bytes = {'\\', 'x', high, low};
    escape.size = 4;
  } else if (byte == '"' || byte == '\\') {
    escape.bytes = {'\\', text[0]};
    escape.size = 2;
  } else if (byte < 0x80) {
    escape.bytes = {'\\', 'u', '0', '0', high, low};
    escape.size = 6;
  } else {
    const int measured = MeasureUtf8(text);
    escape.taken = static_cast<size_t>(measured < 0 ? -measured : measured);
    const bool is_c1 = measured == 2 && byte == 0xC2 && IsWithin(text[1], 0x80, 0x9F);
    if (is_c1) {
      const auto code = static_cast<uint8_t>(text[1]);
      escape.bytes = {'\\', 'u', '0', '0', kHexDigits[code >> 4], kHexDigits[code & 15]};
      escape.size = 6;
    } else {
      const std::string_view as_is = measured < 0 ? kReplacement : text.substr(0, escape.taken);
      std::copy(as_is.begin(), as_is.end(), escape.bytes.begin());
      escape.size = as_is.size();
    }
  }
  return escape;
}

}  // namespace

void LineWriter::AddEscaped(std::string_view text, Escaping escaping, size_t most_bytes) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (!is_full_) {
    const char* const special = FindSpecial(at, end);
    const size_t plain_bytes = std::min(static_cast<size_t>(special - at), most_bytes);
    Add(std::string_view(at, plain_bytes));
    most_bytes -= plain_bytes;
    if (special == end || at + plain_bytes != special) return;
    const Escape escape = EscapeOf({special, static_cast<size_t>(end - special)}, escaping);
    if (escape.size > most_bytes) return;
    most_bytes -= escape.size;
    for (size_t byte = 0; byte < escape.size; ++byte)
      Add(escape.bytes[byte]);
    at = special + escape.taken;
  }
}

}  // namespace sluice::log
