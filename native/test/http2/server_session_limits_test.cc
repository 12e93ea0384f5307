// Unit tests of HTTP/2 sessions with clients: floods, errors, and the end.
#include "http2/server_session.h"

#include <algorithm>
#include <string>
#include <vector>

#include "session_rig.h"

namespace sluice::http2 {
namespace {

// --- floods ---

/// Says something again and again. @returns how often it was let pass, at most 100 times
int TimesUntilEnd(Client* client, std::string_view bytes, FloodKind kind) {
  int times = 0;
  while (times < 100) {
    client->Say(bytes);
    if (!client->goes_on || client->session.end() != SessionEnd::kNone) break;
    ++times;
  }
  CHECK_EQ(client->session.end(), SessionEnd::kFlood);
  CHECK_EQ(client->session.flood(), kind);
  client->Listen();
  return times;
}

TEST(ends_floods_of_each_kind_of_frame) {
  struct Flood {
    std::string bytes;
    FloodKind kind;
  };
  const std::vector<Flood> floods = {
      {Settings(), FloodKind::kSettings},
      {Frame(kPing, 0, 0, "12345678"), FloodKind::kPings},
      {Frame(kPing, kAck, 0, "12345678"), FloodKind::kPings},
      {Frame(kPriority, 0, 99, Number(0, 5)), FloodKind::kPriorities},
      {WindowUpdate(0, 1), FloodKind::kWindowUpdates},
      {Frame(kData, 0, 1, ""), FloodKind::kEmptyData},
      {Frame(kData, kPadded, 1, std::string_view("\3\0\0\0", 4)), FloodKind::kEmptyData},
  };
  for (const Flood& flood : floods) {
    Client client;
    client.Say(Headers(1, Get(), 0));
    const int times = TimesUntilEnd(&client, flood.bytes, flood.kind);
    CHECK(times >= 9 && times <= 12);
  }
}

// --- what nghttp2 passes over ---

/// A request is answered whole, then more is said. @returns the code of the GOAWAY, or UINT32_MAX
uint32_t GoawayBehindAnswer(uint32_t id, const std::string& more) {
  Client client;
  client.Say(Headers(id, Get()));
  client.Answer(static_cast<int32_t>(id), std::string(kOk), "body", true);
  client.Listen();
  client.Say(more);
  return client.GoawayCode();
}

TEST(ends_who_uses_an_id_again_or_goes_back) {
  CHECK_EQ(GoawayBehindAnswer(1, Headers(1, Get())), 1u);
  CHECK_EQ(GoawayBehindAnswer(5, Headers(3, Get())), 1u);
  CHECK_EQ(GoawayBehindAnswer(1, Headers(3, Get())), UINT32_MAX);
}

TEST(passes_over_trailers_that_cross_a_reset) {
  Client client;
  client.Say(Headers(1, Get(), 0) + Headers(3, Get(), 0));
  client.session.Reset(client.At(3), 8);
  client.Listen();
  CHECK_EQ(client.ResetOf(3), 8u);
  client.Say(Headers(3, {{"x-trailer", "late"}}));
  CHECK(client.goes_on);
  CHECK_EQ(client.GoawayCode(), UINT32_MAX);
}

TEST(passes_over_trailers_of_streams_that_a_goaway_left_out) {
  Client client;
  client.Say(Headers(1, Get(), 0));
  client.session.RefuseStreams();
  client.Listen();
  client.Say(Headers(3, Get(), 0));
  client.Say(Headers(3, {{"x-trailer", "late"}}));
  CHECK(client.goes_on);
  CHECK_EQ(client.GoawayCode(), UINT32_MAX);
}

TEST(ends_who_gives_the_connection_a_priority) {
  Client client;
  client.Say(Frame(kPriority, 0, 0, Number(1, 4) + '\x0f'));
  CHECK_EQ(client.GoawayCode(), 1u);
  Client other;
  other.Say(Frame(kPriority, 0, 7, Number(1, 4) + '\x0f'));
  CHECK(other.goes_on);
}

TEST(resets_a_connect_of_another_protocol_than_websocket) {
  Client client;
  client.Say(Headers(1, {{":method", "CONNECT"},
                         {":scheme", "http"},
                         {":authority", "a.example"},
                         {":path", "/"},
                         {":protocol", "evil"}}));
  CHECK_EQ(client.ResetOf(1), 1u);
  CHECK(client.At(1) == nullptr);
}

TEST(says_goaway_to_floods) {
  Client client;
  std::string bytes;
  for (int times = 0; times < 20; ++times)
    bytes += Frame(kPing, 0, 0, "12345678");
  client.Say(bytes);
  CHECK_EQ(client.GoawayCode(), 11u);
  CHECK(client.session.IsOver());
}

TEST(lets_frames_pass_that_belong_to_traffic) {
  Client client;
  client.Say(Settings(Setting(4, 1 << 20)));
  uint32_t stream = 1;
  for (int times = 0; times < 200; ++times, stream += 2) {
    client.Say(Headers(stream, Get()) + WindowUpdate(0, 100) +
               Frame(kPriority, 0, stream + 2, Number(0, 5)));
    client.Answer(static_cast<int32_t>(stream), std::string(kOk), "x", true);
    client.Listen();
  }
  CHECK(client.goes_on);
}

TEST(lets_no_frames_pass_for_answers_that_trickle_by_the_byte) {
  for (const size_t opened : {1u, 1023u, 1024u, 5000u}) {
    Client client;
    client.Say(Settings(Setting(4, 0)) + WindowUpdate(0, 1 << 20) + Headers(1, Get()));
    client.Answer(1, std::string(kOk), std::string(1 << 20, 'x'), true);
    for (int times = 0; times < 100 && client.goes_on; ++times)
      client.Say(WindowUpdate(1, static_cast<uint32_t>(opened)));
    CHECK_EQ(client.session.flood(), opened < 1024 ? FloodKind::kWindowUpdates : FloodKind::kNone);
  }
}

TEST(lets_frames_pass_for_small_messages) {
  Client client;
  client.Say(Headers(1, Get()));
  client.Answer(1, std::string(kOk), "", false);
  for (int times = 0; times < 100; ++times) {
    client.Answer(1, "", "x", false);
    client.Say(WindowUpdate(0, 1) + WindowUpdate(1, 1));
  }
  CHECK(client.goes_on);
}

TEST(fills_its_patience_with_time) {
  Client client;
  for (uint64_t second = 2; second < 100; ++second)
    client.Say(Frame(kPing, 0, 0, "12345678"), second * 1'000);
  CHECK(client.goes_on);
}

TEST(ends_rapid_resets) {
  Client client;
  uint32_t stream = 1;
  for (; client.goes_on && stream < 100; stream += 2)
    client.Say(Headers(stream, Get()) + Frame(kRstStream, 0, stream, Number(8, 4)));
  CHECK_EQ(client.session.flood(), FloodKind::kResets);
  CHECK_EQ(stream, 13u);
  CHECK_EQ(client.GoawayCode(), 11u);
}

TEST(ends_clients_that_make_it_reset_streams) {
  const std::vector<std::string> provocations = {
      WindowUpdate(1, 0x7fffffff),  // the stream's number is put in
      Headers(1, With(Get(), "connection", "x")),
  };
  for (const std::string& provocation : provocations) {
    Client client;
    uint32_t stream = 1;
    for (; client.session.end() == SessionEnd::kNone && stream < 100; stream += 2) {
      std::string bytes = provocation;
      bytes.replace(5, 4, Number(stream, 4));
      const bool is_request = bytes[3] == kHeaders;
      client.Say(is_request ? bytes : Headers(stream, Get()) + bytes);
    }
    CHECK_EQ(client.session.flood(), FloodKind::kResets);
    CHECK_EQ(stream, 13u);
  }
}

TEST(ends_continuation_floods) {
  Client client;
  client.Say(Frame(kHeaders, kEndStream, 1, Block(Get())));
  CHECK_EQ(client.session.head_began_at_ms(), 1'000u);
  for (int frames = 0; frames < 3; ++frames)
    client.Say(Frame(kContinuation, 0, 1, Block({{"a", "b"}})));
  CHECK(client.goes_on);
  client.Say(Frame(kContinuation, 0, 1, Block({{"a", "b"}})));
  CHECK_EQ(client.session.flood(), FloodKind::kContinuations);
  CHECK_EQ(client.GoawayCode(), 11u);
}

TEST(ends_blocks_that_unpack_to_far_more_than_a_head) {
  Client client;
  // One field of 4,000 bytes is put into the table, then named again and again by one byte.
  std::string block = Block(Get());
  block += '\x40';
  block += Length(1) + "a" + Length(4'000) + std::string(4'000, 'x');
  block += std::string(100, '\xbe');
  client.Say(Frame(kHeaders, kEndStream | kEndHeaders, 1, block));
  CHECK_EQ(client.session.flood(), FloodKind::kHeaders);
  CHECK_EQ(client.GoawayCode(), 11u);
}

// --- errors and the end ---

TEST(ends_for_what_breaks_the_rules) {
  const std::vector<std::string> errors = {
      Frame(kData, 0, 0, "x"),
      Headers(2, Get()),
      Frame(kSettings, 0, 1, ""),
      Frame(kSettings, 0, 0, "12345"),
      Frame(kPing, 0, 0, "1234"),
      Frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
      Frame(kHeaders, 0, 1, Block(Get())) + Settings(),
      WindowUpdate(0, 0),
      Frame(kContinuation, kEndHeaders, 1, ""),
  };
  for (const std::string& error : errors) {
    Client client;
    client.Say(error);
    CHECK_EQ(client.session.end(), SessionEnd::kError);
    CHECK(client.GoawayCode() != UINT32_MAX && client.GoawayCode() != 0);
    CHECK(client.session.IsOver());
  }
}

TEST(ends_for_settings_that_make_a_window_too_large) {
  Client client;
  client.Say(Headers(1, Get(), 0) + WindowUpdate(1, 1));
  client.Say(Settings(Setting(4, 0x7fffffff)));
  CHECK_EQ(client.session.end(), SessionEnd::kError);
  CHECK_EQ(client.GoawayCode(), 3u);
}

TEST(resets_the_stream_alone_whose_window_an_update_makes_too_large) {
  Client client;
  client.Say(Settings(Setting(4, 100'000)) + Headers(1, Get(), 0) + WindowUpdate(1, 0x7fffffff));
  CHECK_EQ(client.ResetOf(1), 3u);
  client.Say(Headers(3, Get()));
  CHECK(client.goes_on && client.At(3) != nullptr);
}

TEST(ends_for_a_preface_that_is_none) {
  Client client;
  AnswerFields fields;
  ServerSession session(kLimits, nullptr, &fields, 0);
  CHECK(!session.Receive("PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", 0));
  CHECK_EQ(session.end(), SessionEnd::kError);
}

TEST(gives_notice_then_refuses_streams) {
  Client client;
  client.Say(Headers(1, Get()));
  client.session.GiveNotice();
  client.Listen();
  CHECK_EQ(Find(client.frames, kGoaway, 0)->At(0), 0x7fffffffu);
  const Parsed* const ping = Find(client.frames, kPing, 0);
  CHECK(ping != nullptr);
  const std::string echo = Frame(kPing, kAck, 0, ping->payload);
  // On its way when the notice came.
  client.Say(Headers(3, Get()) + echo);
  CHECK(client.At(3) != nullptr);
  CHECK(client.session.is_notice_answered());
  client.session.RefuseStreams();
  client.Listen();
  CHECK_EQ(Find(client.frames, kGoaway, 0)->At(0), 3u);
  client.Say(Headers(5, Get()));
  CHECK(client.At(5) == nullptr);
  CHECK(!client.session.IsOver());
  client.Answer(1, std::string(kOk), "", true);
  client.Answer(3, std::string(kOk), "x", true);
  client.Listen();
  CHECK(HasEnd(client.frames, 1) && HasEnd(client.frames, 3));
  CHECK(client.session.IsOver());
  CHECK_EQ(client.session.end(), SessionEnd::kNone);
}

}  // namespace
}  // namespace sluice::http2
