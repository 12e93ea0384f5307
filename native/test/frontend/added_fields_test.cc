// Unit tests of the fields that the proxy adds to responses.
#include "frontend/added_fields.h"

#include <string>

#include "check.h"

namespace sluice::frontend {
namespace {

TEST(KeepsFieldsInTheirOrder) {
  AddedFields fields;
  CHECK_EQ(fields.lines(), "");
  CHECK(fields.Set("set-cookie", "a=b; Path=/"));
  CHECK(fields.Set("x-empty", ""));
  CHECK_EQ(fields.lines(), "set-cookie: a=b; Path=/\r\nx-empty: \r\n");
}

TEST(ReplacesAFieldOfTheSameName) {
  AddedFields fields;
  CHECK(fields.Set("x-a", "1"));
  CHECK(fields.Set("x-b", "2"));
  CHECK(fields.Set("X-A", "three"));
  CHECK_EQ(fields.lines(), "X-A: three\r\nx-b: 2\r\n");
  CHECK(fields.Set("x-", "beginning of others"));
  CHECK_EQ(fields.lines(), "X-A: three\r\nx-b: 2\r\nx-: beginning of others\r\n");
}

TEST(TakesAFieldAway) {
  AddedFields fields;
  CHECK(fields.Set("x-a", std::nullopt));
  CHECK_EQ(fields.lines(), "");
  CHECK(fields.Set("x-a", "1"));
  CHECK(fields.Set("x-b", "2"));
  CHECK(fields.Set("x-a", std::nullopt));
  CHECK_EQ(fields.lines(), "x-b: 2\r\n");
  CHECK(fields.Set("x-b", std::nullopt));
  CHECK_EQ(fields.lines(), "");
}

TEST(HoldsNoMoreThanItsBound) {
  AddedFields fields;
  const std::string half(AddedFields::kMostBytes / 2 - 7, 'x');  // its line: `x-a: ` and CRLF
  CHECK(fields.Set("x-a", half));
  CHECK(fields.Set("x-b", half));
  CHECK_EQ(fields.lines().size(), AddedFields::kMostBytes);
  const std::string before(fields.lines());
  CHECK(!fields.Set("x-c", ""));
  CHECK(!fields.Set("x-a", half + "x"));
  CHECK_EQ(fields.lines(), before);
  CHECK(fields.Set("x-a", half.substr(1)));  // what it replaces makes room
  CHECK(!fields.Set("x-a", std::string(AddedFields::kMostBytes, 'x')));
}

TEST(AllowsNothingThatSplitsOrFramesAResponse) {
  CHECK(AddedFields::IsAllowed("set-cookie", "a=\"b\"; c\t~"));
  CHECK(AddedFields::IsAllowed("X_Y", ""));
  for (const std::string_view name :
       {"", "a b", "a:", "a\r\n", "a\xe4", "Content-Length", "transfer-encoding", "Connection",
        "keep-alive", "Upgrade", "trailer", "TE", "proxy-connection", "Date"}) {
    CHECK(!AddedFields::IsAllowed(name, "x"));
  }
  for (int byte = 0; byte < 256; ++byte) {
    const char value[] = {'a', static_cast<char>(byte), 'b'};
    const bool is_text = (byte >= 0x20 && byte < 0x7f) || byte == '\t';
    CHECK_EQ(AddedFields::IsAllowed("x", {value, sizeof value}), is_text);
  }
}

}  // namespace
}  // namespace sluice::frontend
