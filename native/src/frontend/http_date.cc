// Writes the date of answers as RFC 9110 wants it.
#include "frontend/http_date.h"

#include <cstring>
#include <ctime>

namespace sluice::frontend {

namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void PutDigits(char* at, int value, int digits) {
  for (int digit = digits - 1; digit >= 0; --digit, value /= 10)
    at[digit] = static_cast<char>('0' + value % 10);
}

}  // namespace

void HttpDate::Write(uint64_t now_ms) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char* const text = text_.data();
  std::memcpy(text, "Sun, 00 Jan 0000 00:00:00 GMT", kSize);
  std::memcpy(text, kDays + 3 * parts.tm_wday, 3);
  PutDigits(text + 5, parts.tm_mday, 2);
  std::memcpy(text + 8, kMonths + 3 * parts.tm_mon, 3);
  PutDigits(text + 12, parts.tm_year + 1900, 4);
  PutDigits(text + 17, parts.tm_hour, 2);
  PutDigits(text + 20, parts.tm_min, 2);
  PutDigits(text + 23, parts.tm_sec, 2);
  valid_until_ms_ = now_ms + 1000 - static_cast<uint64_t>(now.tv_nsec / 1'000'000);
}

}  // namespace sluice::frontend
