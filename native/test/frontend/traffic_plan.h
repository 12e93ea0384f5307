// What a random test makes of one request: how its client asks, how the endpoint answers, and a
// reader of answers that is written for being checked against, not for speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace traffic {

using Rng = std::mt19937;

/// @returns 0..below-1
inline size_t Pick(Rng& rng, size_t below) {
  return rng() % below;
}
inline bool Chance(Rng& rng, size_t percent) {
  return Pick(rng, 100) < percent;
}

/// Content that tells whose it is and where in it a byte belongs.
inline std::string Content(size_t number, bool is_answer, size_t size) {
  std::string content(size, '\0');
  for (size_t at = 0; at < size; ++at)
    content[at] =
        static_cast<char>('a' + (number * 7 + at * 31 + (at >> 8) * 13 + (is_answer ? 5 : 0)) % 26);
  return content;
}

/// Content in chunks of random sizes.
inline std::string Chunked(const std::string& content, Rng& rng, std::string_view trailers) {
  std::string out;
  for (size_t at = 0; at < content.size();) {
    const size_t size = 1 + Pick(rng, content.size() - at);
    char line[24];
    std::snprintf(line, sizeof line, "%zx\r\n", size);
    out.append(line).append(content, at, size).append("\r\n");
    at += size;
  }
  return out.append("0\r\n").append(trailers).append("\r\n");
}

enum class Framing { kNone, kLength, kChunked, kUntilClose };

struct Plan {
  size_t number = 0;
  Framing asks = Framing::kNone;
  size_t ask_bytes = 0;
  bool is_head = false;
  bool is_http10 = false;
  bool asks_close = false;
  bool wants_tunnel = false;
  /// No request: it is to be answered by the proxy, and is the last of its connection.
  bool is_malformed = false;
  Framing answers = Framing::kLength;
  int status = 200;
  size_t answer_bytes = 0;
  size_t interims = 0;
  /// The answer does not wait for the request's body.
  bool is_early = false;
  /// The endpoint breaks off behind half of the answer's body.
  bool is_cut = false;
  /// Times that an endpoint has seen its head.
  size_t seen = 0;

  bool has_body() const { return !is_head && status != 204 && status != 304; }
  std::string answer() const { return Content(number, true, answer_bytes); }
};

inline Plan MakePlan(size_t number, Rng& rng) {
  Plan plan;
  plan.number = number;
  const size_t sizes[] = {0, 1, 700, 9'000, 70'000, 300'000};
  const size_t kind = Pick(rng, 10);
  if (kind < 2) plan.asks = Framing::kLength;
  if (kind == 2 || kind == 3) plan.asks = Framing::kChunked;
  if (plan.asks != Framing::kNone) plan.ask_bytes = sizes[Pick(rng, 6)];
  if (plan.asks == Framing::kLength && plan.ask_bytes == 0) plan.ask_bytes = 3;
  plan.is_malformed = Chance(rng, 2);
  plan.is_head = kind == 4;
  plan.is_http10 = plan.asks != Framing::kChunked && Chance(rng, 10);
  plan.asks_close = Chance(rng, 5);
  plan.wants_tunnel = kind == 5 && !plan.is_http10 && Chance(rng, 20);
  const Framing framings[] = {Framing::kLength, Framing::kLength, Framing::kChunked,
                              Framing::kUntilClose};
  plan.answers = framings[Pick(rng, 4)];
  plan.answer_bytes = sizes[Pick(rng, Chance(rng, 30) ? 6 : 4)];
  if (Chance(rng, 10)) plan.status = Chance(rng, 50) ? 204 : 304;
  if (plan.status != 200) plan.answers = Framing::kNone, plan.answer_bytes = 0;
  plan.interims = Chance(rng, 10) ? 1 + Pick(rng, 3) : 0;
  plan.is_early = plan.asks != Framing::kNone && Chance(rng, 10);
  plan.is_cut = plan.has_body() && plan.answer_bytes > 10 && Chance(rng, 8);
  return plan;
}

/// The request as its client writes it.
inline std::string RequestOf(const Plan& plan, Rng& rng) {
  std::string out = plan.is_head ? "HEAD" : plan.asks == Framing::kNone ? "GET" : "POST";
  out += " /" + std::to_string(plan.number) + " HTTP/1." + (plan.is_http10 ? "0" : "1") +
         "\r\nhost: h\r\n";
  if (plan.is_http10 && !plan.asks_close) out += "connection: keep-alive\r\n";
  if (!plan.is_http10 && plan.asks_close) out += "connection: close\r\n";
  if (plan.is_malformed) out += "no field\r\n";
  if (plan.wants_tunnel) out += "connection: upgrade\r\nupgrade: x\r\n";
  if (plan.asks == Framing::kLength)
    out += "content-length: " + std::to_string(plan.ask_bytes) + "\r\n";
  if (plan.asks == Framing::kChunked) out += "transfer-encoding: chunked\r\n";
  if (Chance(rng, 5)) out += "x-long: " + std::string(Pick(rng, 9'000), 'x') + "\r\n";
  out += "\r\n";
  const std::string content = Content(plan.number, false, plan.ask_bytes);
  if (plan.asks == Framing::kLength) out += content;
  if (plan.asks == Framing::kChunked) out += Chunked(content, rng, "x-t: 1\r\n");
  return out;
}

/// A message as far as it has come.
struct Message {
  bool has_head = false;
  bool is_whole = false;
  bool ends_with_close = false;
  bool is_bad = false;
  std::string head;  // lower case is expected of what is looked for
  std::string body;
  size_t used_bytes = 0;  // where it is whole

  bool holds(std::string_view line) const { return head.find(line) != std::string::npos; }
  std::string value(std::string_view name) const {
    const size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// Reads one message from its beginning. @param is_bodyless whatever its fields say
inline Message ReadMessage(std::string_view in, bool is_answer, bool is_bodyless) {
  Message message;
  const size_t head_end = in.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return message;
  message.has_head = true;
  message.head = in.substr(0, head_end + 2);
  size_t at = head_end + 4;
  const std::string length = message.value("content-length");
  if (is_bodyless) {
    message.is_whole = true;
  } else if (message.holds("\r\ntransfer-encoding: chunked\r\n")) {
    while (true) {
      const size_t line_end = in.find("\r\n", at);
      if (line_end == std::string_view::npos) return message;
      const size_t size =
          std::strtoul(std::string(in.substr(at, line_end - at)).c_str(), nullptr, 16);
      at = line_end + 2;
      if (size == 0) break;
      message.body += in.substr(at, size);
      if (in.size() < at + size + 2) return message;
      if (in.substr(at + size, 2) != "\r\n") message.is_bad = true;
      at += size + 2;
    }
    while (true) {  // trailers
      const size_t line_end = in.find("\r\n", at);
      if (line_end == std::string_view::npos) return message;
      const bool is_last = line_end == at;
      at = line_end + 2;
      if (is_last) break;
    }
    message.is_whole = true;
  } else if (!length.empty()) {
    const size_t size = std::strtoul(length.c_str(), nullptr, 10);
    message.body = in.substr(at, size);
    at += message.body.size();
    message.is_whole = message.body.size() == size;
  } else if (is_answer) {
    message.body = in.substr(at);
    message.ends_with_close = true;
  } else {
    message.is_whole = true;
  }
  message.used_bytes = at;
  return message;
}

}  // namespace traffic
