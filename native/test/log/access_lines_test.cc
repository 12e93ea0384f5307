// The two formats of the access log, and how what clients send is escaped in them.
#include "log/access_lines.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "log/line_writer.h"

namespace {

using namespace sluice::log;

std::string Escaped(std::string_view text, Escaping escaping, size_t most_bytes = SIZE_MAX) {
  std::array<char, 4096> memory;
  LineWriter out(memory.data(), memory.size());
  out.AddEscaped(text, escaping, most_bytes);
  return {memory.data(), out.size()};
}

constexpr int64_t kNow = 1'764'000'000'123;  // 2025-11-24T16:00:00.123Z

/// Lines with memory of their own, and the facts of a plain exchange.
struct Rig {
  explicit Rig(std::vector<AccessField> fields, size_t room = 1024) : buffer(room, '?') {
    facts.fill(-1);
    for (size_t word = access_fact::kStatus; word < facts.size(); ++word)
      facts[word] = 0;
    facts[access_fact::kBuffer] = facts[access_fact::kOffset] = facts[access_fact::kIsSession] = 0;
    facts[access_fact::kStatus] = 200;
    facts[access_fact::kBytesToClient] = 612;
    facts[access_fact::kTotalUs] = 12'345;
    AccessMemory memory;
    memory.facts = facts.data();
    memory.texts = texts.data();
    memory.texts_bytes = texts.size();
    memory.buffers = {buffer.data(), buffer.data()};
    memory.buffer_bytes = {buffer.size(), buffer.size()};
    lines = std::make_unique<AccessLines>(std::move(fields), memory, AccessLimits{64, 32});
    own.client = "10.0.0.1";
    own.method = "GET";
    own.target = "/a?b=c";
    own.protocol = "HTTP/1.1";
    own.host = "example.org";
    own.request_id = "00ff";
    own.user_agent = "curl/8 \"x\"";
  }

  std::string Write() {
    const int64_t end = lines->Write(own, kNow);
    return end < 0 ? "no room" : buffer.substr(0, static_cast<size_t>(end));
  }

  std::array<double, kAccessFacts> facts;
  std::array<char, 256> texts{};
  std::string buffer;
  AccessTexts own;
  std::unique_ptr<AccessLines> lines;
};

std::vector<AccessField> AllFields() {
  std::vector<AccessField> fields;
  for (size_t field = 0; field < kAccessFields; ++field)
    fields.push_back(static_cast<AccessField>(field));
  return fields;
}

}  // namespace

TEST(hex_escapes_are_those_of_nginx) {
  CHECK_EQ(Escaped("plain /?=&'", Escaping::kHex), "plain /?=&'");
  CHECK_EQ(Escaped("a\"b\\c\nd\x7f\xC3\xA4", Escaping::kHex), "a\\x22b\\x5Cc\\x0Ad\\x7F\\xC3\\xA4");
}

TEST(json_keeps_utf8_and_replaces_what_is_none) {
  CHECK_EQ(Escaped("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80", Escaping::kJson),
           "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
  CHECK_EQ(Escaped("\"\\\n\x1b\x7f", Escaping::kJson), "\\\"\\\\\\u000A\\u001B\\u007F");
  // A C1 control, which terminals may take for a command.
  CHECK_EQ(Escaped("\xC2\x9B", Escaping::kJson), "\\u009B");
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK_EQ(Escaped("\xff", Escaping::kJson), replaced);
  // Overlong, a surrogate, too large, cut off: each maximal part is one.
  CHECK_EQ(Escaped("\xC0\xAF", Escaping::kJson), replaced + replaced);
  CHECK_EQ(Escaped("\xED\xA0\x80", Escaping::kJson), replaced + replaced + replaced);
  CHECK_EQ(Escaped("\xF4\x90\x80\x80", Escaping::kJson), replaced + replaced + replaced + replaced);
  CHECK_EQ(Escaped("\xE2\x82", Escaping::kJson), replaced);
  CHECK_EQ(Escaped("\xE2\x82z", Escaping::kJson), replaced + "z");
}

TEST(special_bytes_are_found_at_every_place_of_a_long_text) {
  for (size_t size = 1; size < 70; ++size) {
    for (size_t place = 0; place < size; ++place) {
      std::string text(size, 'x');
      text[place] = '"';
      std::string wanted = std::string(place, 'x') + "\\x22" + std::string(size - place - 1, 'x');
      CHECK_EQ(Escaped(text, Escaping::kHex), wanted);
    }
  }
}

TEST(a_long_text_is_cut_between_characters) {
  CHECK_EQ(Escaped("abcdef", Escaping::kHex, 4), "abcd");
  CHECK_EQ(Escaped("abc\n", Escaping::kHex, 5), "abc");
  CHECK_EQ(Escaped("ab\xE2\x82\xAC", Escaping::kJson, 4), "ab");
  CHECK_EQ(Escaped(std::string(100, 'x'), Escaping::kJson, 64), std::string(64, 'x'));
}

TEST(combined_has_the_request_s_id_and_time_behind_it) {
  Rig rig({});
  rig.own.referer = "http://x/";
  CHECK_EQ(rig.Write(),
           "10.0.0.1 - - [24/Nov/2025:16:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 612 "
           "\"http://x/\" \"curl/8 \\x22x\\x22\" 00ff 0.012\n");
}

TEST(combined_says_a_dash_for_what_is_not_known_and_499_for_who_left) {
  Rig rig({});
  rig.own = {};
  rig.facts[access_fact::kStatus] = 0;
  CHECK_EQ(rig.Write(), "- - - [24/Nov/2025:16:00:00 +0000] \"-\" 499 612 \"-\" \"-\" - 0.012\n");
}

TEST(a_session_has_a_line_that_parses_like_a_request_s) {
  Rig rig({});
  rig.own = {};
  rig.own.client = "10.0.0.9";
  rig.facts[access_fact::kIsSession] = 1;
  rig.facts[access_fact::kListener] = rig.lines->OpenText("pg");
  rig.facts[access_fact::kEndpoint] = rig.lines->OpenText("10.0.1.7:5432");
  CHECK_EQ(rig.Write(),
           "10.0.0.9 - - [24/Nov/2025:16:00:00 +0000] \"TCP pg/10.0.1.7:5432 L4\" 200 612 \"-\" "
           "\"-\" - 0.012\n");
}

TEST(json_says_how_tls_carried_a_request_where_it_is_wanted) {
  Rig rig({AccessField::kTlsVersion, AccessField::kTlsCipher});
  rig.own.tls_version = "TLSv1.3";
  rig.own.tls_cipher = "TLS_AES_128_GCM_SHA256";
  CHECK(rig.lines->wants_tls());
  CHECK_EQ(rig.Write(), "{\"tlsVersion\":\"TLSv1.3\",\"tlsCipher\":\"TLS_AES_128_GCM_SHA256\"}\n");
  CHECK(!Rig({AccessField::kTime}).lines->wants_tls());
  CHECK(!Rig({}).lines->wants_tls());
}

TEST(json_leaves_out_what_does_not_apply) {
  Rig rig(AllFields());
  CHECK_EQ(rig.Write(),
           "{\"time\":\"2025-11-24T16:00:00.123Z\",\"client\":\"10.0.0.1\",\"method\":\"GET\","
           "\"path\":\"/a\",\"query\":\"b=c\",\"protocol\":\"HTTP/1.1\",\"host\":\"example.org\","
           "\"status\":200,\"attempts\":0,\"bytesFromClient\":0,\"bytesToClient\":612,"
           "\"durationMs\":12.345,\"reused\":false,\"requestId\":\"00ff\",\"userAgent\":\"curl/8 "
           "\\\"x\\\"\"}\n");
}

TEST(json_tells_names_and_phases) {
  Rig rig({AccessField::kUpstream, AccessField::kCode, AccessField::kQueueMs,
           AccessField::kConnectMs, AccessField::kFirstByteMs, AccessField::kReused});
  rig.facts[access_fact::kUpstream] = rig.lines->OpenText("up\"s");
  rig.facts[access_fact::kCode] = rig.lines->OpenText("SLUICE_NO_ROUTE");
  rig.facts[access_fact::kQueueUs] = 7;
  rig.facts[access_fact::kConnectUs] = 1'000'000;
  rig.facts[access_fact::kFirstByteUs] = 999;
  rig.facts[access_fact::kReused] = 1;
  CHECK_EQ(rig.Write(),
           "{\"upstream\":\"up\\\"s\",\"code\":\"SLUICE_NO_ROUTE\",\"queueMs\":0.007,"
           "\"connectMs\":1000.000,\"firstByteMs\":0.999,\"reused\":true}\n");
}

TEST(a_line_of_no_known_fact_is_an_object) {
  Rig rig({AccessField::kTraceId});
  CHECK_EQ(rig.Write(), "{}\n");
}

TEST(texts_that_are_given_count_before_those_of_the_request) {
  Rig rig({AccessField::kClient, AccessField::kTraceId, AccessField::kHost});
  const std::string_view given = "203.0.113.9abcdef";
  std::copy(given.begin(), given.end(), rig.texts.begin());
  rig.facts[access_fact::kTexts] = 11;
  rig.facts[access_fact::kTexts + 6] = 6;
  CHECK_EQ(rig.Write(),
           "{\"client\":\"203.0.113.9\",\"traceId\":\"abcdef\",\"host\":\"example.org\"}\n");
}

TEST(lengths_beyond_the_given_texts_are_cut) {
  Rig rig({AccessField::kHost, AccessField::kReferer});
  rig.facts[access_fact::kTexts + 4] = 1e9;
  rig.facts[access_fact::kTexts + 7] = 5;
  rig.texts.fill('y');
  CHECK_EQ(rig.Write(), "{\"host\":\"" + std::string(32, 'y') + "\"}\n");
}

TEST(a_line_that_does_not_fit_is_not_written) {
  Rig whole({});
  const size_t size = whole.Write().size();
  for (size_t room = 1; room < size; ++room) {
    Rig rig({}, room);
    CHECK_EQ(rig.Write(), "no room");
  }
  // Numbers want more room than they need.
  Rig exact({}, size + 32);
  CHECK(exact.Write() == whole.Write());
  exact.facts[access_fact::kOffset] = static_cast<double>(size + 32);
  CHECK_EQ(exact.Write(), "no room");
}
