// The two formats of the access log.
#include "log/access_lines.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace sluice::log {

namespace {

/// Of each field with what stands around it: `,"name":`.
constexpr std::array<std::string_view, kAccessFields> kKeys = {
    ",\"time\":",       ",\"listener\":",   ",\"client\":",          ",\"method\":",
    ",\"path\":",       ",\"query\":",      ",\"protocol\":",        ",\"host\":",
    ",\"status\":",     ",\"code\":",       ",\"route\":",           ",\"upstream\":",
    ",\"endpoint\":",   ",\"attempts\":",   ",\"bytesFromClient\":", ",\"bytesToClient\":",
    ",\"durationMs\":", ",\"queueMs\":",    ",\"connectMs\":",       ",\"firstByteMs\":",
    ",\"reused\":",     ",\"requestId\":",  ",\"traceId\":",         ",\"referer\":",
    ",\"userAgent\":",  ",\"tlsVersion\":", ",\"tlsCipher\":",
};

using Keys = std::array<PaddedText, kAccessFields>;

/// @param end what stands behind the key
constexpr Keys KeysWith(std::string_view end) {
  Keys keys;
  for (size_t field = 0; field < kAccessFields; ++field) {
    for (const std::string_view part : {kKeys[field], end}) {
      for (const char byte : part)
        keys[field].bytes[keys[field].size++] = byte;
    }
  }
  return keys;
}

constexpr Keys kNumberKeys = KeysWith("");
constexpr Keys kTextKeys = KeysWith("\"");

/// nginx's status of a client that left without an answer.
constexpr uint64_t kClientLeft = 499;
constexpr uint64_t kUsPerMs = 1000;
/// A name of the configuration is not cut: it is short.
constexpr size_t kWhole = SIZE_MAX;

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string EscapedName(std::string_view text, Escaping escaping) {
  std::string escaped(text.size() * 6, '\0');
  LineWriter out(escaped.data(), escaped.size());
  out.AddEscaped(text, escaping, kWhole);
  escaped.resize(out.size());
  return escaped;
}

uint64_t Whole(double number) {
  return number > 0 ? static_cast<uint64_t>(number) : 0;
}

}  // namespace

AccessLines::AccessLines(std::vector<AccessField> fields, AccessMemory memory, AccessLimits limits)
    : is_json_(!fields.empty()),
      escaping_(is_json_ ? Escaping::kJson : Escaping::kHex),
      memory_(memory),
      limits_(limits),
      fields_(std::move(fields)),
      wants_tls_(std::any_of(fields_.begin(), fields_.end(), [](AccessField field) {
        return field == AccessField::kTlsVersion || field == AccessField::kTlsCipher;
      })) {}

int32_t AccessLines::OpenText(std::string_view text) {
  names_.push_back(EscapedName(text, escaping_));
  return static_cast<int32_t>(names_.size()) - 1;
}

std::string_view AccessLines::Name(size_t word) const {
  const double number = Fact(word);
  return number >= 0 && number < static_cast<double>(names_.size())
             ? std::string_view(names_[static_cast<size_t>(number)])
             : std::string_view();
}

AccessTexts AccessLines::TextsOver(const AccessTexts& own) const {
  AccessTexts texts = own;
  const std::array<std::string_view*, kAccessTexts> places = {
      &texts.client,     &texts.method,   &texts.target,  &texts.protocol,  &texts.host,
      &texts.request_id, &texts.trace_id, &texts.referer, &texts.user_agent};
  size_t begin = 0;
  for (size_t place = 0; place < kAccessTexts; ++place) {
    const size_t bytes = std::min(static_cast<size_t>(Whole(Fact(access_fact::kTexts + place))),
                                  memory_.texts_bytes - begin);
    if (bytes > 0) *places[place] = {memory_.texts + begin, bytes};
    begin += bytes;
  }
  return texts;
}

int64_t AccessLines::Write(const AccessTexts& own, int64_t now_ms) {
  const size_t buffer = Fact(access_fact::kBuffer) == 0 ? 0 : 1;
  const auto offset = static_cast<size_t>(Whole(Fact(access_fact::kOffset)));
  if (offset >= memory_.buffer_bytes[buffer]) return kNoRoom;
  TellTime(now_ms);
  LineWriter out(memory_.buffers[buffer] + offset, memory_.buffer_bytes[buffer] - offset);
  const AccessTexts texts = TextsOver(own);
  if (is_json_) {
    WriteJson(texts, &out);
  } else {
    WriteCombined(texts, &out);
  }
  out.Add('\n');
  return out.is_full() ? kNoRoom : static_cast<int64_t>(offset + out.size());
}

void AccessLines::TellTime(int64_t now_ms) {
  const int64_t second = now_ms / static_cast<int64_t>(kUsPerMs);
  millisecond_ = static_cast<unsigned>(now_ms % static_cast<int64_t>(kUsPerMs));
  if (second == second_) return;
  second_ = second;
  const auto at = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&at, &utc);
  char text[64];
  const int size =
      is_json_
          ? std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.", utc.tm_year + 1900,
                          utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec)
          : std::snprintf(text, sizeof text, "%02d/%s/%04d:%02d:%02d:%02d +0000", utc.tm_mday,
                          kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                          utc.tm_min, utc.tm_sec);
  time_.assign(text, static_cast<size_t>(std::max(size, 0)));
}

// --- combined ---

void AccessLines::WriteCombined(const AccessTexts& texts, LineWriter* out) const {
  const bool is_session = Fact(access_fact::kIsSession) != 0;
  const auto text = [this, out](std::string_view value, size_t most_bytes) {
    if (value.empty()) return out->Add('-');
    out->AddEscaped(value, escaping_, most_bytes);
  };
  text(texts.client, limits_.text_bytes);
  out->Add(" - - [");
  out->Add(time_);
  out->Add("] \"");
  if (is_session) {
    out->Add("TCP ");
    out->Add(Name(access_fact::kListener));
    const std::string_view endpoint = Name(access_fact::kEndpoint);
    if (!endpoint.empty()) {
      out->Add('/');
      out->Add(endpoint);
    }
    out->Add(" L4");
  } else if (texts.method.empty()) {
    out->Add('-');
  } else {
    text(texts.method, limits_.text_bytes);
    out->Add(' ');
    text(texts.target, limits_.target_bytes);
    out->Add(' ');
    text(texts.protocol, limits_.text_bytes);
  }
  out->Add("\" ");
  const uint64_t status = Whole(Fact(access_fact::kStatus));
  out->AddNumber(status == 0 ? kClientLeft : status);
  out->Add(' ');
  out->AddNumber(Whole(Fact(access_fact::kBytesToClient)));
  out->Add(" \"");
  text(texts.referer, limits_.text_bytes);
  out->Add("\" \"");
  text(texts.user_agent, limits_.text_bytes);
  out->Add("\" ");
  text(texts.request_id, limits_.text_bytes);
  out->Add(' ');
  out->AddThousandths(Whole(Fact(access_fact::kTotalUs)) / kUsPerMs);
}

// --- JSON ---

void AccessLines::WriteJson(const AccessTexts& texts, LineWriter* out) const {
  for (const AccessField field : fields_)
    WriteField(field, texts, out);
  // Each fact begins with a comma: the first one's makes room. Without any the line is an object,
  // too.
  if (out->size() == 0) out->Add('{');
  out->ReplaceFirst('{');
  out->Add('}');
}

void AccessLines::WriteField(AccessField field, const AccessTexts& texts, LineWriter* out) const {
  const PaddedText& key = kNumberKeys[static_cast<size_t>(field)];
  const PaddedText& text_key = kTextKeys[static_cast<size_t>(field)];
  const auto text = [&](std::string_view value, size_t most_bytes) {
    if (value.empty()) return;
    out->Add(text_key);
    out->AddEscaped(value, escaping_, most_bytes);
    out->Add('"');
  };
  const auto name = [&](size_t word) {
    const std::string_view value = Name(word);
    if (value.empty()) return;
    out->Add(text_key);
    out->Add(value);
    out->Add('"');
  };
  const auto number = [&](size_t word) {
    out->Add(key);
    out->AddNumber(Whole(Fact(word)));
  };
  /// Where it is above 0.
  const auto duration = [&](size_t word) {
    const uint64_t us = Whole(Fact(word));
    if (us == 0) return;
    out->Add(key);
    out->AddThousandths(us);
  };
  switch (field) {
    case AccessField::kTime: {
      out->Add(text_key);
      out->Add(time_);
      const char digits[] = {static_cast<char>('0' + millisecond_ / 100),
                             static_cast<char>('0' + millisecond_ / 10 % 10),
                             static_cast<char>('0' + millisecond_ % 10), 'Z', '"'};
      return out->Add(std::string_view(digits, sizeof digits));
    }
    case AccessField::kListener:
      return name(access_fact::kListener);
    case AccessField::kClient:
      return text(texts.client, limits_.text_bytes);
    case AccessField::kMethod:
      return text(texts.method, limits_.text_bytes);
    case AccessField::kPath:
      return text(texts.target.substr(0, texts.target.find('?')), limits_.target_bytes);
    case AccessField::kQuery: {
      const size_t query = texts.target.find('?');
      if (query == std::string_view::npos) return;
      return text(texts.target.substr(query + 1), limits_.target_bytes);
    }
    case AccessField::kProtocol:
      return text(texts.protocol, limits_.text_bytes);
    case AccessField::kHost:
      return text(texts.host, limits_.text_bytes);
    case AccessField::kStatus:
      // That of a session is for the combined format alone, whose lines have all of them one.
      return Fact(access_fact::kStatus) > 0 && Fact(access_fact::kIsSession) == 0
                 ? number(access_fact::kStatus)
                 : void();
    case AccessField::kCode:
      return name(access_fact::kCode);
    case AccessField::kRoute:
      return name(access_fact::kRoute);
    case AccessField::kUpstream:
      return name(access_fact::kUpstream);
    case AccessField::kEndpoint:
      return name(access_fact::kEndpoint);
    case AccessField::kAttempts:
      return number(access_fact::kAttempts);
    case AccessField::kBytesFromClient:
      return number(access_fact::kBytesFromClient);
    case AccessField::kBytesToClient:
      return number(access_fact::kBytesToClient);
    case AccessField::kDurationMs:
      out->Add(key);
      return out->AddThousandths(Whole(Fact(access_fact::kTotalUs)));
    case AccessField::kQueueMs:
      return duration(access_fact::kQueueUs);
    case AccessField::kConnectMs:
      return duration(access_fact::kConnectUs);
    case AccessField::kFirstByteMs:
      return duration(access_fact::kFirstByteUs);
    case AccessField::kReused:
      if (Fact(access_fact::kReused) < 0) return;
      out->Add(key);
      return out->Add(Fact(access_fact::kReused) > 0 ? "true" : "false");
    case AccessField::kRequestId:
      return text(texts.request_id, limits_.text_bytes);
    case AccessField::kTraceId:
      return text(texts.trace_id, limits_.text_bytes);
    case AccessField::kReferer:
      return text(texts.referer, limits_.text_bytes);
    case AccessField::kUserAgent:
      return text(texts.user_agent, limits_.text_bytes);
    case AccessField::kTlsVersion:
      return text(texts.tls_version, limits_.text_bytes);
    case AccessField::kTlsCipher:
      return text(texts.tls_cipher, limits_.text_bytes);
  }
}

}  // namespace sluice::log
